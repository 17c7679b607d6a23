// Recursion: the processes that resolve from the root, names that they could not resolve, and domains that are not validated for a time.
import { make, notice, panel, put, table, widePanel } from "/dom.js";
import { bytes, count, duration, ms } from "/format.js";
import { action } from "/permissions.js";
import { call } from "/rpc.js";

export const title = "Recursion";
export const isThere = (status) => Boolean(status.recursion);

const kEveryMs = 2000;
const kTimes = [[3600, "1 hour"], [14400, "4 hours"], [86400, "1 day"], [604800, "1 week"]];

// Its processes first, since the daemon's cache would be filled from theirs. `filter`: of cache.flush, `name` or `suffix`.
async function change(method, params, filter) {
  const { instances, failed } = await call(method, params);
  const { flushed } = await call("cache.flush", { [filter]: params.name });
  if (failed > 0) throw new Error(`${count(failed)} of ${count(instances + failed)} processes did not answer`);
  return `Done by ${count(instances)} ${instances === 1 ? "process" : "processes"}. Answers removed from the cache: ${count(flushed)}`;
}

function instanceTable({ instances }) {
  // 0: it knows none yet.
  const took = (value) => ms(value > 0 ? value : null);
  return table([
    { title: "Instance", of: (one) => one.name },
    { title: "State", of: (one) => make("span", { class: one.up ? "good" : "bad" }, one.up ? "up" : "down") },
    { title: "Up for", number: true, of: (one) => duration(one.up ? one.uptime_s : null), narrow: false },
    { title: "Queries", number: true, of: (one) => count(one.queries) },
    { title: "Recursions", number: true, of: (one) => count(one.recursions) },
    { title: "Mean", number: true, of: (one) => took(one.recursion_mean_ms) },
    { title: "Median", number: true, of: (one) => took(one.recursion_median_ms), narrow: false },
    { title: "Secure", number: true, of: (one) => count(one.secure) },
    { title: "Bogus", number: true, of: (one) => make("span", { class: one.bogus > 0 && "warn" }, count(one.bogus)) },
    { title: "SERVFAIL", number: true, of: (one) => count(one.servfail) },
    { title: "Cache", number: true, of: (one) => bytes(one.cache_bytes), narrow: false },
    { title: "Restarts", number: true, of: (one) => count(one.restarts) },
    { title: "Trouble", of: (one) => one.trouble && make("span", { class: "bad" }, one.trouble) },
  ], instances, "None runs: the configuration has no recursion, or the overview says why.");
}

function failureTable({ failures }) {
  return table([
    { title: "Ago", number: true, of: (one) => duration(one.ago_s) },
    { title: "Times", number: true, of: (one) => count(one.count) },
    { title: "Instance", of: (one) => one.instance, narrow: false },
    { title: "Name and reason", long: true, of: (one) => one.text },
  ], failures, "None.");
}

export function show(place) {
  const told = make("div"), anchors = make("div"), instances = make("div"), failures = make("div");
  const field = () => make("input", { name: "name", placeholder: "example.com", size: 24, autocomplete: "off" });
  const flushed = field(), distrusted = field();
  const seconds = make("select", { name: "seconds" }, kTimes.map(([value, text]) => make("option", { value }, text)));
  let hasEnded = false, isFailed = false, shown = null;

  // An empty name would be the root.
  const nameOf = (input) => {
    const name = input.value.trim();
    if (!name) throw new Error("Write a domain name first");
    return name;
  };
  const form = (...children) => make("form", { onsubmit: (event) => event.preventDefault() }, children);
  const flush = (label, filter) => action(label, "recursion.flush", () => change("recursion.flush", { name: nameOf(flushed) }, filter), told);
  const trust = async (name, time) => {
    try {
      return await change("recursion.distrust", { name, seconds: time }, "suffix");
    } finally {
      look();
    }
  };

  // Drawn again only when they change, so that a button stays while it is clicked.
  function drawAnchors(zones) {
    const text = zones.join(" ");
    if (text === shown) return;
    shown = text;
    put(anchors, table([
      { title: "Domain", long: true, of: (zone) => zone },
      { title: "", of: (zone) => action("Validate it again", "recursion.distrust", () => trust(zone, 0), told) },
    ], zones, "None."));
  }

  async function look() {
    try {
      const now = await call("recursion");
      if (hasEnded) return;
      if (isFailed) told.replaceChildren();
      isFailed = false;
      put(instances, instanceTable(now));
      put(failures, failureTable(now));
      drawAnchors(now.negative_trust_anchors);
    } catch (error) {
      isFailed = true;
      told.replaceChildren(notice(error.message));
    }
  }

  place.replaceChildren(told, make("div", { class: "panels" }, widePanel("Instances", instances),
    panel("Not validated for a time", form(make("label", {}, "Domain", distrusted), make("label", {}, "For", seconds),
      action("Do not validate it", "recursion.distrust", () => trust(nameOf(distrusted), Number(seconds.value)), told)),
    make("p", { class: "quiet" }, "A negative trust anchor (RFC 7646), while the owner of the domain mends its signatures."), anchors),
    panel("Flush a name", form(make("label", {}, "Name", flushed), flush("Flush it", "name"), flush("Flush it and all below", "suffix")),
      make("p", { class: "quiet" }, "In both caches. The processes always flush what is below it, too.")),
    widePanel("Last failures", failures)));
  look();
  const timer = setInterval(() => { if (!document.hidden) look(); }, kEveryMs);
  return () => { hasEnded = true; clearInterval(timer); };
}

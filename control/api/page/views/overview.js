// The state at a glance: rates, graphs, ends of queries, upstreams, routers, certificates.
import { make, notice, panel, prose, put, table, widePanel } from "/dom.js";
import { eventText } from "/event_text.js";
import { bytes, compact, count, duration, ms, percent, rate, time, when } from "/format.js";
import { graph, recent } from "/graph.js";
import { kKept, totals, watch } from "/live.js";
import { blocked } from "/views/blocked.js";
import { call } from "/rpc.js";
import { toAddress } from "/views/history_search.js";

export const title = "Overview";

const kBusy = 0.8;  // a share of the time from which on bursts are lost
const kSoonDays = 21, kEvents = 12, kEventsEveryMs = 5000;
// The view that has more about a problem, by its subject.
const kViews = { configuration: "configuration", routers: "routers", doctor: "routers", lists: "lists", recorder: "history", overload: "queries", recursion: "recursion" };

// `href`: where what it counts is shown.
function tile(value, what, more, href, kind = "") {
  return make("div", { class: "tile" }, make("a", { href }, what), make("b", { class: kind }, value), make("span", {}, more));
}

function tiles({ status, counters, rates }) {
  const all = totals(counters);
  const looked = rates ? rates.hits + rates.misses : 0;
  const parked = status.workers.reduce((n, worker) => n + worker.parked, 0);
  const inSync = status.routers.filter((router) => router.state === "in_sync").length;
  const owed = status.routers.reduce((n, router) => n + router.owed, 0);
  return [
    tile(rates ? rate(rates.queries) : "–", "Queries/s", `${compact(all.queries)} so far`, "#queries"),
    tile(rates ? percent(rates.hits, looked) : "–", "Cache hits", `${percent(all.hits, all.hits + all.misses)} so far`, "#history"),
    tile(count(parked), "Waiting queries", "for upstreams or routers", "#queries"),
    tile(rates ? percent(rates.busy, status.workers.length) : "–", "Workers busy", `${count(status.workers.length)} in use`, "#names", rates?.busy > kBusy * status.workers.length ? "warn" : ""),
    tile(rates ? rate(rates.failed) : "–", "SERVFAIL/s", `${compact(all.failed)} so far`, toAddress({ rcode: "SERVFAIL" }), rates?.failed > 0 ? "bad" : ""),
    status.routers.length > 0 && tile(`${inSync}/${status.routers.length}`, "Routers in sync", owed ? `to write: ${count(owed)}` : "all rows written", "#routers",
      inSync < status.routers.length ? "bad" : ""),
    all.stale > 0 && tile(rates ? rate(rates.stale) : "–", "Stale answers/s", `${compact(all.stale)} so far`, "#history", rates?.stale > 0 ? "warn" : ""),
    all.overQuota > 0 && tile(rates ? rate(rates.overQuota) : "–", "Over quota/s", `${compact(all.overQuota)} so far`, "#queries", rates?.overQuota > 0 ? "bad" : ""),
    status.cache && tile(compact(status.cache.entries), "Cached answers", bytes(status.cache.bytes), "#names"),
  ].filter(Boolean);
}

// What is wrong now: the daemon's own list, and rates that only a second look shows.
function problems({ status, rates }) {
  const all = [...status.problems];
  const overQuota = rates?.overQuota > 0 && !all.some((one) => one.subject === "overload");
  if (overQuota) all.push({ subject: "overload", text: `${rate(rates.overQuota)} queries/s exceed a quota; \`Queries\` shows from which clients` });
  if (rates?.stale > 0) all.push({ subject: "upstreams", text: `${rate(rates.stale)} answers/s are stale: upstreams did not answer in time, or the refresh is under way` });
  return table([
    { title: "Subject", of: (one) => (kViews[one.subject] ? make("a", { href: `#${kViews[one.subject]}` }, one.subject) : one.subject) },
    { title: "What is wrong, and what to do", long: true, of: (one) => prose(one.text) },
  ], all, "Nothing.");
}

function events(list) {
  const kinds = { error: "bad", warning: "warn" };
  return table([
    { title: "Time", of: (one) => when(new Date(one.at_ms)) },
    { title: "Event", long: true, of: (one) => {
      const { text, detail } = eventText(one.text);
      return make("span", { class: kinds[one.level], title: detail }, prose(text));
    } },
  ], list.slice(-kEvents).reverse(), "None since the start.");
}

function ends({ counters, rates }) {
  const all = totals(counters).ends;
  const rows = Object.keys(all).filter((name) => all[name] > 0).sort((a, b) => all[b] - all[a]);
  return table([
    { title: "End", of: (name) => name },
    { title: "Per second", number: true, of: (name) => (rates ? rate(rates.ends[name]) : "–") },
    { title: "So far", number: true, of: (name) => count(all[name]) },
  ], rows, "No query came yet.");
}

function upstreams({ status }) {
  return table([
    { title: "Upstream", of: (one) => make("a", { href: toAddress({ upstream: one.name }) }, one.name) },
    { title: "Forward", of: (one) => one.forward, narrow: false },
    { title: "Sent by", of: (one) => (one.via === "no route" ? make("span", { class: "bad" }, one.via) : one.via) },
    { title: "Round trip", number: true, of: (one) => ms(one.rtt_ms) },
    { title: "Trouble", of: (one) => (one.trouble ? make("span", { class: "bad" }, one.trouble) : "") },
  ], status.upstreams, "The configuration has no upstream.");
}

export function routerState(router) {
  if (router.paused) return make("span", { class: "warn" }, "paused");
  return make("span", { class: router.state === "in_sync" ? "good" : "bad" }, router.state.replaceAll("_", " "));
}

function routers({ status }) {
  return table([
    { title: "Router", of: (one) => make("a", { href: `#routers/${encodeURIComponent(one.name)}` }, one.name) },
    { title: "State", of: routerState },
    { title: "Rows", number: true, of: (one) => count(one.rows) },
    { title: "To write", number: true, of: (one) => count(one.owed) },
    { title: "Trouble", of: (one) => one.trouble },
  ], status.routers, "No router: answers go to no address list.");
}

function certificates({ status }) {
  const days = (one) => (one.ends_s - Date.now() / 1000) / 86400;
  const rows = [...status.certificates].sort((a, b) => a.ends_s - b.ends_s);
  return table([
    { title: "Certificate", of: (one) => one.upstream ?? one.file },
    { title: "Ends", of: (one) => make("span", { class: days(one) < kSoonDays ? "bad" : "" }, days(one) < 0 ? `ended at ${time(one.ends_s)}` : `in ${duration(days(one) * 86400)}`) },
  ], rows);
}

export function show(place) {
  const queries = graph("Queries per second of the last five minutes", [
    { title: "queries/s", of: (point) => point.queries },
    { title: "cache hits/s", of: (point) => point.hits },
    { title: "forwarded/s", of: (point) => point.forwarded },
    { title: "SERVFAIL/s", of: (point) => point.failed },
  ], recent(kKept));
  const parts = { tiles: make("div", { class: "tiles" }) };
  const section = (name, heading) => {
    parts[name] = make("div");
    return panel(heading, parts[name]);
  };
  const troubles = make("div"), told = make("div"), stopped = blocked();
  const certificatePanel = section("certificates", "Certificates");
  place.replaceChildren(make("div", { class: "panels" }, parts.tiles, widePanel("Problems", troubles), panel("Queries", queries.element), panel("Blocked", stopped.element), section("ends", "How queries ended"),
    section("upstreams", "Upstreams"), section("routers", "Routers"), panel("Last events", told), certificatePanel));
  const listen = () => call("events", { most: kEvents }).then((now) => put(told, events(now.events)), (error) => put(told, notice(error.message)));
  listen();
  const timer = setInterval(() => { if (!document.hidden) listen(); }, kEventsEveryMs);
  const unwatch = watch((now) => {
    if (!now.status || now.error) return;
    put(parts.tiles, ...tiles(now));
    put(troubles, problems(now));
    put(parts.ends, ends(now));
    put(parts.upstreams, upstreams(now));
    put(parts.routers, routers(now));
    put(parts.certificates, certificates(now));
    certificatePanel.hidden = now.status.certificates.length === 0;
    queries.draw(now.history);
  });
  return () => { clearInterval(timer); unwatch(); queries.end(); stopped.end(); };
}

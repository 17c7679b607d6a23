// One client's last 15 minutes on one sheet, which prints as it is.
import { clientText, learnNames } from "/client_names.js";
import { make, notice, panel, table, widePanel } from "/dom.js";
import { count, duration, us, when, zone } from "/format.js";
import { guard } from "/permissions.js";
import { call } from "/rpc.js";

export const title = "Support";
// Only where `control.support` is on.
export const isThere = (status) => status.support === true;

const last = { title: "Last", of: (one) => when(new Date(one.last_us / 1000)) };
const name = { title: "Name", kind: "head", long: true, of: (one) => one.name ?? "" };
const type = { title: "Type", of: (one) => one.type ?? "" };
const queries = { title: "Queries", number: true, of: (one) => count(one.queries) };
// Of the long ones a phone shows those that the second line of a row has room for.
const text = (heading, key, narrow = true) => ({ title: heading, narrow, long: ["list", "rule", "answers", "text"].includes(key), of: (one) => one[key] ?? "" });

function sheet(all) {
  const at = (us) => when(new Date(us / 1000));
  return [
    make("h2", {}, `Client ${clientText(all.client)}`),
    make("p", {}, `${count(all.queries)} queries from ${at(all.read_from_us ?? all.from * 1e6)} to ${at(all.to * 1e6)} (${zone}).`),
    !all.complete && notice("These are not all queries of the 15 minutes: earlier ones were not read."),
    all.one_in > 1 && notice(`One of ${count(all.one_in)} queries is recorded: numbers are estimates.`),
    all.only_marked && notice("Queries are recorded by their marks only (include_marks, exclude_marks): some may be missing."),
    make("div", { class: "panels" },
      widePanel("Blocked", table([last, name, type, queries, text("Plugin", "plugin", false), { title: "List", long: true, of: (one) => [one.line ? `${one.list}:${one.line}` : one.list, one.list_rule].filter(Boolean).join(" ") }, text("Rule", "rule", false)], all.blocked, "Nothing was blocked.", "facts")),
      widePanel("Failed", table([last, name, type, queries, text("Result", "rcode"), text("End", "end", false), text("Upstream", "upstream", false)], all.failed, "No query failed.", "facts")),
      widePanel("Slow (500 ms or more)", table([last, name, type, queries, { title: "Slowest", number: true, of: (one) => us(one.slowest_us) }, text("Upstream", "upstream", false)], all.slow, "No answer was slow.", "facts")),
      widePanel("Steered", table([last, name, type, queries, text("List", "plugin"), text("Answers", "answers", false)], all.steered, "No name was steered.", "facts")),
      widePanel("Rows on routers", table([text("Router", "router"), text("Address", "address"), text("List", "list"), name, text("Row", "row")], all.rows, "No router has a row for these answers.", "facts")),
      widePanel("Connection marks, as the doctor saw them", table([text("Router", "router"), text("Step", "step"), text("Result", "result"),
        { title: "Age", of: (one) => duration(one.age_s) + (one.stale ? " (too old)" : "") }, text("What", "text")], all.marks, "Unknown: run steerctl doctor --watch with a name to probe.")),
      widePanel("Asked, the most frequent first", table([queries, name, type, text("Decision", "decision"), text("Result", "rcode"), { ...last, narrow: false }], all.asked, "No query was recorded.", "facts"))),
  ].filter(Boolean);
}

export function show(place, [chosen]) {
  const out = make("div", { class: "sheet" });
  let ended = false;
  const client = make("input", { name: "client", placeholder: "192.0.2.7", size: 24, autocomplete: "off", required: true, value: chosen ?? "" });
  async function look() {
    out.replaceChildren(make("p", { class: "quiet", role: "status" }, "Reading…"));
    try {
      const [all] = await Promise.all([call("support", { client: client.value.trim() }), learnNames()]);
      if (!ended) out.replaceChildren(...sheet(all));
    } catch (error) {
      if (!ended) out.replaceChildren(notice(error.message));
    }
  }
  // The client is in the address, so that a sheet can be opened again.
  function choose(event) {
    event.preventDefault();
    const hash = `#support/${encodeURIComponent(client.value.trim())}`;
    if (location.hash === hash) look();
    else location.hash = hash;
  }
  const form = make("form", { onsubmit: choose },
    make("label", {}, "Client", client), guard(make("button", { class: "main" }, "Show the last 15 minutes"), "support"),
    make("button", { type: "button", onclick: () => window.print() }, "Print"));
  place.replaceChildren(make("div", { class: "no-print" }, panel("One client", form,
    make("p", { class: "quiet" }, "The audit has each use, with your name and the client. An IPv6 subscriber is an address or a prefix such as 2001:db8:1:2::/64."))), out);
  if (chosen) look();
  return () => { ended = true; };
}

// What was blocked in a day or a week, from the sums of a query_recorder: the share, and the most frequent names, lists and clients.
import { clientLink, learnNames } from "/client_names.js";
import { make, put, table } from "/dom.js";
import { count, lastPart, percent } from "/format.js";
import { call } from "/rpc.js";
import { toAddress } from "/views/history_search.js";

const kEveryMs = 30000, kRows = 8;
const kSpans = [[86400, "last day"], [604800, "last week"]];
let seconds = 86400;

const top = (kind, limit) => call("recorder.top", { kind, seconds, limit });

function part(heading, result, column, address, shown = (key) => make("a", { href: address(key) }, key)) {
  if (result instanceof Error) return make("div", {}, make("h3", {}, heading), make("p", { class: "quiet" }, result.message));
  return make("div", {}, make("h3", {}, heading), table([
    { title: column, long: true, of: (one) => shown(one.key) },
    { title: "Queries", number: true, of: (one) => count(one.queries) },
  ], result.rows, "None in this time."));
}

const find = (filter) => toAddress({ ...filter, decision: "blocked", span: String(seconds) });

function shown(decisions, names, lists, clients) {
  const blocked = decisions.rows.find((one) => one.key === "blocked")?.queries ?? 0;
  if (decisions.queries === 0) return make("p", { class: "quiet" }, "No query was recorded in this time.");
  if (blocked === 0) return make("p", { class: "quiet" }, `Nothing was blocked: none of ${count(decisions.queries)} queries. An `, make("code", {}, "adlist"), " plugin blocks the names of its lists; ",
    make("a", { href: "#lists" }, "Lists"), " shows those that are in use.");
  return make("div", {}, make("p", {}, make("b", {}, percent(blocked, decisions.queries)), ` of ${count(decisions.queries)} queries: `,
    make("a", { href: find({}) }, `${count(blocked)} blocked`), "."),
  make("div", { class: "columns" }, part("Blocked names", names, "Name", (name) => find({ name })), part("Lists that blocked", lists, "List", (list) => find({ list }), (list) => make("a", { href: find({ list }), title: list }, lastPart(list))),
    part("Clients", clients, "Client", (client) => find({ client }), (client) => clientLink(client, find({ client })))));
}

// Returns { element, end() }.
export function blocked() {
  const out = make("div");
  let ended = false;
  async function look() {
    try {
      const kept = (error) => error;  // a role may see names, and not clients
      const all = await Promise.all([top("decision", 20), ...["blocked_name", "blocked_list", "blocked_client"].map((kind) => top(kind, kRows).catch(kept)), learnNames()]);
      if (!ended) put(out, shown(...all));
    } catch {
      if (!ended) put(out, make("p", { class: "quiet" }, "No query is kept, so nobody can say what was blocked. ", make("a", { href: "#history" }, "History"), " says how to keep them."));
    }
  }
  const select = make("select", { name: "blocked_span", "aria-label": "Time of the blocked queries", onchange: () => { seconds = Number(select.value); look(); } },
    kSpans.map(([value, text]) => make("option", { value, selected: value === seconds }, text)));
  look();
  const timer = setInterval(() => { if (!document.hidden) look(); }, kEveryMs);
  return { element: make("div", {}, select, out), end() { ended = true; clearInterval(timer); } };
}

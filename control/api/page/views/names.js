// Names: counts queries for ten seconds by name, client and rule; and one name: its rules, cached answers and rows.
import { clientLink, learnNames } from "/client_names.js";
import { make, notice, panel, table, widePanel } from "/dom.js";
import { count, duration, percent } from "/format.js";
import { call } from "/rpc.js";
import { ruleTable } from "/views/explain.js";

export const title = "Names";

function counts(result) {
  const part = (heading, title, rows, of) => panel(heading, table([
    { title, long: true, of },
    { title: "Queries", number: true, of: (one) => count(one.queries) },
    { title: "Share", number: true, of: (one) => percent(one.queries, result.queries) },
  ], rows));
  return make("div", { class: "panels" }, part("Most frequent names", "Name", result.names, (one) => make("a", { href: `#names/${encodeURIComponent(one.name)}` }, one.name)),
    part("Most active clients", "Client", result.clients, (one) => clientLink(one.client, `#history/client/${encodeURIComponent(one.client)}`)));
}

// The last hour from the sums of a recorder, at once; what is counted by the button needs none.
async function lastHour(out) {
  const most = (kind) => call("recorder.top", { kind, seconds: 3600, limit: 20 });
  try {
    const [names, clients] = await Promise.all([most("name"), most("client"), learnNames()]);
    const rows = (result, key) => result.rows.map((one) => ({ [key]: one.key, queries: one.queries }));
    if (out.childElementCount > 0) return;
    out.replaceChildren(make("p", { class: "quiet" }, "The last hour, as it was recorded:"), counts({ queries: names.queries, names: rows(names, "name"), clients: rows(clients, "client") }));
  } catch (error) {
    if (out.childElementCount === 0) out.replaceChildren(make("p", { class: "quiet" }, `${error.message}. Without a record, queries are counted while you wait.`));
  }
}

function all(place) {
  const told = make("div"), out = make("div");
  const name = make("input", { name: "name", required: true, placeholder: "www.example.com", size: 30 });
  const find = make("form", {
    onsubmit: (event) => {
      event.preventDefault();
      location.hash = `#names/${encodeURIComponent(name.value.trim())}`;
    },
  }, make("label", {}, "Name", name), make("button", { class: "main" }, "Look up"));
  const begin = make("button", {
    onclick: async () => {
      begin.disabled = true;
      begin.textContent = "Counting for 10 s …";
      try {
        const [counted] = await Promise.all([call("hits", { seconds: 10, top: 20 }), learnNames()]);
        out.replaceChildren(counts(counted));
        told.replaceChildren();
      } catch (error) {
        told.replaceChildren(notice(error.message));
      }
      begin.disabled = false;
      begin.textContent = "Count queries for 10 s";
    },
  }, "Count queries for 10 s");
  place.replaceChildren(told, panel("One name", find), make("p", {}, begin), out);
  lastHour(out);
}

function rules({ rules, sets }) {
  return make("div", {}, ruleTable(rules), sets.length > 0 && make("p", { class: "quiet" }, `In ${sets.join(", ")}.`));
}

function cached({ answers }) {
  return table([
    { title: "Type", of: (one) => one.type },
    { title: "Cache", of: (one) => one.cache, narrow: false },
    { title: "Result", of: (one) => one.rcode },
    { title: "TTL left", number: true, of: (one) => (one.left_s > 0 ? duration(one.left_s) : `stale, ${duration(one.usable_s)}`) },
    { title: "Lists", of: (one) => one.lists.join(", "), narrow: false },
    { title: "Records", long: true, of: (one) => one.records.map((record) => make("div", {}, record)) },
  ], answers, "No cache has an answer for this name.");
}

function one(place, name) {
  const why = make("div"), kept = make("div");
  const fill = async (part, method, draw) => {
    try {
      part.replaceChildren(draw(await call(method, { name })));
    } catch (error) {
      part.replaceChildren(notice(error.message));
    }
  };
  place.replaceChildren(make("p", {}, make("a", { href: "#names" }, "All names"), " · ", make("a", { href: `#explain/${encodeURIComponent(name)}` }, "Explain a query"), " · ",
    make("a", { href: `#history/name/${encodeURIComponent(name)}` }, "History")), make("div", { class: "panels" },
    widePanel(`Rules for ${name}`, why), widePanel("Cached answers", kept)));
  fill(why, "why", rules);
  fill(kept, "cache.show", cached);
}

export function show(place, [name]) {
  return name ? one(place, name) : all(place);
}

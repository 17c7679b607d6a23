// Queries as they come: a filter, a pause, the newest ones; each opens into its explanation.
import { clientLink, learnNames } from "/client_names.js";
import { make, panel, put, table, widePanel } from "/dom.js";
import { count, lastPart, us, when, zone } from "/format.js";
import { kNoQueries, live, watch } from "/live.js";
import { follow } from "/rpc.js";
import { blockingLink } from "/views/blocking.js";

export const title = "Queries";

const kKept = 100, kRate = 100, kDrawMs = 300;
let last = { name: "", client: "", kind: "" };  // the filter of the last visit

export function explainLink(one, text) {
  return make("a", { href: `#explain/${[one.name, one.type, one.client, one.server ?? ""].map(encodeURIComponent).join("/")}` }, text);
}

export const kDecisions = ["blocked", "allowed", "rewritten", "steered", "rejected", "dropped", "refused", "forwarded", "local", "error", "empty"];
const kColours = { blocked: "bad", rejected: "warn", dropped: "warn", refused: "warn", error: "warn" };

// The list that decided, with the line if it is known.
const place = (one) => one.list && (one.line ? `${one.list}:${one.line}` : one.list);

// What the policy did; without it (an old row, or a role that may not see it), how the query ended.
function decision(one) {
  const text = one.decision ?? one.end;
  const why = [one.plugin, place(one), one.list_rule, one.rule].filter(Boolean).join(", ");
  return make("span", { class: kColours[text] ?? (one.decision || one.end === "answered" ? "" : "warn"), title: why || undefined }, text);
}

function by(one) {
  if (!one.list) return make("span", { title: one.rule }, one.plugin ?? "");
  return make("a", { href: `#history/list/${encodeURIComponent(one.list)}`, title: [place(one), one.list_rule].filter(Boolean).join(" ") }, lastPart(place(one)));
}

// `more`: columns behind these.
export function queryTable(rows, empty, more = []) {
  const now = new Date();
  return table([
    { title: "Time", of: (one) => when(new Date(one.time), now) },
    { title: "Name", long: true, of: (one) => explainLink(one, one.name) },
    { title: "Type", of: (one) => one.type },
    { title: "Client", of: (one) => clientLink(one.client, `#history/client/${encodeURIComponent(one.client)}`) },
    { title: "Decision", of: decision },
    { title: "By", of: by, narrow: false },
    { title: "Result", of: (one) => one.rcode ?? "no answer", narrow: false },
    { title: "From", of: (one) => one.path, narrow: false },
    { title: "Upstream", of: (one) => one.upstream ?? "", narrow: false },
    { title: "Took", number: true, of: (one) => us(one.duration_us), narrow: false },
    { title: "", kind: "change", of: (one) => one.name && blockingLink(one.name, one.client, one.decision === "blocked" ? "Allow" : "Block") },
    ...more,
  ], rows, empty, "two-lines");
}

export function show(place) {
  let rows = [], lost = 0, paused = false, changed = true, trouble = "", stop = () => {};
  const out = make("div"), said = make("p", { class: "quiet", role: "status" });
  const name = make("input", { name: "name", value: last.name, placeholder: "example.com", size: 24 });
  const client = make("input", { name: "client", value: last.client, placeholder: "192.0.2.0/24", size: 18 });
  const end = make("select", { name: "end" }, make("option", { value: "" }, "any"));

  function begin() {
    stop();
    [rows, lost, changed, trouble] = [[], 0, true, ""];
    last = { name: name.value.trim(), client: client.value.trim(), kind: end.value };
    stop = follow(["queries"], { ...last, rate: kRate }, {
      data: (topic, query, missed) => {
        lost += missed;
        rows.unshift(query);
        if (rows.length > kKept) rows.length = kKept;
        changed = true;
      },
      state: (text) => { trouble = text; changed = true; },
    });
  }
  const pause = make("button", {
    type: "button", "aria-pressed": "false",
    onclick: () => {
      paused = !paused;
      pause.textContent = paused ? "Go on" : "Pause";
      pause.setAttribute("aria-pressed", String(paused));
      changed = true;
    },
  }, "Pause");
  const form = make("form", { onsubmit: (event) => { event.preventDefault(); begin(); } },
    make("label", {}, "Name and names below", name), make("label", {}, "Client or prefix", client), make("label", {}, "End", end),
    make("button", { class: "main" }, "Filter"), pause);
  place.replaceChildren(panel("Filter", form), make("p"), widePanel("Newest queries", said, out));
  // The ends that there are, from the counters.
  const unwatch = watch(({ counters }) => {
    if (!counters || end.length > 1) return;
    const ends = Object.keys({ ...counters.workers[0].verdicts, ...counters.workers[0].pending_outcomes }).filter((one) => !kNoQueries.has(one));
    end.append(...ends.sort().map((one) => make("option", { value: one, selected: one === last.kind }, one)));
  });
  const timer = setInterval(() => {
    if (!changed || document.hidden) return;
    said.replaceChildren(trouble ? make("span", { class: "bad" }, trouble) : paused ? "Paused. " : "",
      lost > 0 ? `${count(lost)} matching queries were not sent to this page: it gets at most ${kRate} per second.` : `The newest ${kKept} are kept. Times are in ${zone}.`);
    changed = false;
    if (!paused) put(out, queryTable(rows, live.rates?.queries > 0 ? "No query matched yet." : "No query came yet."));
  }, kDrawMs);
  begin();
  learnNames().then(() => { changed = true; });
  return () => { stop(); unwatch(); clearInterval(timer); };
}

// Recorded queries by a filter: its fields, pages of 50 with next and back, and export.
import { learnNames } from "/client_names.js";
import { make, notice } from "/dom.js";
import { csv, json, save } from "/export.js";
import { clock, count, day, when, zone } from "/format.js";
import { refusal } from "/permissions.js";
import { call } from "/rpc.js";
import { kDecisions, queryTable } from "/views/queries.js";

const kPage = 50, kExportPage = 10000, kMostExported = 100000;
export const kSpans = [[900, "15 minutes"], [3600, "hour"], [86400, "day"], [604800, "week"], [2592000, "month"]];
const kUsualSpan = 86400;
const kNames = [["contains", "contains"], ["suffix", "is, or is below"], ["name", "is exactly"]];
// Parameters of recorder.history that are texts.
const kTexts = ["contains", "suffix", "name", "client", "group", "decision", "list", "decided_by", "rule", "upstream", "rcode", "type", "end"];

// A filter in the address: its fields that are not empty.
export const toAddress = (filter) => `#history/find/${encodeURIComponent(new URLSearchParams(Object.entries(filter).filter(([, value]) => value)))}`;
export const fromAddress = (text) => Object.fromEntries(new URLSearchParams(text ?? ""));

// The parts of the time that are at this time of the day, by the browser's clock: "21:00-06:00".
export function dailyRanges(daily, from, to) {
  const [begin, end] = daily.split("-").map((text) => text.split(":").map(Number));
  const later = end[0] * 60 + end[1] <= begin[0] * 60 + begin[1] ? 1 : 0;
  const first = new Date(from * 1000);
  const ranges = [];
  for (let i = -1; ; ++i) {
    const at = ([hour, minute], days) => new Date(first.getFullYear(), first.getMonth(), first.getDate() + i + days, hour, minute).getTime() / 1000;
    if (at(begin, 0) >= to) return ranges;
    const [least, most] = [Math.max(at(begin, 0), from), Math.min(at(end, later), to)];
    if (least < most) ranges.push(`${least}-${most}`);
  }
}

// The parameters of recorder.history. A time that has no end ends when it is asked for.
function parameters(filter) {
  const seconds = (text) => Math.floor(new Date(text).getTime() / 1000);
  const now = Math.floor(Date.now() / 1000) + 1;
  const out = { from: filter.from ? seconds(filter.from) : now - Number(filter.span || kUsualSpan) };
  if (filter.to) out.to = seconds(filter.to);
  if (filter.daily) out.ranges = dailyRanges(filter.daily, out.from, out.to ?? now);
  for (const name of kTexts) if (filter[name]) out[name] = filter[name];
  return out;
}

function choice(name, options, value) {
  return make("select", { name }, options.map(([key, text]) => make("option", { value: key, selected: key === value }, text)));
}

// The fields; submitting goes to the filter's address.
export function fields(filter) {
  const known = kNames.find(([key]) => filter[key])?.[0] ?? "contains";
  const input = (name, more = {}) => make("input", { name, value: filter[name] ?? "", autocomplete: "off", spellcheck: "false", ...more });
  const by = choice("by", kNames, known), text = make("input", { name: "text", value: filter[known] ?? "", placeholder: "example.com", size: 24, autocomplete: "off", spellcheck: "false" });
  const [since = "", until = ""] = (filter.daily ?? "").split("-");
  const begin = make("input", { name: "daily_from", type: "time", value: since }), end = make("input", { name: "daily_to", type: "time", value: until });
  const all = {
    client: input("client", { placeholder: "192.0.2.0/24", size: 18 }), group: input("group", { size: 14, list: "history-groups" }),
    decision: choice("decision", [["", "any"], ...kDecisions.map((one) => [one, one])], filter.decision ?? ""),
    list: input("list", { placeholder: "ads.txt", size: 16 }),
    rcode: input("rcode", { placeholder: "NXDOMAIN", size: 10 }),
    span: choice("span", kSpans.map(([value, name]) => [String(value), `last ${name}`]), filter.span ?? String(kUsualSpan)),
    from: input("from", { type: "datetime-local" }), to: input("to", { type: "datetime-local" }),
    upstream: input("upstream", { size: 16 }), type: input("type", { placeholder: "AAAA", size: 6 }), end: input("end", { placeholder: "answered", size: 12 }),
    decided_by: input("decided_by", { size: 12 }), rule: input("rule", { placeholder: "steerdns.yaml:12", size: 18 }),
  };
  const told = make("p", { class: "bad", role: "alert", hidden: true });
  // Without the role there are no names of groups to choose from.
  const groups = make("datalist", { id: "history-groups" });
  refusal("clients.groups", false).then(async (why) => {
    if (why) return;
    const { groups: made, of_file } = await call("clients.groups");
    groups.append(...[...new Set([...made, ...of_file].map((one) => one.group))].map((value) => make("option", { value })));
  }).catch(() => { /* the field takes text all the same */ });
  const more = ["from", "to", "daily", "group", "upstream", "type", "end", "decided_by", "rule"].some((name) => filter[name]);
  const label = (what, field) => make("label", {}, what, field);
  return make("form", {
    onsubmit: (event) => {
      event.preventDefault();
      const wanted = { [by.value]: text.value.trim() };
      for (const [name, field] of Object.entries(all)) wanted[name] = field.value.trim();
      const half = Boolean(begin.value) !== Boolean(end.value);
      told.hidden = !half;
      told.textContent = half ? "A time of the day needs its begin and its end." : "";
      if (half) return;
      if (begin.value) wanted.daily = `${begin.value}-${end.value}`;
      const address = toAddress(wanted);
      // The same filter again: newer queries.
      if (location.hash === address) window.dispatchEvent(new HashChangeEvent("hashchange"));
      else location.hash = address;
    },
  },
  make("div", { class: "fields" }, label("Name", by), label("Text", text), label("Client or prefix", all.client), label("Decision", all.decision), label("List", all.list), label("Result", all.rcode), label("Time", all.span)),
  make("details", { open: more }, make("summary", {}, "More"), make("div", { class: "fields" },
    label("From, instead of Time", all.from), label("Until", all.to), label("Each day from", begin), label("Each day until", end), label("Group of devices", all.group), groups, label("Upstream", all.upstream), label("Type", all.type), label("End", all.end),
    label("Decided by plugin", all.decided_by), label("Rule contains", all.rule)), make("p", { class: "quiet" }, `Times are in ${zone}.`)),
  told, make("div", { class: "buttons" }, make("button", { class: "main" }, "Find"), make("a", { href: "#history/find" }, "Clear")));
}

// What the shown page is.
function description(result, queries) {
  const at = (one) => new Date(one.time_us / 1000);
  const cut = result.cut ? ` The search stopped at ${when(new Date((result.next_us ?? result.back_us ?? 0) / 1000))} because it took 2 seconds; Next goes on there.` : "";
  if (queries.length === 0) return result.cut ? `No query matched so far.${cut}` : "";
  const [newest, oldest] = [at(queries[0]), at(queries[queries.length - 1])];
  const until = day(newest) === day(oldest) ? clock(oldest) : when(oldest);
  return `${count(queries.length)} ${queries.length === 1 ? "query" : "queries"}, the newest first, from ${when(newest)} back to ${until} (${zone}).${cut}`;
}

// The queries of a filter. `failed(error)` gets what to show instead. Returns { element, end() }.
export function search(filter, failed) {
  const out = make("div"), said = make("p", { class: "quiet", role: "status" }), told = make("div");
  let base = null, shown = {}, ended = false;
  const step = (text, key) => make("button", { type: "button", disabled: true, onclick: () => look(key === "next" ? { before_us: shown.next_us } : { after_us: shown.back_us }) }, text);
  const back = step("Back", "back"), next = step(`Next ${kPage}`, "next");

  async function look(cursor) {
    back.disabled = next.disabled = true;
    try {
      const [result] = await Promise.all([call("recorder.history", { ...base, ...cursor, limit: kPage }), learnNames()]);
      if (ended) return;
      shown = result;
      said.textContent = description(result, result.queries);
      const none = result.cut ? "" : cursor.before_us || cursor.after_us ? "No more queries match." : "No query matches. Choose a longer time, or clear a field.";
      out.replaceChildren(result.queries.length > 0 || !result.cut ? queryTable(result.queries, none, [{ title: "Answers", of: (one) => one.answers ?? "", narrow: false }]) : "");
      back.disabled = result.back_us === undefined;
      next.disabled = result.next_us === undefined;
    } catch (error) {
      if (!ended) failed(error);
    }
  }

  async function exportAs(kind, button) {
    const label = button.textContent;
    button.disabled = true;
    try {
      const all = [];
      let cursor = {}, isCut = false;
      while (!ended) {
        const result = await call("recorder.history", { ...base, ...cursor, limit: Math.min(kExportPage, kMostExported - all.length) });
        all.push(...result.queries);
        button.textContent = `${count(all.length)} …`;
        isCut = result.next_us !== undefined && all.length >= kMostExported;
        if (result.next_us === undefined || isCut) break;
        cursor = { before_us: result.next_us };
      }
      if (ended) return;
      const name = `queries-${day(new Date())}T${clock(new Date()).replaceAll(":", "-")}`;
      if (kind === "csv") save(`${name}.csv`, "text/csv", csv(all));
      else save(`${name}.json`, "application/json", json(all));
      told.replaceChildren(notice(`${count(all.length)} queries exported.${isCut ? " Older ones are left out: a page exports at most 100,000. `steerctl history --export` has no limit." : ""}`, "done"));
    } catch (error) {
      told.replaceChildren(notice(error.message));
    }
    button.textContent = label;
    button.disabled = false;
  }

  try {
    base = parameters(filter);
    if (Number.isNaN(base.from) || Number.isNaN(base.to ?? 0)) throw new RangeError("This is no time.");
    look({});
  } catch (error) {
    failed(error);
  }
  const exporter = (kind, label) => {
    const button = make("button", { type: "button", onclick: () => exportAs(kind, button) }, label);
    return button;
  };
  return {
    element: make("div", {}, said, out, make("div", { class: "buttons" }, back, next, exporter("csv", "Export CSV"), exporter("json", "Export JSON")), told),
    end() { ended = true; },
  };
}

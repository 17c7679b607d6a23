// What clients asked over time, from a query_recorder: most frequent names, clients, lists and so on, the course of one of them,
// and single queries by a filter (history_search.js).
import { clientLink, clientText, learnNames } from "/client_names.js";
import { make, notice, panel, preformatted, table, widePanel } from "/dom.js";
import { count, duration, lastPart, percent, us, zone } from "/format.js";
import { between, filled, graph } from "/graph.js";
import { call } from "/rpc.js";
import { fields, fromAddress, kSpans, search, toAddress } from "/views/history_search.js";

export const title = "History";

const kUpstreams = 4;  // in the graph of latency
const kNothing = { queries: 0, cached: 0, forwarded: 0, blocked: 0, failed: 0 };
// Kinds of sums that are a filter of single queries, too.
const kKinds = ["name", "client", "end", "upstream", "decision", "list"];
const kSetting = `plugins:
  - tag: log
    type: query_recorder
    args: { path: /var/lib/steerdns/queries.db }
  - tag: main
    type: sequence
    args:
      - exec: $log`;
// Percentiles are bounds of latency classes: powers of two.
const kMeasures = [["p95_us", "95 % are faster (p95)"], ["p50_us", "half are faster (p50)"], ["p99_us", "99 % are faster (p99)"], ["mean_us", "mean"]];
let seconds = 3600, measure = "p95_us";

// Why there is no history; without a recorder, what to configure.
async function without(error) {
  const isKept = await call("recorder.status").then(({ recorders }) => recorders.some((one) => one.sinks.some((sink) => sink.sink === "database")), () => true);
  return make("div", {}, notice(error.message), !isKept && panel("Record queries", make("p", {}, "No query is kept, so there is no history. Run a ", make("code", {}, "query_recorder"),
    " first in the sequence of your servers:"), preformatted("Example", kSetting)));
}

function spans(again) {
  const select = make("select", { name: "span", onchange: () => { seconds = Number(select.value); again(); } },
    kSpans.map(([value, text]) => make("option", { value, selected: value === seconds }, `last ${text}`)));
  return make("form", {}, make("label", {}, "Sums of", select));
}

const linked = (address) => (one) => (one.key ? make("a", { href: address(one.key) }, one.key) : "(none)");
const ofKind = (kind) => (key) => `#history/${kind}/${encodeURIComponent(key)}`;
const found = (filter) => toAddress({ span: String(seconds), ...filter });

function top(heading, column, result, address, empty = "Nothing was recorded in this time. Choose a longer one.", shown = linked(address)) {
  if (result instanceof Error) return panel(heading, make("p", { class: "quiet" }, result.message));
  return panel(heading, table([
    { title: column, long: true, of: shown },
    { title: "Queries", number: true, of: (one) => count(one.queries) },
    { title: "Share", number: true, of: (one) => percent(one.queries, result.queries) },
    { title: "Mean time", number: true, of: (one) => us(one.mean_us), narrow: false },
  ], result.rows, empty), !result.complete && make("p", { class: "quiet" }, "Not all was read in time."));
}

function points(series) {
  return make("p", { class: "quiet" }, `One point per ${duration(series.bucket_seconds)}; times are in ${zone}.`);
}

// Times of answers by upstream: a line each. `measure`: of kMeasures.
async function latency(upstreams) {
  const shown = upstreams.rows.filter((one) => one.key).slice(0, kUpstreams);
  if (shown.length === 0) return null;
  const courses = await Promise.all(shown.map(({ key }) => call("recorder.series", { kind: "upstream", key, seconds })));
  const starts = [...new Set(courses.flatMap((one) => one.buckets.map((bucket) => bucket.start)))].sort((a, b) => a - b);
  const known = courses.map((one) => new Map(one.buckets.map((bucket) => [bucket.start, bucket])));
  const value = (i, start) => { const of = known[i].get(start)?.[measure]; return of === undefined ? undefined : of / 1000; };
  const made = graph("Latency by upstream", shown.map(({ key }, i) => ({ title: `${key}, ms`, of: (point) => value(i, point.start) })), between(courses[0].from, courses[0].to));
  const draw = () => made.draw(starts.map((start) => ({ start })));
  const select = make("select", { name: "measure", onchange: () => { measure = select.value; draw(); } },
    kMeasures.map(([key, text]) => make("option", { value: key, selected: key === measure }, text)));
  draw();
  return { ...made, choice: make("form", {}, make("label", {}, "Show", select)), series: courses[0] };
}

function all(place) {
  const out = make("div");
  let graphs = [], ended = false;
  const stop = () => { graphs.forEach((one) => one.end()); graphs = []; };
  async function look() {
    try {
      const kept = (error) => error;  // a role may see names, and not who was blocked
      const most = (kind) => call("recorder.top", { kind, seconds, limit: 15 });
      const [series, names, clients, ends, upstreams, decisions, lists, blockedNames, state] = await Promise.all([call("recorder.series", { seconds }), most("name"), most("client"), most("end"), most("upstream"),
        most("decision"), most("list"), most("blocked_name").catch(kept), call("recorder.status"), learnNames()]);
      const times = await latency(upstreams);
      if (ended) { times?.end(); return; }
      stop();
      const per = (key) => (point) => point[key] / series.bucket_seconds;
      const course = graph("Queries per second over the time", [
        { title: "queries/s", of: per("queries") }, { title: "from caches/s", of: per("cached") }, { title: "forwarded/s", of: per("forwarded") }, { title: "failed/s", of: per("failed") },
        { title: "blocked/s", of: per("blocked") },
      ], between(series.from, series.to));
      course.draw(filled(series, kNothing));
      graphs = [course, times].filter(Boolean);
      const troubles = state.recorders.flatMap((one) => one.sinks.filter((sink) => sink.trouble).map((sink) => notice(`${one.plugin}: ${sink.trouble}`)));
      out.replaceChildren(...troubles, state.lost > 0 ? notice(`${count(state.lost)} queries were not recorded: the recorder was too slow.`) : "", make("div", { class: "panels" },
        widePanel("Queries", course.element, points(series)),
        top("Most frequent names", "Name", names, ofKind("name")), top("Most active clients", "Client", clients, ofKind("client"), undefined, (one) => clientLink(one.key, ofKind("client")(one.key))),
        top("Decisions", "Decision", decisions, ofKind("decision")), top("Most blocked names", "Name", blockedNames, (name) => found({ name, decision: "blocked" }), "Nothing was blocked in this time."),
        top("Lists that decided", "List", lists, ofKind("list"), "No list decided a query in this time.", (one) => make("a", { href: ofKind("list")(one.key), title: one.key }, lastPart(one.key))), top("How queries ended", "End", ends, ofKind("end")),
        top("Upstreams", "Upstream", upstreams, ofKind("upstream")), times && panel("Latency by upstream", times.choice, times.element, points(times.series))));
    } catch (error) {
      const why = await without(error);
      if (!ended) out.replaceChildren(why);
    }
  }
  place.replaceChildren(panel("Find queries", fields({})), make("p"), spans(look), make("p"), out);
  look();
  return () => { ended = true; stop(); };
}

function one(place, kind, key) {
  const out = make("div");
  let course = null, list = null, ended = false;
  const stop = () => { course?.end(); list?.end(); course = list = null; };
  const fail = async (error) => {
    const why = await without(error);
    if (!ended) out.replaceChildren(why);
  };
  async function look() {
    try {
      const [series] = await Promise.all([call("recorder.series", { kind, key, seconds }), kind === "client" && learnNames()]);
      if (ended) return;
      const what = kind === "client" ? clientText(key) : key;
      stop();
      const queries = series.buckets.reduce((n, each) => n + each.queries, 0);
      course = graph(`Queries of ${what} over the time`, [{ title: `queries per ${duration(series.bucket_seconds)}`, of: (point) => point.queries }], between(series.from, series.to));
      course.draw(filled(series, kNothing));
      list = search({ [kind]: key, span: String(seconds) }, fail);
      out.replaceChildren(make("div", { class: "panels" },
        widePanel(`${kind}: ${what}`, course.element, make("p", { class: "quiet" }, `${count(queries)} queries; one point per ${duration(series.bucket_seconds)}. A part of the time in which 500 others were more frequent is missing.`)),
        widePanel("Queries", list.element)));
    } catch (error) {
      await fail(error);
    }
  }
  place.replaceChildren(make("p", {}, make("a", { href: "#history" }, "All queries"), " · ", make("a", { href: found({ [kind]: key }) }, "Filter"),
    kind === "name" && [" · ", make("a", { href: `#names/${encodeURIComponent(key)}` }, "Rules and cached answers")]), spans(look), make("p"), out);
  look();
  return () => { ended = true; stop(); };
}

function find(place, filter) {
  const out = make("div");
  const list = search(filter, async (error) => out.replaceChildren(await without(error)));
  out.replaceChildren(list.element);
  place.replaceChildren(make("p", {}, make("a", { href: "#history" }, "All queries")), panel("Find queries", fields(filter)), make("p"), widePanel("Queries", out));
  return list.end;
}

export function show(place, [kind, key]) {
  if (kind === "find") return find(place, fromAddress(key));
  return kKinds.includes(kind) && key ? one(place, kind, key) : all(place);
}

// What clients asked over time, from a query_recorder: most frequent names, clients, ends and upstreams, and the course of one of them.
import { make, notice, panel, table, widePanel } from "/dom.js";
import { count, duration, percent } from "/format.js";
import { between, graph } from "/graph.js";
import { call } from "/rpc.js";
import { queryTable } from "/views/queries.js";

export const title = "History";

const kSpans = [[900, "15 minutes"], [3600, "hour"], [86400, "day"], [604800, "week"]];
const kMost = 1000, kParts = 60, kPage = 50;
const kSetting = `plugins:
  - tag: log
    type: query_recorder
    args: { path: /var/lib/steerdns/queries.db }
  - tag: main
    type: sequence
    args:
      - exec: $log`;
let seconds = 3600;

const us = (n) => (n === undefined || n === null ? "–" : n < 1000 ? `${Math.round(n)} µs` : `${(n / 1000).toFixed(1)} ms`);

// Why there is no history; without a recorder, what to configure.
async function without(error) {
  const isKept = await call("recorder.status").then(({ recorders }) => recorders.some((one) => one.sinks.some((sink) => sink.sink === "database")), () => true);
  return make("div", {}, notice(error.message), !isKept && panel("Record queries", make("p", {}, "No query is kept, so there is no history. Run a ", make("code", {}, "query_recorder"),
    " first in the sequence of your servers:"), make("pre", {}, kSetting)));
}

function spans(again) {
  const select = make("select", { name: "span", onchange: () => { seconds = Number(select.value); again(); } },
    kSpans.map(([value, text]) => make("option", { value, selected: value === seconds }, `last ${text}`)));
  return make("form", {}, make("label", {}, "Time", select));
}

const linked = (kind) => (one) => make("a", { href: `#history/${kind}/${encodeURIComponent(one.key)}` }, one.key || "(none)");

function top(kind, heading, column, result) {
  return panel(heading, table([
    { title: column, long: true, of: linked(kind) },
    { title: "Queries", number: true, of: (one) => count(one.queries) },
    { title: "Share", number: true, of: (one) => percent(one.queries, result.queries) },
    { title: "Mean time", number: true, of: (one) => us(one.mean_us), narrow: false },
  ], result.rows, "Nothing was recorded in this time."), !result.complete && make("p", { class: "quiet" }, "Older sums are gone: the file reached its limits."));
}

function all(place) {
  const out = make("div");
  let course = null, ended = false;
  const stop = () => { course?.end(); course = null; };
  async function look() {
    try {
      const most = (kind) => call("recorder.top", { kind, seconds, limit: 15 });
      const [series, names, clients, ends, upstreams, state] = await Promise.all([call("recorder.series", { seconds }), most("name"), most("client"), most("end"), most("upstream"), call("recorder.status")]);
      if (ended) return;
      stop();
      const per = (key) => (point) => point[key] / series.bucket_seconds;
      course = graph("Queries per second over the time", [
        { title: "queries/s", of: per("queries") }, { title: "from caches/s", of: per("cached") }, { title: "forwarded/s", of: per("forwarded") }, { title: "failed/s", of: per("failed") },
      ], between(series.from, series.to));
      course.draw(series.buckets);
      const troubles = state.recorders.flatMap((one) => one.sinks.filter((sink) => sink.trouble).map((sink) => notice(`${one.plugin}: ${sink.trouble}`)));
      out.replaceChildren(...troubles, state.lost > 0 ? notice(`${count(state.lost)} queries were not recorded: the recorder was too slow.`) : "", make("div", { class: "panels" },
        widePanel("Queries", course.element, make("p", { class: "quiet" }, `One point per ${duration(series.bucket_seconds)}.`)),
        top("name", "Most frequent names", "Name", names), top("client", "Most active clients", "Client", clients), top("end", "How queries ended", "End", ends), top("upstream", "Upstreams", "Upstream", upstreams)));
    } catch (error) {
      const why = await without(error);
      if (!ended) out.replaceChildren(why);
    }
  }
  place.replaceChildren(spans(look), make("p"), out);
  look();
  return () => { ended = true; stop(); };
}

// Counts of the listed queries in parts of the time that they cover.
function parts(queries, from, to) {
  const size = Math.max(1, Math.ceil((to - from) / kParts));
  const points = Array.from({ length: Math.ceil((to - from) / size) }, (_, i) => ({ start: from + i * size, queries: 0, failed: 0 }));
  for (const one of queries) {
    const point = points[Math.min(points.length - 1, Math.max(0, Math.floor((one.time_us / 1e6 - from) / size)))];
    point.queries += one.stands_for;
    if (one.path === "error" || one.rcode === "SERVFAIL" || !one.rcode) point.failed += one.stands_for;
  }
  return { size, points };
}

// What to draw, of queries that are all of the time.
function ofQueries(queries, from, to) {
  const { size, points } = parts(queries, from, to);
  return { from, to, size, points, queries: queries.reduce((n, each) => n + each.stands_for, 0),
    lines: [{ title: "queries", of: (point) => point.queries }, { title: "failed", of: (point) => point.failed }] };
}

// ... and of sums by time, which do not tell what failed.
function ofSums({ from, to, bucket_seconds: size, buckets }) {
  return { from, to, size, points: buckets, queries: buckets.reduce((n, each) => n + each.queries, 0), lines: [{ title: "queries", of: (point) => point.queries }] };
}

// The queries, some at a time.
function list(queries) {
  const out = make("div");
  let shown = 0;
  const more = make("button", {
    onclick: () => {
      shown += kPage;
      out.replaceChildren(queryTable(queries.slice(0, shown), "None in this time.", [{ title: "Answers", of: (one) => one.answers ?? "" }]));
      more.hidden = shown >= queries.length;
    },
  }, `Show ${kPage} more`);
  more.click();
  return make("div", {}, out, make("p", {}, more));
}

function one(place, kind, key) {
  const out = make("div");
  let course = null, ended = false;
  async function look() {
    try {
      const now = Math.ceil(Date.now() / 1000);
      const { queries, complete } = await call("recorder.history", { [kind]: key, seconds, limit: kMost });
      if (ended) return;
      const drawn = complete ? ofQueries(queries, now - seconds, now) : ofSums(await call("recorder.series", { kind, key, seconds }));
      if (ended) return;
      course?.end();
      course = graph(`Queries of ${key} over the time`, drawn.lines, between(drawn.from, drawn.to));
      course.draw(drawn.points);
      out.replaceChildren(make("div", { class: "panels" },
        widePanel(`${kind}: ${key}`, course.element, make("p", { class: "quiet" }, `${count(drawn.queries)} queries; one point per ${duration(drawn.size)}.`,
          !complete && ` The newest ${count(queries.length)} are listed. A minute is missing if 500 others were more frequent in it.`)),
        widePanel("Queries", list(queries))));
    } catch (error) {
      const why = await without(error);
      if (!ended) out.replaceChildren(why);
    }
  }
  place.replaceChildren(make("p", {}, make("a", { href: "#history" }, "All queries"), kind === "name" && [" · ", make("a", { href: `#names/${encodeURIComponent(key)}` }, "Rules and cached answers")]),
    spans(look), make("p"), out);
  look();
  return () => { ended = true; course?.end(); };
}

export function show(place, [kind, key]) {
  return ["name", "client", "end", "upstream"].includes(kind) && key ? one(place, kind, key) : all(place);
}

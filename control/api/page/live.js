// What several views look at, asked for once a second while the page is visible: `status` and `counters`, and the rates
// between two looks, for the last five minutes.
import { call } from "/rpc.js";

const kEveryMs = 1000;
export const kKept = 300;
// Packets that are no queries of clients.
export const kNoQueries = new Set(["query_moved", "upstream_reply", "upstream_moved", "drop_upstream_unknown", "drop_upstream_malformed",
  "punted", "drop_no_kernel", "drop_other_host", "drop_short_frame", "drop_bad_ip", "drop_bad_checksum", "drop_bad_source",
  "drop_bad_mac", "drop_source_port", "drop_segmented"]);
const kOverQuota = ["drop_client_quota", "drop_suffix_quota", "servfail_quota", "truncated_quota", "drop_parked_full"];
const kLocal = ["ad_list_denied", "static_answers", "lease_answers", "rpz_denied", "rpz_answered", "local_denied", "not_forwarded",
  "special_names", "any_answered"];

const listeners = new Set();
export const live = { status: null, counters: null, rates: null, history: [], error: null };

// Calls `listener` after each look, and at once if there was one. Returns what ends that.
export function watch(listener) {
  listeners.add(listener);
  if (live.status || live.error) listener(live);
  return () => listeners.delete(listener);
}

function sum(workers, table) {
  const all = {};
  for (const worker of workers) {
    for (const [name, n] of Object.entries(worker[table])) all[name] = (all[name] ?? 0) + n;
  }
  return all;
}

// Counters of all workers together: `ends` of queries by label, and `stats`.
export function totals(counters) {
  const ends = {};
  for (const table of ["verdicts", "injected"]) {
    for (const [name, n] of Object.entries(sum(counters.workers, table))) {
      if (!kNoQueries.has(name)) ends[name] = (ends[name] ?? 0) + n;
    }
  }
  const stats = sum(counters.workers, "stats");
  const pending = sum(counters.workers, "pending_outcomes");
  return {
    ends, stats, pending,
    queries: Object.values(ends).reduce((a, b) => a + b, 0),
    hits: stats.cache_hits,
    forwarded: ends.forwarded,
    local: kLocal.reduce((n, name) => n + (stats[name] ?? 0), 0),
    failed: pending.servfail + ends.servfail_quota,
    stale: stats.cache_stale_answers,
    overQuota: kOverQuota.reduce((n, name) => n + (ends[name] ?? 0), 0) + pending.dropped_over_quota,
    misses: stats.cache_misses,
    busy: sum(counters.workers, "time_us").busy / 1e6,  // seconds of all workers
  };
}

function between(before, now, seconds) {
  const per = (a, b) => Math.max(0, (b - a) / seconds);
  const out = { ends: {} };
  for (const key of ["queries", "hits", "forwarded", "local", "failed", "misses", "stale", "overQuota", "busy"]) out[key] = per(before[key], now[key]);
  for (const name of Object.keys(now.ends)) out.ends[name] = per(before.ends[name] ?? 0, now.ends[name]);
  return out;
}

let last = null;
let timer = null;

async function look() {
  timer = null;
  try {
    const [status, counters] = await Promise.all([call("status"), call("counters")]);
    const at = performance.now();
    const now = totals(counters);
    // A restart begins to count anew.
    if (last && last.pid === status.pid) {
      live.rates = between(last.totals, now, (at - last.at) / 1000);
      live.history.push({ at: Date.now(), ...live.rates });
      if (live.history.length > kKept) live.history.shift();
    }
    last = { at, totals: now, pid: status.pid };
    Object.assign(live, { status, counters, error: null });
  } catch (error) {
    live.error = error;
    last = null;
  }
  for (const listener of listeners) listener(live);
  schedule();
}

function schedule() {
  if (timer === null && !document.hidden && live.error?.status !== 401) timer = setTimeout(look, kEveryMs);
}

document.addEventListener("visibilitychange", () => {
  last = null;  // rates are of one second
  schedule();
});

export function start() {
  if (timer !== null) clearTimeout(timer);
  live.error = null;
  last = null;
  look();
}

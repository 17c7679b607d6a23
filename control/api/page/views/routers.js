// Routers: state, rows and lag, and aliases of OPNsense; of one router its lists, differences, errors and the doctor's findings.
import { make, notice, panel, prose, put, table, widePanel } from "/dom.js";
import { count, duration, ms } from "/format.js";
import { watch } from "/live.js";
import { action } from "/permissions.js";
import { call } from "/rpc.js";
import { reports } from "/views/doctor.js";
import { routerState } from "/views/overview.js";

export const title = "Routers";

const writeTime = (router) => ms(router.service_us === null ? null : router.service_us / 1000);

function all(place) {
  const rows = make("div"), aliases = make("div"), found = make("div"), told = make("div");
  const firewalls = widePanel("OPNsense", aliases);
  firewalls.hidden = true;
  place.replaceChildren(told, make("div", { class: "panels" }, widePanel("Routers", rows, make("p", {},
    action("Stop all writes", "bypass", () => call("bypass", { on: true }), told), " ", action("Write again", "bypass", () => call("bypass", { on: false }), told))),
  firewalls, widePanel("Doctor", found)));
  const endReports = reports(found);
  const unwatch = watch(({ status, error }) => {
    if (!status || error) return;
    put(rows, table([
      { title: "Router", of: (one) => make("a", { href: `#routers/${encodeURIComponent(one.name)}` }, one.name) },
      { title: "Address", of: (one) => one.address, narrow: false },
      { title: "Version", of: (one) => `${one.version ?? ""} ${one.board ?? ""}`, narrow: false },
      { title: "State", of: routerState },
      { title: "Claims", number: true, of: (one) => count(one.claims) },
      { title: "Rows", number: true, of: (one) => count(one.rows) },
      { title: "To write", number: true, of: (one) => count(one.owed) },
      { title: "Lag", number: true, of: (one) => (one.lag_ms > 0 ? ms(one.lag_ms) : "–"), narrow: false },
      { title: "Answers held", number: true, of: (one) => count(one.held) },
      { title: "A write takes", number: true, of: writeTime, narrow: false },
      { title: "Trouble", of: (one) => prose(one.trouble) },
    ], status.routers, "The configuration has no router."));
    firewalls.hidden = !status.opnsense?.length;
    put(aliases, table([
      { title: "Firewall", of: (one) => one.name },
      { title: "Address", of: (one) => one.address, narrow: false },
      { title: "Alias", of: (one) => one.alias },
      { title: "State", of: (one) => make("span", { class: one.state === "ready" ? "good" : "bad" }, one.state) },
      { title: "Elements", number: true, of: (one) => count(one.elements) },
      { title: "To write", number: true, of: (one) => count(one.owed) },
      { title: "Trouble", of: (one) => prose(one.trouble) },
    ], status.opnsense ?? [], ""));
  });
  return () => { endReports(); unwatch(); };
}

async function fill(part, method, params, draw) {
  try {
    put(part, draw(await call(method, params)));
  } catch (error) {
    put(part, notice(error.message));
  }
}

function differences({ routers: [router] }) {
  const rows = [...router.differences, ...router.orphans.map((row) => ({ ...row, what: "of no list in the configuration" }))];
  return make("div", {}, table([
    { title: "List", of: (row) => row.list },
    { title: "Address", of: (row) => row.address },
    { title: "Difference", of: (row) => row.what },
    { title: "Name", long: true, of: (row) => row.name ?? row.comment ?? "" },
    { title: "Left", number: true, of: (row) => duration(row.left_s), narrow: false },
  ], rows, "None: the router has what clients were told."), router.more && make("p", { class: "quiet" }, "There are more."));
}

function errors({ routers: [router] }) {
  return table([
    { title: "Ago", number: true, of: (one) => duration(one.ago_s) },
    { title: "Error", long: true, of: (one) => one.text },
  ], router.errors, "None.");
}

function one(place, name) {
  const told = make("div");
  const part = { lists: make("div"), differences: make("div"), errors: make("div"), findings: make("div") };
  const state = make("div");
  const look = () => {
    fill(part.differences, "routers.diff", { name }, differences);
    fill(part.errors, "routers.errors", { name }, errors);
  };
  place.replaceChildren(make("p", {}, make("a", { href: "#routers" }, "All routers")), make("div", { class: "panels" },
    widePanel(name, state, make("p", {},
      action("Pause writes", "routers.pause", () => call("routers.pause", { name }), told), " ", action("Resume", "routers.resume", () => call("routers.resume", { name }), told), " ",
      action("Read its rows again", "routers.reconcile", () => call("routers.reconcile", { name }), told)), told),
    panel("Lists", part.lists), panel("Last errors", part.errors), widePanel("Differences", part.differences), widePanel("Doctor", part.findings)));
  look();
  const endReports = reports(part.findings, name);
  const timer = setInterval(() => { if (!document.hidden) look(); }, 5000);
  const unwatch = watch(({ status, error }) => {
    if (!status || error) return;
    const router = status.routers.find((each) => each.name === name);
    if (!router) return put(state, notice(`The configuration has no router ${name}.`));
    put(state, make("p", {}, routerState(router), `, ${router.address}, RouterOS ${router.version || "unknown"}, ${count(router.rows)} rows, ${count(router.owed)} to write, ${router.service_us === null ? "no write yet" : `a write takes ${writeTime(router)}`}`),
      router.trouble ? notice(prose(router.trouble)) : "");
    put(part.lists, table([
      { title: "List", of: (list) => list.tag },
      { title: "Claims", number: true, of: (list) => count(list.claims) },
      { title: "Limit", number: true, of: (list) => count(list.max_rows) },
    ], router.lists, "No list is written to this router."));
  });
  return () => { clearInterval(timer); endReports(); unwatch(); };
}

export function show(place, [name]) {
  return name ? one(place, name) : all(place);
}

// The fleet: every box, its role per router, and whether this box can be stopped now. What a box says of itself comes over
// Redis, so nothing in it is taken for granted.
import { make, notice, panel, preformatted, prose, put, table, widePanel } from "/dom.js";
import { count, duration, ms } from "/format.js";
import { action } from "/permissions.js";
import { call } from "/rpc.js";

export const title = "Fleet";

const kEveryMs = 2000, kHash = 12;
const kExample = `fleet:
  name: pop1
  redis: 192.0.2.10:6379
  password: \${env:FLEET_REDIS_PASSWORD:-a-long-random-password}`;

const textOf = (value) => (typeof value === "string" ? value : "");
const routersOf = (box) => (Array.isArray(box.routers) ? box.routers.filter((one) => typeof one?.name === "string") : []);

function boxState(box) {
  if (!box.alive) return make("span", { class: "bad" }, `silent for ${duration(box.ago_s)}`);
  if (box.draining === true) return make("span", { class: "warn" }, "draining");
  return box.ready === true ? make("span", { class: "good" }, "ready") : make("span", { class: "bad" }, "not ready");
}

// What differs from this box is marked: an upgrade or a change of the configuration is half done.
function compared(text, own) {
  const isOther = own && text && text !== own;
  return make("span", { class: isOther && "warn", title: isOther && "differs from this box" }, text);
}

function boxes({ boxes: all }) {
  const self = all.find((box) => box.self) ?? {};
  return table([
    { title: "Box", of: (box) => make("span", {}, box.self ? make("b", {}, `${box.box} (this box)`) : box.box) },
    { title: "State", of: boxState },
    { title: "Version", of: (box) => compared(textOf(box.version), textOf(self.version)) },
    { title: "Configuration", of: (box) => compared(textOf(box.configuration).slice(0, kHash), textOf(self.configuration).slice(0, kHash)) },
    { title: "Writes", number: true, of: (box) => count(routersOf(box).filter((one) => one.role === "writer").length) },
    { title: "Last sign of life", number: true, of: (box) => (box.self ? "" : `${duration(box.ago_s)} ago`), narrow: false },
  ], all, "Redis is not connected, so no box is known.");
}

// The role of a box for a router, and what it lags behind.
function role(box, router, own) {
  const one = (box.self ? own : routersOf(box)).find((each) => each.name === router);
  if (!one || !box.alive) return make("span", { class: "quiet" }, "–");
  const isInSync = one.state === "in_sync";
  return make("span", {}, make("span", { class: one.role === "writer" ? "good" : one.role === "alone" ? "warn" : "" }, textOf(one.role)),
    !isInSync && make("span", { class: "bad" }, `, ${textOf(one.state).replaceAll("_", " ")}`), one.pending > 0 && `, ${count(one.pending)} to write`, one.lag_ms > 0 && ` (${ms(one.lag_ms)} behind)`);
}

function roles({ boxes: all, routers: own, connected }) {
  const names = [...new Set([...own, ...all.flatMap(routersOf)].map((one) => one.name))].sort();
  const mine = new Map(own.map((one) => [one.name, one]));
  return table([
    { title: "Router", of: (name) => (mine.has(name) ? make("a", { href: `#routers/${encodeURIComponent(name)}` }, name) : name) },
    { title: "Written by", of: (name) => mine.get(name)?.writer ?? make("span", { class: "bad" }, connected ? "no box" : "not known") },
    { title: "Claims", number: true, of: (name) => count(mine.get(name)?.claims), narrow: false },
    ...all.map((box) => ({ title: box.box, of: (name) => role(box, name, own) })),
  ], names, "The configuration has no router.");
}

function list(texts, empty) {
  return texts.length > 0 ? make("ul", {}, texts.map((text) => make("li", {}, prose(text)))) : make("p", { class: "good" }, empty);
}

function state(fleet) {
  return make("div", {},
    fleet.trouble && notice(prose(`${fleet.trouble} (for ${duration(fleet.trouble_s)})`)),
    make("p", {}, make("span", { class: fleet.connected ? "good" : "bad" }, fleet.connected ? "connected" : "not connected"),
      ` to Redis at ${fleet.redis}; this box is `, make("b", {}, fleet.box), `; a writer is replaced after ${fleet.lease_ms / 1000} s of silence`));
}

function stopping({ obstacles }) {
  return make("div", {}, obstacles.length > 0 ? make("p", { class: "bad" }, "No:") : "",
    list(obstacles, "Yes: another box is ready, and each router is in sync with another box."),
    make("p", { class: "quiet" }, "Drain it first, then stop it. ", make("code", {}, "steerctl fleet upgrade-check"), " says the same to scripts."));
}

function noFleet() {
  return [widePanel("No fleet", make("p", {}, "This steerdnsd is alone: its configuration has no section ", make("code", {}, "fleet"),
    ". Boxes of a fleet share their claims over Redis, and one of them writes each router. Write into the configuration of each box:"), preformatted("Example", kExample))];
}

// What people change on one box and all have.
const kShared = { rules: "Rules and pauses", names: "Names of clients", groups: "Groups and their members" };
function shared(fleet) {
  return table([
    { title: "Shared", of: (one) => kShared[one.kind] ?? one.kind },
    { title: "Here", number: true, of: (one) => count(one.entries) },
    { title: "Not sent yet", number: true, of: (one) => make("span", { class: one.unsent > 0 ? "warn" : "" }, count(one.unsent)) },
    { title: "Not in force here", number: true, of: (one) => make("span", { class: one.refused > 0 ? "bad" : "" }, count(one.refused)) },
  ], fleet.shared ?? [], "Nothing is shared yet.");
}

export function show(place) {
  const told = make("div"), panels = make("div", { class: "panels" });
  const parts = Object.fromEntries(["state", "stopping", "problems", "boxes", "roles", "shared"].map((name) => [name, make("div")]));
  place.replaceChildren(told, panels);
  let isShown = null;  // whether the panels are those of a fleet
  const drain = (on) => call("drain", { on }).then(({ draining }) => (draining ? "This box drains: others take its routers" : "This box serves again"));
  const draw = (fleet) => {
    if (isShown !== fleet.configured) {
      isShown = fleet.configured;
      panels.replaceChildren(...(!fleet.configured ? noFleet() : [widePanel(`Fleet ${fleet.name}`, parts.state), widePanel("Boxes", parts.boxes), widePanel("Roles", parts.roles), widePanel("Shared by all boxes", parts.shared),
        panel("Can this box be stopped now?", parts.stopping, make("p", {}, action("Drain this box", "drain", () => drain(true), told), " ", action("End the drain", "drain", () => drain(false), told))),
        panel("Problems", parts.problems)]));
    }
    if (!fleet.configured) return;
    put(parts.state, state(fleet));
    put(parts.boxes, boxes(fleet));
    put(parts.roles, roles(fleet));
    put(parts.shared, shared(fleet));
    put(parts.stopping, stopping(fleet));
    put(parts.problems, list(fleet.problems, "None."));
  };
  let hasFailed = false, hasEnded = false;
  const look = async () => {
    try {
      const fleet = await call("fleet");
      if (hasEnded) return;
      if (hasFailed) told.replaceChildren();
      hasFailed = false;
      draw(fleet);
    } catch (error) {
      hasFailed = true;
      told.replaceChildren(notice(error.message));
    }
  };
  look();
  const timer = setInterval(() => { if (!document.hidden) look(); }, kEveryMs);
  return () => { hasEnded = true; clearInterval(timer); };
}

// Reports of the doctor: findings, why they matter, and the commands that mend them.
import { copyButton } from "/clipboard.js";
import { make, notice, prose, table } from "/dom.js";
import { duration } from "/format.js";
import { call } from "/rpc.js";

const kEveryMs = 5000;
const kLevels = { problem: "bad", advice: "warn", note: "quiet" };
const kResults = { ok: "good", failed: "bad", unknown: "warn" };

function noReport() {
  return make("p", { class: "quiet" }, "No report yet. ", make("code", {}, "systemctl enable --now steerdns-doctor"), " judges routers each minute, and ",
    make("code", {}, "steerctl doctor"), " does it once, in a terminal.");
}

function commands(list) {
  return make("div", { class: "commands" }, make("pre", {}, list.join("\n")), copyButton(list.length > 1 ? "Copy all" : "Copy", list.join("\n")));
}

function finding(one) {
  return make("article", { class: "finding" },
    make("p", {}, make("span", { class: kLevels[one.level] }, one.level), " ", make("b", {}, one.check), ": ", prose(one.what)),
    one.why && make("p", { class: "quiet" }, prose(one.why)),
    one.advice && make("p", {}, prose(one.advice)),
    one.fix.length > 0 && make("div", {}, make("p", { class: "quiet" }, "In a terminal of the router:"), commands(one.fix)),
    one.undo.length > 0 && make("details", {}, make("summary", {}, "Undo"), commands(one.undo)));
}

function probe(steps) {
  return table([
    { title: "Probe", of: (one) => one.step },
    { title: "Result", of: (one) => make("span", { class: kResults[one.result] }, one.result) },
    { title: "Details", long: true, of: (one) => prose(one.text) },
  ], steps);
}

function report(one, isAlone) {
  const order = Object.keys(kLevels);
  const sorted = [...one.findings].sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
  return make("section", {},
    !isAlone && make("h3", {}, make("a", { href: `#routers/${encodeURIComponent(one.router)}` }, one.router)),
    one.trouble && notice(prose(one.trouble)),
    sorted.map(finding),
    !one.trouble && sorted.length === 0 && make("p", { class: "quiet" }, "Nothing found."),
    one.steps.length > 0 && probe(one.steps));
}

function age(one) {
  return make("p", { class: one.stale ? "bad" : "quiet" }, one.router, `: reported ${duration(one.age_s)} ago.`,
    one.stale && " The next reports are missing: check the service steerdns-doctor.");
}

// Fills `place` with the reports of all routers, or of the one with that name. Returns what ends it. What has not changed
// is not drawn again: a selection, and what is open, stay.
export function reports(place, name) {
  const told = make("div"), ages = make("div");
  place.replaceChildren(told, ages);
  let drawn = "";
  const look = async () => {
    let all;
    try {
      all = (await call("doctor.report")).routers.filter((one) => !name || one.router === name);
    } catch (error) {
      drawn = "";
      told.replaceChildren(notice(error.message));
      ages.replaceChildren();
      return;
    }
    const now = JSON.stringify(all.map(({ age_s, stale, ...rest }) => rest));
    if (now !== drawn) told.replaceChildren(...(all.length > 0 ? all.map((one) => report(one, Boolean(name))) : [noReport()]));
    drawn = now;
    ages.replaceChildren(...all.map(age));
  };
  look();
  const timer = setInterval(() => { if (!document.hidden) look(); }, kEveryMs);
  return () => clearInterval(timer);
}

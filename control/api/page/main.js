// Which view is shown, the line of state above it, and who is signed in.
import { forgetNames } from "/client_names.js";
import { make, put } from "/dom.js";
import { duration } from "/format.js";
import { live, start, watch } from "/live.js";
import { askForPassword, askToSignIn, passwordState, signInByLink, signOut, takeLink } from "/login.js";
import { learn } from "/permissions.js";
import { call, hasToken } from "/rpc.js";
import * as overview from "/views/overview.js";
import * as queries from "/views/queries.js";
import * as history from "/views/history.js";
import * as explain from "/views/explain.js";
import * as routers from "/views/routers.js";
import * as blocking from "/views/blocking.js";
import * as lists from "/views/lists.js";
import * as names from "/views/names.js";
import * as settings from "/views/settings.js";
import * as configuration from "/views/configuration.js";
import * as fleet from "/views/fleet.js";
import * as recursion from "/views/recursion.js";
import * as support from "/views/support.js";
import * as clients from "/views/clients.js";

// A view has `title` and show(place), which returns what ends it; isThere(status) if not every configuration has it. The address
// after '#' names it; more after '/' is its own.
const views = { overview, queries, history, names, blocking, explain, routers, lists, settings, configuration, fleet, clients, recursion, support };
const place = document.getElementById("view");
const nav = document.querySelector("nav");
let end = () => {};

function show() {
  const [name, ...rest] = location.hash.slice(1).split("/").map(decodeURIComponent);
  const view = views[name] ?? overview;
  for (const link of nav.children) {
    if (link.hash === `#${view === overview ? "overview" : name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  end();
  place.replaceChildren();
  document.title = `${view.title} – SteerDNS`;
  end = view.show(place, rest) ?? (() => {});
}

function sayState({ status, error }) {
  const line = document.getElementById("state");
  const failed = status ? failing(status) : "";
  if (error?.status === 401) put(line, make("span", { class: "quiet" }, "Signed out"));
  else if (error) put(line, make("span", { class: "bad" }, error.message));
  else if (failed) put(line, make("span", { class: "warn" }, `Not ready: ${failed}`));
  else put(line, make("span", { class: "good" }, "Ready"), make("span", { class: "quiet" }, `, up ${duration(status.uptime_s)}, version ${status.version}`));
}

function failing(status) {
  return status.ready === "yes" ? "" : [status.ready].flat().join("; ");
}

let isAsking = false;  // the place has a form, and no view

function ask(reason) {
  end();
  end = () => {};
  isAsking = nav.hidden = true;
  signOutButton.hidden = true;
  askToSignIn(place, reason, begin);
}

// As the user that is signed in now, whoever was before.
function begin() {
  isAsking = nav.hidden = false;
  forgetNames();
  learn().catch(() => { /* `start` says so */ });
  call("rpc.whoami").then(({ who }) => { signOutButton.hidden = !(hasToken() || who.startsWith("session ")); }, () => { /* as before */ });
  start();
  show();
}

const signOutButton = make("button", {
  id: "sign-out",
  hidden: true,
  onclick: async () => {
    try {
      await signOut();
    } finally {
      start();  // which is refused now
    }
  },
}, "Sign out");
document.querySelector("header").append(signOutButton);

async function beginByLink(link) {
  isAsking = nav.hidden = true;
  try {
    await signInByLink(link);
  } catch (error) {
    await askToSignIn(place, error.message, begin);
    return;
  }
  if (await passwordState() === "none") askForPassword(place, begin);
  else begin();
}

watch((now) => {
  sayState(now);
  Object.values(views).forEach((view, i) => { if (now.status && view.isThere) nav.children[i].hidden = !view.isThere(now.status); });
  if (now.error?.status === 401 && !isAsking) ask(now.error.message);
});

for (const [name, view] of Object.entries(views)) nav.append(make("a", { href: `#${name}`, hidden: Boolean(view.isThere) }, view.title));
// Digits open views, as in the order of the links; 0 the tenth.
document.addEventListener("keydown", (event) => {
  if (isAsking || event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  const link = /^\d$/.test(event.key) && nav.children[(Number(event.key) + 9) % 10];
  if (link && !link.hidden) link.click();
});
// The address after '#' is the view's, so this link does not change it.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  place.focus();
});
const byLink = takeLink();
window.addEventListener("hashchange", () => {
  const link = takeLink();
  if (link) { beginByLink(link); return; }
  if (isAsking) return;
  show();
  place.focus();
});
if (byLink) beginByLink(byLink);
else begin();
export { live };

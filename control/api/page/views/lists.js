// Lists: sizes, age and trouble of each, matches and pause of ad lists.
import { make, notice, put, table, widePanel } from "/dom.js";
import { count, duration } from "/format.js";
import { action } from "/permissions.js";
import { call } from "/rpc.js";
import { toAddress } from "/views/history_search.js";

export const title = "Lists";

export function show(place) {
  const told = make("div");
  const ads = make("div"), sets = make("div"), fetched = make("div");
  const button = (label, method, params) => action(label, method, async () => { await call(method, params); look(); return `${label}: done`; }, told);

  function adLists({ adlists }) {
    return table([
      { title: "Plugin", of: (one) => one.tag },
      { title: "List", long: true, of: (one) => one.list },
      { title: "Names", number: true, of: (one) => count(one.names) },
      { title: "Blocked", number: true, of: (one) => make("a", { href: toAddress({ list: one.list }), title: "The queries that this list decided" }, count(one.matches)) },
      { title: "State", of: (one) => (one.legal ? "blocks by law" : one.paused_s > 0 ? make("span", { class: "warn" }, `paused for ${duration(one.paused_s)}`) : "blocks") },
      { title: "", of: (one) => (one.legal ? "" : one.paused_s > 0 ? button("Resume", "adlist.resume", { tag: one.tag })
        : button("Pause 5 min", "adlist.pause", { tag: one.tag, seconds: 300 })) },
    ], adlists, "The configuration has no adlist.");
  }

  async function look() {
    try {
      const [lists, blocks] = await Promise.all([call("lists"), call("adlist")]);
      put(ads, adLists(blocks));
      put(sets, table([
        { title: "Plugin", of: (one) => one.plugin },
        { title: "List", long: true, of: (one) => one.list },
        { title: "Rules", number: true, of: (one) => count(one.rules) },
        { title: "Invalid lines", number: true, of: (one) => make("span", { class: one.bad_lines ? "warn" : "" }, count(one.bad_lines)) },
        { title: "Left out", number: true, of: (one) => count(one.left_out), narrow: false },
        { title: "State", of: (one) => (one.loaded ? "in force" : make("span", { class: "bad" }, "never fetched")) },
      ], lists.sets, "The configuration reads no list."));
      put(fetched, table([
        { title: "URL", long: true, of: (one) => one.url },
        { title: "Rules", number: true, of: (one) => count(one.rules) },
        { title: "Checked", number: true, of: (one) => (one.checked_ago_s === null ? "never" : `${duration(one.checked_ago_s)} ago`) },
        { title: "Next", number: true, of: (one) => `in ${duration(one.next_s)}`, narrow: false },
        { title: "Trouble", of: (one) => make("span", { class: "bad" }, one.trouble) },
      ], lists.lists, "No list comes from a URL."));
    } catch (error) {
      told.replaceChildren(notice(error.message));
    }
  }
  place.replaceChildren(told, make("div", { class: "panels" }, widePanel("Ad lists", ads), widePanel("Lists in force", sets),
    widePanel("Lists from URLs", fetched, make("p", {}, button("Fetch all now", "lists.fetch")))));
  look();
  const timer = setInterval(() => { if (!document.hidden) look(); }, 5000);
  return () => clearInterval(timer);
}

// The form for a group of devices: its block lists, names and hours, and safe search. The members are in the view Clients.
//
// For the group `children` it writes the plugins `group_rules_children` (a sequence), `group_lists_children`, `group_names_children` and
// `group_hours_children`, and a rule that runs that sequence for the group's devices. `safe_search` is one for all groups.
import { catalogue } from "/list_catalogue.js";
import { make } from "/dom.js";
import { call } from "/rpc.js";
import { Change, entries, isRule, plugin, sourceOf } from "/views/settings_change.js";
import { area, checkbox, choice, field, form, input, lines, word } from "/views/settings_fields.js";

const kDays = [["mon", "Mon"], ["tue", "Tue"], ["wed", "Wed"], ["thu", "Thu"], ["fri", "Fri"], ["sat", "Sat"], ["sun", "Sun"]];
const kAllDays = kDays.map(([day]) => day);
const kEvening = { start: "21:00", end: "07:00" };
const kEngines = ["google", "bing", "duckduckgo", "youtube", "brave", "ecosia", "pixabay"];
const kNewerEngines = "https://adguardteam.github.io/HostlistsRegistry/assets/engines_safe_search.txt";
const kBlockers = ["adlist", "rpz"];
const kBlocked = "black_hole null short_circuit";

const tagsOf = (group) => ({ rules: `group_rules_${group}`, lists: `group_lists_${group}`, names: `group_names_${group}`, hours: `group_hours_${group}` });
const jumpOf = (group) => ({ matches: `client_group ${group}`, exec: `jump group_rules_${group}` });
const searchOf = (group) => ({ matches: `client_group ${group}`, exec: "$safe_search" });

// The hours: rows of two times and days. Periods of another form, as of days of the month, stay as they are.
function hoursEditor(changed) {
  const rows = make("div", { class: "fields" }), kept = make("p", { class: "quiet" });
  const isPlain = (one) => one.start && one.end && !one.monthdays;
  let others = [];
  const dayBoxes = (days, label) => kDays.map(([day, text]) => {
    const box = checkbox("day", days.includes(day));
    box.value = day;
    box.setAttribute("aria-label", `${text}, ${label}`);
    return make("label", {}, text, box);
  });
  function add({ start, end, weekdays = kAllDays }) {
    const row = make("fieldset", { class: "fields" }, make("legend", {}, "Hours"),
      field("From", input("from", { type: "time", value: start })), field("To", input("to", { type: "time", value: end })), dayBoxes(weekdays, `from ${start}`),
      make("button", { type: "button", onclick: () => { row.remove(); changed(); } }, "Remove these hours"));
    rows.append(row);
  }
  return {
    element: make("div", {}, rows, kept, make("button", { type: "button", onclick: () => { add(kEvening); changed(); } }, "More hours")),
    set(periods) {
      rows.replaceChildren();
      periods.filter(isPlain).forEach(add);
      others = periods.filter((one) => !isPlain(one));
      kept.replaceChildren(others.length > 0 ? `${others.length} periods with days of the month stay as they are.` : "");
    },
    periods: () => [...[...rows.children].map((row) => {
      const [start, end] = ["from", "to"].map((name) => row.querySelector(`[name=${name}]`).value);
      const weekdays = [...row.querySelectorAll("[name=day]:checked")].map((box) => box.value);
      if (!start || !end) throw new Error("Hours: write both times.");
      if (weekdays.length === 0) throw new Error("Hours: choose at least one day.");
      return { start, end, ...(weekdays.length < kAllDays.length ? { weekdays } : {}) };
    }), ...others],
  };
}

// What the configuration has for the group now.
function settingsOf(now, group) {
  const tags = tagsOf(group), rules = plugin(now, tags.rules)?.args ?? [];
  const hours = plugin(now, tags.hours)?.args;
  return {
    lists: (plugin(now, tags.lists)?.args?.lists ?? []).map(sourceOf),
    names: plugin(now, tags.names)?.args?.exps ?? [],
    namesAlways: rules.some(isRule({ matches: `qname $${tags.names}`, exec: kBlocked })),
    everyName: rules.some(isRule({ matches: `$${tags.hours}`, exec: kBlocked })),
    periods: hours?.periods ?? [kEvening],
    timezone: hours?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    safeSearch: entries(now).some((one) => one.args.some(isRule(searchOf(group)))),
  };
}

// The groups whose settings the form can change.
const groupsWithSettings = (now) => (now.configuration.plugins ?? []).map((one) => /^group_rules_(.+)$/.exec(one.tag ?? "")?.[1]).filter(Boolean);

export const groups = {
  title: "Groups of devices",
  text: "What the devices of a group may not do: block lists, names and hours of their own, and safe search. Put devices into groups in the view Clients.",
  draw(now, changed, [chosen = ""] = []) {
    const known = make("datalist", { id: "known-groups" }), members = make("p", { class: "quiet", "aria-live": "polite" });
    const name = input("group", { value: chosen, placeholder: "children", size: 20, maxlength: 63, list: known.id });
    const names = area("names", ""), lists = area("lists", "", 3), timezone = input("timezone", { size: 24 });
    const when = choice("when", [["hours", "in the hours below"], ["always", "always"]], "When these names are blocked");
    const everyName = checkbox("every_name", false), safeSearch = checkbox("safe_search", false);
    const renewed = input("renewed", { type: "url", placeholder: kNewerEngines, value: plugin(now, "safe_search")?.args?.files?.[0] ?? "" });
    const add = choice("catalogue", [["", "choose a list …"], ...catalogue.map((one) => [one.url, `${one.name}: ${one.use} (${one.licence})`])], "Well-known lists");
    const hours = hoursEditor(changed);
    let devices = new Map(), others = [], isEdited = false;

    add.addEventListener("change", () => {
      if (add.value && !lines(lists).includes(add.value)) lists.value = [...lines(lists), add.value].join("\n");
      add.value = "";
    });
    function fill() {
      isEdited = false;
      const group = name.value.trim(), is = settingsOf(now, group);
      // Lists and names with keys of their own stay as they are.
      others = (plugin(now, tagsOf(group).lists)?.args?.lists ?? []).filter((one) => typeof one !== "string");
      names.value = is.names.map((one) => one.replace(/^domain:/, "")).join("\n");
      lists.value = is.lists.join("\n");
      when.value = is.namesAlways ? "always" : "hours";
      everyName.checked = is.everyName;
      safeSearch.checked = is.safeSearch;
      timezone.value = is.timezone;
      hours.set(is.periods);
      const of = devices.get(group);
      members.replaceChildren(of === undefined ? "" : `${of === 0 ? "No device" : of === 1 ? "1 device" : `${of} devices`} in this group. `,
        make("a", { href: "#clients" }, "Put devices into it"));
    }
    // What was typed stays, unless the group has settings.
    name.addEventListener("change", () => {
      if (!isEdited || groupsWithSettings(now).includes(name.value.trim())) fill();
    });
    fill();
    call("clients.groups").then(({ groups: made, of_file: ofFile }) => {
      devices = new Map([...ofFile, ...made].map((one) => [one.group, one.members.length ?? one.members]));
      known.replaceChildren(...[...new Set([...devices.keys(), ...groupsWithSettings(now)])].map((value) => make("option", { value })));
      if (name.value && !isEdited) fill();
    }).catch(() => { /* the form works without the names of groups */ });

    return {
      element: make("div", { oninput: ({ target }) => { isEdited ||= target !== name; } }, known, form(changed,
        field("Group", name, "As in the view Clients: letters, digits, “-” and “_”."), members,
        field("Names that are blocked, one a line; each with all names below it", names, "game.example"), field("When these names are blocked", when),
        field("Every name is blocked in these hours", everyName, "A pause of blocking does not end this."), hours.element, field("Time zone of the hours", timezone, "Europe/Berlin"),
        field("Block lists of this group, one a line", lists, "Beside those for everyone."), field("Well-known lists", add),
        field("Safe search", safeSearch, "Google, Bing, DuckDuckGo, YouTube, Brave, Ecosia and Pixabay. The names are those of November 2026."),
        field("A list by URL that renews these names", renewed, "For all groups with safe search."))),
      change() {
        const group = word(name.value.trim(), "Group"), tags = tagsOf(group), change = new Change(now);
        const domains = lines(names), urls = lines(lists), isTimed = everyName.checked || (domains.length > 0 && when.value === "hours");
        const rules = [];
        if (isTimed) {
          const periods = hours.periods();
          if (periods.length === 0) throw new Error("Hours: add hours, or block the names always.");
          change.args(tags.hours, "time", { timezone: timezone.value.trim(), periods });
          if (everyName.checked) rules.push({ matches: `$${tags.hours}`, exec: kBlocked });
        }
        if (domains.length > 0) {
          change.args(tags.names, "domain_set", { exps: domains.map((one) => (one.includes(":") ? one : `domain:${one}`)) });
          rules.push({ matches: when.value === "always" ? `qname $${tags.names}` : [`$${tags.hours}`, `qname $${tags.names}`], exec: kBlocked });
        }
        if (urls.length > 0) {
          change.args(tags.lists, "adlist", { lists: urls.map((url) => others.find((one) => one.list === url) ?? url) });
          rules.push({ exec: `$${tags.lists}` });
        }
        if (rules.length > 0) {
          change.sequence(tags.rules, rules);
          change.rule(jumpOf(group));
        } else {
          change.withoutRule(jumpOf(group));
          change.remove(tags.rules);
        }
        if (!isTimed) change.remove(tags.hours);
        if (domains.length === 0) change.remove(tags.names);
        if (urls.length === 0) change.remove(tags.lists);
        change.withoutRule(searchOf(group));
        if (safeSearch.checked) {
          const url = renewed.value.trim();
          change.args("safe_search", "redirect", { safe_search: plugin(now, "safe_search")?.args?.safe_search ?? kEngines, ...(url || plugin(now, "safe_search")?.args?.files ? { files: url ? [url] : [] } : {}) });
          // Behind all that blocks: that sees the name that was asked.
          change.rule(searchOf(group), undefined, (one, type) => one.exec === jumpOf(group).exec || kBlockers.includes(type));
        }
        return change.done();
      },
    };
  },
};

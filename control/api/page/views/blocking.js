// Blocking: block or allow a name from the next query on, pause lists, and the rules that people added.
import { clientText, learnNames } from "/client_names.js";
import { make, notice, panel, put, table, widePanel } from "/dom.js";
import { count, duration, when } from "/format.js";
import { action, refusal } from "/permissions.js";
import { call } from "/rpc.js";

export const title = "Blocking";

const kEveryMs = 5000, kTypedMs = 600;
const kTimes = [[0, "until it is removed"], [600, "10 minutes"], [3600, "1 hour"], [28800, "8 hours"], [86400, "1 day"], [604800, "1 week"]];
const kPauses = kTimes.filter(([seconds]) => seconds > 0);

// From a row of another view: the name and the client stand in the form.
export function blockingLink(name, client = "", text = "Block or allow") {
  return make("a", { href: `#blocking/${[name, client].map(encodeURIComponent).join("/")}` }, text);
}

const isPause = (rule) => rule.name === "." && rule.does === "allow";

function subject(rule) {
  if (rule.list) return `list ${rule.list} of ${rule.plugin}`;
  if (rule.plugin) return `the lists of ${rule.plugin}`;
  if (rule.name === ".") return rule.does === "allow" ? "all lists" : "all names";
  return rule.exact ? rule.name : `${rule.name} and all below`;
}

function left(rule) {
  return rule.until_s === 0 ? "until it is removed" : `for ${duration(Math.max(rule.until_s - Date.now() / 1000, 0))}`;
}

export function show(place, [name = "", client = ""] = []) {
  const told = make("div"), rules = make("div"), foreseen = make("div", { role: "status", class: "preview" }), where = make("p", { class: "quiet", hidden: true }, "All boxes of the fleet have these rules. A legal list is suspended on each box by itself.");
  const choice = (times, label) => make("select", { name: label }, times.map(([value, text]) => make("option", { value }, text)));
  const wish = make("input", { name: "name", value: name, placeholder: "ads.example.com", size: 28, autocomplete: "off" });
  const groups = make("datalist", { id: "groups" });
  const audience = (words) => make("input", { placeholder: "everyone", size: 20, autocomplete: "off", list: groups.id, ...words });
  const clients = audience({ name: "client", value: client });
  const exact = make("input", { name: "exact", type: "checkbox" });
  const note = make("input", { name: "note", size: 24, maxlength: 200, autocomplete: "off" });
  const seconds = choice(kTimes, "seconds"), pauseSeconds = choice(kPauses, "pause");
  const paused = make("select", { name: "list" }, make("option", { value: "" }, "all lists"));
  const pausedFor = audience({ name: "pause_client" });
  let hasEnded = false, shown = null;

  // What was not written into the file is in force all the same.
  async function change(method, params, text) {
    try {
      const { kept, trouble } = await call(method, params);
      if (!kept) throw new Error(`In force, but it ends with the next restart: ${trouble}`);
      return text;
    } finally {
      look();
    }
  }
  // What a rule for the written name would have changed: in the last day, by the recorded queries.
  let typed = null, asked = 0;
  const verb = { true: "Allowing it would have let pass", false: "Blocking it would have stopped" };
  function changes(result, allow) {
    const changed = allow ? result.would_allow : result.would_block;
    const names = result.names.slice(0, 3).map((one) => `${one.name} (${count(one.queries)})`).join(", ");
    return `${verb[allow]} ${count(changed)} of ${count(result.queries)} queries${changed > 0 ? ` of ${count(result.clients)} ${result.clients === 1 ? "client" : "clients"}: ${names}${result.names.length > 3 ? " …" : ""}` : ""}.`;
  }
  async function preview() {
    const mine = ++asked;
    if (await refusal("blocking.preview", false).catch(() => "")) return;
    const text = wish.value.trim();
    if (!text) {
      foreseen.replaceChildren(make("p", { class: "quiet" }, "What a rule would have changed in the last day is shown here once there is a name."));
      return;
    }
    const lines = [];
    try {
      const params = given({ name: text, exact: exact.checked, clients: clients.value.trim() });
      let oldest = null;
      for (const allow of [false, true]) {
        const result = await call("blocking.preview", given({ ...params, allow }));
        if (hasEnded || mine !== asked) return;
        oldest = result;
        lines.push(changes(result, allow));
      }
      lines.push(`Queries since ${when(new Date(oldest.from * 1000))}, by the recorder.${oldest.complete ? "" : " Older ones were not read in time."}${oldest.masked ? " It keeps only prefixes of clients." : ""}`);
    } catch (error) {
      lines.push(`No preview: ${error.message}`);
    }
    if (hasEnded || mine !== asked) return;
    foreseen.replaceChildren(...lines.map((line) => make("p", { class: "quiet" }, line)));
  }
  const soon = () => { clearTimeout(typed); typed = setTimeout(preview, kTypedMs); };
  for (const field of [wish, exact, clients]) field.addEventListener("input", soon);

  const given = (params) => Object.fromEntries(Object.entries(params).filter(([, value]) => value));
  async function set(allow) {
    const text = wish.value.trim();
    if (!text) throw new Error("Write a domain name first");
    return change("blocking.set", given({
      name: text, allow, exact: exact.checked, clients: clients.value.trim(), seconds: Number(seconds.value), note: note.value.trim(),
    }), `${allow ? "Allowed" : "Blocked"} from the next query on: ${text}`);
  }
  async function pause() {
    const [plugin, list] = paused.value ? JSON.parse(paused.value) : [];
    return change("blocking.pause", given({ seconds: Number(pauseSeconds.value), plugin, list, clients: pausedFor.value.trim() }), "Paused");
  }

  function draw({ rules: all, most }) {
    const text = JSON.stringify(all) + Math.floor(Date.now() / 60000);
    if (text === shown) return;
    shown = text;
    put(rules, table([
      { title: "Does", of: (one) => make("span", { class: one.does === "block" ? "bad" : "good" }, isPause(one) ? "pauses" : `${one.does}s`) },
      { title: "What", kind: "head", long: true, of: subject },
      { title: "For", of: (one) => (one.group ? `group ${one.group}` : one.clients ? clientText(one.clients) : "everyone") },
      { title: "How long", kind: "rest", of: left },
      { title: "Note", long: true, of: (one) => one.note, narrow: false },
      { title: "Added by", long: true, of: (one) => (one.box ? `${one.who}, on ${one.box}` : one.who), narrow: false },
      { title: "", kind: "change", of: (one) => action("Remove", "blocking.remove", () => change("blocking.remove", { number: one.number }, `Removed: ${subject(one)}`), told) },
    ], all, "There is no rule. Write a name above, or click “Block or allow” beside a query.", "facts"),
    all.length > most * 0.9 ? make("p", { class: "warn" }, `At most ${count(most)} rules fit. Put long lists into an adlist.`) : "");
  }

  async function look() {
    try {
      const [now] = await Promise.all([call("blocking.list"), learnNames()]);
      if (!hasEnded) draw(now);
    } catch (error) {
      if (!hasEnded) told.replaceChildren(notice(error.message));
    }
  }
  async function learnLists() {
    const { adlists } = await call("adlist");
    const tags = [...new Set(adlists.map((one) => one.tag))];
    const option = (words, text) => make("option", { value: JSON.stringify(words) }, text);
    paused.append(...tags.flatMap((tag) => [option([tag], `the lists of ${tag}`),
      ...adlists.filter((one) => one.tag === tag).map((one) => option([tag, one.list], `${one.list} of ${tag}`))]));
  }

  async function learnGroups() {
    const all = await call("clients.groups");
    const known = [...new Set([...all.groups, ...all.of_file].map((one) => one.group))];
    groups.replaceChildren(...known.map((value) => make("option", { value })));
  }

  const form = (...children) => make("form", { onsubmit: (event) => event.preventDefault() }, children);
  place.replaceChildren(told, where, groups, make("div", { class: "panels" },
    panel("Block or allow a name",
      form(make("label", {}, "Name, with all names below", wish), make("label", {}, "Only this name", exact), make("label", {}, "For (device, group, address or network)", clients),
        make("label", {}, "How long", seconds), make("label", {}, "Note", note),
        action("Block it", "blocking.set", () => set(false), told, "main"), action("Allow it", "blocking.set", () => set(true), told)), foreseen,
      make("p", { class: "quiet" }, "An allowed name passes all block lists, except those that the law requires. The rule for fewer clients wins, then the longer name.")),
    panel("Pause blocking",
      form(make("label", {}, "What", paused), make("label", {}, "For (device, group, address or network)", pausedFor), make("label", {}, "How long", pauseSeconds),
        action("Pause", "blocking.pause", pause, told))),
    widePanel("Rules", rules)));
  look();
  learnGroups().catch(() => { /* `look` says what is wrong */ }).then(preview);
  learnLists().catch(() => { /* `look` says what is wrong */ });
  call("fleet").then(({ configured }) => { where.hidden = !configured; }, () => { /* `look` says what is wrong */ });
  const timer = setInterval(() => { if (!document.hidden) look(); }, kEveryMs);
  return () => { hasEnded = true; clearInterval(timer); clearTimeout(typed); };
}

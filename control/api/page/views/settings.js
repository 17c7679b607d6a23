// Settings: forms for what people change. They write managed.yaml, a layer over the operator's file; each change is shown before it
// is applied, and can be undone.
import { make, notice, panel, preformatted, prose, table, widePanel } from "/dom.js";
import { bytes, count, time } from "/format.js";
import { action, guard } from "/permissions.js";
import { call } from "/rpc.js";
import { forms } from "/views/settings_forms.js";

export const title = "Settings";

const kCheckAfterMs = 500;  // without another input

function problemTable(problems, empty) {
  return table([
    { title: "Level", of: (one) => make("span", { class: one.level === "error" ? "bad" : "warn" }, one.level) },
    { title: "Place", long: true, of: (one) => (one.line > 0 ? `${one.file}:${one.line}` : one.file) },
    { title: "Problem", long: true, of: (one) => prose(one.text) },
  ], problems, empty);
}

function diffText(diff) {
  const changed = diff.some((line) => line.kind !== " ");
  if (!changed) return make("p", { class: "quiet" }, "The file stays as it is.");
  return preformatted("What changes in the file",
    diff.map((line) => make("span", { class: line.kind === "+" ? "added" : line.kind === "-" ? "removed" : "" }, `${line.kind} ${line.text}\n`)), { class: "diff" });
}

// Of configuration.replay; nothing where no queries are recorded.
function replayText(result) {
  if (!result.good) return null;
  return make("p", {}, `Of ${count(result.queries)} recorded queries since ${time(result.from)}, ${count(result.different.queries)} would get another answer.`,
    result.changes.length > 0 && table([
      { title: "Before", of: (one) => one.before }, { title: "After", of: (one) => one.after },
      { title: "Queries", number: true, of: (one) => count(one.queries) },
    ], result.changes));
}

function ask(place, one, rest) {
  const told = make("div"), fields = make("div"), preview = make("div", { "aria-live": "polite" }), effect = make("div"), commands = make("div");
  let drawn = null, hash = "", file = "", wanted = null, timer = 0, serial = 0;
  // Errors, and warnings about what forms have written; others are of the operator's file.
  const own = (problems) => problems.filter((one) => one.level === "error" || one.file === file);
  const apply = guard(make("button", { class: "main", disabled: true, onclick: () => put() }, "Apply"), "managed.set");
  const allow = (good) => { apply.disabled = !good || Boolean(apply.dataset.refused); };

  async function check() {
    const mine = ++serial;
    allow(false);
    try {
      wanted = drawn.change();
    } catch (error) {
      preview.replaceChildren(make("p", { class: "quiet" }, error.message));
      return;
    }
    preview.replaceChildren(make("p", { class: "quiet", role: "status" }, "Checking …"));
    try {
      const result = await call("managed.check", wanted);
      if (mine !== serial) return;
      preview.replaceChildren(diffText(result.diff), problemTable(own(result.problems), "No problem is known."));
      allow(result.good && result.hash === hash);
      if (result.good && result.hash !== hash) preview.prepend(notice("Someone else changed the file: read it again."));
      if (!result.good) return;
      if (one.hasRouter) routerCommands(result.text, mine);
      const replayed = await call("configuration.replay", { managed: result.text, limit: 0 }).catch(() => null);
      if (mine === serial && replayed) effect.replaceChildren(replayText(replayed) ?? "");
    } catch (error) {
      if (mine === serial) preview.replaceChildren(notice(error.message));
    }
  }

  async function routerCommands(managed, mine) {
    try {
      const { commands: text } = await call("routers.commands", { managed });
      if (mine === serial) commands.replaceChildren(make("p", {}, "Paste these into the router's terminal, after you have read them:"), preformatted("The router's commands", text));
    } catch (error) {
      commands.replaceChildren(notice(error.message));
    }
  }

  async function put() {
    allow(false);
    try {
      const done = await call("managed.set", { ...wanted, hash });
      if (!done.applied) {
        preview.replaceChildren(problemTable(own(done.problems)));
        told.replaceChildren(notice("Not applied: the file is as before."));
        return;
      }
      await read();
      told.replaceChildren(notice(make("span", {}, `In force, as generation ${done.generation}. `, undoButton(told, read)), "done"));
    } catch (error) {
      told.replaceChildren(notice(error.message));
    }
  }

  async function read() {
    const now = await call("managed.show");
    ({ hash, file } = now);
    drawn = one.draw(now, () => { clearTimeout(timer); timer = setTimeout(check, kCheckAfterMs); }, rest);
    fields.replaceChildren(drawn.element);
    preview.replaceChildren(make("p", { class: "quiet" }, "Change something: what will be written is shown here before it is applied."));
    effect.replaceChildren();
    commands.replaceChildren();
    if (now.trouble) told.replaceChildren(notice(`Nothing can be applied from here: ${now.trouble}`));
  }

  place.replaceChildren(make("p", {}, make("a", { href: "#settings" }, "All settings")), told, make("div", { class: "panels" },
    widePanel(one.title, make("p", {}, one.text), fields, make("p", {}, apply)),
    widePanel("What will be written", preview, effect, commands)));
  read().catch((error) => told.replaceChildren(notice(error.message)));
  return () => { serial = -1; clearTimeout(timer); };
}

function undoButton(told, after) {
  return action("Undo", "managed.undo", async () => {
    const { hash } = await call("managed.show");
    const done = await call("managed.undo", { hash });
    await after();
    if (!done.applied) throw new Error(done.problems.map((one) => one.text).join("; "));
    return "The text before the last change is in force.";
  }, told);
}

function all(place) {
  const told = make("div"), layer = make("div"), changed = make("div"), history = make("div");

  async function look() {
    const [now, { versions }] = await Promise.all([call("managed.show"), call("managed.history")]);
    const remove = (part) => action("Remove", "managed.set", async () => {
      const done = await call("managed.set", { parts: [part], values: [""], hash: now.hash });
      await look();
      if (!done.applied) throw new Error(done.problems.map((one) => one.text).join("; "));
      return `${part}: removed`;
    }, told);
    layer.replaceChildren(make("p", {}, now.in_force ? "In force" : "Not in force", `: ${now.file}. The configuration's own file stays as its operator wrote it.`),
      table([
        { title: "Part", of: (one) => one.part },
        { title: "Value", long: true, of: (one) => preformatted(`Value of ${one.part}`, one.yaml) },
        { title: "", of: (one) => remove(one.part) },
      ], now.parts, "Nothing is changed by forms yet."));
    changed.replaceChildren(table([
      { title: "Value", long: true, of: (one) => one },
      { title: "", of: (one) => action("Keep mine", "managed.keep", async () => { await call("managed.keep", { path: one }); await look(); return `${one}: kept`; }, told) },
    ], now.changed, "None."));
    history.replaceChildren(versions.length > 0 ? make("p", {}, undoButton(told, look)) : "", table([
      { title: "Version", number: true, of: (one) => String(one.version) },
      { title: "Kept", of: (one) => time(one.at_s) },
      { title: "Size", number: true, of: (one) => bytes(one.bytes) },
      { title: "", of: (one) => action("Restore", "managed.undo", async () => {
        const done = await call("managed.undo", { version: one.version, hash: now.hash });
        await look();
        if (!done.applied) throw new Error(done.problems.map((problem) => problem.text).join("; "));
        return `Version ${one.version} is in force.`;
      }, told) },
    ], versions, "No change yet: each change keeps the text before it."));
  }

  place.replaceChildren(told, make("div", { class: "panels" },
    widePanel("What do you want to change?", make("ul", { class: "choices" }, Object.entries(forms).map(([name, one]) =>
      make("li", {}, make("a", { href: `#settings/${name}` }, one.title), ` ${one.text}`)))),
    widePanel("Changes by forms", layer), panel("Changed in the configuration's file since", changed), panel("History", history)));
  look().catch((error) => told.replaceChildren(notice(error.message)));
}

export function show(place, [name, ...rest]) {
  const body = make("div"), where = make("p", { class: "warn", hidden: true }, "This page changes this box alone: the boxes of a fleet do not share settings.");
  place.replaceChildren(where, body);
  call("fleet").then(({ configured }) => { where.hidden = !configured; }, () => { /* the view says what is wrong */ });
  return forms[name] ? ask(body, forms[name], rest) : all(body);
}

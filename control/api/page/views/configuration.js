// The configuration's file: read with its problems beside the lines, changed, checked, applied, and taken back.
import { make, notice, panel, table, widePanel } from "/dom.js";
import { bytes, count, time } from "/format.js";
import { guard } from "/permissions.js";
import { call } from "/rpc.js";
import { explainLink } from "/views/queries.js";

export const title = "Configuration";

const kReplays = [[3600, "hour"], [86400, "day"], [604800, "week"]];

// What configuration.replay says: the recorded queries that the text decides in another way.
function effect(result) {
  if (!result.good) return notice("This text has errors: correct them first.");
  const decided = (one) => make("span", { title: one.rule ?? "" }, one.text);
  const unknown = result.unknown.queries;
  return make("div", {},
    make("p", {}, `Of ${count(result.queries)} queries since ${time(result.from)}, ${count(result.different.queries)} get another decision, ${count(result.same.queries)} the same`,
      unknown > 0 && `, and ${count(unknown)} depend on facts that are not recorded: ${result.unknown_facts.map((one) => one.fact).join(", ")}`, "."),
    !result.complete && make("p", { class: "quiet" }, "Older queries are gone, or were too many."),
    table([
      { title: "Before", of: (one) => one.before },
      { title: "After", of: (one) => one.after },
      { title: "Queries", number: true, of: (one) => count(one.queries) },
      { title: "Different ones", number: true, of: (one) => count(one.distinct) },
    ], result.changes, "No recorded query gets another decision."),
    result.differences.length > 0 && make("h3", {}, "The most frequent ones"),
    result.differences.length > 0 && table([
      { title: "Name", long: true, of: (one) => explainLink(one, one.name) },
      { title: "Type", of: (one) => one.type },
      { title: "Client", of: (one) => one.client, narrow: false },
      { title: "Queries", number: true, of: (one) => count(one.queries) },
      { title: "Before", long: true, of: (one) => decided(one.before) },
      { title: "After", long: true, of: (one) => decided(one.after) },
    ], result.differences),
    result.omitted > 0 && make("p", { class: "quiet" }, `${count(result.omitted)} more are not shown.`));
}

export function show(place) {
  const told = make("div"), problems = make("div"), history = make("div"), box = make("div", { class: "editor" });
  const buttons = make("p"), replayed = make("div");
  const span = make("select", { name: "span", "aria-label": "Time of the recorded queries" }, kReplays.map(([value, text]) => make("option", { value }, `last ${text}`)));
  const effectPanel = widePanel("Effect on recorded queries", replayed);
  effectPanel.hidden = true;
  place.replaceChildren(told, make("div", { class: "panels" }, widePanel("File", buttons, box), panel("Problems", problems), panel("Earlier texts", history), effectPanel));
  let editor = null, file = "", hash = "", saved = "";

  const tell = (text, kind) => told.replaceChildren(...(text ? [notice(text, kind)] : []));
  async function run(what) {
    for (const button of buttons.children) button.disabled = true;
    try {
      await what();
    } catch (error) {
      tell(error.message);
    }
    for (const button of buttons.children) button.disabled = Boolean(button.dataset.refused);
  }

  function showProblems(all) {
    editor.clearGutter("problems");
    for (const problem of all) {
      if (problem.file !== file || problem.line === 0) continue;
      const mark = make("span", { class: problem.level === "error" ? "bad" : "warn", title: problem.text, "aria-label": `${problem.level}: ${problem.text}` }, "●");
      editor.setGutterMarker(problem.line - 1, "problems", mark);
    }
    problems.replaceChildren(table([
      { title: "Level", of: (one) => make("span", { class: one.level === "error" ? "bad" : "warn" }, one.level) },
      { title: "Line", number: true, of: (one) => make("button", { onclick: () => { editor.setCursor(one.line - 1); editor.focus(); } }, one.file === file ? String(one.line) : `${one.file}:${one.line}`) },
      { title: "Problem", long: true, of: (one) => one.text },
    ], all, "None."));
  }

  function edit(text) {
    if (editor === null) {
      editor = CodeMirror(box, { value: text, mode: "yaml", lineNumbers: true, gutters: ["problems", "CodeMirror-linenumbers"], indentUnit: 2, tabSize: 2, inputStyle: "contenteditable",
        // Tab leaves the editor, so that a keyboard is enough.
        extraKeys: { Tab: false, "Shift-Tab": false } });
      editor.getInputField().setAttribute("aria-label", "The configuration's text");
    } else {
      editor.setValue(text);
    }
  }

  async function read() {
    const now = await call("configuration.show");
    ({ file, hash, text: saved } = now);
    edit(now.text);
    tell(now.trouble && `Nothing can be applied from here: ${now.trouble}`);
    const [checked, { versions }] = await Promise.all([call("configuration.check", { text: now.text }), call("configuration.history")]);
    showProblems(checked.problems);
    history.replaceChildren(table([
      { title: "Version", number: true, of: (one) => String(one.version) },
      { title: "Kept", of: (one) => time(one.at_s) },
      { title: "Size", number: true, of: (one) => bytes(one.bytes) },
      { title: "", of: (one) => make("button", { onclick: () => run(() => open(one.version)) }, "Open") },
    ], versions, "None: each change keeps the text before it."));
  }

  async function open(version) {
    edit((await call("configuration.version", { version })).text);
    tell(`The text of version ${version} is in the editor. 'Apply' puts it in force.`, "done");
  }

  async function check() {
    const { good, problems: all } = await call("configuration.check", { text: editor.getValue() });
    showProblems(all);
    tell(good ? "This text is good." : "This text has errors.", good ? "done" : "");
  }

  async function replay() {
    effectPanel.hidden = false;
    replayed.replaceChildren(make("p", { class: "quiet", role: "status" }, "Deciding recorded queries again …"));
    try {
      const result = await call("configuration.replay", { text: editor.getValue(), seconds: Number(span.value) });
      if (!result.good) showProblems(result.problems);
      replayed.replaceChildren(effect(result));
      tell("");
    } catch (error) {
      replayed.replaceChildren(notice(error.message));
    }
  }

  async function apply() {
    const done = await call("configuration.apply", { text: editor.getValue(), hash });
    if (done.applied) {
      await read();
      tell(`In force, as generation ${done.generation}. The text before it is version ${done.kept}.`, "done");
    } else {
      tell("Not applied: the text has errors, and the file is as before.");
    }
    showProblems(done.problems);
  }

  buttons.append(guard(make("button", { onclick: () => run(check) }, "Check"), "configuration.check"), " ", guard(make("button", { onclick: () => run(replay) }, "What would change?"), "configuration.replay"), " ", span, " ",
    guard(make("button", { class: "main", onclick: () => run(apply) }, "Apply"), "configuration.apply"), " ",
    guard(make("button", { onclick: () => run(read) }, "Read again"), "configuration.show"));
  run(read);
  const stay = (event) => { if (editor && editor.getValue() !== saved) event.preventDefault(); };
  window.addEventListener("beforeunload", stay);
  return () => window.removeEventListener("beforeunload", stay);
}

// The configuration's file: read with its problems beside the lines, changed, checked, applied, and taken back.
import { make, notice, panel, table, widePanel } from "/dom.js";
import { bytes, time } from "/format.js";
import { call } from "/rpc.js";

export const title = "Configuration";

export function show(place) {
  const told = make("div"), problems = make("div"), history = make("div"), box = make("div", { class: "editor" });
  const buttons = make("p");
  place.replaceChildren(told, make("div", { class: "panels" }, widePanel("File", buttons, box), panel("Problems", problems), panel("Earlier texts", history)));
  let editor = null, file = "", hash = "", saved = "";

  const tell = (text, kind) => told.replaceChildren(...(text ? [notice(text, kind)] : []));
  async function run(what) {
    for (const button of buttons.children) button.disabled = true;
    try {
      await what();
    } catch (error) {
      tell(error.message);
    }
    for (const button of buttons.children) button.disabled = false;
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

  buttons.append(make("button", { onclick: () => run(check) }, "Check"), " ", make("button", { class: "main", onclick: () => run(apply) }, "Apply"), " ",
    make("button", { onclick: () => run(read) }, "Read again"));
  run(read);
  const stay = (event) => { if (editor && editor.getValue() !== saved) event.preventDefault(); };
  window.addEventListener("beforeunload", stay);
  return () => window.removeEventListener("beforeunload", stay);
}

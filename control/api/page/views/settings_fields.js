// What the forms of the view `settings` are made of.
import { make } from "/dom.js";

export const field = (label, element, hint) => make("label", {}, label, element, hint && make("small", { class: "quiet" }, hint));
export const lines = (element) => element.value.split("\n").map((line) => line.trim()).filter(Boolean);
export const input = (name, attributes = {}) => make("input", { name, size: 40, autocomplete: "off", spellcheck: "false", ...attributes });
export const area = (name, text, rows = 6) => {
  const made = make("textarea", { name, rows, cols: 48, spellcheck: "false" });
  made.value = text;
  return made;
};
export const choice = (name, options, label) => make("select", { name, "aria-label": label }, options.map(([value, text]) => make("option", { value }, text)));
export const checkbox = (name, checked) => {
  const made = make("input", { type: "checkbox", name });
  made.checked = checked;
  return made;
};
export const form = (changed, ...children) => make("form", { class: "fields", oninput: changed, onchange: changed, onsubmit: (event) => event.preventDefault() }, ...children);
export const word = (text, what) => {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) throw new Error(`${what}: write letters, digits, '-' and '_'.`);
  return text;
};

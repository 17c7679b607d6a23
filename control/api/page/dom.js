// Elements. Text is always text: nothing that came over the network is parsed as HTML.

// make("td", { class: "number" }, "12", other): `null` and `false` children are left out; a key `on…` is a listener.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function panel(title, ...children) {
  return make("section", { class: "panel" }, make("h2", {}, title), ...children);
}

export function widePanel(title, ...children) {
  const made = panel(title, ...children);
  made.classList.add("wide");
  return made;
}

// `text` may be an element, as of `prose`.
export function notice(text, kind = "") {
  return make("p", { class: `notice ${kind}`, role: kind === "done" ? "status" : "alert" }, text);
}

// A sentence of the daemon: what stands between backticks is a command or a setting.
export function prose(text) {
  return make("span", {}, String(text).split("`").map((part, i) => (i % 2 ? make("code", {}, part) : part)));
}

// columns: [{ title, of: row => text or element, number: right-aligned, long: wrapped anywhere,
// narrow: false hides it on a phone, kind: a class of its cells }].
// `empty` stands in place of a table without rows; `kind`: a class of the table.
export function table(columns, rows, empty = "Nothing yet.", kind = undefined) {
  if (rows.length === 0) return make("p", { class: "quiet" }, empty);
  const classes = (column) => [column.number ? "number" : "text", column.long && "long", column.narrow === false && "wide-only", column.kind].filter(Boolean).join(" ");
  return make("table", { class: kind },
    make("thead", {}, make("tr", {}, columns.map((column) => make("th", { class: classes(column), scope: "col" }, column.title)))),
    make("tbody", {}, rows.map((row) => make("tr", {}, columns.map((column) => make("td", { class: classes(column), "data-title": column.title }, column.of(row)))))));
}

// Text as a program wrote it. It scrolls by the keyboard, too; `label` says what it is.
export function preformatted(label, text, attributes = {}) {
  return make("pre", { tabindex: "0", role: "region", "aria-label": label, ...attributes }, text);
}

// Replaces the children, unless the user is typing in one of them. The link or button that has the focus keeps it: by its place.
export function put(place, ...children) {
  const inside = place.contains(document.activeElement) && document.activeElement !== place;
  if (inside && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
  const reachable = () => [...place.querySelectorAll("a, button")];
  const at = inside ? reachable().indexOf(document.activeElement) : -1;
  place.replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== false));
  if (at >= 0) reachable()[at]?.focus({ preventScroll: true });
}

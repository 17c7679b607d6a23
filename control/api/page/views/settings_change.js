// A change of the layer managed.yaml, made by a form: `now` is the result of managed.show. JSON is YAML.
const all = (now) => now.configuration.plugins ?? [];

export const plugins = (now, type) => all(now).filter((one) => one.type === type && one.tag);
export const plugin = (now, tag) => all(now).find((one) => one.tag === tag);
// The sequences that queries enter and that rules can be added to.
export const entries = (now) => now.entries.map((tag) => plugin(now, tag)).filter((one) => one?.type === "sequence" && Array.isArray(one.args));

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
// Whether a rule of a sequence is this one.
export const isRule = (rule) => (one) => one.exec === rule.exec && same(one.matches ?? "", rule.matches ?? "");
// Of an adlist: its path or URL.
export const sourceOf = (list) => (typeof list === "string" ? list : list.list);

// As managed.set takes it. A change that changes nothing is an error.
export class Change {
  constructor(now) {
    this.now = now;
    this.values = new Map();  // by tag; empty: the plugin is removed from the layer
    this.rules = new Map(entries(now).map((one) => [one.tag, one.args]));
  }

  // The plugin's own value in the layer, to be changed.
  own(tag) {
    const known = this.now.parts.find((one) => one.part === `plugins.${tag}`)?.value ?? {};
    const { tag: _, ...rest } = structuredClone(known);
    return rest;
  }

  put(tag, value) {
    if (!same(value, this.own(tag))) this.values.set(tag, JSON.stringify(value));
  }

  // Sets keys of a plugin's `args`; the others stay. A new tag gets the type.
  args(tag, type, args) {
    const value = this.own(tag);
    if (!plugin(this.now, tag)) value.type = type;
    value.args = { ...(Array.isArray(value.args) ? {} : value.args), ...args };
    this.put(tag, value);
  }

  // A sequence with these rules.
  sequence(tag, rules) {
    this.put(tag, { type: "sequence", args: rules });
  }

  remove(tag) {
    if (this.now.parts.some((one) => one.part === `plugins.${tag}`)) this.values.set(tag, "");
  }

  // Puts a rule into each sequence that queries enter: first, but behind what records queries; or `before` a plugin of this type; or
  // behind the last rule for which `behind` is true, given its rule and the type of its plugin.
  rule(rule, before, behind = () => false) {
    if (this.rules.size === 0) throw new Error("The configuration has no sequence with rules to add to.");
    const typeOf = (one) => plugin(this.now, String(one.exec ?? "").replace(/^\$/, ""))?.type;
    for (const [tag, rules] of this.rules) {
      if (rules.some(isRule(rule))) continue;
      const other = rules.findLastIndex((one) => behind(one, typeOf(one)));
      const at = other >= 0 ? other + 1 : rules.findIndex((one) => (before ? typeOf(one) === before : one.matches || typeOf(one) !== "query_recorder"));
      this.rules.set(tag, rules.toSpliced(at < 0 ? (before ? 0 : rules.length) : at, 0, rule));
    }
  }

  withoutRule(rule) {
    for (const [tag, rules] of this.rules)
      this.rules.set(tag, rules.filter((one) => !isRule(rule)(one)));
  }

  done() {
    for (const [tag, rules] of this.rules)
      if (!same(rules, plugin(this.now, tag).args)) this.put(tag, { ...this.own(tag), args: rules });
    if (this.values.size === 0) throw new Error("Nothing is changed.");
    return { parts: [...this.values.keys()].map((tag) => `plugins.${tag}`), values: [...this.values.values()] };
  }
}

// Events in the words of a person. A line about a request names its method, its parameters and its caller (control/api/rpc/audit.h).
const kRequest = /^control request (\S+)(?: (\{.*\}))? of (.*?): (done|refused: .*)$/s;

const audience = ({ clients, group }) => (group ? ` for the group ${group}` : clients ? ` for ${clients}` : "");
const names = (list) => (Array.isArray(list) ? list.join(", ") : "");
// What someone did, after "WHO "; by method.
const kDid = {
  "adlist.pause": () => "paused block lists",
  "adlist.resume": () => "ended a pause of block lists",
  "blocking.set": (asked) => `${asked.allow ? "allowed" : "blocked"} ${asked.name}${audience(asked)}`,
  "blocking.pause": (asked) => `paused blocking${audience(asked)}`,
  "blocking.suspend": (asked) => `suspended a legal list of ${asked.plugin}`,
  "blocking.remove": (asked) => `removed a rule${asked.name ? ` for ${asked.name}` : ""}`,
  "bypass": () => "turned the bypass on or off",
  "cache.flush": (asked) => `removed cached answers${asked.name ? ` for ${asked.name}` : asked.suffix ? ` below ${asked.suffix}` : ""}`,
  "clients.name": (asked) => `called ${asked.client} “${asked.name}”`,
  "clients.forget": (asked) => `removed the name of ${asked.client}`,
  "clients.group_add": (asked) => `put ${names(asked.clients)} into the group ${asked.group}`,
  "clients.group_remove": (asked) => (asked.clients ? `took ${names(asked.clients)} out of the group ${asked.group}` : `removed the group ${asked.group}`),
  "configuration.apply": () => "changed the configuration",
  "configuration.rollback": () => "took a change of the configuration back",
  "drain": () => "took the box out of service, or back",
  "lists.fetch": () => "had lists fetched again",
  "managed.set": () => "changed settings by a form",
  "managed.undo": () => "took a change of settings back",
  "reload": () => "had the configuration read again",
  "recursion.distrust": () => "changed where validation is off",
  "recursion.flush": () => "removed answers of the engines",
  "routers.pause": (asked) => `paused ${asked.router ?? "routers"}`,
  "routers.resume": (asked) => `resumed ${asked.router ?? "routers"}`,
  "rules.change": () => "changed rules of a list",
  "static.add": () => "added a local name",
  "static.remove": () => "removed a local name",
  "support": (asked) => `looked at the last queries of ${asked.client}`,
};

// What the caller sent may be anything.
function parsed(text) {
  const asked = JSON.parse(text);
  if (typeof asked !== "object" || asked === null) throw new Error("no parameters");
  const isPlain = (value) => ["string", "number", "boolean"].includes(typeof value) || (Array.isArray(value) && value.every((one) => typeof one === "string"));
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => isPlain(value)));
}

// { text, detail }: `detail` is the whole line if `text` is another one. A line that was cut, or has another form, stays as it is.
export function eventText(line) {
  const found = kRequest.exec(line);
  if (!found) return { text: line, detail: "" };
  const [, method, params, caller, result] = found;
  let asked = {};
  try {
    if (params) asked = parsed(params);
    else if (line.startsWith(`control request ${method} {`)) return { text: line, detail: "" };
  } catch {
    return { text: line, detail: "" };
  }
  const who = caller.replace(/^uid 0, gid \d+, pid \d+$/, "root").replace(/^(uid \d+), gid \d+, pid \d+$/, "$1").replace(/ at (127\.0\.0\.1|::1)$/, "");
  const did = kDid[method]?.(asked) ?? `used ${method}`;
  if (result === "done") return { text: `${who} ${did}`, detail: line };
  const why = result.slice("refused: ".length);
  return { text: why.includes("needs the role") ? `${who} may not: ${why}` : `${who} was refused: ${why}`, detail: line };
}

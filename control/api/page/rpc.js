// JSON-RPC over POST /rpc. A session is a cookie, which scripts do not see. A token is kept for this tab only.
const kToken = "steerdns-token";
export const kForbidden = -32001;  // the role is too low
let serial = 0;

export class RpcError extends Error {
  constructor(message, code, status) {
    super(message);
    this.code = code;      // of JSON-RPC
    this.status = status;  // of HTTP; 401: a token is needed
  }
}

// Requests that the user's role forbids are not repeated: each is a line of the audit.
const forbidden = new Map();
export const setToken = (token) => { forbidden.clear(); sessionStorage.setItem(kToken, token); };
export const forgetToken = () => { forbidden.clear(); sessionStorage.removeItem(kToken); };

export const hasToken = () => Boolean(sessionStorage.getItem(kToken));

// The server takes a cookie only with the first one, which no other site's page can send.
export function headers() {
  const token = sessionStorage.getItem(kToken);
  return { "X-SteerDNS": "page", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
}

// Notifications of `topics` (a list) with the other parameters of `subscribe`, until the returned function is called. Listeners:
// data(topic, data, lost), and state(text): "" while connected, else why not.
export function follow(topics, wish, { data, state }) {
  const stop = new AbortController();
  const query = new URLSearchParams({ topics: topics.join(",") });
  for (const [name, value] of Object.entries(wish)) if (value) query.set(name, value);

  async function read() {
    const response = await fetch(`/events?${query}`, { headers: headers(), signal: stop.signal });
    if (!response.ok) throw new RpcError((await response.text()).trim() || response.statusText, 0, response.status);
    state("");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const events = (rest + part.value).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        if (!event.startsWith("data: ")) continue;
        const { method, params } = JSON.parse(event.slice(6));
        data(method, params.data, params.lost);
      }
    }
  }
  async function run() {
    while (!stop.signal.aborted) {
      try {
        await read();
        state("The connection ended; it begins again");
      } catch (error) {
        if (stop.signal.aborted) return;
        state(error.message);
        if (error.status >= 400 && error.status < 500) return;  // the next one would be refused, too
      }
      await new Promise((again) => setTimeout(again, 1000));
    }
  }
  run();
  return () => stop.abort();
}

// The list of `page` behind that of `all`; a row that goes on with the last one before adds to its lists.
function appendRows(all, rows) {
  for (const row of rows) {
    if (row?.continued && all.length) appendLists(all.at(-1), row);
    else all.push(row);
  }
}
function appendLists(all, page) {
  for (const [name, member] of Object.entries(page)) {
    if (Array.isArray(member) && Array.isArray(all[name])) appendRows(all[name], member);
  }
}

// A long list comes in pages: this asks for all of them. If others change it in such a way that the next page has no place, it
// begins again.
export async function call(method, params) {
  const kLostPlace = -32002, kMostBegins = 5;
  for (let begun = 1; ; ++begun) {
    try {
      let all = await ask(method, params);
      while (all.cursor) {
        const page = await ask(method, { ...params, cursor: all.cursor });
        appendLists(all, page);
        const lists = Object.entries(all).filter(([, member]) => Array.isArray(member));
        all = { ...page, ...Object.fromEntries(lists) };
      }
      return all;
    } catch (error) {
      if (error.code !== kLostPlace || begun === kMostBegins) throw error;
    }
  }
}

async function ask(method, params) {
  const request = JSON.stringify([method, params]);
  if (forbidden.has(request)) throw forbidden.get(request);
  let response;
  try {
    response = await fetch("/rpc", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers() },
      body: JSON.stringify({ jsonrpc: "2.0", id: ++serial, method, ...(params ? { params } : {}) }),
    });
  } catch {
    throw new RpcError("steerdnsd does not answer: it is down, or the connection to it is", 0, 0);
  }
  const text = await response.text();
  let answer = {};
  try { answer = JSON.parse(text); } catch { /* an error of HTTP has no JSON */ }
  if (answer.error) {
    const error = new RpcError(answer.error.message, answer.error.code, response.status);
    if (error.code === kForbidden) forbidden.set(request, error);
    throw error;
  }
  if (!response.ok || !("result" in answer)) throw new RpcError(text.trim() || response.statusText, 0, response.status);
  return answer.result;
}

// JSON-RPC over POST /rpc. A token, if the server wants one, is kept for this tab only.
const kToken = "steerdns-token";
let serial = 0;

export class RpcError extends Error {
  constructor(message, code, status) {
    super(message);
    this.code = code;      // of JSON-RPC
    this.status = status;  // of HTTP; 401: a token is needed
  }
}

export const setToken = (token) => sessionStorage.setItem(kToken, token);
export const forgetToken = () => sessionStorage.removeItem(kToken);

export function headers() {
  const token = sessionStorage.getItem(kToken);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

export async function call(method, params) {
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
  if (answer.error) throw new RpcError(answer.error.message, answer.error.code, response.status);
  if (!response.ok || !("result" in answer)) throw new RpcError(text.trim() || response.statusText, 0, response.status);
  return answer.result;
}

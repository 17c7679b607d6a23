// Names of clients by address, for every view that shows addresses. Asked for at most once a minute; without the role, none.
import { make } from "/dom.js";
import { refusal } from "/permissions.js";
import { call } from "/rpc.js";

const kEveryMs = 60000;
let names = new Map(), askedAt = -Infinity;

export function forgetNames() {
  askedAt = -Infinity;
}

// Resolves when the names are there.
export async function learnNames() {
  if (performance.now() - askedAt < kEveryMs) return;
  askedAt = performance.now();
  try {
    if (await refusal("clients.list", false)) return;
    const { clients } = await call("clients.list");
    names = new Map(clients.filter((one) => one.address && one.name).map((one) => [one.address, one.name]));
  } catch { /* addresses are shown without names */ }
}

// The address, with its name in front if there is one.
export function clientText(address) {
  const name = names.get(address);
  return name ? make("span", {}, name, " ", make("span", { class: "quiet" }, address)) : address;
}

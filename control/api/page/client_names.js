// Names of clients by address, for every view that shows addresses. Asked for at most once a minute; without the role, none.
import { make } from "/dom.js";
import { refusal } from "/permissions.js";
import { call } from "/rpc.js";

const kEveryMs = 60000;
let names = new Map(), askedAt = -Infinity, asked = Promise.resolve();

// Another user may not see them; and who changed a name wants the new one.
export function forgetNames() {
  askedAt = -Infinity;
  names = new Map();
}

// Resolves when the names are there.
export function learnNames() {
  if (performance.now() - askedAt >= kEveryMs) {
    askedAt = performance.now();
    asked = ask();
  }
  return asked;
}

async function ask() {
  try {
    if (await refusal("clients.list", false)) {
      askedAt = -Infinity;
      return;
    }
    const { clients } = await call("clients.list");
    names = new Map(clients.filter((one) => one.name).flatMap((one) => [[one.address, one.name], [one.mac, one.name]]));
  } catch {
    askedAt = -Infinity;  // addresses are shown without names until it works
  }
}

// A link's text and what follows it: the name, and the address behind it; without a name the address alone.
export function clientLink(address, href) {
  const name = names.get(address);
  return name ? make("span", {}, make("a", { href }, name), " ", make("span", { class: "quiet" }, address)) : make("a", { href, title: address }, address);
}

// The address, with its name in front if there is one.
export function clientText(address) {
  const name = names.get(address);
  return name ? `${name} (${address})` : address;
}

// Clients: the addresses that are known, with their names; gives and removes names.
import { forgetNames } from "/client_names.js";
import { make, notice, panel, put, table, widePanel } from "/dom.js";
import { count, time } from "/format.js";
import { action } from "/permissions.js";
import { call } from "/rpc.js";

export const title = "Clients";

const kEveryMs = 10000;
const kShown = 500;
const kSources = { given: "given by a person", lease: "DHCP lease", record: "static record" };

function sourceText(one) {
  if (!one.source) return "";
  const where = one.source === "given" ? (one.given_at ? `, ${time(one.given_at)}` : "") : one.from ? ` (${one.from})` : "";
  return `${kSources[one.source] ?? one.source}${where}`;
}

export function show(place, [chosen]) {
  const told = make("div"), list = make("div");
  const client = make("input", { name: "client", placeholder: "192.168.88.10", size: 24, autocomplete: "off", value: chosen ?? "" });
  const name = make("input", { name: "name", placeholder: "Kitchen tablet", size: 24, maxlength: 63, autocomplete: "off" });
  const find = make("input", { name: "find", type: "search", size: 24, oninput: () => draw() });
  let hasEnded = false, all = { clients: [], total: 0 };

  const changed = async (method, params, text) => {
    const { client: kept, kept: isKept } = await call(method, params);
    forgetNames();
    look();
    return `${text} ${kept}${isKept ? "" : ". It is not kept over a restart: control.leases is off, or its folder is missing"}`;
  };
  const give = action("Give this name", "clients.name", async () => {
    if (!client.value.trim()) throw new Error("Write an address or a MAC address first");
    const text = await changed("clients.name", { client: client.value.trim(), name: name.value }, `"${name.value.trim()}" is the name of`);
    name.value = "";
    return text;
  }, told, "main");

  function draw() {
    const wanted = find.value.trim().toLowerCase();
    const rows = all.clients.filter((one) => !wanted || [one.address, one.mac, one.name].some((text) => text?.toLowerCase().includes(wanted)));
    put(list, table([
      { title: "Name", long: true, of: (one) => one.name ?? make("span", { class: "quiet" }, "no name") },
      { title: "Address", of: (one) => (one.address ? make("a", { href: `#history/client/${encodeURIComponent(one.address)}` }, one.address) : "–") },
      { title: "MAC address", of: (one) => (one.mac ? make("span", { title: one.private_mac ? "The device made it up; it can change at any time" : "" }, one.mac, one.private_mac && make("span", { class: "quiet" }, " private")) : "–"), narrow: false },
      { title: "Name from", of: sourceText, narrow: false },
      { title: "", of: (one) => make("button", { onclick: () => { client.value = one.mac ?? one.address; name.value = one.name ?? ""; name.focus(); } }, "Rename") },
      { title: "", of: (one) => one.source === "given" && action("Forget", "clients.forget", () => changed("clients.forget", { client: one.mac ?? one.address }, "The given name was removed from"), told) },
    ], rows.slice(0, kShown), wanted ? "No client fits." : "No client is known yet. A dhcp_leases plugin brings the names of leases; or give a name above."),
    rows.length > kShown && make("p", { class: "quiet" }, `${count(rows.length - kShown)} more clients: search for them.`));
  }

  async function look() {
    try {
      const now = await call("clients.list");
      if (hasEnded) return;
      all = now;
      draw();
    } catch (error) {
      if (!hasEnded) list.replaceChildren(notice(error.message));
    }
  }

  place.replaceChildren(told, make("div", { class: "panels" },
    panel("Give a name", make("form", { onsubmit: (event) => { event.preventDefault(); give.click(); } },
      make("label", {}, "Address or MAC address", client), make("label", {}, "Name", name), give),
    make("p", { class: "quiet" }, "A name for an address with a known MAC address belongs to the device, also when its address changes.")),
    widePanel("Clients", make("label", {}, "Search", find), list)));
  look();
  const timer = setInterval(() => { if (!document.hidden) look(); }, kEveryMs);
  return () => { hasEnded = true; clearInterval(timer); };
}

// Clients: the addresses that are known, with their names, and groups of devices; changes both.
import { forgetNames } from "/client_names.js";
import { make, notice, panel, put, table, widePanel } from "/dom.js";
import { count, time } from "/format.js";
import { action } from "/permissions.js";
import { call } from "/rpc.js";

export const title = "Clients";

const kEveryMs = 10000;
const kShown = 500;
const kSources = { lease: "DHCP lease", record: "record", ptr: "PTR record", mdns: "said by the device over mDNS" };

function sourceText(one) {
  if (!one.source) return "";
  if (one.source === "given") return `given by ${one.from ?? "a person"}${one.given_at ? `, ${time(one.given_at)}` : ""}`;
  const where = one.from ? ` (${one.from})` : "";
  return `${kSources[one.source] ?? one.source}${where}`;
}

export function show(place, [chosen]) {
  const told = make("div"), list = make("div"), groupList = make("div");
  const client = make("input", { name: "client", placeholder: "192.168.88.10", size: 24, autocomplete: "off", value: chosen ?? "" });
  const name = make("input", { name: "name", placeholder: "Kitchen tablet", size: 24, maxlength: 63, autocomplete: "off" });
  const find = make("input", { name: "find", type: "search", size: 24, oninput: () => draw() });
  const group = make("input", { name: "group", placeholder: "children", size: 24, maxlength: 63, autocomplete: "off" });
  const members = make("input", { name: "members", placeholder: "Leo's tablet, 192.168.88.10", size: 24, autocomplete: "off" });
  let hasEnded = false, all = { clients: [], total: 0 };

  const changed = async (method, params, text) => {
    const { client: kept, kept: isKept } = await call(method, params);
    forgetNames();
    look();
    return `${text} ${kept}${isKept ? "" : ". It is not kept over a restart: control.leases is off, or its folder is missing"}`;
  };
  const give = action("Give this name", "clients.name", async () => {
    if (!client.value.trim()) throw new Error("Write an address, a MAC address or a name first");
    const text = await changed("clients.name", { client: client.value.trim(), name: name.value }, `"${name.value.trim()}" is the name of`);
    name.value = "";
    return text;
  }, told, "main");

  const changedGroup = async (method, params, text) => {
    const { kept, trouble } = await call(method, params);
    look();
    return `${text}${kept ? "" : `. In force, but it ends with the next restart: ${trouble}`}`;
  };
  const add = action("Add to the group", "clients.group_add", async () => {
    const name = group.value.trim(), clients = members.value.split(",").map((one) => one.trim()).filter(Boolean);
    const text = await changedGroup("clients.group_add", { group: name, clients }, `In ${name} from the next query on: ${clients.join(", ")}`);
    members.value = "";
    return text;
  }, told, "main");

  function drawGroups(groups, ofFile) {
    const rows = groups.flatMap((one) => (one.members.length ? one.members : [{}]).map((member, i) => ({ ...member, group: one.group, isFirst: i === 0 })));
    // The form takes names that can be a part of a tag.
    const limits = (name) => /^[A-Za-z0-9_-]+$/.test(name) && make("a", { href: `#settings/groups/${encodeURIComponent(name)}`, "aria-label": `Limits of ${name}` }, "Limits");
    put(groupList, table([
      { title: "Group", of: (one) => make("span", {}, one.group, " ", one.isFirst && limits(one.group)) },
      { title: "Device", kind: "head", long: true, of: (one) => one.name ?? one.client ?? make("span", { class: "quiet" }, "no device") },
      { title: "Address", of: (one) => one.client ?? "–", narrow: false },
      { title: "Added by", long: true, of: (one) => (one.client ? `${one.who}, ${time(one.at)}` : ""), narrow: false },
      { title: "", kind: "change", of: (one) => (one.client
        ? action("Take out", "clients.group_remove", () => changedGroup("clients.group_remove", { group: one.group, clients: [one.client] }, `No longer in ${one.group}: ${one.name ?? one.client}`), told)
        : action("Remove", "clients.group_remove", () => changedGroup("clients.group_remove", { group: one.group }, `Removed: ${one.group}`), told)) },
    ], rows.slice(0, kShown), "There is no group yet. Put devices together above, for example those of the children; then block a name for all of them in the view Blocking.", "facts"),
    ofFile.length > 0 && make("p", { class: "quiet" }, "Of client_groups: ", ofFile.flatMap((one, i) => [i > 0 && ", ", `${one.group} (${count(one.members)} devices) `, limits(one.group)])),
    rows.length > kShown && make("p", { class: "quiet" }, `${count(rows.length - kShown)} more: see “steerctl clients group”.`));
  }

  function draw() {
    const wanted = find.value.trim().toLowerCase();
    const rows = all.clients.filter((one) => !wanted || [one.address, one.mac, one.name].some((text) => text?.toLowerCase().includes(wanted)));
    put(list, table([
      { title: "Name", kind: "head", long: true, of: (one) => one.name ?? make("span", { class: "quiet" }, "no name") },
      { title: "Address", of: (one) => (one.address ? make("a", { href: `#history/client/${encodeURIComponent(one.address)}` }, one.address) : "–") },
      { title: "MAC address", of: (one) => (one.mac ? make("span", { title: one.private_mac ? "The device made it up; it can change at any time" : "" }, one.mac, one.private_mac && make("span", { class: "quiet" }, " private")) : "–"), narrow: false },
      { title: "Name from", of: sourceText, narrow: false },
      { title: "", kind: "change", of: (one) => make("span", {}, make("button", { onclick: () => { client.value = one.mac ?? one.address; name.value = one.name ?? ""; name.focus(); } }, "Rename"),
        one.source === "given" && [" ", action("Forget", "clients.forget", () => changed("clients.forget", { client: one.mac ?? one.address }, "The given name was removed from"), told)]) },
    ], rows.slice(0, kShown), wanted ? "No client fits." : "No client is known yet. A dhcp_leases plugin brings the names of leases; or give a name above.", "facts"),
    rows.length > kShown && make("p", { class: "quiet" }, `${count(rows.length - kShown)} more clients: search for them.`));
  }

  async function look() {
    try {
      const [now, { groups, of_file: ofFile }] = await Promise.all([call("clients.list"), call("clients.groups")]);
      if (hasEnded) return;
      all = now;
      draw();
      drawGroups(groups, ofFile);
    } catch (error) {
      if (!hasEnded) list.replaceChildren(notice(error.message));
    }
  }

  place.replaceChildren(told, make("div", { class: "panels" },
    panel("Give a name", make("form", { onsubmit: (event) => { event.preventDefault(); give.click(); } },
      make("label", {}, "Address, MAC address or present name", client), make("label", {}, "Name", name), give),
    make("p", { class: "quiet" }, "A name for an address with a known MAC address belongs to the device, also when its address changes.")),
    panel("Put devices into a group", make("form", { onsubmit: (event) => { event.preventDefault(); add.click(); } },
      make("label", {}, "Group", group), make("label", {}, "Devices, with commas between them", members), add),
    make("p", { class: "quiet" }, "A device is an address, a network, a MAC address or a name. A group that is new is made.")),
    widePanel("Groups", groupList),
    widePanel("Clients", make("label", {}, "Search", find), list)));
  look();
  const timer = setInterval(() => { if (!document.hidden) look(); }, kEveryMs);
  return () => { hasEnded = true; clearInterval(timer); };
}

// The forms of the view `settings`. Each has `title`, `text` and draw(now, changed, rest): `now` is the result of managed.show, `changed`
// is called after each input, `rest` is the part of the address behind the form's name. It returns { element, change() }: the parts and
// values of managed.set, or throws what is missing.
import { catalogue } from "/list_catalogue.js";
import { make, table } from "/dom.js";
import { Change, plugin, plugins, sourceOf } from "/views/settings_change.js";
import { area, checkbox, choice, field, form, input, lines, word } from "/views/settings_fields.js";
import { groups } from "/views/settings_groups.js";

// ---- upstreams

const upstreams = {
  title: "Upstreams",
  text: "The DNS servers that answer what is not known here.",
  draw(now, changed) {
    const all = plugins(now, "forward").filter((one) => !one.args?.router);
    if (all.length === 0) return { element: make("p", {}, "The configuration has no forward."), change: () => { throw new Error("There is nothing to change."); } };
    const address = (one) => (typeof one === "string" ? one : one.addr);
    const tag = choice("forward", all.map((one) => [one.tag, one.tag]), "Forward");
    const list = area("upstreams", "");
    const fill = () => { list.value = (plugin(now, tag.value).args?.upstreams ?? []).map(address).join("\n"); };
    tag.addEventListener("change", fill);
    fill();
    return {
      element: form(changed, all.length > 1 && field("Forward", tag),
        field("Servers, one a line", list, "udp://9.9.9.9, tls://dns.quad9.net, https://dns.quad9.net/dns-query")),
      change() {
        const wanted = lines(list);
        if (wanted.length === 0) throw new Error("Write at least one server.");
        const before = plugin(now, tag.value).args?.upstreams ?? [];
        const change = new Change(now);
        change.args(tag.value, "forward", { upstreams: wanted.map((addr) => before.find((one) => address(one) === addr) ?? { addr }) });
        return change.done();
      },
    };
  },
};

// ---- lists

const lists = {
  title: "Block lists",
  text: "Lists of names that are not answered. A list is fetched and read before a change counts.",
  draw(now, changed) {
    const all = plugins(now, "adlist");
    const tag = all[0]?.tag ?? "ads";
    const before = all[0]?.args?.lists ?? [];
    let wanted = [...before];
    const shown = make("div");
    const known = choice("catalogue", [["", "choose a list …"], ...catalogue.map((one) => [one.url, `${one.name}: ${one.use} (about ${one.size} names, ${one.licence})`])], "Well-known lists");
    const url = input("url", { type: "url", placeholder: "https://lists.example/ads.txt" });
    const put = (next) => { wanted = next; draw(); changed(); };
    const add = (text) => { if (text && !wanted.some((one) => sourceOf(one) === text)) put([...wanted, text]); };
    function draw() {
      shown.replaceChildren(table([
        { title: "List", long: true, of: (one) => sourceOf(one) },
        { title: "Licence", of: (one) => catalogue.find((row) => row.url === sourceOf(one))?.licence ?? "" },
        { title: "", of: (one) => make("button", { type: "button", "aria-label": `Remove ${sourceOf(one)}`, onclick: () => put(wanted.filter((other) => other !== one)) }, "Remove") },
      ], wanted, "No list yet."));
    }
    draw();
    known.addEventListener("change", () => { add(known.value); known.value = ""; });
    return {
      element: make("div", {}, shown, form(() => {}, field("Well-known lists", known, "Licences as the authors name them: read them before commercial use."),
        field("Another list, by URL", url), make("button", { type: "button", onclick: () => { add(url.value.trim()); url.value = ""; } }, "Add"))),
      change() {
        if (JSON.stringify(wanted) === JSON.stringify(before)) throw new Error("Nothing is changed.");
        if (wanted.length === 0) throw new Error("Keep at least one list, or pause them in the view Lists.");
        const change = new Change(now);
        change.args(tag, "adlist", { lists: wanted });
        if (all.length === 0) change.rule({ exec: `$${tag}` });
        return change.done();
      },
    };
  },
};

// ---- static records

const records = {
  title: "Local names",
  text: "Names of your own network, such as nas.lan.",
  draw(now, changed) {
    const all = plugins(now, "static");
    const tag = all[0]?.tag ?? "local";
    const before = all[0]?.args?.records ?? [];
    const isPlain = (one) => one.name && (one.address || one.cname) && Object.keys(one).length === 2;
    const others = before.filter((one) => !isPlain(one));
    const list = area("records", before.filter(isPlain).map((one) => `${one.name} ${one.address ?? one.cname}`).join("\n"), 10);
    return {
      element: form(changed, field("A name and its address, or the name it stands for, one a line", list, "nas.lan 192.168.88.10"),
        others.length > 0 && make("p", { class: "quiet" }, `${others.length} records of other types stay as they are.`)),
      change() {
        const made = lines(list).map((line) => {
          const [name, value, ...rest] = line.split(/\s+/);
          if (!value || rest.length > 0) throw new Error(`"${line}": write a name, a blank and an address.`);
          return /^[0-9.]+$/.test(value) || value.includes(":") ? { name, address: value } : { name, cname: value };
        });
        const change = new Change(now);
        change.args(tag, "static", { records: [...made, ...others] });
        if (all.length === 0) change.rule({ exec: `$${tag}` });
        return change.done();
      },
    };
  },
};

// ---- DNS64

const dns64 = {
  title: "DNS64",
  text: "IPv6 addresses for names that have only IPv4 ones, for clients without IPv4. It needs a NAT64 with this prefix.",
  draw(now, changed) {
    const all = plugins(now, "dns64");
    const tag = all[0]?.tag ?? "nat64";
    const args = all[0]?.args ?? {};
    const prefix = input("prefix", { value: typeof args.prefix === "string" ? args.prefix : "64:ff9b::/96" });
    const ipv4 = checkbox("allow_ipv4", String(args.allow_ipv4 ?? "false") === "true");
    const except = area("except", (args.except ?? []).join("\n"), 4);
    return {
      element: form(changed, field("Prefix of the NAT64", prefix), field("Also for clients that ask over IPv4", ipv4),
        field("Names that are left alone, one a line", except, "domain:legacy.example")),
      change() {
        const change = new Change(now);
        const names = lines(except);
        change.args(tag, "dns64", { prefix: prefix.value.trim(), allow_ipv4: String(ipv4.checked), ...(names.length > 0 || args.except ? { except: names } : {}) });
        if (all.length === 0) change.rule({ exec: `$${tag}` }, "forward");
        return change.done();
      },
    };
  },
};

// ---- steering

const steering = {
  title: "Steering",
  text: "Sends names by another way out: their addresses are written into an address list of the router, before the client connects.",
  hasRouter: true,
  draw(now, changed) {
    const routers = Object.keys(now.configuration.routers ?? {});
    if (routers.length === 0)
      return { element: make("p", {}, "The configuration has no router. Add one under `routers:`, as the guide for routers shows."), change: () => { throw new Error("There is no router."); } };
    const name = input("name", { placeholder: "vpn", size: 20 });
    const names = area("names", "", 8);
    const router = choice("router", routers.map((one) => [one, one]), "Router");
    const ipv6 = checkbox("ipv6", false);
    return {
      element: form(changed, field("Name of the way out", name, "The address list is called after it."),
        field("Names, one a line; each with all names below it", names, "stream.example"), field("Router", router),
        field("This way has IPv6, too", ipv6)),
      change() {
        const way = word(name.value.trim(), "Name of the way out");
        const domains = lines(names);
        if (domains.length === 0) throw new Error("Write at least one name.");
        const set = `names_${way}`, list = `steer_${way}`;
        const change = new Change(now);
        change.args(set, "domain_set", { exps: domains.map((one) => (one.includes(":") ? one : `domain:${one}`)) });
        change.args(list, "ros_address_list", { routers: [router.value], address_list4: `${way}_v4`, ...(ipv6.checked ? { address_list6: `${way}_v6` } : {}) });
        change.rule({ matches: `qname $${set}`, exec: `$${list}` });
        return change.done();
      },
    };
  },
};

export const forms = { upstreams, lists, records, groups, dns64, steering };

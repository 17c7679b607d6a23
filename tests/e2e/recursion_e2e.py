"""docs/guides/recursion.md, executed as it is printed: SteerDNS beside unbound and beside Knot Resolver, which walk from a
signed root of the lab's own."""

import page_run

from lab.network import run

SOA = "@ 300 SOA ns hostmaster 1 3600 600 86400 60\n@ 300 NS ns\nns 300 A 1.1.1.9\nwww 300 A 198.51.100.31\n"
CHILDREN = ("signed.example", "unsigned.example", "broken.example")
UNBOUND = """#!/bin/sh
# What Debian's unit does.
case $1 in
    stop) kill "$(cat /run/unbound.pid)"; while kill -0 "$(cat /run/unbound.pid)" 2>/dev/null; do sleep 0.05; done ;;
    *) cp /usr/share/dns/root.key /var/lib/unbound/root.key; chown unbound /var/lib/unbound/root.key
       unbound -d >/var/log/unbound.log 2>&1 & echo $! >/run/unbound.pid
       while ! kdig @127.0.0.1 -p 5335 +timeout=1 +retry=0 +short . NS >/dev/null; do kill -0 $! || { cat /var/log/unbound.log; exit 1; }; done ;;
esac
"""
KRESD = """#!/bin/sh
# What Debian's unit does.
mkdir -p /run/knot-resolver && cd /var/lib/knot-resolver
kresd -c /usr/lib/*/knot-resolver/distro-preconfig.lua -c /etc/knot-resolver/kresd.conf -n >/var/log/kresd.log 2>&1 &
while ! kdig @127.0.0.1 -p 5335 +timeout=1 +retry=0 +short . NS >/dev/null; do kill -0 $! || { cat /var/log/kresd.log; exit 1; }; done
"""


def serve_tree(lab):
    """A root, and three zones below it, at 1.1.1.9; returns the root's key as a trust anchor."""
    scene, folder = lab.scene, lab.scene.folder / "tree"
    (folder / "db").mkdir(parents=True)
    scene.network.address("resolver", "lo", "1.1.1.9/32")
    lines = ["server:", f"  rundir: {folder}", "  listen: 1.1.1.9@53", "log:", "  - target: stderr", "    any: info", "database:",
             f"  storage: {folder}/db", "policy:", "  - id: one", "    single-type-signing: on", "    nsec3: off", "zone:"]
    for name in (*CHILDREN, "."):
        text = "$ORIGIN " + name.rstrip(".") + ".\n"
        if name == ".":
            text += ("@ 300 SOA a.root-servers.net. hostmaster 1 3600 600 86400 60\n@ 300 NS a.root-servers.net.\n"
                     "a.root-servers.net. 300 A 1.1.1.9\n")
            for child in CHILDREN:
                text += f"{child}. 300 NS ns.{child}.\nns.{child}. 300 A 1.1.1.9\n"
            # Only the parent's word makes a zone signed; that of broken.example names a key that does not exist.
            text += "broken.example. 300 DS 4711 13 2 " + "ab" * 32 + "\n"
        else:
            text += SOA
        (folder / f"{name}.zone").write_text(text)
        lines += [f"  - domain: {name.rstrip('.')}.", f"    file: {folder}/{name}.zone", "    zonefile-sync: -1",
                  "    zonefile-load: difference-no-serial", "    journal-content: all"]
        if name != "unsigned.example":
            lines += ["    dnssec-signing: on", "    dnssec-policy: one"]
    conf = folder / "knot.conf"
    conf.write_text("\n".join(lines) + "\n")

    def key(zone, what):
        return run("keymgr", "-c", str(conf), zone, what).stdout

    for zone in ("signed.example.", "broken.example.", "."):
        run("keymgr", "-c", str(conf), zone, "generate", "algorithm=13", "ksk=yes", "zsk=yes")
    ds = next(line for line in key("signed.example.", "ds").splitlines() if " 13 2 " in line)
    with (folder / "..zone").open("a") as file:
        file.write(ds.replace(" DS ", " 300 DS ", 1) + "\n")
    scene.network.start("resolver", "knotd-tree", "knotd", "-c", str(conf)).wait_for("server started")
    return key(".", "dnskey")


class Recursion(page_run.PageTest):
    page, test, least = "docs/guides/recursion.md", "recursion", 12
    variable = [(r"(ADDITIONAL|AUTHORITY): \d+", r"\1: N")]

    def prepare(self, lab):
        anchor = serve_tree(lab)
        lab.box.write("/usr/share/dns/root.key", anchor.replace(" DNSKEY", " IN DNSKEY"))
        lab.box.write("/usr/share/dns/root.hints", ". 300 NS a.root-servers.net.\na.root-servers.net. 300 A 1.1.1.9\n")
        lab.box.program("unit-unbound", UNBOUND)
        lab.box.program("unit-kresd@1", KRESD)


if __name__ == "__main__":
    page_run.main(Recursion)

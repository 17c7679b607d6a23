"""The network of the tutorial and of the guides: `box`, `client` and `router` as the pages call them, with shells in them.

The router is three things that together behave as one: the model of RouterOS's language and menus that `unit_setup` uses,
which the pasted commands run in; rossim, which serves the API with the users that these commands made; and the kernel of
the router's namespace, which gets the firewall, mangle rules, tables and routes that the model has afterwards. The router
begins with the firewall of RouterOS's default configuration. A second uplink leads to a namespace of its own. Both uplinks
end at a web server that says from which address it is asked.

What is not the product's stands in for the real thing in a PATH of the box's own: `systemctl` and `journalctl` run the unit's
command and show its log, `scp` copies to the router. The programs are those of the build, not of an installed package
(tests/package tries that). /etc, /var and /run of the box are its own.
"""

from __future__ import annotations

import ipaddress
import json
import os
import pathlib
import re
import sys

from lab.network import LabError, run, until
from lab.scene import ROOT, ZONES, Scene

sys.path.append(str(ROOT / "tests/unit/setup"))
import router_model  # noqa: E402

HTTP = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        file = sys.argv[1] + self.path  # a list
        if self.path != "/" and not os.path.exists(file):
            self.send_error(404)
            return
        self.send_response(200); self.end_headers()
        self.wfile.write(open(file, "rb").read() if self.path != "/" else (self.client_address[0] + "\\n").encode())
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("0.0.0.0", 80), Handler)
print("ready", flush=True)
server.serve_forever()
"""
SITE_ZONES = {**ZONES, "stream.example": ZONES["stream.example"] + "myip 300 A 203.0.113.80\n",
              "other.example": ZONES["other.example"] + "myip 300 A 198.51.100.80\nlists 300 A 198.51.100.80\n"}
SYSTEMCTL = r"""#!/bin/bash
# The unit's life as systemd would lead it: started is when it serves, an end is waited for.
pid() { cat /run/steerdnsd.pid 2>/dev/null; }
alive() { [ -n "$(pid)" ] && kill -0 "$(pid)" 2>/dev/null; }
failed() { echo "Job for steerdnsd.service failed because the control process exited with error code." >&2; exit 1; }
start() {
    alive && return
    mkdir -p /run/steerdns /var/lib/steerdns
    steerdnsd --check >>/var/log/steerdnsd.log 2>&1 || failed
    at=$(stat -c %s /var/log/steerdnsd.log)
    setsid steerdnsd </dev/null >>/var/log/steerdnsd.log 2>&1 &
    echo $! >/run/steerdnsd.pid
    for i in $(seq 400); do
        tail -c +$((at + 1)) /var/log/steerdnsd.log | grep -q ' serving on ' && return
        alive || failed
        sleep 0.05
    done
    failed
}
stop() { alive || return 0; kill "$(pid)"; while alive; do sleep 0.02; done; rm -f /run/steerdnsd.pid; }
# Another unit: a program of the lab by that name, which gets the verb.
for unit; do :; done
case $unit in steerdnsd | daemon-reload) ;; *) exec "unit-$unit" "$1" ;; esac
case "$1" in --now) set -- "$2" --now "$3" ;; esac
case $1 in
    enable) case "$*" in *--now*) start ;; esac ;;
    disable) case "$*" in *--now*) stop ;; esac ;;
    start) start ;;
    stop) stop ;;
    restart) stop; start ;;
    reload) kill -HUP "$(pid)" ;;
    daemon-reload) ;;
    is-active) alive && echo active || { echo inactive; exit 3; } ;;
    *) echo "systemctl: the lab has no $1" >&2; exit 1 ;;
esac
"""
JOURNALCTL = """#!/bin/bash
# The unit's log: -u steerdnsd [-n LINES] [--grep PATTERN]
lines=10000 pattern=.
while [ $# -gt 0 ]; do
    case $1 in -n) lines=$2; shift ;; -n*) lines=${1#-n} ;; --grep) pattern=$2; shift ;; esac
    shift
done
grep -E -- "$pattern" /var/log/steerdnsd.log | tail -n "$lines"
"""


class Host:
    """A machine of the lab with folders /etc, /var, /run and /root of its own, and a shell that begins in /root."""

    def __init__(self, scene: Scene, space: str):
        self.scene, self.space = scene, space
        self.folder = scene.folder / f"host-{space}"
        (self.folder / "bin").mkdir(parents=True)
        script = f"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs {self.folder}/layers
for name in etc var usr/local usr/share/dns; do
    layer={self.folder}/layers/$(echo $name | tr / -)
    [ -d /$name ] || continue
    mkdir $layer $layer.work
    mount -t overlay overlay -o lowerdir=/$name,upperdir=$layer,workdir=$layer.work /$name
done
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /root
touch /var/log/steerdnsd.log
echo ready
exec tail -f /dev/null
"""
        (self.folder / "layers").mkdir()
        self.process = scene.network.start(space, f"host-{space}", "unshare", "-m", "sh", "-c", script)
        self.process.wait_for("ready")
        self.pid = self.process.pid  # ip, unshare and sh became it
        self.environment = {"PATH": f"{self.folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
                            "TERM": "dumb", "COLUMNS": "100"}

    def program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def argv(self, *argv: str) -> list[str]:
        return ["nsenter", "-t", str(self.pid), "-m", "-n", "--", *argv]

    def shell(self, text: str, seconds: float = 60) -> tuple[int, str]:
        """Exit code, and both outputs as a terminal shows them."""
        done = run(*self.argv("bash", "-c", "exec 2>&1\ncd /root\n" + text), check=False, env=self.environment, timeout=seconds,
                   stdin=-3)
        return done.returncode, done.stdout

    def must(self, text: str) -> str:
        """Both outputs of commands that must not fail."""
        code, output = self.shell("set -e\n" + text)
        if code:
            raise LabError(f"{text}: {code}\n{output}")
        return output

    def write(self, path: str, text: str) -> None:
        run(*self.argv("sh", "-c", f"mkdir -p $(dirname {path}) && cat > {path}"), input=text)


class Router:
    """The router: what is pasted into it, its address lists, and its kernel."""

    # RouterOS's name of each interface of the namespace.
    INTERFACES = {"bridge": "lan0", "ether1": "wan0", "ether5": "dns0", "wg1": "tunnel"}
    STATES = "established,related,untracked"
    BEFORE = {
        "/interface list": [{"name": "LAN"}, {"name": "WAN"}],
        "/interface list member": [{"list": "LAN", "interface": "bridge"}, {"list": "WAN", "interface": "ether1"}], "/user": [{"name": "admin", "comment": "system default user"}],
        "/routing table": [{"name": "main"}], "/ip route": [{"dst-address": "0.0.0.0/0", "gateway": "198.51.100.1"}],
        "/ip service": [{"name": "api", "disabled": "yes", "address": ""}],
        "/ip firewall filter": [
            {"chain": "input", "action": "accept", "connection-state": STATES,
             "comment": "defconf: accept established,related,untracked"},
            {"chain": "input", "action": "drop", "connection-state": "invalid", "comment": "defconf: drop invalid"},
            {"chain": "input", "action": "accept", "protocol": "icmp", "comment": "defconf: accept ICMP"},
            {"chain": "input", "action": "accept", "dst-address": "127.0.0.1",
             "comment": "defconf: accept to local loopback (for CAPsMAN)"},
            {"chain": "input", "action": "drop", "in-interface-list": "!LAN",
             "comment": "defconf: drop all not coming from LAN"},
            {"chain": "forward", "action": "fasttrack-connection", "connection-state": "established,related",
             "comment": "defconf: fasttrack"},
            {"chain": "forward", "action": "accept", "connection-state": STATES,
             "comment": "defconf: accept established,related, untracked"},
            {"chain": "forward", "action": "drop", "connection-state": "invalid", "comment": "defconf: drop invalid"},
            {"chain": "forward", "action": "drop", "connection-state": "new", "connection-nat-state": "!dstnat",
             "in-interface-list": "WAN", "comment": "defconf: drop all from WAN not DSTNATed"},
        ],
        "/ip firewall nat": [{"chain": "srcnat", "action": "masquerade", "out-interface-list": "WAN",
                              "comment": "defconf: masquerade"}],
        "/ip dhcp-server network": [{"address": "192.168.88.0/24", "dns-server": "1.1.1.1", "comment": "defconf"}],
        "/ipv6 nd": [{"interface": "all", "advertise-dns": "no", "dns": ""}],
    }

    def __init__(self, scene: Scene):
        self.scene = scene
        self.options: tuple[str, ...] = ()  # more of rossim
        self.model = router_model.Router(self.BEFORE)
        self.folder = scene.folder / "router-files"
        self.folder.mkdir()

    def command(self, text: str) -> str:
        """A terminal: a pasted block, /import of a file, or a print of address lists."""
        if found := re.fullmatch(r"/import (\S+)\s*", text):
            return self.paste((self.folder / found[1]).read_text(), imported=True)
        if re.fullmatch(r"/export file=\S+\s*", text):
            return ""
        if found := re.fullmatch(r"/ip firewall address-list print(?: where list=(\S+))?\s*", text):
            return self.print_rows(found[1])
        return self.paste(text)

    def paste(self, text: str, imported: bool = False) -> str:
        output_text = router_model.Script(text).run(self.model)
        self.apply()
        lines = self.model.printed + output_text
        return "".join(line + "\n" for line in lines)

    def print_rows(self, only: str | None) -> str:
        """As RouterOS 7 prints them: flags, columns, a comment above its row."""
        rows = [row for row in self.scene.rows() if ":" not in row["address"] and only in (None, row["list"])]
        cells = [[str(i), "D" if row.get("dynamic") else " ", row["list"], row["address"], str(row.get("timeout", ""))]
                 for i, row in enumerate(rows)]
        head = ["#", " ", "LIST", "ADDRESS", "TIMEOUT"]
        widths = [max(len(line[i]) for line in [head, *cells]) for i in range(5)]
        def line(cell):
            return f"{cell[0]:<{widths[0]}} {cell[1]} " + "  ".join(c.ljust(w) for c, w in zip(cell[2:], widths[2:])).rstrip()
        out = ["Flags: D - DYNAMIC", "Columns: LIST, ADDRESS, TIMEOUT", line(head)]
        for row, cell in zip(rows, cells):
            if row.get("comment"):
                out.append(f";;; {row['comment']}")
            out.append(line(cell))
        return "\n".join(out) + "\n"

    def service(self, **values: str) -> None:
        """Changes `/ip service api`, which ends connections (and here, with them, rows)."""
        key = self.model.only("/ip service", "api")
        self.model.set("/ip service", key, values)
        if self.scene.rossim:
            self.scene.rossim.stop()
            self.scene.rossim = None
        self.apply()

    def rows_of(self, menu: str) -> list[dict]:
        return list(self.model.rows(menu).values())

    def apply(self) -> None:
        """Configures API and kernel as the menus say."""
        self.serve_api()
        net = self.scene.network
        net.run("router", "sh", "-c", "ip rule flush; ip rule add pref 32766 table main; ip rule add pref 32767 table default; "
                "nft delete table ip steerlab 2>/dev/null; true")
        marks, tables, rules = {}, {}, []
        for row in self.rows_of("/ip firewall mangle"):
            if row.get("in-interface-list") != "LAN" or row.get("dst-address-type") != "!local":
                raise LabError(f"the lab's router does not know the mangle rule {row}")
            match = 'iifname "lan0" fib daddr type != local'
            if row["action"] == "mark-connection":
                mark = marks.setdefault(row["new-connection-mark"], len(marks) + 1)
                rules.append(f"{match} ip daddr @{row['dst-address-list']} ct state {row['connection-state']} ct mark 0 "
                             f"ct mark set {mark}")
            else:
                mark = marks.setdefault(row["connection-mark"], len(marks) + 1)
                table = tables.setdefault(row["new-routing-mark"], 100 + len(tables))
                rules.append(f"{match} ct mark {mark} meta mark set {table}")
        lists = {row["dst-address-list"] for row in self.rows_of("/ip firewall mangle") if "dst-address-list" in row}
        text = "table ip steerlab {\n" + "".join(f" set {name} {{ type ipv4_addr; }}\n" for name in sorted(lists))
        text += " chain mangle { type filter hook prerouting priority mangle;\n" + "".join(f"  {r}\n" for r in rules) + " }\n"
        for chain, menu, hook in (("input", "filter", "filter hook input priority filter"),
                                  ("forward", "filter", "filter hook forward priority filter"),
                                  ("srcnat", "nat", "nat hook postrouting priority srcnat")):
            rules = [self.nft_rule(row) for row in self.rows_of(f"/ip firewall {menu}") if row["chain"] == chain]
            # (RouterOS's own connections to itself pass no rule, as those of the lab's reader.)
            own = ["iifname lo accept"] if chain == "input" else []
            text += f" chain {chain} {{ type {hook};\n" + "".join(f"  {r}\n" for r in [*own, *rules] if r) + " }\n"
        text += "}\n"
        net.run("router", "nft", "-f", "-", input=text)
        for name, number in tables.items():
            gateway = next(row["gateway"] for row in self.rows_of("/ip route") if row.get("routing-table") == name)
            net.run("router", "ip", "rule", "add", "pref", str(number), "fwmark", str(number), "table", str(number))
            net.run("router", "ip", "route", "replace", "default", "via", gateway, "table", str(number))
        self.lists = lists

    def interfaces(self, text: str, is_list: bool) -> str:
        """"!LAN" as nft compares the name of an interface."""
        name = text.removeprefix("!")
        members = [row["interface"] for row in self.rows_of("/interface list member") if row["list"] == name] if is_list else [name]
        names = ", ".join(f'"{self.INTERFACES[member]}"' for member in members)
        return f"{'!= ' if text != name else ''}{{ {names} }}"

    def nft_rule(self, row: dict) -> str:
        """A rule of filter or nat for nft; empty: FastTrack, which is no decision."""
        if row["action"] == "fasttrack-connection":
            return ""
        known = {
            "protocol": lambda v: f"meta l4proto {v}",
            "dst-port": lambda v: f"th dport {v}",
            "src-address": lambda v: f"ip saddr {v}",
            "dst-address": lambda v: f"ip daddr {v}",
            "connection-state": lambda v: f"ct state {{ {v} }}",
            "connection-nat-state": lambda v: {"!dstnat": "ct status & dnat == 0"}[v],
            "in-interface-list": lambda v: f"iifname {self.interfaces(v, True)}",
            "out-interface-list": lambda v: f"oifname {self.interfaces(v, True)}",
            "in-interface": lambda v: f"iifname {self.interfaces(v, False)}",
            "out-interface": lambda v: f"oifname {self.interfaces(v, False)}",
        }
        matches = [known[name](value) for name, value in row.items() if name not in ("chain", "action", "comment")]
        return " ".join([*matches, {"accept": "accept", "drop": "drop", "masquerade": "masquerade"}[row["action"]]])

    def serve_api(self) -> None:
        """rossim runs while `/ip service api` is on, with the users of the group that was made."""
        api = next(row for row in self.rows_of("/ip service") if row["name"] == "api")
        users = [row for row in self.rows_of("/user") if row.get("group")]
        on = not api["disabled"] and users
        if self.scene.rossim and not on:
            self.scene.rossim.stop()
            self.scene.rossim = None
        if on and not self.scene.rossim:
            words = [word for row in users for word in ("--user", f"{row['name']}:{row['password']}")]
            words += [word for address in api["address"] for word in ("--available-from", address)]
            words += ["--available-from", "172.16.1.1", "--user", "api-user:secret"]  # the lab's own reader
            self.scene.rossim = self.scene.network.start(
                "router", "rossim", str(self.scene.build / "tools/rossim/rossim"), "--address", "172.16.1.1", "--journal",
                str(self.scene.journal), "--control", str(self.scene.router_socket), *words, *self.options)
            self.scene.rossim.wait_for("port 8728")

    def sync_rows(self) -> None:
        """Copies the rows of the API's lists to the sets of the kernel's rules."""
        if not self.scene.rossim:
            return
        for name in self.lists:
            elements = ",".join(row["address"] for row in self.scene.rows() if row["list"] == name)
            self.scene.network.run("router", "nft", f"flush set ip steerlab {name}" +
                                   (f"; add element ip steerlab {name} {{ {elements} }}" if elements else ""))

    def dns_of_clients(self) -> str:
        return ",".join(self.rows_of("/ip dhcp-server network")[0]["dns-server"])


class PageLab:
    """The lab of a page; a context manager."""

    def __init__(self, label: str, build: pathlib.Path):
        self.scene = Scene(label, build)

    def __enter__(self) -> PageLab:
        self.scene.__enter__()
        try:
            self._furnish()
        except BaseException:
            self.scene.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *what) -> None:
        self.scene.__exit__(*what)

    def _furnish(self) -> None:
        scene, net = self.scene, self.scene.network
        self.web = scene.folder / "web"  # files that both web servers have
        self.web.mkdir()
        net.namespace("tunnel")
        net.link(("tunnel", "eth0"), ("router", "tunnel"))
        net.address("router", "tunnel", "10.9.0.2/30")
        net.address("tunnel", "eth0", "10.9.0.1/30")
        net.route("tunnel", "default", "via", "10.9.0.2")
        # The provider's network; the resolver keeps its address 1.1.1.1.
        net.run("router", "ip", "address", "del", "1.1.1.2/30", "dev", "wan0")
        net.address("router", "wan0", "198.51.100.2/30")
        net.address("resolver", "eth0", "198.51.100.1/30")
        net.run("resolver", "ip", "route", "replace", "default", "via", "198.51.100.2")
        net.route("router", "default", "via", "198.51.100.1")
        for space, addresses in (("resolver", ["203.0.113.80/32", "198.51.100.80/32"]), ("tunnel", ["203.0.113.80/32"])):
            net.address(space, "lo", *addresses)
            net.start(space, f"web-{space}", "/usr/bin/python3", "-c", HTTP, str(self.web)).wait_for("ready")
        scene.start_resolver(SITE_ZONES)
        self.router = Router(scene)
        self.box, self.client = Host(scene, "appliance"), Host(scene, "client")
        self.furnish_box(self.box)
        self.router.apply()
        self.renew_lease()

    @property
    def hosts(self) -> dict[str, Host]:
        """By the names that blocks have for them."""
        return {"box": self.box, "client": self.client}

    def furnish_box(self, box: Host) -> None:
        """Does what the package's installation does, and prepares the rest of the machine."""
        for name, place in (("steerdnsd", "steerdnsd"), ("steerctl", "tools/steerctl/steerctl"), ("steerdns-sets", "steerdns-sets"), ("steerdns-quic", "steerdns-quic")):
            if (self.scene.build / place).exists():
                (box.folder / "bin" / name).symlink_to(self.scene.build / place)
        box.program("systemctl", SYSTEMCTL)
        box.program("journalctl", JOURNALCTL)
        box.program("scp", f'#!/bin/sh\n# To the router, whatever its name is.\nfor file; do case $file in *:) ;; *) cp "$file" {self.router.folder}/ ;; esac; done\n')
        box.must("useradd --system --no-create-home steerdns && mkdir -p /etc/steerdns /var/lib/steerdns")

    def renew_lease(self) -> None:
        """Gives the client the resolver that the router's DHCP server announces."""
        self.client.shell(f"rm -f /etc/resolv.conf; echo nameserver {self.router.dns_of_clients()} > /etc/resolv.conf")

    def in_sync(self) -> bool:
        code, text = self.box.shell("steerctl --json routers")
        states = [router["state"] for router in json.loads(text)["routers"]] if code == 0 else []
        return bool(states) and set(states) == {"in_sync"}

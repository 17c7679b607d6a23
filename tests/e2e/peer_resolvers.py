"""Other people's resolvers beside ours: in the lab's namespace of resolvers, forwarding to the same upstream."""

from __future__ import annotations

import socket

import dns.message
import dns.rcode
import dns.rdatatype

from lab.scene import Scene

_UNBOUND = """
server:
    use-syslog: no
    username: ""
    chroot: ""
    pidfile: ""
    directory: "{folder}"
    do-daemonize: no
    module-config: "{modules}"
    num-threads: 1
    interface: {address}@53
    access-control: 0.0.0.0/0 allow
    do-not-query-localhost: no
    local-zone: "10.in-addr.arpa." transparent
    local-zone: "168.192.in-addr.arpa." transparent
    unblock-lan-zones: yes
    insecure-lan-zones: yes
{more}
forward-zone:
    name: "."
    forward-addr: 1.1.1.1
remote-control:
    control-enable: no
"""


def make_room(scene: Scene, address: str) -> None:
    """An address for one more resolver, which the router knows the way to."""
    scene.network.address("resolver", "lo", f"{address}/32")
    scene.network.route("router", f"{address}/32", "via", "1.1.1.1")


def start_unbound(scene: Scene, address: str, modules: str, more: str, clauses: str = "") -> None:
    """`more` belongs to its `server:`; `clauses` stand behind all others."""
    make_room(scene, address)
    folder = scene.folder / "unbound"
    folder.mkdir()
    conf = folder / "unbound.conf"
    conf.write_text(_UNBOUND.format(folder=folder, address=address, modules=modules, more=more) + clauses)
    scene.network.start("resolver", "unbound", "unbound", "-d", "-c", str(conf)).wait_for("start of service")


def ask(scene: Scene, server: str, name: str, kind: str, seconds: float = 15) -> dns.message.Message | None:
    """Over UDP; None: there was no answer."""
    query = dns.message.make_query(name, kind, use_edns=True, payload=1232)
    with scene.network.socket("client", socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(seconds)
        sock.connect((server, 53))
        sock.send(query.to_wire())
        try:
            return dns.message.from_wire(sock.recv(65536))
        except socket.timeout:
            return None


def essence(reply: dns.message.Message) -> tuple[str, list[str]]:
    """Response code, and the records of the answer, sorted."""
    records = sorted(f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)} {rdata}".lower()
                     for rrset in reply.answer for rdata in rrset)
    return dns.rcode.to_text(reply.rcode()), records

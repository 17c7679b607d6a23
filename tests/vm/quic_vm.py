"""DNS over QUIC through netem, the kernel's own emulation of bad networks, which build machines may lack.

    outside 10.88.0.2 ── vt0 ══ 10.88.0.1 (eth0: netem on answers; weather0: netem on queries)

usage: quic_vm.py BUILD (the folder with the guest's build in vm/) PEER (quic_go_peer; "-": there is none)
"""

import pathlib
import re
import sys
import types
import unittest

from lab.certificates import Authority
from lab.network import Network, until

from appliance import OUTSIDE4, V4, XDP_OPTIONS, Appliance, Outside
from machine import Machine, prepared
from quic_peer import HOST, Peer

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
PEER = sys.argv.pop(1)
PLUGINS = """
plugins:
  - { tag: main, type: sequence, args: [ { exec: "forward UPSTREAM" } ] }
  - { tag: doq, type: quic_server, args: { entry: main, listen: ":853", idle_timeout: 2m, cert: /run/server.pem, key: /run/server.key } }
"""
# Only what belongs to QUIC is treated so: the upstream is asked over UDP.
NETEM = """set -e
    tc qdisc add dev eth0 root handle 1: prio bands 4
    tc qdisc add dev eth0 parent 1:4 handle 40: netem {answers}
    tc filter add dev eth0 parent 1: protocol ip u32 match ip sport 853 0xffff flowid 1:4
    ip link add weather0 type ifb; ip link set weather0 up
    tc qdisc add dev weather0 root handle 50: netem {queries}
    tc qdisc add dev eth0 handle ffff: ingress
    tc filter add dev eth0 parent ffff: protocol ip u32 match ip dport 853 0xffff action mirred egress redirect dev weather0
"""
CLEAR = "tc qdisc del dev eth0 root; tc qdisc del dev eth0 ingress; ip link del weather0"


def setUpModule():
    global network, outside, machine, authority
    if PEER == "-":
        raise unittest.SkipTest("quic-go is missing")
    kernel = prepared(BUILD)
    network = unittest.enterModuleContext(Network("vm"))
    outside = Outside(network, options=XDP_OPTIONS)
    outside.resolver()
    machine = Machine(network, "outside", kernel, BUILD / "vm", [outside.tap],
                      modules=("sch_netem", "sch_prio", "sch_ingress", "cls_u32", "act_mirred", "ifb"))
    machine.run(f"ip link set eth0 up; ip address add {V4}/24 dev eth0")
    authority = Authority(network.folder)
    certificate = authority.issue("server", f"DNS:{HOST}")
    machine.write("/run/server.pem", pathlib.Path(certificate.pem).read_text())
    machine.write("/run/server.key", pathlib.Path(certificate.key).read_text())


class BadNetworks(unittest.TestCase):
    def setUp(self):
        self.appliance = self.enterContext(Appliance(machine, "{ ports: [{ device: eth0 }] }", PLUGINS, OUTSIDE4))
        until(lambda: self.appliance.steerctl("status")["quic"]["running"], 60, "steerdns-quic runs", 0.2)

    def peer(self) -> Peer:
        peer = Peer(types.SimpleNamespace(network=network), PEER, authority, server=f"{V4}:853", space="outside")
        self.addCleanup(peer.end)
        return peer

    def ask_through(self, answers: str, queries: str) -> dict[str, int]:
        """Each query is answered. What netem dropped: chance decides, so queries go on until it has dropped some."""
        self.addCleanup(machine.run, CLEAR, check=False)
        machine.run(NETEM.format(answers=answers, queries=queries))
        peer = self.peer()
        self.assertEqual(peer.connect(ms=60_000).ask("one", count=200, parallel=10, ms=60_000), {"answered": 200, "failed": []})
        rounds, dropped = 0, {}
        while rounds < 5 or (not all(dropped.values()) and rounds < 50):
            connection = peer.connect(ms=60_000)
            self.assertEqual(connection.ask(f"many{rounds}-", count=40, parallel=20, ms=60_000)["failed"], [])
            connection.do("close")
            rounds += 1
            dropped = self.dropped()
        status = self.appliance.steerctl("status")["quic"]
        self.assertEqual(status["restarts"], 0)
        print(f"  netem {answers} / {queries}: {200 + 40 * rounds} queries answered; dropped: {dropped}", flush=True)
        return dropped

    def dropped(self) -> dict[str, int]:
        shown = {device: machine.run(f"tc -s qdisc show dev {device}") for device in ("eth0", "weather0")}
        return {device: int(re.search(r"netem.*?dropped (\d+)", text, re.S)[1]) for device, text in shown.items()}

    def test_no_query_is_lost_at_five_percent_of_loss(self):
        dropped = self.ask_through("loss 5% delay 10ms 3ms", "loss 5% delay 10ms 3ms")
        self.assertTrue(all(dropped.values()), dropped)

    def test_no_query_is_lost_in_bursts_of_loss_and_reordering(self):
        # The model's state changes by packet, not by time: if a burst lost all packets, the few of a
        # retransmission's backoff could stay in it until the connection's idle time has passed.
        weather = "loss gemodel 4% 30% 50% delay 5ms reorder 20% 50% duplicate 5%"
        dropped = self.ask_through(weather, weather)
        self.assertTrue(all(dropped.values()), dropped)


if __name__ == "__main__":
    unittest.main(verbosity=2)

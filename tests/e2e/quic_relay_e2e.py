"""DNS over QUIC over a bad network: loss, reordering, duplicates, a small MTU, and a NAT that gives other ports."""

import contextlib
import unittest

from lab.network import skip_without, until
from quic_frames import framed, query
from quic_peer import SERVER, QuicCase, take_arguments
from udp_relay import Relay, Weather

RELAY = "192.168.88.1"
# With seeds, so that a failure happens again.
SEEDS = (1, 2)


class Relayed(QuicCase):
    @contextlib.contextmanager
    def relayed(self, seed=1, **weather):
        """The relay, and a client that uses it."""
        with Relay(self.scene.network, "router", (RELAY, 853), (SERVER, 853), Weather(**weather), seed) as relay:
            yield relay, self.peer(server=f"{RELAY}:853")

    # (kdig is no judge here: it repeats a lost query with a wrong length.)
    def test_no_query_is_lost_at_five_percent_of_loss(self):
        asked = 0
        for seed in SEEDS:
            with self.subTest(seed=seed), self.relayed(seed, loss=0.05, delay_s=0.002) as (relay, peer):
                # On one connection, then on many.
                self.assertEqual(peer.connect().ask(f"one{seed}-", count=500, parallel=10, ms=30_000), {"answered": 500, "failed": []})
                for serial in range(25):
                    connection = peer.connect(ms=30_000)
                    self.assertEqual(connection.ask(f"many{seed}-{serial}-", count=20, parallel=20, ms=30_000)["failed"], [])
                    connection.do("close")
                asked += 1000
                self.assertGreater(relay.fate.lost, 20)
                print(f"  {relay.fate}")
        self.wait_counted("queries", asked)
        self.wait_counted("answers", asked)
        self.assert_it_lives()

    def test_reordered_and_duplicated_datagrams_lose_and_double_nothing(self):
        asked = 0
        for seed in SEEDS:
            with self.subTest(seed=seed), self.relayed(seed, duplicate=0.2, reorder=0.3) as (relay, peer):
                for serial in range(5):
                    connection = peer.connect()
                    self.assertEqual(connection.ask(f"r{seed}-{serial}-", count=200, parallel=50), {"answered": 200, "failed": []})
                    asked += 200
                self.assertGreater(relay.fate.duplicated, 50)
                self.assertGreater(relay.fate.late, 50)
        self.wait_counted("queries", asked)
        self.wait_counted("answers", asked)
        self.assertEqual(self.counted("protocol_errors"), 0)

    def test_a_path_with_the_smallest_mtu_of_ipv6(self):
        with self.relayed(mtu=1280) as (relay, peer):
            connection = peer.connect()
            self.assertEqual(connection.ask("n", count=200, parallel=50), {"answered": 200, "failed": []})
            # Answers that need several datagrams, and a query that does.
            for asked in (query("big.other.example", rtype=16), query("stream.example", (12, bytes(60_000)))):
                stream = connection.open()
                stream.write(framed(asked))
                answer, end, _ = stream.read()
                self.assertEqual((end, answer[5] & 0xf), ("fin", 0))
            self.assertIn("status: NOERROR", self.kdig("big.other.example", "TXT", server=RELAY))
            # The client tries larger datagrams by itself.
            self.assertGreater(relay.fate.too_long, 0)

    def test_a_path_whose_mtu_shrinks(self):
        with self.relayed() as (relay, peer):
            connection = peer.connect()
            self.assertEqual(connection.ask("before", count=200, parallel=50), {"answered": 200, "failed": []})
            relay.weather.mtu = 1280
            # Few at a time: quic-go does not notice that its longest packets are lost now.
            self.assertEqual(connection.ask("after", count=200, parallel=10), {"answered": 200, "failed": []})
            # An answer that needs several datagrams.
            stream = connection.open()
            stream.write(framed(query("big.other.example", rtype=16)))
            answer, end, _ = stream.read()
            self.assertEqual((end, answer[5] & 0xf), ("fin", 0))
            self.assertGreater(len(answer), 1280)
        self.wait_counted("handshakes", 1)

    def test_a_connection_outlives_a_new_port_of_its_nat(self):
        with self.relayed() as (relay, peer):
            connection = peer.connect()
            for serial in range(3):
                self.assertEqual(connection.ask(f"before{serial}-", count=20, parallel=10)["failed"], [])
                relay.rebind()
                self.assertEqual(connection.ask(f"after{serial}-", count=20, parallel=10)["failed"], [])
        self.wait_counted("migrations", 3)
        self.wait_counted("handshakes", 1)
        self.wait_counted("answers", 120)

    def test_a_nat_gives_new_ports_while_datagrams_are_lost(self):
        with self.relayed(loss=0.05) as (relay, peer):
            connection = peer.connect()
            # Until the handshake is complete, a server drops what comes from a new port (RFC 9000 9).
            self.assertEqual(connection.ask("first-", count=1, parallel=1, ms=30_000)["failed"], [])
            for serial in range(10):
                relay.rebind()
                self.assertEqual(connection.ask(f"n{serial}-", count=20, parallel=10, ms=30_000)["failed"], [])
        # A port that was replaced before it was proved counts as none.
        until(lambda: self.counted("migrations") >= 2, 5, "migrations are counted")
        self.wait_counted("handshakes", 1)


if __name__ == "__main__":
    take_arguments(Relayed)
    skip_without(("go",), "--all")
    unittest.main(verbosity=2)

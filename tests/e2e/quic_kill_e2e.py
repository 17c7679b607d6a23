"""steerdns-quic is killed under load: clients of other transports lose nothing, those of DNS over QUIC come back soon."""

import os
import signal
import unittest

from lab.network import skip_without, until
from lab.scene import query_counts, start_load
from quic_peer import DOQ, SERVER, QuicCase, take_arguments

MOST_GAP_MS = 2000
RATE = 300
KILLED_AFTER = 200  # answers of the client


class Kill(QuicCase):
    def start_load_over_tls(self):
        queries = self.scene.folder / "queries-tls"
        queries.write_text("".join(f"t{i}.other.example A\n" for i in range(20_000)))
        return self.scene.network.start("client", "dnsperf-tls", "dnsperf", "-s", SERVER, "-p", "853", "-m", "dot", "-d", str(queries), "-l", "600",
                                        "-Q", str(RATE), "-c", "4", "-t", "10", "-q", "200")

    def test_others_lose_nothing_and_clients_come_back(self):
        udp = start_load(self.scene.network, (f"u{i}.other.example A" for i in range(20_000)), RATE, "-t", "10", "-q", "200")
        tls = self.start_load_over_tls()
        peer = self.peer()
        peer.do("begin_flow", protocols=DOQ, prefix="q")
        until(lambda: peer.do("flow")["answered"] >= KILLED_AFTER, 10, "the client is answered")
        before = peer.do("flow")
        os.kill(self.first_process, signal.SIGKILL)
        until(lambda: peer.do("flow")["answered"] >= before["answered"] + KILLED_AFTER, 10, "the client is answered again")
        after = peer.do("end_flow")
        print(f"  before: {before}\n  after: {after}")
        self.assertEqual(after["connected"], before["connected"] + 1)
        self.assertLessEqual(after["longest_gap_ms"], MOST_GAP_MS)
        for process in (udp, tls):
            process.stop(number=signal.SIGINT)
            counts = query_counts(process.text())
            print(f"  {process.name}: {counts}")
            self.assertGreater(counts["completed"], KILLED_AFTER)
            self.assertEqual(counts["lost"], 0)
        self.assertEqual(self.scene.reported("status")["quic"]["restarts"], 1)


if __name__ == "__main__":
    take_arguments(Kill)
    skip_without(("go", "dnsperf"), "--all")
    unittest.main(verbosity=2)

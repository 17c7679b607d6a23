"""`steerctl capture` on ports of several kinds: what tcpdump and scapy read from the file is what the client and the upstream saw."""

import json
import signal
import socket
import struct
import subprocess
import sys
import unittest

from scapy.layers.dns import DNS
from scapy.layers.inet import IP, UDP
from scapy.utils import rdpcap

BUILD = sys.argv.pop(1)
KIND_ARGUMENTS = sys.argv
sys.argv = [sys.argv[0], BUILD, "af_packet"]
import packets_e2e  # noqa: E402  (it reads its command line)

from lab.network import Network, run, until  # noqa: E402

sys.argv = KIND_ARGUMENTS
OURS, CLIENT = packets_e2e.SIDES[0].ours, packets_e2e.SIDES[0].client
# A name that the cache does not have: query, upstream query, its reply, answer. Beside a kernel's interface, the kernel may send
# the query to the upstream. Kernel sockets have no frames to upstreams,
# and so has a port without an address of the kernel.
FRAMES = {"af_packet": 2, "pcap": 4, "memif": 4, "tap": 4, "socket": 2, "af_xdp": 4, "ring_alone": 2}


class Running:
    """A capture that has begun."""

    def __init__(self, lab, *words):
        self.path = lab.folder / "capture.pcapng"
        self.path.unlink(missing_ok=True)
        self.process = subprocess.Popen([f"{BUILD}/tools/steerctl/steerctl", "--socket", str(lab.socket), "capture",
                                         "-w", str(self.path), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            until(lambda: self.path.exists() and self.path.stat().st_size > 0, 20, "the capture begins")
        except BaseException:
            self.process.kill()
            raise

    def end(self):
        out, error = self.process.communicate(timeout=60)
        return self.process.returncode, out, error

    def frames(self):
        return rdpcap(str(self.path))


def call(lab, method, **params):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(lab.socket))
        connection.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
        answer = json.loads(connection.makefile().readline())
    return answer["result"] if "result" in answer else answer["error"]["message"]


def directions_of(file):
    """epb_flags of each packet of a pcapng file: 1 received, 2 sent."""
    out = []
    at = 0
    while at < len(file):
        kind, length = struct.unpack_from("<II", file, at)
        if kind == 6:
            kept, = struct.unpack_from("<I", file, at + 20)
            code, size, flags = struct.unpack_from("<HHI", file, at + 28 + (kept + 3) // 4 * 4)
            assert (code, size) == (2, 4)
            out.append(flags)
        assert struct.unpack_from("<I", file, at + length - 4)[0] == length
        at += length
    return out


class Capture(unittest.TestCase):
    def lab(self, kind):
        lab = packets_e2e.Lab(self.enterContext(Network(f"capture-{kind}")))
        place = packets_e2e.KINDS[kind](lab)
        self.addCleanup(place.close)
        return lab

    def kdig(self, lab, *words):
        return lab.network.run("client", "kdig", f"@{OURS}", "+timeout=15", "+retry=0", *words, check=False).stdout

    @staticmethod
    def is_answer(frame):
        return (frame[IP].src, frame[UDP].sport, frame[IP].dst) == (OURS, 53, CLIENT)

    def check_kind(self, kind):
        lab = self.lab(kind)
        self.kdig(lab, "1.host.example")
        client = ("--client", CLIENT) if kind == "af_packet" else ()
        capture = Running(lab, "--name", "7.host.example", *client)
        self.kdig(lab, "8.host.example")
        self.kdig(lab, "7.host.example")
        until(lambda: any(self.is_answer(p) for p in capture.frames()), 20, "the answer is written")
        capture.process.send_signal(signal.SIGINT)
        code, out, error = capture.end()
        seen = capture.frames()
        # More than FRAMES: an upstream that is slow on a busy machine is asked again.
        self.assertEqual((code, out, error), (0, f"{len(seen)} frames captured, 0 lost\n", ""), [p.summary() for p in seen])
        self.assertGreaterEqual(len(seen), FRAMES[kind])
        self.assertEqual({bytes(p[DNS].qd[0].qname).lower() for p in seen}, {b"7.host.example."})
        (last,) = (at for at, p in enumerate(seen) if self.is_answer(p))
        query, answer = seen[0], seen[last]
        self.assertEqual((query[IP].src, query[IP].dst, query[UDP].dport), (CLIENT, OURS, 53))
        self.assertEqual((answer[IP].dst, answer[UDP].dport, answer[DNS].id), (CLIENT, query[UDP].sport, query[DNS].id))
        self.assertEqual((query[DNS].qr, answer[DNS].qr), (0, 1))
        self.assertTrue(all(abs(float(p.time) - self.path_time(capture)) < 120 for p in seen))
        shown = run("tcpdump", "-nr", str(capture.path)).stdout
        self.assertEqual(len(shown.splitlines()), len(seen), shown)
        self.assertIn(f"{OURS}.53", shown)
        # Directions, as Wireshark shows them.
        directions = directions_of(capture.path.read_bytes())
        self.assertEqual((len(directions), directions[0], directions[last]), (len(seen), 1, 2))
        return lab

    @staticmethod
    def path_time(capture):
        return capture.path.stat().st_mtime

    def test_af_packet_and_filters_and_ends(self):
        lab = self.check_kind("af_packet")
        # By the client and its port; the answer of the cache is two frames.
        capture = Running(lab, "--client", f"{CLIENT}/32", "--port", "53", "--interface", "eth0", "--bytes", "64", "--count", "2")
        self.kdig(lab, "7.host.example")
        self.assertEqual(capture.end()[0], 0)
        self.assertEqual(len(capture.frames()), 2)
        self.assertTrue(all(len(bytes(p)) <= 64 < p.wirelen for p in capture.frames()))
        # Another client's.
        capture = Running(lab, "--client", "192.0.2.0/24", "--seconds", "1")
        self.kdig(lab, "7.host.example")
        self.assertEqual(capture.end()[:2], (0, "0 frames captured, 0 lost\n"))
        # By Ctrl-C the file is complete.
        capture = Running(lab, "--port", "53")
        self.assertIn("another capture is under way", call(lab, "capture.start"))
        self.kdig(lab, "7.host.example")
        capture.process.send_signal(2)
        self.assertEqual(capture.end()[0], 0)
        self.assertGreaterEqual(len(capture.frames()), 2)
        # On standard output, for another program.
        piped = subprocess.run(f"{BUILD}/tools/steerctl/steerctl --socket {lab.socket} capture --seconds 1 | tcpdump -r - 2>&1 | cat",
                               shell=True, capture_output=True, text=True, timeout=60)
        self.assertIn("link-type EN10MB", piped.stdout)
        # A client that goes away ends it.
        capture = Running(lab, "--port", "53")
        capture.process.kill()
        capture.end()
        until(lambda: "capture" in (begun := call(lab, "capture.start", seconds=1)) and isinstance(begun, dict), 30, "the capture ends")

    def test_a_client_that_reads_slowly_loses_frames_that_are_counted(self):
        lab = self.lab("af_packet")
        number = call(lab, "capture.start", bytes=65535)["capture"]
        wire = lab.network.socket("client", socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(wire.close)
        wire.connect((OURS, 53))

        # 192 KiB leave with each answer, so 4 MiB fill up.
        big = bytes(12) + bytes(1400)

        def fill():
            for _ in range(4000):
                wire.send(big)
            return call(lab, "capture.read", capture=number)["lost"] > 0
        until(fill, 60, "frames are lost and counted")
        reported = call(lab, "capture.stop", capture=number)
        while not reported["done"]:
            reported = call(lab, "capture.read", capture=number)
        self.assertGreater(reported["lost"], 0)
        self.assertIn("this capture has ended", call(lab, "capture.read", capture=number))

    def test_socket(self):
        self.check_kind("socket")

    def test_pcap(self):
        self.check_kind("pcap")

    def test_memif(self):
        self.check_kind("memif")

    def test_tap(self):
        self.check_kind("tap")

    def test_af_xdp(self):
        self.check_kind("af_xdp")

    def test_ring_without_a_kernel(self):
        self.check_kind("ring_alone")

    def test_wrong_words_get_a_sentence(self):
        lab = self.lab("af_packet")
        program = [f"{BUILD}/tools/steerctl/steerctl", "--socket", str(lab.socket), "capture"]
        for words, code, sentence in ((("-w", "/nowhere/x", "--seconds", "1"), 2, "/nowhere/x cannot be written"),
                                      (("--port", "0"), 2, "--port"), (("--bytes", "1"), 2, "--bytes"),
                                      (("--client", "nobody"), 1, '"nobody" is not an address, a prefix, a MAC address or the name of a client'),
                                      (("--name", "a..b"), 1, 'expected a domain name'),
                                      (("--interface", "eth9"), 1, 'there is no port "eth9": write one of eth0, sockets')):
            with self.subTest(words):
                done = subprocess.run([*program, *words], capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stdout), (code, ""), done)
                self.assertIn(sentence, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)

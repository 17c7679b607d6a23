"""A flood with a victim's address, in the XDP program's hands: what is dropped, and what the victim still gets."""

import ctypes
import multiprocessing
import socket
import struct
import sys
import time
import unittest

from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)

CONFIG = """
dataplane: { ports: [ { device: eth0, driver: af_xdp } ] }
limits:
  - { what: queries, rate: 5000, prefix4: 32, prefix6: 128, ban: 2s }
plugins:
  - { tag: up, type: forward, args: { upstreams: [ { addr: udp://1.1.1.1 } ] } }
  - { tag: main, type: sequence, args: [ { exec: cache }, { matches: has_resp, exec: accept }, { exec: $up } ] }
"""
SERVER = ("172.16.1.2", 53)
OWN, OTHER = "192.168.88.10", "192.168.88.11"
NAME = b"\x05other\x07example\x00\x00\x01\x00\x01"
BATCH, RATE = 64, 100_000
TRIES, TRY_S = 3, 0.3


def query(ident):
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + NAME


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Message(ctypes.Structure):  # struct mmsghdr
    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint), ("vectors", ctypes.POINTER(Vector)),
                ("vector_count", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_int), ("sent", ctypes.c_uint)]


def flood(sender, sent, stop):
    """Sends RATE a second, or as many as the machine can, and reads nothing."""
    libc = ctypes.CDLL(None)
    text = ctypes.create_string_buffer(query(7))
    vector = Vector(ctypes.addressof(text), len(text) - 1)
    messages = (Message * BATCH)(*(Message(None, 0, ctypes.pointer(vector), 1, None, 0, 0, 0) for _ in range(BATCH)))
    begin = time.monotonic()
    while not stop.is_set():
        if sent.value > RATE * (time.monotonic() - begin):
            time.sleep(0.001)
            continue
        sent.value += max(libc.sendmmsg(sender.fileno(), messages, BATCH, 0), 0)


class Bans(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("bans", BUILD))
        self.scene.network.address("client", "eth0", f"{OTHER}/24")
        self.scene.start_resolver()
        self.config = self.scene.folder / "steer.yaml"

    def serve(self, text=CONFIG):
        self.config.write_text(text)
        daemon = self.scene.start_daemon(self.config)
        self.assertIn("198.51.100.1", self.scene.short("other.example", "A"))
        return daemon

    def begin_flood(self):
        sender = self.scene.network.socket("client", socket.AF_INET, socket.SOCK_DGRAM)
        sender.bind((OWN, 0))
        sender.connect(SERVER)
        sent, stop = multiprocessing.Value("Q", 0), multiprocessing.Event()
        process = multiprocessing.Process(target=flood, args=(sender, sent, stop), daemon=True)
        process.start()
        self.addCleanup(process.kill)

        def end():
            stop.set()
            process.join()

        return sent, end

    def client(self, kind):
        one = self.scene.network.socket("client", socket.AF_INET, kind)
        self.addCleanup(one.close)
        one.bind((OWN, 0))
        one.settimeout(TRY_S if kind == socket.SOCK_DGRAM else 5)
        return one

    def victim_asks(self, ident):
        """As a stub resolver: a few tries by UDP, then by TCP if TC is set. Returns whether it got the address."""
        for _ in range(TRIES):
            with self.client(socket.SOCK_DGRAM) as udp:
                udp.connect(SERVER)
                udp.send(query(ident))
                try:
                    reply = udp.recv(2048)
                except TimeoutError:
                    continue
            if not reply[2] & 2:
                return socket.inet_aton("198.51.100.1") in reply
            with self.client(socket.SOCK_STREAM) as tcp:
                tcp.connect(SERVER)
                text = query(ident)
                tcp.sendall(struct.pack("!H", len(text)) + text)
                return socket.inet_aton("198.51.100.1") in tcp.recv(2048)
        return False

    def bans(self):
        return self.scene.reported("bans")["bans"]

    def test_a_victim_of_forged_queries_keeps_its_answers(self):
        daemon = self.serve()
        sent, end = self.begin_flood()
        daemon.wait_for(f"client {OWN}/32 at ", 30)
        ban = until(self.bans, 5, "a ban is listed")[0]
        self.assertEqual((ban["client"], ban["in_force"]), (f"{OWN}/32", True))
        until(lambda: self.bans()[0]["dropped"] > 10_000, 10, "the program drops the flood")  # the program drops the flood; no connection has proved the address yet
        ban = self.bans()[0]
        self.assertGreater(ban["dropped"], 5 * ban["passed"])
        self.assertIn("198.51.100.1", self.scene.short("-b", OTHER, "other.example", "A"))
        before, begin = sent.value, time.monotonic()
        answered = sum(self.victim_asks(i) for i in range(400))
        rate = (sent.value - before) / (time.monotonic() - begin)
        print(f"flood={rate:.0f}/s victim={answered}/400")
        self.assertGreaterEqual(answered, 380)
        self.assertEqual(self.bans(), [])
        end()

    def test_a_ban_ends_after_the_flood_or_by_hand(self):
        daemon = self.serve()
        _, end = self.begin_flood()
        daemon.wait_for(f"client {OWN}/32 at ", 30)
        end()
        until(lambda: not self.bans(), 20, "the ban ends")
        _, end = self.begin_flood()
        until(self.bans, 10, "the ban is back")
        self.assertIn("is not banned any more", self.scene.steerctl("bans", "remove", f"{OWN}/32"))
        until(lambda: not self.bans(), 5, "the ban is removed")
        end()

    def test_a_dry_run_drops_nothing(self):
        self.serve(CONFIG.replace("ban: 2s", "ban: 2s, dry_run: true"))
        _, end = self.begin_flood()
        ban = until(self.bans, 10, "the ban is listed")[0]
        self.assertEqual((ban["in_force"], ban["dropped"]), (False, 0))
        end()


if __name__ == "__main__":
    unittest.main(verbosity=2)

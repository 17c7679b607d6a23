"""`truth capture` in a network namespace: what a client is sent from port 53 is logged, with the time at which it came. Needs root."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

from lab.network import Network

HERE = os.path.dirname(os.path.realpath(__file__))
TRUTH = os.path.join(HERE, "truth")


def response(address):
    """`stream.example A address`, TTL 30, as bytes."""
    name = b"\x06stream\x07example\x00"
    header = bytes.fromhex("000181800001000100000000")
    data = bytes(int(part) for part in address.split("."))
    return header + name + b"\x00\x01\x00\x01" + b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x1e\x00\x04" + data


@contextlib.contextmanager
def two_namespaces():
    """(resolver, client): joined by a veth pair, 192.0.2.1 and 192.0.2.2 on its ends `eth`."""
    with Network("truth") as network:
        names = [network.namespace(role) for role in ("resolver", "client")]
        network.link(("resolver", "eth"), ("client", "eth"))
        network.address("resolver", "eth", "192.0.2.1/24")
        network.address("client", "eth", "192.0.2.2/24")
        yield names


def run_python(namespace, code):
    subprocess.run(["ip", "netns", "exec", namespace, sys.executable, "-B", "-c", code], check=True, timeout=30)


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class Capture(unittest.TestCase):
    def test_udp_and_tcp_answers_are_logged_and_judged(self):
        with two_namespaces() as (resolver, client), tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "answers.jsonl")
            begin_ns = time.time_ns()
            command = ["ip", "netns", "exec", client, TRUTH, "capture", "--interface", "eth", "--out", log]
            with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as capture:
                try:
                    self.assertEqual(capture.stderr.readline(), "capturing on eth\n")
                    self.send_udp(resolver, response("203.0.113.7"))
                    self.send_tcp(resolver, client, response("203.0.113.8"))
                finally:
                    capture.terminate()
                self.assertEqual(capture.stderr.read(), "2 responses\n")
            with open(log, encoding="ascii") as file:
                entries = [json.loads(line) for line in file]
            self.assertEqual([e["server"] for e in entries], ["192.0.2.1"] * 2)
            self.assertEqual([e["wire"] for e in entries],
                             [response("203.0.113.7").hex(), response("203.0.113.8").hex()])
            for entry in entries:
                self.assertTrue(begin_ns <= entry["t_ns"] <= time.time_ns())
            self.judge(folder, log, begin_ns)

    @staticmethod
    def send_udp(resolver, message):
        run_python(resolver, f"""
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("192.0.2.1", 53))
sock.sendto(bytes.fromhex("{message.hex()}"), ("192.0.2.2", 40000))
""")

    @staticmethod
    def send_tcp(resolver, client, message):
        serve = f"""
import socket
message = bytes.fromhex("{message.hex()}")
with socket.create_server(("192.0.2.1", 53)) as server:
    print("ready", flush=True)
    peer, _ = server.accept()
    framed = len(message).to_bytes(2, "big") + message
    peer.sendall(framed[:20])
    peer.recv(1)  # the client has the first piece
    peer.sendall(framed[20:])
    peer.recv(1)
"""
        command = ["ip", "netns", "exec", resolver, sys.executable, "-B", "-c", serve]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            server.stdout.readline()
            run_python(client, """
import socket
with socket.create_connection(("192.0.2.1", 53), timeout=10) as sock:
    sock.recv(20)
    sock.sendall(b"x")
    sock.recv(1000)
""")

    def judge(self, folder, log, begin_ns):
        journal = os.path.join(folder, "rows.jsonl")
        row = {"t_ns": begin_ns, "router": "edge1", "op": "add", "family": 4, "list": "policy", "timeout_s": None}
        with open(journal, "w", encoding="ascii") as file:
            file.write(json.dumps(row | {"address": "203.0.113.7", ".id": "*1"}) + "\n")
        command = [TRUTH, "judge", "--answers", log, "--journal", journal, "--policy", "stream.example=policy"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, "answers=2 early=0 gap=0 missing=1 excused=0\n"))


if __name__ == "__main__":
    unittest.main()

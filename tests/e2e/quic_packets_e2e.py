"""Datagrams that no client of DNS over QUIC sends: forged, damaged, repeated, or of no connection. Each costs the server
little, it never answers with more than it got times three, and others are served."""

import os
import pathlib
import random
import re
import socket
import struct
import threading
import unittest

from lab.network import skip_without, until
from quic_frames import crypto_frame, frame
from quic_initials import (INITIAL, LEAST, RETRY, capture_hello, client_keys, close_code, read_header, retry_token, seal, server_keys,
                           token_of, unseal)
from quic_peer import SERVER, QuicCase, take_arguments

INVALID_TOKEN = 0xb  # RFC 9000 20.1
AMPLIFICATION = 3
HANDSHAKE_S = 5
RETRY_FROM = 32  # open handshakes of a thread
THREADS = 2
HALVES = 10_000
MOST_MIB = 400
# What no first packet has.
BAD_FRAMES = {
    "tls_beyond_the_buffer": crypto_frame(1 << 20, b"x"),
    "tls_at_the_end_of_numbers": crypto_frame((1 << 62) - 1, b"xx"),
    "a_stream": frame(0x08, 0) + b"x",
    "a_new_token": frame(0x07, 1, b"x"),
    "the_end_of_the_handshake": frame(0x1e),
    "a_path_challenge": frame(0x1a, bytes(8)),
    "an_unknown_frame": frame(0x3f),
}


def is_retry(packet):
    return packet[0] & 0x80 != 0 and read_header(packet).kind == RETRY


class Packets(QuicCase):
    def setUp(self):
        super().setUp()
        self.random = random.Random(1)
        self.hello = capture_hello(self.scene.network, lambda server: self.peer(server=server))

    def socket(self, address="192.168.88.10"):
        made = self.enterContext(self.scene.network.socket("client", socket.AF_INET, socket.SOCK_DGRAM))
        made.bind((address, 0))
        made.connect((SERVER, 853))
        made.settimeout(20)
        return made

    def some_id(self):
        return self.random.randbytes(8)

    def initial(self, **how):
        return self.hello.initial(self.some_id(), **how)

    def fence(self, sock):
        """All that the server answers to what `sock` sent before. (Its threads answer in order: a version that is not
        served is asked of each.)"""
        answers = []
        for thread in range(THREADS):
            name = bytes([thread]) + self.random.randbytes(7)
            sock.send(b"\xc0\x1a\x2a\x3a\x4a\x08" + name + b"\x08" + b"fencefen" + bytes(LEAST))
            while name not in (answer := sock.recv(2048)):
                answers.append(answer)
        return answers

    def test_versions_that_are_not_served(self):
        sock = self.socket()
        for version in (0x1a2a3a4a, 0xfafafafa, 2, 0x6b3343cf, 0x709a50c4, 0xff00001d, 0xffffffff):
            with self.subTest(f"{version:08x}"):
                # As long ids as another version may have.
                for destination, source in ((self.some_id(), b""), (bytes(20), self.some_id()), (b"", b"")):
                    packet = b"\xc0" + struct.pack("!IB", version, len(destination)) + destination + bytes([len(source)]) + source
                    sock.send(packet.ljust(LEAST, b"\0"))
                    answer = sock.recv(2048)
                    self.assertLessEqual(len(answer), LEAST)
                    self.assertEqual(answer[1:5], bytes(4))
                    self.assertEqual(answer[5:], bytes([len(source)]) + source + bytes([len(destination)]) + destination + struct.pack("!I", 1))
        for length in (7, 100, LEAST - 1):
            sock.send((b"\xc0\x1a\x2a\x3a\x4a\x08" + self.some_id() + b"\0").ljust(length, b"\0"))
        # Version Negotiation is not answered, whatever it offers.
        sock.send((b"\xc0" + bytes(4) + b"\x08" + self.some_id() + b"\0").ljust(LEAST, b"\1"))
        self.assertEqual(self.fence(sock), [])
        self.assert_it_lives()

    def test_damaged_first_packets(self):
        sock = self.socket()
        sent = answered = 0
        for serial in range(600):
            packet = bytearray(self.initial())
            for _ in range(self.random.randint(1, 8)):
                # Most of the header, some of what is protected.
                at = self.random.randrange(40 if serial % 4 else len(packet))
                packet[at] = self.random.randrange(256)
            sock.send(packet)
            sent += len(packet)
        for length in (*range(64), *range(64, LEAST, 71), LEAST - 1):
            sock.send(self.initial()[:length])
            sent += length
        answered = sum(len(packet) for packet in self.fence(sock))
        self.assertLessEqual(answered, AMPLIFICATION * sent)
        self.assert_it_lives()

    def test_short_first_packets_are_not_answered(self):
        sock = self.socket()
        for length in (300, 600, LEAST - 1):
            destination = self.some_id()
            packet = seal(destination, self.hello.source, crypto_frame(0, self.hello.tls[:length - 100]), least=length)
            self.assertEqual(len(packet), length)
            sock.send(packet)
        self.assertEqual(self.fence(sock), [])
        self.wait_counted("datagrams_unknown", 3)
        self.assertEqual(self.counted("accepted"), 0)
        self.assert_it_lives()

    def test_bytes_after_a_first_packet(self):
        for name, more in {"random": self.random.randbytes(100), "another_connection": self.initial()[:100], "zeros": bytes(100),
                           "ones": b"\xff" * 100, "an_own_second_one": None}.items():
            with self.subTest(name):
                sock = self.socket()
                destination = self.some_id()
                first = self.hello.initial(destination, least=LEAST)
                sock.send(first + (seal(destination, self.hello.source, b"\x01", number=1, least=60) if more is None else more))
                answer = sock.recv(2048)
                self.assertEqual(read_header(answer).kind, INITIAL)
                self.assertIsNone(close_code(unseal(answer, server_keys(destination))))
        self.wait_counted("handshakes_failed", 5)
        self.assert_it_lives()

    def test_frames_that_a_first_packet_may_not_have(self):
        """A client that begins so gets no answer. Later such packets are ignored: those who see the first one can forge them."""
        sock = self.socket()
        for frames in BAD_FRAMES.values():
            sock.send(seal(self.some_id(), self.hello.source, crypto_frame(0, self.hello.tls) + bytes(700) + frames))
        self.assertEqual(self.fence(sock), [])
        self.wait_counted("handshakes_failed", len(BAD_FRAMES))
        destination = self.some_id()
        sock.send(self.hello.initial(destination))
        own = read_header(sock.recv(2048)).source
        for number, frames in enumerate(BAD_FRAMES.values(), 1):
            sock.send(seal(own, self.hello.source, bytes(1000) + frames, number=number, keys=client_keys(destination)))
        for answer in self.fence(sock):
            if read_header(answer).kind == INITIAL:
                self.assertIsNone(close_code(unseal(answer, server_keys(destination))))
        self.assertEqual(self.counted("handshakes_failed"), len(BAD_FRAMES))
        self.wait_counted("handshakes_failed", len(BAD_FRAMES) + 1)
        self.assert_it_lives()

    def test_the_messages_of_tls_in_pieces(self):
        """In reverse order, and with holes: what is kept for them is bounded, and given back."""
        for pieces in (range(3000, 60, -7), range(60, 60_000, 20)):
            with self.subTest(pieces):
                sock = self.socket()
                destination = self.some_id()
                keys = client_keys(destination)
                sock.send(seal(destination, self.hello.source, crypto_frame(0, self.hello.tls[:50]), keys=keys))
                for number, offset in enumerate(pieces, 1):
                    sock.send(seal(destination, self.hello.source, bytes(1000) + crypto_frame(offset, b"x"), number=number, keys=keys))
        self.wait_counted("handshakes_failed", 2)
        self.assertEqual(self.counted("accepted"), 2)
        self.assert_it_lives()

    def test_an_address_without_a_proof_gets_three_times_what_it_sent(self):
        # A certificate that needs more.
        self.authority.issue("server", "DNS:dns.example", *(f"DNS:name-{i}.dns.example" for i in range(300)))
        self.scene.steerctl("reload")
        self.assertIn("status: NOERROR", self.kdig("stream.example"))
        before = self.counted("handshakes_failed")
        sock = self.socket()
        sock.setblocking(False)
        sock.send(self.initial())
        got = []

        def is_over():
            try:
                while True:
                    got.append(sock.recv(2048))
            except BlockingIOError:
                return self.counted("handshakes_failed") > before

        until(is_over, HANDSHAKE_S, "the handshake ends")
        print(f"  {LEAST} bytes were answered with {len(got)} datagrams of {sum(map(len, got))} bytes")
        self.assertGreater(sum(map(len, got)), 2 * LEAST)
        self.assertLessEqual(sum(map(len, got)), AMPLIFICATION * LEAST)
        # A client that proves its address gets the rest.
        self.assertIn("status: NOERROR", self.kdig("stream.example"))

    def retry(self, sock):
        """A Retry packet's token and id: each thread has as many handshakes as it begins without one."""
        filler = self.socket()
        for serial in range(2 * RETRY_FROM * THREADS):
            filler.send(self.hello.initial(bytes([serial & 0xff]) + self.random.randbytes(7)))
        answers = self.fence(filler)
        self.assertTrue(any(map(is_retry, answers)))
        self.assertTrue(all(len(answer) < LEAST for answer in answers if is_retry(answer)))
        destination = self.some_id()
        sock.send(self.hello.initial(destination))
        answer = sock.recv(2048)
        return retry_token(answer, destination), read_header(answer).source

    def first_answer(self, sock, destination, token):
        """What the server says to a first packet with a token: the code of its end, or None if the handshake goes on."""
        sock.send(self.hello.initial(destination, token=token))
        answer = sock.recv(2048)
        self.assertEqual(read_header(answer).kind, INITIAL)
        return close_code(unseal(answer, server_keys(destination)))

    def test_tokens_prove_one_address_and_one_connection(self):
        self.scene.network.address("client", "eth0", "192.168.88.11/24")
        here, there = self.socket(), self.socket("192.168.88.11")
        token, own = self.retry(here)
        self.assertEqual(self.first_answer(there, own, token), INVALID_TOKEN)
        self.assertEqual(self.first_answer(here, self.some_id(), token), INVALID_TOKEN)
        for at in (1, len(token) // 2, len(token) - 1):
            damaged = bytes([*token[:at], token[at] ^ 1, *token[at + 1:]])
            self.assertEqual(self.first_answer(here, own, damaged), INVALID_TOKEN)
        self.assertEqual(self.first_answer(here, own, token[:-1]), INVALID_TOKEN)
        # A token of another server proves nothing: this client gets Retry, too.
        here.send(self.initial(token=b"\x00" + token[1:]))
        self.assertTrue(is_retry(here.recv(2048)))
        self.assertIsNone(self.first_answer(here, own, token))
        self.wait_counted("tokens_bad", 6)
        self.assert_it_lives()

    def test_resets_for_connections_that_are_unknown(self):
        sock = self.socket()
        for length in (1, 17, 20, 21):
            sock.send(b"\x40" + self.random.randbytes(length - 1))
        self.assertEqual(self.fence(sock), [])
        for length in (22, 23, 40, 44, 100, LEAST, 1400):
            sock.send(b"\x40" + self.random.randbytes(length - 1))
            answer = sock.recv(2048)
            self.assertLess(len(answer), length)
            self.assertEqual(answer[0] & 0xc0, 0x40)
        self.wait_counted("resets_sent", 7)
        # They have a budget.
        for _ in range(5000):
            sock.send(b"\x40" + self.random.randbytes(40))
        until(lambda: self.counted("datagrams_received") >= 5000, 5, "they came")
        print(f"  {self.counted('resets_sent')} resets")
        self.assertLess(self.counted("resets_sent"), 5007)
        self.assert_it_lives()

    def test_a_reset_is_the_same_for_an_id(self):
        """A client that had its connection knows it."""
        sock = self.socket()
        packet = b"\x40" + self.random.randbytes(99)
        tokens = set()
        for _ in range(2):
            sock.send(packet)
            tokens.add(sock.recv(2048)[-16:])
        self.assertEqual(len(tokens), 1)

    def flood(self, count, stop):
        """First packets from forged addresses, each of another connection."""
        with self.scene.network.socket("client", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            for serial in range(count):
                if stop.is_set():
                    return
                packet = self.initial()
                udp = struct.pack("!4H", self.random.randrange(1024, 65_536), 853, 8 + len(packet), 0) + packet
                source = struct.pack("!I", 0x0a630000 + serial % 0xffff)
                ip = struct.pack("!2B3H2BH", 0x45, 0, 20 + len(udp), serial & 0xffff, 0, 64, 17, 0) + source + socket.inet_aton(SERVER)
                raw.sendto(ip + udp, (SERVER, 0))

    def memory_mib(self):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.process()}/status").read_text())[1]) / 1024

    def test_handshakes_that_stop_half_way(self):
        honest = self.peer().connect()
        stop = threading.Event()
        flooding = threading.Thread(target=self.flood, args=(HALVES, stop))
        before = self.memory_mib()
        flooding.start()
        most = before
        asked = 0
        try:
            while flooding.is_alive():
                self.assertIn("status: NOERROR", self.kdig(f"k{asked}.other.example", "A"))
                self.assertEqual(honest.ask(f"h{asked}-", count=10, parallel=10)["failed"], [])
                asked += 1
                most = max(most, self.memory_mib())
        finally:
            stop.set()
            flooding.join()
        counts = {name: self.counted(name) for name in ("accepted", "retries_sent", "datagrams_received", "handshakes")}
        print(f"  {asked} honest handshakes; memory from {before:.0f} to {most:.0f} MiB; {counts}")
        self.assertGreater(asked, 2)
        self.assertLess(most, MOST_MIB)
        until(lambda: self.counted("retries_sent") + self.counted("accepted") >= HALVES * 0.9, 10, "they came")
        self.assertGreater(self.counted("retries_sent"), HALVES // 2)
        # Those that were begun end by time.
        until(lambda: self.counted("handshakes_failed") + self.counted("handshakes") >= self.counted("accepted"), HANDSHAKE_S, "they end")
        self.assert_it_lives()


if __name__ == "__main__":
    take_arguments(Packets)
    skip_without(("go",), "--all")
    unittest.main(verbosity=2)

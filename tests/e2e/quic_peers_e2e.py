"""DNS over QUIC with clients of other makers: what works between them, and what they may not send."""

import random
import unittest

from lab.network import skip_without, until
from quic_frames import crypto_frame, frame, framed, query, stream_frame
from quic_peer import QuicCase, take_arguments

GOOD = query("stream.example")
KEEPALIVE, PADDING = 11, 12
# RFC 9250 4.3.
PROTOCOL_ERROR, CANCELLED, EXCESSIVE_LOAD = 2, 3, 4
# RFC 9000 20.1.
FLOW_CONTROL, STREAM_LIMIT, STREAM_STATE, FINAL_SIZE, ENCODING, IDS, VIOLATION, CRYPTO_BUFFER = 3, 4, 5, 6, 7, 9, 0xa, 0xd
NO_APPLICATION_PROTOCOL, UNEXPECTED_MESSAGE = 0x178, 0x10a

# What a stream has before its end, but no query: the connection is closed with DOQ_PROTOCOL_ERROR.
BAD_STREAMS = {
    "nothing": b"",
    "half_a_length": b"\0",
    "no_message": framed(b""),
    "less_than_a_header": framed(GOOD[:11]),
    "a_message_longer_than_its_length": framed(GOOD, len(GOOD) - 1),
    "a_message_shorter_than_its_length": framed(GOOD, len(GOOD) + 1),
    "two_queries": framed(GOOD) * 2,
    "a_byte_after_the_query": framed(GOOD) + b"\0",
    "an_id": framed(query("stream.example", number=1)),
    "a_response": framed(query("stream.example", flags=0x8180)),
    "a_keepalive_option": framed(query("stream.example", (KEEPALIVE, b""))),
    "a_keepalive_option_with_a_time": framed(query("stream.example", (KEEPALIVE, b"\0\x64"))),
    "a_keepalive_option_after_another_one": framed(query("stream.example", (PADDING, bytes(9)), (KEEPALIVE, b""))),
}

# Frames of protected packets: the connection is closed with this error of QUIC.
BAD_FRAMES = {
    "a_stream_above_the_limit": (STREAM_LIMIT, stream_frame(4 * 100_000, framed(GOOD), is_end=True)),
    "a_unidirectional_stream": (STREAM_LIMIT, stream_frame(2, framed(GOOD), is_end=True)),
    "a_stream_with_a_number_of_the_servers": (STREAM_STATE, stream_frame(1, framed(GOOD), is_end=True)),
    "a_unidirectional_stream_of_the_servers": (STREAM_STATE, stream_frame(3, framed(GOOD), is_end=True)),
    "more_than_a_stream_may_have": (FLOW_CONTROL, stream_frame(0, b"x", offset=65_537)),
    "more_than_all_streams_may_have": (FLOW_CONTROL, *(stream_frame(4 * i, b"x", offset=65_000) for i in range(5))),
    "bytes_after_the_end": (FINAL_SIZE, stream_frame(0, b"\0", is_end=True), stream_frame(0, b"x", offset=9)),
    "two_ends": (FINAL_SIZE, stream_frame(0, b"\0", offset=1, is_end=True), stream_frame(0, b"\0", offset=7, is_end=True)),
    "an_end_before_bytes_that_came": (FINAL_SIZE, stream_frame(0, b"\0", offset=9), frame(0x04, 0, 0, 1)),
    "an_unknown_frame": (ENCODING, frame(0x3f)),
    "a_frame_without_its_end": (ENCODING, frame(0x0e, 0, 0, 100) + b"x"),
    "a_datagram_that_was_not_agreed": (VIOLATION, frame(0x31, 1, b"x")),
    "a_token_for_the_server": (VIOLATION, frame(0x07, 4, b"past")),
    "the_servers_end_of_the_handshake": (VIOLATION, frame(0x1e)),
    "acknowledgements_of_packets_that_were_not_sent": (VIOLATION, frame(0x02, 1_000_000, 0, 0, 0)),
    "more_streams_than_there_are": (ENCODING, frame(0x12, (1 << 60) + 1)),
    "a_window_of_a_stream_of_the_servers": (STREAM_STATE, frame(0x11, 1, 100)),
    "a_reset_of_a_stream_of_the_servers": (STREAM_STATE, frame(0x04, 1, 0, 0)),
    # RFC 9000 19.4 wants STREAM_STATE_ERROR.
    "a_reset_of_a_stream_on_which_only_the_server_sends": (VIOLATION, frame(0x04, 3, 0, 0)),
    "more_connection_ids_than_agreed": (IDS, *(frame(0x18, i, 0, 8, bytes([i]) * 8, bytes([i]) * 16) for i in range(20, 40))),
    "a_connection_id_that_retires_later_ones": (ENCODING, frame(0x18, 1, 2, 8, bytes(8), bytes(16))),
    "a_connection_id_without_bytes": (ENCODING, frame(0x18, 20, 0, 0, bytes(16))),
    "an_end_of_a_connection_id_that_was_not_given": (VIOLATION, frame(0x19, 1000)),
    "more_of_tls_than_is_kept": (CRYPTO_BUFFER, crypto_frame(1 << 20, b"x")),
    "a_key_update_of_tls": (UNEXPECTED_MESSAGE, crypto_frame(0, b"\x18\0\0\1\0")),
}

SEED = 1
RANDOM_CONNECTIONS = 200


def random_frame(chance):
    """Of a kind that exists, mostly, with numbers at the edges."""
    def number():
        return chance.choice((0, 1, 2, 3, 4, 5, 8, chance.randrange(1 << 14), chance.randrange(1 << 30), chance.randrange(1 << 62), (1 << 62) - 1))

    fields = [number() for _ in range(chance.randint(0, 6))]
    return frame(chance.choice((*range(0x20), 0x30, 0x31, number())), *fields, chance.randbytes(chance.choice((0, 1, 8, 16, 40))))


class Peers(QuicCase):
    def test_many_queries_on_one_connection(self):
        connection = self.peer().connect()
        self.assertEqual(connection.ask("n", count=1000, parallel=90), {"answered": 1000, "failed": []})
        self.wait_counted("queries", 1000)
        self.wait_counted("answers", 1000)
        self.wait_counted("handshakes", 1)
        self.assertEqual(self.counted("protocol_errors"), 0)

    def test_queries_over_ipv6(self):
        self.scene.network.address("client", "eth0", "fd88::11/64")
        peer = self.peer(server="[fd16::2]:853")
        for resumes in (False, True):
            connection = peer.connect(local="fd88::10")
            self.assertEqual(connection.is_resumed, resumes)
            self.assertEqual(connection.ask(f"six{resumes}-", count=200, parallel=50), {"answered": 200, "failed": []})
            connection.do("move", local="fd88::11")
            self.assertEqual(connection.ask(f"moved{resumes}-", count=20, parallel=5), {"answered": 20, "failed": []})
            connection.do("close", code=0)
        self.wait_counted("migrations", 2)
        self.assertIn("status: NOERROR", self.kdig("stream.example", "A", server="fd16::2"))
        self.assert_it_lives()

    def check_early_query(self, peer, is_taken):
        """Of a client that comes again."""
        second = peer.connect(early=True, hold=is_taken)
        stream = second.open()
        stream.write(framed(GOOD))
        # The handshake's first datagram, and that of the query.
        self.assertEqual(second.do("release")["datagrams"] > 0, is_taken)
        bytes_read, end, _ = stream.read()
        self.assertEqual((end, bytes_read[4] & 0x80), ("fin", 0x80))
        self.assertEqual(second.do("used_early")["early"], is_taken)
        self.wait_counted("early", int(is_taken))

    def test_early_data_of_a_client_that_comes_again(self):
        def is_resumed():
            connection = peer.connect()
            self.assertEqual(connection.ask("first", 1, 1)["answered"], 1)
            connection.do("close", code=0)
            return connection.is_resumed

        peer = self.peer()
        self.assertFalse(is_resumed())
        self.check_early_query(peer, False)  # it is not offered by default
        config = self.scene.folder / "quic.yaml"
        config.write_text(config.read_text().replace("quic_server, args: {", "quic_server, args: { early_data: true,"))
        self.scene.steerctl("reload")
        until(lambda: not is_resumed(), 10, "the tickets of before are not taken any more")
        self.check_early_query(peer, True)
        self.assert_it_lives()

    def test_a_session_is_resumed(self):
        peer = self.peer()
        first = peer.connect()
        self.assertFalse(first.is_resumed)
        # Its ticket arrives before this answer.
        self.assertEqual(first.ask("n", count=1, parallel=1)["answered"], 1)
        second = peer.connect()
        self.assertTrue(second.is_resumed)
        self.assertEqual(second.ask("n", count=10, parallel=10)["answered"], 10)
        self.wait_counted("handshakes_resumed", 1)

    def test_keys_are_updated(self):
        peer = self.peer()
        peer.do("key_updates", every=20)
        self.assertEqual(peer.connect().ask("n", count=500, parallel=5), {"answered": 500, "failed": []})
        self.assertGreaterEqual(peer.do("count_key_updates")["count"], 3)
        self.assertEqual(self.counted("protocol_errors"), 0)

    def test_a_connection_moves_to_other_ports_and_addresses(self):
        self.scene.network.address("client", "eth0", "192.168.88.11/24")
        connection = self.peer().connect(local="192.168.88.10")
        for serial, local in enumerate(("192.168.88.10", "192.168.88.11", "192.168.88.10")):
            self.assertEqual(connection.ask(f"before{serial}-", count=20, parallel=10)["failed"], [])
            connection.do("move", local=local)
            self.assertEqual(connection.ask(f"after{serial}-", count=20, parallel=10)["failed"], [])
        self.wait_counted("migrations", 3)
        self.wait_counted("handshakes", 1)

    def test_a_query_of_64_kib(self):
        stream = self.peer().connect().open()
        asked = query("stream.example", (PADDING, bytes(65_535 - len(GOOD) - 15)))
        self.assertEqual(len(asked), 65_535)
        self.assertEqual(stream.write(framed(asked)), "done")
        answer, end, _ = stream.read()
        self.assertEqual(end, "fin")
        self.assertEqual(answer[5] & 0xf, 0)

    def test_messages_that_dns_does_not_accept_are_answered(self):
        connection = self.peer().connect()
        for name, message in {"no_question": query("stream.example", questions=0), "two_questions": query("stream.example", questions=2),
                              "half_a_name": GOOD[:20], "another_opcode": query("stream.example", flags=0x2800)}.items():
            with self.subTest(name):
                stream = connection.open()
                stream.write(framed(message))
                answer, end, _ = stream.read()
                self.assertEqual(end, "fin")
                self.assertIn(answer[5] & 0xf, (1, 4))
        self.assertEqual(connection.end(ms=0), ("none", 0))

    def test_a_client_without_our_protocol_is_refused(self):
        peer = self.peer()
        for protocols in ((), ("h3",), ("doq-i11",), ("doq\0",)):
            with self.subTest(protocols):
                done = peer.try_to_connect(protocols=protocols)
                # Without any, the client itself ends the handshake.
                self.assertEqual((done["end"], done["code"], done["remote"]), ("transport", NO_APPLICATION_PROTOCOL, bool(protocols)))
        self.wait_counted("handshakes_failed", 4)
        self.assert_it_lives()

    def test_streams_that_are_no_query_close_their_connection(self):
        peer = self.peer()
        honest = peer.connect()
        for name, written in BAD_STREAMS.items():
            with self.subTest(name):
                connection = peer.connect()
                connection.open().write(written)
                self.assertEqual(connection.end(), ("application", PROTOCOL_ERROR))
                self.assertEqual(honest.ask(name, count=1, parallel=1)["failed"], [])
        self.wait_counted("protocol_errors", len(BAD_STREAMS))
        self.assert_it_lives()

    def test_frames_that_break_rules_close_their_connection(self):
        peer = self.peer()
        honest = peer.connect()
        for name, (code, *frames) in BAD_FRAMES.items():
            with self.subTest(name):
                connection = peer.connect()
                connection.send_frames(*frames)
                self.assertEqual(connection.end(), ("transport", code))
                self.assertEqual(honest.ask(name, count=1, parallel=1)["failed"], [])
        self.wait_counted("protocol_errors", len(BAD_FRAMES))
        self.assert_it_lives()

    def test_random_frames(self):
        chance = random.Random(SEED)
        peer = self.peer()
        honest = peer.connect()
        for serial in range(RANDOM_CONNECTIONS):
            connection = peer.connect()
            for _ in range(chance.randint(1, 5)):
                connection.send_frames(*(random_frame(chance) for _ in range(chance.randint(1, 6))))
            connection.do("close")
            if serial % 20 == 0:
                self.assertEqual(honest.ask(f"r{serial}-", count=1, parallel=1)["failed"], [])
        self.assert_it_lives()

    def test_a_query_without_its_end_is_not_kept_forever(self):
        peer = self.peer()
        honest = peer.connect()
        connections = [peer.connect() for _ in range(3)]
        for connection, written in zip(connections, (framed(GOOD), framed(GOOD)[:9], b"\0")):
            connection.open().write(written, is_end=False)
            # Its other queries are answered during that time.
            self.assertEqual(connection.ask("beside", count=3, parallel=3)["failed"], [])
        for connection in connections:
            self.assertEqual(connection.end(), ("application", PROTOCOL_ERROR))
        self.assertEqual(honest.ask("n", count=1, parallel=1)["failed"], [])
        self.wait_counted("too_slow", 3)
        self.assert_it_lives()

    def test_a_cancelled_query_ends_its_stream_only(self):
        connection = self.peer().connect()
        before, after, unread = connection.open(), connection.open(), connection.open()
        before.write(framed(GOOD)[:5], is_end=False)
        # The server has these bytes when it has answered.
        self.assertEqual(connection.ask("before", count=1, parallel=1)["failed"], [])
        before.do("cancel_write", code=CANCELLED)
        self.assertEqual(before.read()[1:], ("stream", CANCELLED))
        for stream, cancel in ((after, "cancel_write"), (unread, "cancel_read")):
            stream.write(framed(query("silent.example")), is_end=cancel == "cancel_read")
            self.assertEqual(connection.ask("between", count=1, parallel=1)["failed"], [])
            stream.do(cancel, code=CANCELLED)
        self.assertEqual(connection.ask("n", count=50, parallel=10)["failed"], [])
        self.assertEqual(connection.end(ms=0), ("none", 0))
        self.wait_counted("resets_received", 3)

    def test_a_client_that_resets_all_its_streams_is_closed(self):
        peer = self.peer()
        honest, connection = peer.connect(), peer.connect()

        def is_closed_after_another():
            opened = connection.do("open")
            # None, if the server has not allowed more yet.
            if "stream" in opened:
                connection.do("cancel_write", stream=opened["stream"], code=CANCELLED)
                connection.do("cancel_read", stream=opened["stream"], code=CANCELLED)
            return connection.end(ms=0)[0] != "none"

        until(is_closed_after_another, 30, "the connection is closed", pause=0)
        self.assertEqual(connection.end(), ("application", EXCESSIVE_LOAD))
        self.assertEqual(honest.ask("n", count=1, parallel=1)["failed"], [])
        self.wait_counted("floods", 1)
        self.assert_it_lives()

    def test_a_client_waits_when_its_streams_are_used(self):
        peer = self.peer()
        connection = peer.connect()
        opened = []
        while "stream" in (made := connection.do("open")):
            opened.append(made["stream"])
        self.assertEqual(len(opened), 100)
        for number in opened:
            connection.do("write", stream=number, hex=framed(GOOD).hex(), fin=True, ms=10_000)
        for number in opened:
            self.assertEqual(connection.do("read", stream=number, ms=20_000)["end"], "fin")
        self.assertEqual(connection.ask("n", count=300, parallel=90)["failed"], [])
        self.wait_counted("answers", 400)


if __name__ == "__main__":
    take_arguments(Peers)
    skip_without(("go",), "--all")
    unittest.main(verbosity=2)

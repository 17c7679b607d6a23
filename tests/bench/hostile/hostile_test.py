"""The parts of the bench `hostile` that decide something: frames and names of the floods, the flooder's parts, the honest clients'
framing and judgement, the search for a rate, and the last line."""

import collections
import random
import socket
import struct
import sys
import unittest

from bench import ports
from bench.framing import HttpFraming, LengthFraming, http_frame
from bench.hostile import flooder, floods, frames, honest, method, prepared, sides
from bench.hostile.frames import Target, Template
from bench.message import WrongAnswer, only_address, question

ADDRESS = socket.inet_aton(ports.ADDRESS)
TARGET = Target("10.99.0.2", "02:00:00:00:00:02", "02:00:00:00:00:01", (b"\xc0" + bytes(1_199),))


def answer(query: bytes, address: str = "192.0.2.1", flags: int = 0x8180, ttl: int = 60) -> bytes:
    return query[:2] + struct.pack("!5H", flags, 1, 1, 0, 0) + query[12:] + struct.pack("!HHHIH", 0xC00C, 1, 1, ttl, 4) + socket.inet_aton(address)


class Packets(unittest.TestCase):
    def test_lengths_and_checksums_of_a_query_are_right(self):
        made = frames.udp(TARGET, "198.18.0.1", 4_000, frames.query([b"a", b"example"], ident=7))
        packet = made.head + made.tail
        self.assertEqual(packet[:14].hex(), "020000000002020000000001" "0800")
        self.assertEqual(struct.unpack_from("!H", packet, 16)[0], len(packet) - 14)
        self.assertEqual(frames.internet_checksum(packet[14:34]), 0)
        self.assertEqual(struct.unpack_from("!4H", packet, 34), (4_000, 53, len(packet) - 34, 0))
        self.assertEqual(packet[42:].hex(), "0007" "0100" "0001" "0000" "0000" "0001" "0161" "076578616d706c65" "00" "0001" "0001"
                         "000029" "04d0" "00000000" "0000")

    def test_a_hole_is_the_first_label(self):
        made = frames.udp(TARGET, "198.18.0.1", 4_000, frames.query([b"example"], hole=12))
        self.assertEqual((made.hole, made.head[-1], made.tail[:8]), (12, 12, b"\x07example"))
        self.assertEqual(struct.unpack_from("!H", made.head, 16)[0], len(made) - 14)

    def test_two_fragments_are_one_datagram(self):
        whole = frames.udp(TARGET, "198.18.0.1", 4_000, frames.query([b"a", b"example"]))
        first, second = frames.fragments(TARGET, "198.18.0.1", 4_000, frames.query([b"a", b"example"]), 9)
        offset = struct.unpack_from("!H", second.head, 20)[0]
        self.assertEqual(struct.unpack_from("!H", first.head, 20)[0], frames.MORE_FRAGMENTS)
        self.assertEqual(offset * 8, len(first) - 34)
        self.assertEqual(first.head[34:] + second.head[34:], (whole.head + whole.tail)[34:])

    def test_garbage_is_a_frame_of_64_bytes(self):
        self.assertEqual(len(frames.garbage(TARGET, "198.18.0.1", 4_000)) + 4, 64)

    def test_checksums_of_tcp_and_icmp_are_right(self):
        segment = frames.syn(TARGET, "198.18.0.1", 4_000, 53, 1).head[34:]
        ends = socket.inet_aton("198.18.0.1") + socket.inet_aton(TARGET.address)
        self.assertEqual(frames.internet_checksum(ends + struct.pack("!BBH", 0, 6, len(segment)) + segment), 0)
        self.assertEqual(frames.internet_checksum(frames.echo_request(TARGET, "198.18.0.1", 3).head[34:]), 0)

    def test_each_flood_of_packets_has_frames_of_one_kind_from_forged_sources(self):
        own = {socket.inet_aton(address) for address in floods.HONEST}
        for flood in (flood for flood in floods.FLOODS if flood.packets and flood.name not in ("collisions", "arp")):
            templates = flood.packets(TARGET, random.Random(1))
            self.assertEqual(len({(t.hole, t.letters) for t in templates}), 1, flood.name)
            sources = {t.head[26:30] for t in templates}
            self.assertTrue(sources <= own if flood.name == "reflection" else all(s[:2] in (b"\xc6\x12", b"\xc6\x13") for s in sources), flood.name)


class Prepared(unittest.TestCase):
    def test_labels_of_each_flavour_have_one_hash_and_are_names(self):
        for name, (step, state) in prepared.HASHES.items():
            labels = prepared.labels(name, 3)
            self.assertEqual(len(set(labels)), 8, name)
            self.assertEqual(len({step(state, bytes([len(label)]) + label + b"\x07example\x00") for label in labels}), 1, name)
            self.assertTrue(all(len(label) <= 63 for label in labels))

    def test_crc32c_is_that_of_the_standard(self):
        self.assertEqual(prepared.crc32c(0xFFFFFFFF, b"123456789") ^ 0xFFFFFFFF, 0xE3069283)
        self.assertEqual(prepared.fnv1a(0x811C9DC5, b"a"), 0xE40C292C)

    def test_packet_labels_put_the_constant_where_a_block_begins(self):
        message = question("x", 0)[:12]
        for label in prepared.packet_labels(3):
            query = message + bytes([len(label)]) + label + b"\x08prepared\x07example\x00\x00\x01\x00\x01"
            self.assertEqual(query[18:26], prepared.WYHASH)

    def test_addresses_have_one_value_without_a_secret(self):
        found = list(prepared.addresses(50))
        self.assertEqual(len(set(found)), 50)
        for address in found:
            high, low = struct.unpack("<2Q", address)
            product = (high ^ 128 << 56) * prepared.FIBONACCI & prepared.WORD
            self.assertEqual(product ^ product >> 32 ^ low, 0)


class Flooder(unittest.TestCase):
    def test_holes_change_and_the_rest_does_not(self):
        templates = [Template(bytes([i]) * 4, 6, b"tail%d" % i) for i in range(5)]
        made = flooder.Frames(templates)
        made.refill(1, 3)
        self.assertEqual(made.bytes_of(0), b"\0" * 4 + b"\0" * 6 + b"tail0")
        first = made.bytes_of(2)
        self.assertRegex(first, rb"^\x02{4}[0-9a-f]{6}tail2$")
        made.refill(1, 3)
        self.assertNotEqual(made.bytes_of(2), first)

    def test_frames_of_two_kinds_are_refused(self):
        with self.assertRaisesRegex(ValueError, "one kind of hole"):
            flooder.Frames([Template(b"a"), Template(b"b", 4)])

    def test_a_greeting_of_resets_cancels_each_request(self):
        kinds = collections.Counter()
        data = floods.rapid_resets()[len(floods.PREFACE):]
        while data:
            size = int.from_bytes(data[:3], "big")
            kinds[data[3]] += 1
            data = data[9 + size:]
        self.assertEqual(kinds, {4: 1, 1: floods.RESETS, 3: floods.RESETS})

    def test_a_client_hello_is_a_whole_record(self):
        hello = floods.client_hello()
        self.assertEqual((hello[0], hello[5]), (22, 1))
        self.assertEqual(struct.unpack_from("!H", hello, 3)[0], len(hello) - 5)


class Framing(unittest.TestCase):
    def test_messages_over_tcp_may_come_in_pieces(self):
        framing = LengthFraming()
        data = framing.wrap(b"first") + framing.wrap(b"second")
        found = [message for i in range(len(data)) for message in framing.feed(data[i:i + 1])[0]]
        self.assertEqual(found, [b"first", b"second"])

    def test_an_answer_over_http_gets_the_id_of_its_query(self):
        framing = HttpFraming()
        framing.wrap(question("a.example", 0x1234))
        body = b"\0\0" + bytes(30)
        found, replies = framing.feed(http_frame(4, 0, 0) + http_frame(1, 4, 1, b"\x88") + http_frame(0, 0, 1, body[:9])
                                      + http_frame(0, 1, 1, body[9:]))
        self.assertEqual(found, [b"\x12\x34" + body[2:]])
        self.assertEqual(replies, http_frame(4, 1, 0))


class Judgement(unittest.TestCase):
    def setUp(self):
        self.tally = honest.Tally()
        self.query = question("a.example", 5, honest.RD)

    def judge(self, reply, took=0.01, kind="udp"):
        self.tally.reply(honest.Asked(kind, self.query, ADDRESS, 10.0), reply, 10.0 + took)

    def test_a_right_answer_in_time_counts(self):
        self.judge(answer(self.query))
        self.assertEqual((len(self.tally.times), self.tally.wrong), (1, []))

    def test_a_late_answer_does_not_count(self):
        self.judge(answer(self.query), took=1.5)
        self.assertEqual((self.tally.times, self.tally.late), ([], 1))
        self.judge(answer(self.query), took=1.5, kind="stream")
        self.assertEqual(len(self.tally.times), 1)

    def test_an_error_does_not_count_and_is_not_wrong(self):
        self.judge(answer(self.query, flags=0x8182))
        self.assertEqual((self.tally.times, self.tally.errors, self.tally.wrong), ([], 1, []))

    def test_another_address_or_a_higher_ttl_is_wrong(self):
        self.judge(answer(self.query, "192.0.2.9"))
        self.judge(answer(self.query, ttl=86_401))
        self.assertEqual((self.tally.times, len(self.tally.wrong)), ([], 2))

    def test_only_address_names_what_is_wrong(self):
        self.assertEqual(only_address(answer(self.query), self.query[12:]), (ADDRESS, 60))
        for reply, why in ((answer(question("b.example")), "another question"), (answer(self.query)[:6] + b"\0\2" + answer(self.query)[8:], "2 records")):
            with self.assertRaisesRegex(WrongAnswer, why):
                only_address(reply, self.query[12:])


class Search(unittest.TestCase):
    def found(self, limit, first=1_000, most=64_000, sends=10**9):
        self.tried = []

        def trial(rate):
            self.tried.append(rate)
            sent = min(rate, sends)
            return (1.0 if sent < limit else 0.5), sent
        return method.breaking_rate(trial, first, most)

    def test_the_rate_is_found_from_below(self):
        rate, broken = self.found(10_000)
        self.assertTrue(broken)
        self.assertTrue(10_000 <= rate <= 11_000, rate)
        self.assertLessEqual(len(self.tried), 16)

    def test_the_rate_is_found_from_above(self):
        rate, broken = self.found(300)
        self.assertTrue(broken and 300 <= rate <= 330, rate)

    def test_a_server_that_holds_is_reported_with_the_highest_rate(self):
        self.assertEqual(self.found(10**6), (64_000, False))

    def test_the_search_ends_where_the_flooder_is_at_its_limit(self):
        self.assertEqual(self.found(10**6, sends=9_000), (9_000, False))
        self.assertLessEqual(max(self.tried), 16_000)

    def test_a_server_that_no_rate_leaves_alone_ends_the_search(self):
        rate, broken = self.found(0)
        self.assertTrue(broken)
        self.assertLessEqual(rate, 1_000 * method.FEWEST_TIMES + 1)

    def test_one_bad_trial_is_tried_again(self):
        bad = iter([True])
        rate, broken = method.breaking_rate(lambda rate: (0.5 if next(bad, False) else 1.0, rate), 1_000, 4_000)
        self.assertEqual((rate, broken), (4_000, False))


class Tables(unittest.TestCase):
    METRICS = """steerdns_pending_queries{worker="0"} 100
steerdns_pending_limit_queries 65536
steerdns_cache_entries{cache="a"} 50000
steerdns_cache_limit_entries{cache="a"} 100000
steerdns_router_list_claims{router="edge1",list="policy_set_v4"} 1000
steerdns_router_list_limit_rows{router="edge1",list="policy_set_v4"} 50000
steerdns_connections{transport="tcp"} 20
steerdns_connections{transport="dot"} 280
"""

    def test_each_table_is_measured_by_its_bound(self):
        full = sides.fullness(self.METRICS)
        self.assertEqual(full, {"parked": 100 / 65536, "cache": 0.5, "claims": 0.02, "connections": 0.01})

    def test_the_counters_that_grew_most_are_named(self):
        after = 'steerdns_a_total{worker="0"} 9\nsteerdns_b_total 5\nsteerdns_c 7\nsteerdns_rx_packets_total{worker="0"} 99\n'
        self.assertEqual(sides.grown("steerdns_b_total 1\n", after), [('steerdns_a_total{worker="0"}', 9), ("steerdns_b_total", 4)])

    def test_a_bound_that_is_missing_is_an_error(self):
        with self.assertRaisesRegex(sides.LabError, "steerdns_cache_limit_entries"):
            sides.fullness(self.METRICS.replace("steerdns_cache_limit", "x"))

    def test_the_zone_has_each_held_name_once(self):
        text = sides.zone()
        self.assertIn("h0.held.example. 300 IN A 45.1.0.0\n", text)
        self.assertEqual(len({honest.held_name(number)[1] for number in range(sides.HELD)}), sides.HELD)
        self.assertEqual(text.count(".rival.example. 300 IN AAAA 2a00:"), floods.CLAIMED)


class LastLine(unittest.TestCase):
    def one(self, udp, stream=None, times=2.0, held=1.0):
        return {"udp": udp, "stream": stream, "times": times, "held": held, "tables": 0.5, "mib": 3}

    def test_the_worst_flood_gives_the_ratio_and_its_rate(self):
        found = {"hot": {"at": 100_000, "broken": True, "rounds": [self.one(0.99), self.one(0.97), self.one(0.98)]},
                 "arp": {"at": 900_000, "broken": False, "rounds": [self.one(1.0, times=1.0)] * 3},
                 "migrations": {"at": 5_000, "broken": False, "alone": True, "rounds": [self.one(1.0, 0.95, times=0.8)] * 3},
                 "resets": {"at": 5_000, "broken": True, "rounds": [self.one(1.0, 0.9, held=1.5)] * 3}}
        line = method.result(found)
        self.assertEqual((line["ratio"], line["worst"], line["at"]), (0.98, "hot", 100_000))
        self.assertEqual((line["streams"], line["worst_stream"], line["stream_at"]), (0.9, "resets", 5_000))
        self.assertEqual((line["held"], line["slowest"], line["times"], line["unbroken"]), (1.5, "resets", 2.0, "arp"))
        self.assertEqual((line["hot"], line["resets"], line["resets_at"]), (0.98, 0.9, 5_000))
        self.assertEqual((line["migrations"], line["migrations_at"]), (0.95, 4_000))
        self.assertEqual(line["rounds"], [0.99, 0.97, 0.98])


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))

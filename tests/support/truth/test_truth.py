"""The judge finds each kind of fault, and none where there is none."""

import ipaddress
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import answers  # noqa: E402
import dns_message  # noqa: E402
import rows  # noqa: E402
import verdict  # noqa: E402

S = 1_000_000_000
LIST4, LIST6 = "policy_set_v4", "policy_set_v6"
POLICY = verdict.Policy.parse(f"stream.example={LIST4},{LIST6}")


def record(t, op, address="203.0.113.7", timeout=60, id_="*1", list_=LIST4, **more):
    entry = {"t_ns": round(t * S), "router": more.pop("router", "edge1"), "op": op}
    if op not in ("reboot", "up", "end"):
        family = 6 if ":" in address else 4
        entry |= {"family": family, "list": list_, "address": address, "timeout_s": timeout, "comment": "", ".id": id_}
    return entry | more


def answer(t, ttl=30, address="203.0.113.7", name="www.stream.example"):
    return answers.Answer(round(t * S), name, [(ipaddress.ip_address(address), ttl)])


def judged(journal, given, until=1000, **options):
    judge = verdict.Judge(rows.replay(journal), [POLICY], until_ns=round(until * S), **options)
    counts, findings = judge.judge(given)
    return {name: count for name, count in counts.items() if count}, findings


class Judging(unittest.TestCase):
    def check(self, journal, given, expected, **options):
        counts, findings = judged(journal, given, **options)
        self.assertEqual(counts, expected)
        return findings

    def test_row_before_answer_until_lease_end_is_good(self):
        self.check([record(1, "add"), record(61, "expire")], [answer(1), answer(0.9 + 0.1)], {"answers": 2})

    def test_answer_before_its_row_is_early(self):
        findings = self.check([record(1.001, "add")], [answer(1)], {"answers": 1, "early": 1})
        self.assertEqual(findings[0].parts, [(S, 1_001_000_000)])
        self.assertIn("early: www.stream.example 203.0.113.7", findings[0].text())

    def test_row_that_never_comes_is_missing(self):
        self.check([record(1, "add", address="203.0.113.8")], [answer(1)], {"answers": 1, "missing": 1})
        self.check([record(1, "add", list_="other")], [answer(1)], {"answers": 1, "missing": 1})
        self.check([record(500, "add")], [answer(1)], {"answers": 1, "missing": 1})

    def test_row_that_expires_before_the_lease_is_a_gap(self):
        journal = [record(1, "add", timeout=59), record(60, "expire")]
        self.check(journal, [answer(1)], {"answers": 1, "gap": 1})
        self.check(journal, [answer(1)], {"answers": 1}, tolerance_ms=1000)
        self.check(journal, [answer(1)], {"answers": 1, "gap": 1}, tolerance_ms=999)
        self.check(journal, [answer(1)], {"answers": 1}, extra_time_s=29)

    def test_row_that_expires_after_the_end_of_the_journal_is_a_gap(self):
        self.check([record(1, "add", timeout=59)], [answer(1)], {"answers": 1, "gap": 1})
        self.check([record(1, "add", timeout=59)], [answer(1)], {"answers": 1}, until=59)

    def test_removed_and_added_again_is_a_gap(self):
        journal = [record(1, "add"), record(20, "remove"), record(20.5, "add", id_="*2", timeout=600)]
        self.check(journal, [answer(1)], {"answers": 1, "gap": 1})
        journal = [record(1, "add"), record(20, "remove"), record(20, "add", id_="*2", timeout=600)]
        self.check(journal, [answer(1)], {"answers": 1})

    def test_renewal_by_set_keeps_the_row(self):
        journal = [record(1, "add"), record(50, "set", timeout=60), record(110, "expire")]
        self.check(journal, [answer(1), answer(49), answer(50)], {"answers": 3})
        self.check(journal, [answer(51)], {"answers": 1, "gap": 1})

    def test_disabled_row_does_not_count(self):
        self.check([record(1, "add", disabled=True)], [answer(1)], {"answers": 1, "missing": 1})
        journal = [record(1, "add", timeout=None), record(9, "set", timeout=None, disabled=True)]
        self.check(journal, [answer(1)], {"answers": 1, "gap": 1})

    def test_second_row_of_the_same_address(self):
        journal = [record(1, "add"), record(2, "add", id_="*2", timeout=None), record(3, "remove")]
        self.check(journal, [answer(1)], {"answers": 1})

    def test_prefix_and_range_cover(self):
        for address in ("203.0.113.0/24", "203.0.113.1-203.0.113.9"):
            self.check([record(1, "add", address=address, timeout=None)], [answer(1)], {"answers": 1})
        journal = [record(1, "add", address="203.0.113.8-203.0.113.9", timeout=None)]
        self.check(journal, [answer(1)], {"answers": 1, "missing": 1})

    def test_ipv6_has_its_own_list(self):
        journal = [record(1, "add", address="2001:db8::1/128", list_=LIST6)]
        self.check(journal, [answer(1, address="2001:db8::1")], {"answers": 1})
        journal = [record(1, "add", address="2001:db8::1/128", list_=LIST4)]
        self.check(journal, [answer(1, address="2001:db8::1")], {"answers": 1, "missing": 1})

    def test_names_outside_the_policy_do_not_count(self):
        for name in ("other.example", "mystream.example", "example"):
            self.check([], [answer(1, name=name)], {})
        self.check([record(1, "add")], [answer(1, name="stream.example")], {"answers": 1})

    def test_longest_suffix_decides(self):
        journal = [record(1, "add", list_="deep")]
        policies = [POLICY, verdict.Policy.parse("a.stream.example=deep")]
        judge = verdict.Judge(rows.replay(journal), policies)
        counts, _ = judge.judge([answer(1, name="b.a.stream.example")])
        self.assertEqual(counts["missing"], 0)

    def test_every_router_must_have_the_row(self):
        journal = [record(1, "add"), record(1, "add", router="edge2", address="203.0.113.9")]
        findings = self.check(journal, [answer(1)], {"answers": 1, "missing": 1})
        self.assertEqual([f.router for f in findings], ["edge2"])

    def test_an_answer_counts_once_by_its_worst_fault(self):
        both = answers.Answer(
            S, "stream.example", [(ipaddress.ip_address(a), 30) for a in ("203.0.113.7", "203.0.113.8")]
        )
        findings = self.check([record(2, "add")], [both], {"answers": 1, "missing": 1})
        self.assertEqual(sorted(f.kind for f in findings), ["early", "missing"])

    def test_reboot_excuses_until_repair(self):
        journal = [record(1, "add"), record(10, "reboot"), record(20, "up"), record(24, "add", timeout=60)]
        self.check(journal, [answer(1)], {"answers": 1, "excused": 1})
        self.check(journal, [answer(15)], {"answers": 1, "excused": 1})
        self.check(journal, [answer(15, ttl=60)], {"answers": 1, "gap": 1})
        journal[-1] = record(25.5, "add")
        self.check(journal, [answer(1)], {"answers": 1, "gap": 1})
        self.check(journal, [answer(1)], {"answers": 1, "excused": 1}, repair_s=6)

    def test_reboot_keeps_permanent_rows_under_new_ids(self):
        journal = [
            record(1, "add", timeout=None, id_="*7"),
            record(10, "reboot"),
            record(20, "up"),
            record(30, "remove", timeout=None, id_="*1"),
        ]
        self.check(journal, [answer(1, ttl=-1)], {"answers": 1})
        self.check(journal, [answer(1)], {"answers": 1, "gap": 1})

    def test_away_excuses(self):
        journal = [record(3, "add")]
        self.check(journal, [answer(1)], {"answers": 1, "excused": 1}, away=[(0, 3 * S)])
        self.check(journal, [answer(1)], {"answers": 1, "early": 1}, away=[(0, 2 * S)])

    def test_impossible_journals_are_named(self):
        history = rows.replay([record(1, "remove")])
        self.assertEqual(len(history.routers["edge1"].faults), 1)
        with self.assertRaises(ValueError):
            rows.replay([record(2, "add"), record(1, "remove")])
        with self.assertRaises(ValueError):
            rows.replay([record(1, "explode")])


class Reading(unittest.TestCase):
    """Against scapy as the writer of packets."""

    @classmethod
    def setUpClass(cls):
        from scapy.layers import dns, inet, inet6, l2
        from scapy.utils import wrpcap

        cls.dns, cls.inet, cls.inet6, cls.l2, cls.wrpcap = dns, inet, inet6, l2, staticmethod(wrpcap)

    def response(self, **more):
        d = self.dns
        records = d.DNSRR(rrname="Stream.Example", type="CNAME", rdata="cdn.example.net", ttl=5)
        records /= d.DNSRR(rrname="cdn.example.net", type="A", rdata="203.0.113.7", ttl=30)
        records /= d.DNSRR(rrname="cdn.example.net", type="AAAA", rdata="2001:db8::7", ttl=40)
        return d.DNS(id=1, qr=1, qd=d.DNSQR(qname="Stream.Example"), an=records, **more)

    def ether(self):
        return self.l2.Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")  # else scapy asks the network

    def read(self, packets):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.pcap")
            self.wrpcap(path, packets)
            return answers.read_answers(path)

    def test_udp_of_both_families_and_vlan(self):
        i, l, ether = self.inet, self.l2, self.ether()
        udp = i.UDP(sport=53, dport=40000)
        v4 = ether / i.IP(src="192.0.2.1", dst="192.0.2.9") / udp / self.response()
        v6 = ether / l.Dot1Q(vlan=5) / self.inet6.IPv6(src="2001:db8::1", dst="2001:db8::9") / udp / self.response()
        query = ether / i.IP() / i.UDP(sport=40000, dport=53) / self.dns.DNS(qd=self.dns.DNSQR(qname="x"))
        for packet, t in ((v4, 1.5), (v6, 2), (query, 3)):
            packet.time = t
        got = self.read([v4, v6, query])
        self.assertEqual([(a.t_ns, a.name, a.server) for a in got],
                         [(3 * S // 2, "stream.example", "192.0.2.1"), (2 * S, "stream.example", "2001:db8::1")])
        self.assertEqual([(str(a), ttl) for a, ttl in got[0].addresses], [("203.0.113.7", 30), ("2001:db8::7", 40)])

    def test_tcp_in_pieces_and_out_of_order(self):
        i, ether = self.inet, self.ether()
        message = bytes(self.response())
        stream = (len(message).to_bytes(2, "big") + message) * 2
        head = ether / i.IP(src="192.0.2.1", dst="192.0.2.9")

        def segment(at, data, flags="A"):
            return head / i.TCP(sport=53, dport=40000, seq=(0xFFFFFFF0 + at) % 2**32, flags=flags) / data

        cuts = [(0, 1), (1, 30), (40, len(stream)), (30, 40)]
        packets = [segment(-1, b"", "SA")] + [segment(a, stream[a:b]) for a, b in cuts]
        self.assertEqual(len(self.read(packets)), 2)

    def test_errors_and_truncated_answers_are_no_answers(self):
        for more in ({"rcode": 3}, {"tc": 1}):
            self.assertIsNone(answers.from_wire(0, bytes(self.response(**more))))

    def test_damaged_messages_are_no_answers(self):
        message = bytes(self.response())
        for size in range(len(message)):
            answers.from_wire(0, message[:size])
        with self.assertRaises(dns_message.Malformed):
            dns_message.read_name(b"\xc0\x00", 0)

    def test_log_lines(self):
        wire = {"t_ns": 5, "client": "192.0.2.9", "wire": bytes(self.response()).hex()}
        plain = {"t_ns": 6, "name": "A.B.", "answers": [{"address": "192.0.2.1", "ttl": 9}]}
        got = list(answers.read_log(json.dumps(wire) + "\n\n" + json.dumps(plain), "log"))
        self.assertEqual([(a.t_ns, a.name, a.client) for a in got], [(5, "stream.example", "192.0.2.9"), (6, "a.b", None)])
        with self.assertRaisesRegex(ValueError, "log:1"):
            list(answers.read_log('{"t_ns":1}', "log"))


class CommandLine(unittest.TestCase):
    def run_truth(self, journal, given, *options):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("j", "a")]
            for path, entries in zip(paths, (journal, given)):
                with open(path, "w", encoding="ascii") as file:
                    file.writelines(json.dumps(entry) + "\n" for entry in entries)
            done = subprocess.run(
                [sys.executable, os.path.join(HERE, "truth"), "judge", "--journal", paths[0], "--answers", paths[1],
                 "--policy", f"stream.example={LIST4},{LIST6}", *options],
                capture_output=True, text=True, check=False)
            return done.returncode, done.stdout

    def test_exit_codes_and_last_line(self):
        asked = [{"t_ns": S, "name": "stream.example", "answers": [{"address": "203.0.113.7", "ttl": 30}]}]
        good = self.run_truth([record(0.5, "add", timeout=61), record(61.5, "expire"), record(500, "end")], asked)
        self.assertEqual(good, (0, "answers=1 early=0 gap=0 missing=0 excused=0\n"))
        bad = self.run_truth([record(2, "add")], asked, "--verbose")
        self.assertEqual(bad[0], 1)
        self.assertIn("early: stream.example", bad[1])
        self.assertTrue(bad[1].endswith("answers=1 early=1 gap=0 missing=0 excused=0\n"))
        self.assertEqual(self.run_truth([record(2, "add")], asked, "--away", "0..2.0")[0], 0)
        self.assertEqual(self.run_truth([record(2, "add")], asked, "--from", "3")[0], 1)  # nothing is left to judge
        self.assertEqual(self.run_truth([record(2, "add")], asked, "--from", "3000000000ns", "--least", "0")[0], 0)
        self.assertEqual(self.run_truth([record(2, "remove")], asked, "--least", "0")[0], 1)
        self.assertEqual(self.run_truth([], asked)[1], "answers=1 early=0 gap=0 missing=1 excused=0\n")


if __name__ == "__main__":
    unittest.main()

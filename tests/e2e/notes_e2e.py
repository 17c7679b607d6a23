"""What the policy language says and writes: reject, mark, has_resp, negation, cache; the lines in the log; counters and
metrics that a scraper can read."""

import pathlib
import re
import sys
import unittest

from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)
ROOT = pathlib.Path(__file__).resolve().parents[2]

POLICY = """
routers:
  edge1: { address: 172.16.1.1, username: api-user, password: secret }
  edge2: { address: 172.16.1.1:8738, username: api-user, password: secret }
plugins:
  - { tag: main, type: sequence, args: [
      { exec: query_summary asked },
      { exec: $clients },
      { matches: "qname keyword:odd", exec: metrics_collector odd },
      { exec: $remembered },
      { exec: mark 7 9 },
      { matches: "qname full:refused.other.example", exec: reject },
      { matches: "qname full:nothing.other.example", exec: "reject NXDOMAIN" },
      { matches: "qname full:empty.other.example", exec: "reject 0" },
      { matches: "!qname domain:example", exec: "reject NOTIMP" },
      { matches: ["qname keyword:odd", "!qname full:odd.other.example"], exec: $odd },
      { matches: "qname full:inner.other.example", exec: $inner },
      { matches: has_resp, exec: accept },
      { exec: $store },
      { matches: has_resp, exec: accept },
      { exec: "debug_print missed" },
      { matches: "qname domain:stream.example", exec: $list1 },
      { matches: "qname domain:media.example", exec: $list2 },
      { exec: $up },
      { matches: "!has_resp", exec: reject },
      { exec: "debug_print got" } ] }
  - { tag: odd, type: sequence, args: [ { exec: "query_summary odd one" }, { exec: "reject 2" } ] }
  - { tag: inner, type: sequence, args: [
      { matches: _false, exec: reject },
      { matches: _true, exec: "forward 1.1.1.1" },
      { exec: accept } ] }
  - { tag: store, type: cache }
  - { tag: clients, type: metrics_collector }
  - { tag: remembered, type: reverse_lookup, args: { ttl: 200 } }
  - { tag: up, type: forward, args: { upstreams: [ { addr: udp://1.1.1.1 } ] } }
  - { tag: list1, type: ros_address_list, args: { router: edge1, address_list4: one } }
  - { tag: list2, type: ros_address_list, args: { router: edge2, address_list4: two } }
"""


def openmetrics(text):
    """{family: (type, {(sample, labels): value})}, or an AssertionError where OpenMetrics 1.0 is broken."""
    lines = text.split("\n")
    assert text.endswith("# EOF\n") and lines.count("# EOF") == 1 and "" not in lines[:-1], "the end mark"
    families, name = {}, None
    for line in lines[:-2]:
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in families, f"{name} comes twice"
            assert len(line) > len(f"# HELP {name} "), line
        elif line.startswith("# TYPE "):
            assert line.startswith(f"# TYPE {name} "), line
            kind = line.split(" ")[3]
            assert re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", name) and kind in ("counter", "gauge", "info", "histogram"), line
            assert not name.endswith("_total"), line
            families[name] = (kind, {})
        else:
            match = re.fullmatch(r'([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\[\\n"])*",?)+)\})? (\S+)', line)
            assert match, f"not a sample: {line}"
            sample, labels, value = match.groups()
            kind = families[name][0]
            ends = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(kind, [""])
            assert sample in [name + end for end in ends], f"{sample} below {name}"
            assert (sample, labels) not in families[name][1], f"twice: {line}"
            number = float(value)
            assert families[name][0] != "counter" or number >= 0, line
            families[name][1][(sample, labels)] = number
    assert all(samples for _, samples in families.values()), "a family without samples"
    return families


class Notes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scene = cls.scene = cls.enterClassContext(Scene("notes", BUILD))
        scene.start_resolver()
        scene.start_router("--router", "edge1,port=8728", "--router", "edge2,port=8738")
        cls.config = scene.folder / "notes.yaml"
        cls.config.write_text(POLICY)
        cls.daemon = scene.start_daemon(cls.config)

    def ask(self, *words):
        """kdig's text, and the lines that this query left in the log."""
        before = len(self.daemon.text())
        text = self.scene.kdig(*words)
        name = re.escape(next(word for word in words if "." in word and word[0] not in "@+"))
        until(lambda: re.search(rf"(?i)asked: qname={name}.*\n", self.daemon.text()[before:]), 5, f"the summary of {words} is written")
        return text, self.daemon.text()[before:]

    def status(self, text):
        return re.search(r"status: (\w+)", text)[1]

    def test_reject_answers_with_its_rcode(self):
        for name, rcode in (("refused.other.example", "REFUSED"), ("nothing.other.example", "NXDOMAIN"),
                            ("empty.other.example", "NOERROR"), ("www.elsewhere.test", "NOTIMPL"),
                            ("odd1.other.example", "SERVFAIL")):
            for transport in ("+notcp", "+tcp"):
                with self.subTest(name, transport=transport):
                    text, log = self.ask(transport, name, "A")
                    self.assertEqual(self.status(text), rcode)
                    self.assertIn("ANSWER: 0", text)
                    self.assertRegex(log, rf"asked: qname={re.escape(name)}\.? qtype=A client=192\.168\.88\.10 "
                                          rf"rcode={rcode[:6]}")
                    self.assertNotIn("missed", log, "nothing after it runs")

    def test_all_matches_have_to_hold_and_a_negation_inverts_one(self):
        """Both of `matches` must hold; what is negated lets others through."""
        text, log = self.ask("odd.other.example", "A")
        self.assertEqual(self.status(text), "NOERROR")
        self.assertIn("198.51.100.9", text)
        self.assertNotIn("odd one", log)
        _, log = self.ask("odd7.other.example", "A")
        self.assertRegex(log, r"odd one: qname=odd7.other.example\.? qtype=A .* rcode=SERVFAIL")

    def test_query_summary_writes_one_line(self):
        for kind in ("A", "AAAA", "TXT", "TYPE65399"):
            text, log = self.ask("Sum.Other.Example", kind)
            lines = re.findall(r".*asked: qname=(?i:sum)\..*", log)  # (the line of an earlier query may come late)
            self.assertEqual(len(lines), 1, log)
            self.assertRegex(lines[0], rf"^\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{{3}}[+-]\d\d:\d\d info\s+asked: "
                                       rf"qname=[Ss]um\.[Oo]ther\.[Ee]xample\.? qtype={kind} client=192\.168\.88\.10 "
                                       r"rcode=NOERROR ms=\d+$")
        _, log = self.ask("sum6.other.example", "A", "@fd16::2")
        self.assertIn("client=fd88::10 ", log)

    def test_debug_print_writes_queries_and_responses(self):
        """A miss is printed before and after the forward; a hit ends at `has_resp`."""
        text, log = self.ask("debug.other.example", "A")
        self.assertIn("198.51.100.9", text)
        self.assertRegex(log, r"missed: request debug\.other\.example\.? IN A from 192\.168\.88\.10 port \d+, "
                              r"\d+ ms ago")
        self.assertIn("missed: no response yet", log)
        self.assertRegex(log, r"got: request debug\.other\.example")
        self.assertRegex(log, r"got: ;; status NOERROR, id \d+, flags qr.*; question 1, answer 1, ")
        self.assertRegex(log, r"got: debug\.other\.example\. \d+ IN A 198\.51\.100\.9\n")
        self.assertLess(log.index("missed"), log.index("got"))
        again, log = self.ask("debug.other.example", "A")
        self.assertIn("198.51.100.9", again)
        self.assertEqual(re.findall("missed|got", log), [])
        self.assertIn("rcode=NOERROR", log)

    def test_an_inner_sequence_sets_the_response_and_accept_ends_all(self):
        text, log = self.ask("inner.other.example", "A")
        self.assertIn("198.51.100.9", text)
        self.assertNotIn("missed", log)

    def test_lists_of_two_routers_get_their_own_rows(self):
        self.scene.kdig("stream.example", "A")
        self.scene.kdig("media.example", "A")
        until(lambda: "203.0.113.10" in self.scene.router_ctl("@edge1", "list", "one"), 10, "list one on edge1")
        until(lambda: "203.0.113.30" in self.scene.router_ctl("@edge2", "list", "two"), 10, "list two on edge2")
        self.assertNotIn("203.0.113.30", self.scene.router_ctl("@edge1", "list"))
        self.assertNotIn("203.0.113.10", self.scene.router_ctl("@edge2", "list"))

    def test_reverse_gives_the_last_name_of_an_address(self):
        """The TTL of the answer is limited to the time for which the name is remembered."""
        address = "203.0.113.21"
        self.assertEqual(self.scene.steerctl("reverse", address), "no name known for this address\n")
        text, _ = self.ask("Long.Stream.Example", "A")
        self.assertRegex(text, rf"\s200\s+IN\s+A\s+{address}")
        self.assertEqual(self.scene.steerctl("reverse", address), "long.stream.example\n")
        self.ask("www.stream.example", "AAAA")
        self.assertEqual(self.scene.steerctl("reverse", "2001:db8:113::31"), "www.stream.example\n")
        done = self.scene.ask("reverse", "nobody")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("expected an IP address", done.stderr)

    # Counters ----------------------------------------------------------------------------------------------

    def http(self, path, *options):
        """(status line and headers, body)"""
        text = self.scene.network.run("appliance", "curl", "-sS", "-i", "--max-time", "5", "-H", "Accept: application/openmetrics-text", *options,
                                      f"http://127.0.0.1:9153{path}").stdout
        head, _, body = text.replace("\r\n", "\n").partition("\n\n")
        return head, body

    def test_metrics_are_valid_openmetrics(self):
        self.scene.kdig("stream.example", "A")
        head, body = self.http("/metrics")
        self.assertRegex(head, r"^HTTP/1.1 200 OK\n")
        self.assertIn("application/openmetrics-text; version=1.0.0; charset=utf-8", head)
        families = openmetrics(body)
        self.assertLessEqual({"process_resident_memory_bytes", "process_cpu_seconds", "process_threads", "process_max_fds"},
                             set(families))
        print(f"  {len(families)} families, {sum(len(s) for _, s in families.values())} samples")
        verdicts = families["steerdns_verdicts"][1]
        self.assertGreater(verdicts[("steerdns_verdicts_total", 'worker="0",verdict="forwarded"')], 0)
        for router in ("edge1", "edge2"):
            self.assertIn(("steerdns_router_in_sync", f'router="{router}"'), families["steerdns_router_in_sync"][1])

    def test_each_metric_is_in_the_reference(self):
        """docs/reference/metrics.md has the type, the labels and the help text of every family."""
        page = {name: (kind, set(re.findall(r"\w+", labels)) - {"or"}, text) for name, kind, labels, text in re.findall(
            r"(?m)^\| `(\w+)` \| (\w+) \| ([\w, ]*) \| (.+) \|$", (ROOT / "docs/reference/metrics.md").read_text())}
        body = self.http("/metrics")[1]
        helps = dict(re.findall(r"(?m)^# HELP (\S+) (.+)$", body))
        for name, (kind, samples) in openmetrics(body).items():
            row = page.get(name + "_total" * (kind == "counter"))
            self.assertEqual((kind, helps.get(name)), row and (row[0], row[2]), name)
            for _, labels in samples:
                used = set(re.findall(r'(\w+)="', labels or "")) - {"le"}
                self.assertTrue(used <= row[1] and (used or not row[1]), (name, labels, row[1]))

    def test_each_collector_counts_the_queries_that_reach_it(self):
        """One collector sees all queries, another one those of its rule."""
        def seen(name):
            families = openmetrics(self.http("/metrics")[1])
            count = {what: families[f"steerdns_collector_{what}"][1].get((f"steerdns_collector_{what}{end}", f'name="{name}"'))
                     for what, end in (("queries", "_total"), ("errors", "_total"), ("inflight", ""))}
            latency = families["steerdns_collector_latency_seconds"][1]
            for end, label in (("_bucket", ',le="+Inf"'), ("_count", "")):
                self.assertEqual(latency["steerdns_collector_latency_seconds" + end, f'name="{name}"{label}'],
                                 count["queries"] - count["inflight"])
            return count["queries"], count["errors"]

        all_before, odd_before = seen("clients"), seen("odd")
        self.ask("odd8.other.example", "A")  # SERVFAIL
        for name in ("refused.other.example", "odd.other.example", "www.other.example"):
            self.ask(name, "A")
        self.assertEqual(seen("odd"), (odd_before[0] + 2, odd_before[1] + 1))
        self.assertEqual(seen("clients"), (all_before[0] + 4, all_before[1] + 1))

    def test_the_openmetrics_checker_refuses_invalid_texts(self):
        head = "# HELP a b\n# TYPE a gauge\n"
        self.assertEqual(openmetrics(f"{head}a 1\n# EOF\n"), {"a": ("gauge", {("a", None): 1.0})})
        for broken in ("# HELP a b\n# TYPE a counter\na 1\n# EOF\n", f"{head}a 1\na 1\n# EOF\n", f"{head}a 1\n",
                       f"{head}a{{b=c}} 1\n# EOF\n", f"{head}a 1\n# HELP c d\n# TYPE c gauge\nc 1\n{head}a 2\n# EOF\n",
                       "# TYPE a gauge\na 1\n# EOF\n"):
            with self.assertRaises((AssertionError, ValueError)):
                openmetrics(broken)

    def test_counters_and_metrics_agree(self):
        """steerctl and /metrics show the same counts; every packet has one verdict."""
        def both():
            counters, (_, body) = self.scene.counters(), self.http("/metrics")
            verdicts = openmetrics(body)["steerdns_verdicts"][1]
            for index, worker in enumerate(counters["workers"]):
                self.assertEqual(sum(worker["verdicts"].values()), worker["stats"]["rx_packets"])
                for label, value in worker["verdicts"].items():
                    if verdicts[("steerdns_verdicts_total", f'worker="{index}",verdict="{label}"')] != value:
                        return False
            return True

        until(both, 5, "both are the same")
        text = self.scene.steerctl("counters")
        self.assertIn("forwarded", text)

    def test_http_paths_and_methods_get_their_status(self):
        self.assertRegex(self.http("/healthz")[0], r"^HTTP/1.1 200 OK\n")
        self.assertRegex(self.http("/elsewhere")[0], r"^HTTP/1.1 404 ")
        self.assertRegex(self.http("/metrics", "-X", "POST")[0], r"^HTTP/1.1 405 ")
        self.assertRegex(self.http("/metrics", "-I")[0], r"^HTTP/1.1 200 OK\n")
        self.assertTrue(self.scene.short("www.other.example", "A"))

    def test_dump_program_shows_marks(self):
        text = self.scene.network.run("appliance", f"{BUILD}/steerdnsd", "--dump-program", "--config",
                                      str(self.config)).stdout
        self.assertRegex(text, r"mark bits 0x3 .*line 11")
        self.assertIn("has_resp", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)

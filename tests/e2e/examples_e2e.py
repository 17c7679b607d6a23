"""Both example configurations, unmodified: A and AAAA, chains, clients over IPv4 and IPv6, UDP and TCP."""

import sys
import unittest
import urllib.request

from lab.scene import ROOT, Scene

BUILD = sys.argv.pop(1)


class Minimal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = cls.enterClassContext(Scene("examples", BUILD))
        cls.scene.start_resolver()
        cls.scene.start_router()
        cls.scene.start_daemon(ROOT / "configs/minimal.yaml")

    def test_the_first_line_names_port_address_and_reason(self):
        text = self.scene.daemon.text()
        self.assertIn("serving on eth0", text)
        self.assertIn("172.16.1.2", text)
        self.assertIn("by af_xdp because", text)

    def test_answers_and_rows_are_right_over_udp_tcp_and_both_families(self):
        scene = self.scene
        for server in ("172.16.1.2", "fd16::2"):
            for transport in ("+notcp", "+tcp"):
                with self.subTest(server=server, transport=transport):
                    self.assertEqual(set(scene.short(transport, "stream.example", "A", server=server)),
                                     {"203.0.113.10", "203.0.113.11"})
                    self.assertEqual(scene.short(transport, "stream.example", "AAAA", server=server),
                                     ["2001:db8:113::10"])
                    self.assertIn("203.0.113.31", scene.short(transport, "www.stream.example", "A", server=server))
                    self.assertEqual(scene.short(transport, "www.other.example", "A", server=server), ["198.51.100.2"])
        rows = scene.wait_rows({("policy_set_v4", "203.0.113.10"), ("policy_set_v4", "203.0.113.11"),
                                ("policy_set_v6", "2001:db8:113::10/128"), ("policy_set_v4", "203.0.113.31")})
        self.assertNotIn("198.51.100.2", {r["address"] for r in rows})
        for row in rows:
            self.assertTrue(row["comment"].startswith("forgedns;pg=ros_address_list_policy;kind=D;dm="), row)
            self.assertTrue(row["dynamic"], row)

    def test_nxdomain_keeps_the_case_of_the_question(self):
        answer = self.scene.kdig("+noidn", "No.MEDIA.Example", "A")
        self.assertIn("NXDOMAIN", answer)
        self.assertIn("No.MEDIA.Example.", answer)
        self.assertIn("SOA", answer)

    def test_a_large_answer_is_truncated_over_udp_and_whole_over_tcp(self):
        cut = self.scene.kdig("+notcp", "+ignore", "big.other.example", "TXT", "+bufsize=512")
        self.assertIn("tc", cut.split("Flags:")[1].split(";")[0])
        whole = self.scene.kdig("+tcp", "big.other.example", "TXT")
        self.assertGreater(whole.count("x" * 250), 8, whole)

    def test_status_counters_and_metrics_are_there(self):
        status = self.scene.reported("status")
        self.assertEqual(status["ports"][0]["driver"], "af_xdp")
        self.assertIn("steerdnsd", self.scene.network.run("appliance", f"{BUILD}/steerdnsd", "--version").stdout)
        self.scene.kdig("stream.example", "A")
        self.assertGreater(self.scene.total("verdicts", "forwarded"), 0)
        text = self.scene.network.run("appliance", "/usr/bin/python3", "-c",
                                      "import urllib.request as u;print(u.urlopen('http://127.0.0.1:9153/metrics').read().decode())").stdout
        self.assertIn('steerdns_verdicts_total{worker="0",verdict="forwarded"}', text)
        self.assertIn("# TYPE steerdns_verdicts_total counter\n", text)
        self.assertTrue(self.scene.steerctl("counters"))


class MultiEgress(unittest.TestCase):
    def test_each_list_gets_its_own_rows(self):
        with Scene("multi", BUILD) as scene:
            scene.start_resolver()
            scene.start_router()
            scene.start_daemon(ROOT / "configs/multi_egress.yaml")
            self.assertIn("203.0.113.30", scene.short("media.example", "A"))
            self.assertIn("203.0.113.40", scene.short("backup.example", "A", server="fd16::2"))
            rows = scene.wait_rows({("policy_media_v4", "203.0.113.30"), ("policy_backup_v4", "203.0.113.40")})
            self.assertEqual(len(rows), 2, rows)
            self.assertEqual(scene.daemon.stop(), 0)
            # ForgeDNS would have removed them; we leave them to their timeouts.
            self.assertEqual(len(scene.rows()), 2)


class OtherQuestions(unittest.TestCase):
    """redirect, ecs_handler and forward_edns0opt; tests/scenario checks what upstreams get."""

    def test_redirects_and_edns_options_work_end_to_end(self):
        with Scene("questions", BUILD) as scene:
            scene.start_resolver()
            scene.start_daemon(ROOT / "configs/other_questions.yaml")
            for transport in ("+notcp", "+tcp"):
                for server in ("172.16.1.2", "fd16::2"):
                    answer = scene.kdig(transport, "+noidn", "TV.Home.example", "A", server=server)
                    self.assertRegex(answer, r"TV\.Home\.example\.\s+1\s+IN\s+CNAME\s+www\.stream\.example\.")
                    self.assertRegex(answer, r"www\.stream\.example\.\s+\d+\s+IN\s+CNAME\s+edge\.stream\.example\.")
                    self.assertIn("203.0.113.31", answer)
                self.assertEqual(scene.short(transport, "any.old.example", "A"), ["www.other.example.", "198.51.100.2"])
                self.assertEqual(scene.short(transport, "www.other.example", "A"), ["198.51.100.2"])
            # The target is in the cache since then, for all of its names.
            self.assertGreater(scene.total("stats", "cache_hits"), 0)
            self.assertNotIn("NSID", scene.kdig("+nsid", "www.other.example", "AAAA"))
            self.assertIn("NSID", scene.kdig("+nsid", "nsid.other.example", "A"))
            self.assertNotIn("NSID", scene.kdig("+nsid", "nsid.other.example", "A"))  # kept without


class Sockets(unittest.TestCase):
    """The same with kernel sockets: `driver: socket`."""

    def test_kernel_sockets_answer_and_write_rows(self):
        with Scene("sockets", BUILD) as scene:
            scene.start_resolver()
            scene.start_router()
            config = scene.folder / "sockets.yaml"
            config.write_text("dataplane:\n  ports:\n    - { device: eth0, driver: socket }\n" +
                              (ROOT / "configs/minimal.yaml").read_text())
            daemon = scene.start_daemon(config)
            self.assertIn("by socket because", daemon.text())
            for server in ("172.16.1.2", "fd16::2"):
                for transport in ("+notcp", "+tcp"):
                    self.assertEqual(set(scene.short(transport, "stream.example", "A", server=server)),
                                     {"203.0.113.10", "203.0.113.11"})
            scene.wait_rows({("policy_set_v4", "203.0.113.10"), ("policy_set_v4", "203.0.113.11")})
            self.assertEqual(daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)

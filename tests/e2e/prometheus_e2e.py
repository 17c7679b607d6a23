"""Debian's Prometheus scrapes a running daemon: promtool accepts the metrics, and every query of the dashboards and of the
alerts returns data. The alerts' own tests are in configs/prometheus/steerdns.rules.test.yml."""

import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest
import urllib.parse

import yaml
from lab.certificates import Authority
from lab.network import run, until
from lab.scene import PASSWORD, ROOT, Scene

BUILD = sys.argv.pop(1)
NEEDED = ("prometheus", "promtool", "unbound")
CONFIGS = ROOT / "configs/prometheus"
RULES, TESTS = CONFIGS / "steerdns.rules.yml", CONFIGS / "steerdns.rules.test.yml"
DASHBOARDS = sorted((ROOT / "configs/grafana").glob("*.json"))
SERVER = pathlib.Path(__file__).with_name("list_server.py")
CONFIG = """
control: {{ lists: {folder}/lists, images: off, recursion: {folder}/engine }}
limits: [ {{ what: queries, rate: 100000, ban: 10s, dry_run: true }} ]
routers:
  edge: {{ address: "172.16.1.1:8728", username: api-user, password: {password} }}
plugins:
  - {{ tag: fetched, type: domain_set, args: {{ files: [ "http://1.1.1.1/names.txt" ] }} }}
  - {{ tag: policy, type: domain_set, args: {{ exps: [ "domain:stream.example" ] }} }}
  - {{ tag: ads, type: adlist, args: {{ lists: [ "http://1.1.1.1/ads.hosts" ], cname: true }} }}
  - {{ tag: rows, type: ros_address_list, args: {{ router: edge, address_list4: policy_v4, missing_family: nodata, async: false }} }}
  - {{ tag: answers, type: cache }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }}, {{ addr: tcp://1.1.1.1 }} ] }} }}
  - {{ tag: resolve, type: recursion, args: {{ instances: 1, validate: no, root_hints: {folder}/root.hints }} }}
  - {{ tag: media, type: secondary, args: {{ zone: media.example, primaries: [ 1.1.1.1 ] }} }}
  - {{ tag: copy, type: zone, args: {{ secondary: media }} }}
  - {{ tag: seen, type: metrics_collector }}
  - {{ tag: log, type: query_recorder, args: {{ dnstap: "unix:{folder}/dnstap.sock" }} }}
  - {{ tag: main, type: sequence, args: [
      {{ exec: $log }}, {{ exec: $seen }}, {{ exec: $ads }}, {{ exec: $copy }},
      {{ matches: qname $fetched, exec: reject 3 }},
      {{ matches: qname $policy, exec: $rows }},
      {{ matches: qname walked.example, exec: $resolve }},
      {{ exec: $answers }}, {{ exec: $up }} ] }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: dot, type: tcp_server, args: {{ entry: main, listen: ":853", cert: "{certificate.pem}", key: "{certificate.key}" }} }}
  - {{ tag: doq, type: quic_server, args: {{ entry: main, listen: ":853", cert: "{certificate.pem}", key: "{certificate.key}" }} }}
"""
# Series that have data only after errors, or that this test does not cause.
NOT_HERE = {
    "steerdns_list_kept": "a list was rejected",
    "steerdns_router_add_seconds": "several writes are in flight at a time",
}
LABELS = r"(?:\{[^}]*\})?"


def selectors(expression):
    """The series of an expression: {'steerdns_ready{…}', …}"""
    return set(re.findall(rf"\b((?:steerdns|process)_\w+{LABELS}|up{LABELS})", re.sub(r"\b(by|on) \([^)]*\)", "", expression)))


def dashboards():
    """(dashboard, panel, expression) of every target, with the variables replaced as Grafana does for `All`."""
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                expression = target["expr"].replace("$__rate_interval", "1m")
                yield path.stem, panel["title"], re.sub(r'=~"\$\w+"', '=~".+"', expression)


def alerts():
    return yaml.safe_load(RULES.read_text())["groups"][0]["rules"]


class Files(unittest.TestCase):
    """What needs no daemon."""

    def test_promtool_accepts_the_rules_and_their_tests(self):
        run("promtool", "check", "rules", str(RULES))
        run("promtool", "test", "rules", str(TESTS))

    def test_the_example_is_a_valid_configuration(self):
        run("promtool", "check", "config", str(CONFIGS / "prometheus.yml"))

    def test_each_alert_has_a_test_a_severity_a_summary_and_a_section_that_helps(self):
        tested = {test["name"] for test in yaml.safe_load(TESTS.read_text())["tests"]}
        self.assertEqual(tested, {alert["alert"] for alert in alerts()})
        for alert in alerts():
            with self.subTest(alert["alert"]):
                self.assertIn(alert["labels"]["severity"], ("page", "ticket"))
                self.assertIn("$labels.instance", alert["annotations"]["summary"])
                page, anchor = alert["annotations"]["runbook"].split("#")
                headings = re.findall(r"(?m)^#+ (.+)$", (ROOT / page).read_text())
                anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
                self.assertIn(anchor, anchors)

    def test_an_alert_with_a_wrong_condition_fails_its_test(self):
        """The tests of the alerts can fail: each alert is turned around once."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / TESTS.name).write_text(TESTS.read_text())
        text = RULES.read_text()
        turned = re.sub(r"(?<![=!<>])(==|<|>)(?= )", lambda found: {"==": "!=", "<": ">", ">": "<"}[found[1]], text)
        self.assertNotEqual(turned, text)
        (folder / RULES.name).write_text(turned)
        output = run("promtool", "test", "rules", str(folder / TESTS.name), check=False)
        self.assertNotEqual(output.returncode, 0)
        failed = set(re.findall(r'alertname=\\?"(\w+)', output.stdout + output.stderr))
        # Two comparisons of one alert, turned around together, can give the same.
        self.assertGreaterEqual(len(failed), len(alerts()) - 3, {alert["alert"] for alert in alerts()} - failed)

    def test_each_metric_of_dashboards_and_alerts_is_in_the_reference(self):
        page = (ROOT / "docs/reference/metrics.md").read_text()
        known = set(re.findall(r"(?m)^\| `(\w+)` \|", page)) | {"up"}
        expressions = [expression for _, _, expression in dashboards()] + [alert["expr"] for alert in alerts()]
        named = {selector.split("{")[0] for expression in expressions for selector in selectors(expression)}
        self.assertEqual({name for name in named if re.sub("_bucket$", "", name) not in known}, set())

    def test_panels_have_a_title_a_unit_and_the_data_source_of_the_dashboard(self):
        for path in DASHBOARDS:
            dashboard = json.loads(path.read_text())
            panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
            self.assertEqual(len({panel["id"] for panel in dashboard["panels"]}), len(dashboard["panels"]))
            self.assertEqual(len({panel["title"] for panel in panels}), len(panels))
            for panel in panels:
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], panel["title"])
                for target in panel["targets"]:
                    self.assertEqual(target["datasource"]["uid"], "${datasource}")


class Scraped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scene = cls.scene = cls.enterClassContext(Scene("prometheus", BUILD))
        folder = scene.folder
        os.chmod(folder, 0o755)
        scene.start_resolver()
        scene.start_router()
        web = folder / "web"
        web.mkdir()
        (web / "pages.json").write_text(json.dumps({"/names.txt": {"body": "blocked.example\n"}, "/ads.hosts": {"body": "0.0.0.0 ads.example\n"}}))
        scene.network.start("resolver", "web", "/usr/bin/python3", str(SERVER), "1.1.1.1", str(web)).wait_for("ready")
        (folder / "root.hints").write_text(". 300 NS a.root-servers.net.\na.root-servers.net. 300 A 1.1.1.1\n")
        config = folder / "prometheus.yaml"
        config.write_text(CONFIG.format(folder=folder, password=PASSWORD, certificate=Authority(folder).issue("dot", "DNS:dns.example")))
        scene.start_daemon(config)
        until(lambda: scene.reported("routers")["routers"][0]["state"] == "in_sync", 20, "the router is in sync")
        cls.report_of_a_doctor()
        cls.start_prometheus(folder)
        cls.ask_until_scraped()

    @classmethod
    def report_of_a_doctor(cls):
        request = {"jsonrpc": "2.0", "id": 1, "method": "doctor.report",
                   "params": {"router": "edge", "findings": ["problem probe-egress"], "steps": ["nat64 ok fine"]}}
        output = cls.scene.network.run("appliance", "/usr/bin/python3", "-c",
                                     "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
                                     "s.sendall(sys.argv[2].encode() + b'\\n'); print(s.recv(4096).decode())",
                                     str(cls.scene.socket), json.dumps(request)).stdout
        assert '"result"' in output, output

    @classmethod
    def start_prometheus(cls, folder):
        text = (CONFIGS / "prometheus.yml").read_text().replace("172.16.1.2:9153", "127.0.0.1:9153").replace("15s", "5s")
        (folder / "prometheus.yml").write_text(text)
        (folder / RULES.name).write_text(RULES.read_text())
        cls.prometheus = cls.scene.network.start(
            "appliance", "prometheus", "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
            "--web.listen-address=127.0.0.1:9090", "--storage.tsdb.retention.time=1h")
        cls.prometheus.wait_for("Server is ready to receive web requests", 60)

    @classmethod
    def traffic(cls):
        scene = cls.scene
        for number in range(3):
            for name in ("www.other.example", "www.stream.example", f"x{number}.stream.example", f"y{number}.other.example",
                         "blocked.example", "ads.example"):
                scene.kdig(name, "A")
        scene.kdig("+tcp", "www.other.example", "A")
        scene.kdig("+tls", "-p", "853", "www.other.example", "A")
        scene.kdig("+quic", "-p", "853", "www.other.example", "A")

    @classmethod
    def ask_until_scraped(cls):
        def enough():
            cls.traffic()
            found = cls.api("query", query="count_over_time(steerdns_ready[1m])")["result"]
            return found and float(found[0]["value"][1]) >= 3
        until(enough, 60, "Prometheus scraped three times")

    @classmethod
    def api(cls, what, **parameters):
        text = cls.scene.network.run("appliance", "curl", "-s", "-m", "10",
                                     f"http://127.0.0.1:9090/api/v1/{what}?{urllib.parse.urlencode(parameters)}").stdout
        output = json.loads(text)
        assert output["status"] == "success", (output.get("error"), parameters)
        return output["data"]

    def has_data(self, query):
        until(lambda: self.api("query", query=query)["result"], 10, f"{query} has data")

    def http(self, *options):
        return self.scene.network.run("appliance", "curl", "-sS", "-m", "5", *options, "http://127.0.0.1:9153/metrics").stdout

    def test_promtool_has_no_complaint_about_a_scrape(self):
        done = run("promtool", "check", "metrics", check=False, input=self.http())
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_both_formats_have_the_same_samples(self):
        def samples(text):
            return {line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")}
        plain, other = self.http(), self.http("-H", "Accept: application/openmetrics-text")
        self.assertTrue(other.endswith("# EOF\n"))
        self.assertNotIn("# EOF", plain)
        self.assertEqual(samples(plain), samples(other))

    def test_the_scrape_has_no_error_and_keeps_types_and_help(self):
        until(lambda: [(target["health"], target["lastError"]) for target in self.api("targets")["activeTargets"]] == [("up", "")],
              10, "the last scrape has no error")
        kept = self.api("metadata")
        self.assertEqual({(name, one["type"]) for name, all_of in kept.items() for one in all_of if name in (
            "steerdns_verdicts", "steerdns_ready", "steerdns_upstream_server_reply_seconds")},
            {("steerdns_verdicts", "counter"), ("steerdns_ready", "gauge"), ("steerdns_upstream_server_reply_seconds", "histogram")})
        self.assertTrue(all(one["help"] for name, all_of in kept.items() for one in all_of if name.startswith("steerdns_")))

    def test_every_query_of_the_dashboards_returns_data(self):
        asked = list(dashboards())
        self.assertGreater(len(asked), 50)
        for dashboard, panel, expression in asked:
            if any(selector.split("{")[0] in NOT_HERE for selector in selectors(expression)):
                continue
            with self.subTest(dashboard=dashboard, panel=panel):
                self.has_data(expression)

    def test_every_series_of_the_alerts_has_data(self):
        for alert in alerts():
            self.api("query", query=alert["expr"])
            for selector in selectors(alert["expr"]):
                if selector.split("{")[0] in NOT_HERE:
                    continue
                with self.subTest(alert["alert"], selector=selector):
                    self.has_data(selector)

    def test_prometheus_evaluates_every_alert(self):
        loaded = self.api("rules")["groups"][0]["rules"]
        self.assertEqual({rule["name"] for rule in loaded}, {alert["alert"] for alert in alerts()})
        until(lambda: all(rule["health"] == "ok" for rule in self.api("rules")["groups"][0]["rules"]), 30, "all alerts are evaluated")
        firing = {rule["name"] for rule in self.api("rules")["groups"][0]["rules"] if rule["state"] == "firing"}
        self.assertEqual(firing, set())

    def test_a_refused_reload_is_seen_until_a_good_one(self):
        """From the file on disk to the condition of SteerdnsReloadRefused."""
        config = self.scene.folder / "prometheus.yaml"
        good = config.read_text()
        self.addCleanup(config.write_text, good)
        before = self.api("query", query="steerdns_config_hash")["result"][0]["value"][1]

        def value(query):
            return [float(found["value"][1]) for found in self.api("query", query=query)["result"]]

        config.write_text(good + "nonsense: 1\n")
        self.scene.ask("reload")
        until(lambda: value("steerdns_config_last_reload_successful") == [0], 20, "the refused reload is scraped")
        self.assertTrue(self.api("query", query="steerdns_config_last_reload_successful == 0")["result"])
        config.write_text(good + "# another text\n")
        self.scene.steerctl("reload")
        until(lambda: value("steerdns_config_last_reload_successful") == [1], 20, "the good reload is scraped")
        until(lambda: self.api("query", query="steerdns_config_hash")["result"][0]["value"][1] != before, 20, "the checksum changed")


if __name__ == "__main__":
    if missing := [command for command in NEEDED if shutil.which(command) is None]:
        print(f"skipped: needs {' and '.join(missing)} (tools/deps --all)")
        sys.exit(77)
    unittest.main(verbosity=2)

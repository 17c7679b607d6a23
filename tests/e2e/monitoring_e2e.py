"""docs/guides/monitoring.md, executed as it is printed; its rules name metrics that the daemon has."""

import json
import re

import page_run
import troubleshooting_e2e


class Monitoring(page_run.PageTest):
    page, test, least, config = "docs/guides/monitoring.md", "monitoring", 3, troubleshooting_e2e.CONFIG
    variable = [(r"^\d{3,4}$", "N")]

    def prepare(self, lab):
        troubleshooting_e2e.prepare(lab, self.config)
        code, text = lab.box.shell("systemctl start steerdnsd")
        assert code == 0, text

    def after(self, lab):
        # Metrics of the doctor come with its first report.
        request = {"jsonrpc": "2.0", "id": 1, "method": "doctor.report", "params": {"router": "edge", "steps": ["nat64 ok fine"]}}
        code, said = lab.box.shell("/usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); "
                                   's.connect("/run/steerdns/control.sock"); '
                                   f"s.sendall({json.dumps(json.dumps(request))}.encode() + bytes([10])); print(s.recv(4096).decode())'")
        self.assertIn('"result"', said)
        code, metrics = lab.box.shell("curl -s http://127.0.0.1:9153/metrics")
        self.assertEqual(code, 0)
        there = set(re.findall(r"^([a-z_]+)(?=[ {])", metrics, re.MULTILINE))
        text = (page_run.ROOT / self.page).read_text()
        named = set(re.findall(r"\b((?:steerdns|process)_[a-z_]+[a-z])\b(?!=)", text)) - {"steerdns_rules"}
        self.assertGreater(len(named), 20)
        self.assertEqual(named - there, set())
        for verdict in re.findall(r'verdict=~"([^"]+)"', text):
            for pattern in verdict.split("|"):
                self.assertRegex(metrics, f'verdict="{pattern}"')


if __name__ == "__main__":
    page_run.main(Monitoring)

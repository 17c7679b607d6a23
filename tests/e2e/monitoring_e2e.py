"""docs/guides/monitoring.md, executed as it is printed. It names metrics that the daemon has, and every alert."""

import re

import page_run
import troubleshooting_e2e


ONLY_WITH_CERTIFICATES = {"steerdns_certificate_expiry_timestamp_seconds"}


class Monitoring(page_run.PageTest):
    page, test, least, config = "docs/guides/monitoring.md", "monitoring", 3, troubleshooting_e2e.CONFIG
    variable = [(r"^\d{3,4}$", "N")]

    def prepare(self, lab):
        troubleshooting_e2e.prepare(lab, self.config)
        lab.box.must("systemctl start steerdnsd")

    def after(self, lab):
        metrics = lab.box.must("curl -s http://127.0.0.1:9153/metrics")
        there = set(re.findall(r"^([a-z_]+)(?=[ {])", metrics, re.MULTILINE)) | ONLY_WITH_CERTIFICATES
        text = (page_run.ROOT / self.page).read_text()
        named = set(re.findall(r"\b((?:steerdns|process)_[a-z_]+[a-z])\b(?!=)", text))
        self.assertGreater(len(named), 8)
        # This lab has no recursion.
        reference = set(re.findall(r"(?m)^\| `(steerdns_recursion_\w+)`", (page_run.ROOT / "docs/reference/metrics.md").read_text()))
        self.assertTrue(named & reference)
        self.assertEqual({name for name in named if not name.startswith("steerdns_doctor")} - there - reference, set())
        rules = (page_run.ROOT / "configs/prometheus/steerdns.rules.yml").read_text()
        self.assertEqual(set(re.findall(r"`(Steerdns\w+)`", text)), set(re.findall(r"- alert: (\w+)", rules)))
        for verdict in re.findall(r'verdict=~"([^"]+)"', rules):
            for pattern in verdict.split("|"):
                self.assertRegex(metrics, f'verdict="{pattern}"')


if __name__ == "__main__":
    page_run.main(Monitoring)

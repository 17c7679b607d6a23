"""docs/guides/backup.md, executed as it is printed: a box is saved, emptied and restored."""

import page_run
import troubleshooting_e2e

CONFIG = troubleshooting_e2e.CONFIG.replace("size: 64MiB,", "size: 64MiB, dump_file: /var/lib/steerdns/answers.dump,").replace(
    "plugins:\n", """plugins:
  - tag: blocked
    type: dynamic_domain_set
    args: { path: /var/lib/steerdns/blocked.txt }

""").replace('      - exec: "$ads"\n', '      - exec: "$ads"\n      - matches: "qname $blocked"\n        exec: reject 3\n')
# Names whose TTL does not end during the test: pages show how many answers were restored.
WARM = "for name in stream.example www.stream.example long.stream.example myip.other.example; do kdig @172.16.1.2 +short $name; done"


class Backup(page_run.PageTest):
    page, test, least, config = "docs/guides/backup.md", "backup", 5, CONFIG

    def prepare(self, lab):
        troubleshooting_e2e.prepare(lab, CONFIG)
        lab.box.must("systemctl start steerdnsd; steerctl rules blocked add domain:blocked.example")
        lab.client.must(WARM)

    def after(self, lab):
        self.assertEqual(lab.client.shell("kdig @172.16.1.2 blocked.example | grep -c NXDOMAIN")[1].strip(), "1")


if __name__ == "__main__":
    page_run.main(Backup)

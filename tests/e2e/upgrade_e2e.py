"""docs/guides/upgrade.md, executed as it is printed. What the package does at an upgrade is tried in tests/package."""

import backup_e2e
import page_run


class Upgrade(page_run.PageTest):
    page, test, least, config = "docs/guides/upgrade.md", "upgrade", 4, backup_e2e.CONFIG

    def prepare(self, lab):
        backup_e2e.Backup.prepare(self, lab)


if __name__ == "__main__":
    page_run.main(Upgrade)

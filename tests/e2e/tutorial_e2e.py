"""docs/tutorials/one-box-and-a-mikrotik-router.md, executed as it is printed."""

import page_run


class Tutorial(page_run.PageTest):
    page, test, least = "docs/tutorials/one-box-and-a-mikrotik-router.md", "tutorial", 20
    # What differs from machine to machine.
    variable = [(r"fe80::[0-9a-f:]+", "LINK-LOCAL"), (r"^( *(?:memory|simd|threads|open files|pid|cpu) +).*", r"\1 VARIES"),
                (r"((?:rtt ms|service us) +)[\d.]+", r"\1 N"), (r"(udp://\S+ +resolver +port +).*", r"\1 N"),
                (r"^( +0 +)\d+( +0)$", r"\1 CPU\2")]


if __name__ == "__main__":
    page_run.main(Tutorial)

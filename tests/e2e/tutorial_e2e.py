"""docs/tutorials/one-box-and-a-mikrotik-router.md, executed as it is printed."""

import page_run


class Tutorial(page_run.PageTest):
    page, test, least = "docs/tutorials/one-box-and-a-mikrotik-router.md", "tutorial", 20
    variable = page_run.MACHINE


if __name__ == "__main__":
    page_run.main(Tutorial)

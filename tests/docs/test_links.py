"""Links between the pages lead somewhere, and the index names every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "examples" / "README.md"])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^ *```.*?^ *```", flags=re.DOTALL | re.MULTILINE)


def links(text: str) -> list[str]:
    """Targets of the links of a page that stay within the project."""
    return [target for target in LINK.findall(FENCED.sub("", text)) if "://" not in target]


def anchors(text: str) -> set[str]:
    """Anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", FENCED.sub("", text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def dead(page: Path) -> list[str]:
    """Links of a page that lead nowhere."""
    found = []
    for target in links(page.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        path = page.parent / name if name else page
        if not path.exists() or (anchor and anchor not in anchors(path.read_text(encoding="utf-8"))):
            found.append(target)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert dead(page) == []


def test_dead_links_are_seen(tmp_path):
    (tmp_path / "other.md").write_text("# Other page\n\n## 1. A `part`!\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md#1-a-part) [b](other.md#b) [c](c.md) [d](#d) [e](https://e.org)\n```\n[f](f.md)\n```\n"
    )
    assert dead(page) == ["other.md#b", "c.md", "#d"]


def test_the_index_names_every_page():
    index = ROOT / "docs" / "README.md"
    named = {target.partition("#")[0] for target in links(index.read_text(encoding="utf-8"))}
    assert {page.name for page in index.parent.glob("*.md")} - {index.name} <= named

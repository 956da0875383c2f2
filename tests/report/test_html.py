"""The report as text: it is one file that asks for nothing, and holds no code but its own."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from autofix.errors import FixYourCall
from autofix.report import html
from autofix.report.html import svg
from tests.report.samples import SAMPLES, result

MEGABYTES = 3_000_000


class Elements(HTMLParser):
    """Tags with their attributes, and the text of each section."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("name", SAMPLES)
def test_one_file_that_asks_for_nothing(reports, name):
    text = reports[name].text
    assert len(text.encode()) < MEGABYTES
    page = Elements(text)
    for tag, attributes in page.tags:
        assert tag not in ("iframe", "object", "embed", "form", "base", "audio", "video")
        for key in ("src", "href", "xlink:href", "action", "data", "srcset"):
            value = attributes.get(key) or ""
            assert value.startswith(("#", "data:")) or not value, (tag, key, value[:50])
        assert not [key for key in attributes if key.startswith("on")]
    assert not re.search(r"@import|url\((?!#)", text)
    assert not re.findall(r"https?://(?!www\.w3\.org/)", text)


@pytest.mark.parametrize("name", SAMPLES)
def test_only_its_own_scripts(reports, name):
    page = Elements(reports[name].text)
    scripts = page.all("script")
    charts = [attributes for attributes in page.all("figure") if attributes.get("class") == "chart"]
    assert [one.get("type") for one in scripts] == ["application/json"] * len(charts) + [None]
    own = (html.FOLDER / "report.js").read_text()
    assert reports[name].text.count("<script>") == 1
    assert own in reports[name].text


def test_hostile_names_are_text(reports):
    text = reports["hostile"].text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    assert "\\u003cscript\\u003ealert" in text


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_is_empty_and_what_is_missing_says_why(reports, name):
    page, document = reports[name].text, reports[name].document
    shown = re.findall(r'<h2 id="([\w-]+)-title">([^<]+)</h2>', page)
    missing = re.findall(r"<li><strong>([^<]+)</strong>: ([^<]+)</li>", page)
    titles = [title for key, title in shown if key != "missing"]
    assert len(titles) + len(missing) == 11
    assert all(why.endswith(".") for _, why in missing)
    assert ("What was changed" in titles) == bool(document["changes"])
    assert "None" not in re.sub(r"<(script|style).*?</\1>|<[^>]*>", "", page, flags=re.DOTALL)
    assert ">nan<" not in page.lower()


def test_which_sections_have_data(reports):
    def ids(name: str) -> set[str]:
        return set(re.findall(r'<section id="([\w-]+)"', reports[name].text))

    every = {
        "changes", "findings", "scores", "curves", "predictions", "range-test", "gradients", "units", "search",
        "reproduce", "versions",
    }  # fmt: skip
    assert ids("repaired") == every
    assert ids("unrepaired") == every - {"changes", "reproduce"} | {"missing"}
    assert ids("unusable") == {"missing"}
    assert ids("kept_weights") == {"changes", "findings", "scores", "predictions", "reproduce", "versions", "missing"}


def test_verdict_and_scores_are_said_first(reports):
    text = reports["repaired"].text
    assert '<h1 id="verdict">The run is repaired.</h1>' in text
    assert "Balanced accuracy on rows the search never saw went from 0.100 to 0.928 (mean of 3 seeds)." in text
    assert "No score could be measured" in reports["unusable"].text


def test_what_has_no_number_is_said_in_words(reports):
    text = reports["regression"].text
    assert "Without it: the run does not train" in text
    assert "the loss was NaN or infinite at step 7; it arose in the layer layers/dense_1." in text
    assert "The outputs were not finite" in text
    assert "are drawn at the edge (1 of 9)" in text


def test_drawing_takes_its_colours_from_the_page(reports):
    drawings = "".join(re.findall(r"<svg.*?</svg>", reports["repaired"].text, flags=re.DOTALL))
    assert not [colour for colour in svg.ROLES.values() if colour in drawings]
    for role in ("before", "after", "muted", "grid"):
        assert f"var(--{role})" in drawings
    for role in svg.ROLES:
        assert f"--{role}:" in reports["repaired"].text
    assert "DejaVu" not in drawings


def test_paths_are_short_and_labels_are_whole(reports):
    drawings = re.findall(r"<svg.*?</svg>", reports["repaired"].text, flags=re.DOTALL)
    assert not re.search(r'<path[^>]* d="[^"]*\.\d{3}', "".join(drawings))
    assert any(">0.002<" in drawing for drawing in drawings)  # a rate that the range test points to


def test_same_document_same_file(reports):
    assert html.render(reports["kept_weights"].document) == reports["kept_weights"].text


def test_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = result().report(tmp_path / "new" / "report.html")
    first = path.read_text(encoding="utf-8")
    monkeypatch.setattr(html, "render", lambda document: (_ for _ in ()).throw(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        replace(result(), metric="other").report(path)
    assert path.read_text(encoding="utf-8") == first
    assert [item.name for item in path.parent.iterdir()] == ["report.html"]


@pytest.mark.parametrize("name", ["jinja2", "matplotlib"])
def test_what_is_not_installed_is_named(monkeypatch, name, reports):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(FixYourCall, match="pip install jinja2 matplotlib"):
        html.render(reports["unusable"].document)


def test_nothing_heavy_is_imported_before_a_report_is_written():
    code = (
        "import sys, autofix.report.html, autofix.report.document, autofix.report.terminal, autofix.progress; "
        "heavy = ('tensorflow', 'keras', 'matplotlib', 'jinja2', 'IPython', 'pandas', 'optuna', 'rich'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"

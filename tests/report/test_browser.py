"""The report in a real Chromium: no errors, no network, room for a phone, contrast, structure, numbers, keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.report import browser
from tests.report.samples import SAMPLES

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: `pip install playwright`")
pytestmark = pytest.mark.skipif(browser.executable() is None, reason=browser.WHY_NOT)

PHONE, DESK = 320, 1100
# The others have the same parts as "unrepaired".
BROWSED = [name for name in SAMPLES if name not in ("healthy", "out_of_budget")]


@dataclass
class Opened:
    """A page, and what happened while it was opened."""

    page: Any
    errors: list[str]
    requests: list[str]


@dataclass(frozen=True)
class Files:
    """Documents and the files of their pages, written when they are asked for."""

    reports: dict[str, Any]
    folder: Path

    def __getitem__(self, name: str) -> tuple[dict[str, Any], Path]:
        path = self.folder / f"{name}.html"
        if not path.exists():
            path.write_text(self.reports[name].text, encoding="utf-8")
        return self.reports[name].document, path


@pytest.fixture(scope="module")
def files(reports, tmp_path_factory) -> Files:
    return Files(reports, tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="module")
def chrome():
    with browser.chromium() as started:
        yield started


def opened(chrome: Any, path: Path, *, width: int = DESK, scheme: str = "light", **more: Any) -> Opened:
    page = chrome.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **more).new_page()
    found = Opened(page, [], [])
    page.on("console", lambda message: found.errors.append(message.text))
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    page.on("dialog", lambda dialog: (found.errors.append("a dialog"), dialog.dismiss()))
    page.on("request", lambda request: found.requests.append(request.url))
    page.goto(path.as_uri())
    return found


@pytest.mark.parametrize("name", BROWSED)
def test_opens_whole_on_every_width(chrome, files, name):
    _, path = files[name]
    found = opened(chrome, path)
    page = found.page
    assert page.evaluate(browser.STRUCTURE) == []
    for width in (DESK, 700, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    for details in page.query_selector_all("details"):
        details.evaluate("one => one.open = true")
    assert page.evaluate(browser.CONTRAST) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(browser.CONTRAST) == []
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert found.errors == []
    assert found.requests == [path.as_uri()]
    page.context.close()


def test_contrast_check_sees_what_cannot_be_read(chrome, files):
    found = opened(chrome, files["repaired"][1])
    found.page.add_style_tag(content=".lead { color: #aaa !important } .section-lead { background: #777 }")
    assert len(found.page.evaluate(browser.CONTRAST)) > 2
    found.page.evaluate("document.querySelector('h3').outerHTML = '<h5>Too deep</h5><figure></figure>'")
    assert any("h5 after" in one for one in found.page.evaluate(browser.STRUCTURE))
    assert any("no name" in one for one in found.page.evaluate(browser.STRUCTURE))
    found.page.context.close()


@pytest.mark.parametrize("name", ["repaired", "regression", "kept_weights", "unrepaired", "large"])
def test_numbers_are_those_of_the_result(chrome, files, name):
    made, path = files[name]
    page = opened(chrome, path).page
    shown = page.eval_on_selector_all("data[id]", "all => Object.fromEntries(all.map(one => [one.id, one.value]))")
    metrics = json.loads(json.dumps(made))
    expected = {"changes-count": len(metrics["changes"]), "seconds": metrics["seconds"]}
    for key in ("before", "control", "after"):
        if metrics[key]:
            expected[f"{key}-mean"] = metrics[key]["mean"]
            if len(metrics[key]["values"]) > 1:
                expected[f"{key}-spread"] = metrics[key]["spread"]
    assert {key: float(value) for key, value in shown.items()} == expected
    for key in ("before", "control", "after"):
        values = page.eval_on_selector_all(f"data.seed-score.{key}", "all => all.map(one => Number(one.value))")
        assert values == (metrics[key]["values"] if metrics[key] else [])
    texts = page.eval_on_selector_all("data", "all => all.map(one => [one.value, one.textContent])")
    for value, text in texts:
        said = text.replace("\N{MINUS SIGN}", "-").replace(" s", "")
        assert float(said) == pytest.approx(abs(float(value)) if "-" not in said else float(value), rel=0.06, abs=6e-4)
    page.context.close()


def test_essentials_need_no_script(chrome, files):
    page = opened(chrome, files["repaired"][1], java_script_enabled=False).page
    text = page.inner_text("main")
    for part in ("The run is repaired.", "0.100", "0.928", "sigmoid", "relu", "The first layer gets 1e-9."):
        assert part in text
    assert page.locator("#loss-chart .on-wide svg").is_visible()
    assert not page.locator("#loss-chart .on-narrow svg").is_visible()
    page.set_viewport_size({"width": PHONE, "height": 900})
    assert page.locator("#loss-chart .on-narrow svg").is_visible()
    assert not page.locator("#loss-chart .on-wide svg").is_visible()
    page.context.close()


def test_pointer_and_keys_tell_values(chrome, files):
    page = opened(chrome, files["repaired"][1]).page
    chart = page.locator("#score-chart .plot")
    chart.scroll_into_view_if_needed()
    chart.hover()
    tip = chart.locator(".tip")
    assert tip.is_visible()
    assert tip.inner_text().startswith("epoch 5\nbefore: 0.1\nafter: 0.7")
    chart.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert not tip.inner_text().startswith("epoch 5\n")
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    grid = page.locator("#gradients-before .plot")
    grid.scroll_into_view_if_needed()
    grid.hover()
    assert "layers/dense_" in grid.locator(".tip").inner_text()
    assert "step " in grid.locator(".tip").inner_text()
    runs = page.locator("#search-chart .plot")
    runs.focus()
    page.keyboard.press("ArrowLeft")
    assert "run " in runs.locator(".tip").inner_text()
    page.context.close()


def test_series_can_be_hidden(chrome, files):
    page = opened(chrome, files["repaired"][1]).page
    line = page.locator('#loss-chart .on-wide g[data-series="before"]').first
    button = page.locator("#loss-chart .legend button").first
    assert line.is_visible()
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "false"
    assert line.evaluate("one => getComputedStyle(one).visibility") == "hidden"
    button.click()
    assert line.evaluate("one => getComputedStyle(one).visibility") == "visible"
    page.context.close()


def test_what_the_text_refers_to_is_on_paper(chrome, files):
    page = opened(chrome, files["large"][1]).page
    page.emulate_media(media="print")
    parts = ("Reason 39.", "Up to 16.", "changes:")
    folded = [page.get_by_text(part).last for part in parts]
    assert not any(one.is_visible() for one in folded)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert all(one.is_visible() for one in folded)
    assert not page.get_by_text("All 20 training runs").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert not any(one.is_visible() for one in folded)
    page.context.close()


def test_first_key_skips_to_the_content(chrome, files):
    page = opened(chrome, files["repaired"][1]).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.context.close()

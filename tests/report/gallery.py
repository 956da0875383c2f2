"""Reports of real repairs, with screenshots to look at: `python -m tests.report.gallery --out DIR`.

A classification, a regression and a run that becomes NaN are repaired and reported, and photographed on a desk by day
and by night, and on a phone. With `--docs` the pictures of the README are made anew.
"""

from __future__ import annotations

import argparse
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.report import browser

ROOT = Path(__file__).parents[2]
CASES = ("deep_sigmoid", "unscaled_regression", "exploding_rnn")
# Width in CSS pixels, colour scheme, and pixels of the picture for one of them.
VIEWS = {
    "light": (1100, "light", 1),
    "dark": (1100, "dark", 1),
    "phone": (320, "light", 2),
    "phone-dark": (320, "dark", 2),
}
# What the README shows: case, view, and the part of the page from one element to another.
DOCS = {
    "report-light": ("deep_sigmoid", "light", "body", "#findings"),
    "report-dark": ("deep_sigmoid", "dark", "#predictions", "#units"),
    "report-phone": ("unscaled_regression", "phone", "body", "#changes li:nth-child(2)"),
}


def repair(name: str, budget: str) -> Any:
    """Repairs a script of the gallery."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import autofix
    from tests.quality.cases import discover

    (case,) = discover(["broken"], [name])
    script = case.load()
    train, _ = script.data(0)
    return autofix.repair(script.model(0), train, **script.fit, budget=budget)


def photograph(page: Any, path: Path, start: str, end: str | None) -> None:
    """Writes a picture of a page, from the top of one element to the top of another."""
    from PIL import Image

    picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
    ratio = picture.width / page.viewport_size["width"]
    top = page.evaluate("one => document.querySelector(one).getBoundingClientRect().top + scrollY", start)
    bottom = (
        page.evaluate("one => document.querySelector(one).getBoundingClientRect().top + scrollY", end) if end else None
    )
    area = (0, int(top * ratio), picture.width, picture.height if bottom is None else int(bottom * ratio))
    picture.crop(area).convert("RGB").save(path, quality=82, method=6)


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes reports and pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.report.gallery", description="Reports of real repairs.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--cases", default=",".join(CASES), help="scripts of examples/gallery (default: %(default)s)")
    parser.add_argument("--budget", default="3m", help="of each repair (default: %(default)s)")
    parser.add_argument("--docs", action="store_true", help="also write the pictures in docs/images")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.cases.split(","):
        path = repair(name, options.budget).report(options.out / f"{name}.html")
        print(f"{path}  {path.stat().st_size:,} bytes")
    if browser.executable() is None:
        print(f"no pictures: this {browser.WHY_NOT}")
        return
    with browser.chromium() as chrome:
        for name in options.cases.split(","):
            for view, (width, scheme, ratio) in VIEWS.items():
                size = {"width": width, "height": 900}
                page = chrome.new_page(viewport=size, color_scheme=scheme, device_scale_factor=ratio)
                page.goto((options.out / f"{name}.html").resolve().as_uri())
                page.screenshot(path=options.out / f"{name}-{view}.png", full_page=True)
                for picture, (case, of_view, start, end) in DOCS.items():
                    if options.docs and (case, of_view) == (name, view):
                        photograph(page, ROOT / "docs" / "images" / f"{picture}.webp", start, end)
                page.close()


if __name__ == "__main__":
    main()

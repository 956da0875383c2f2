"""A real Chromium, where there is one: how to find it, and checks that run in the page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WHY_NOT = "needs a Chromium: `apt-get install chromium`, or any of the commands " + ", ".join(NAMES)


def executable() -> str | None:
    """Path of a Chromium, None if there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Without a sandbox: in a container there are no user namespaces to build one from, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


# Each visible text with too little contrast to what is behind it: WCAG 2.2, success criterion 1.4.3 (AA): 4.5 for text,
# 3 for large text (24 px, or 18.66 px and bold). Colours that are mixed are let the browser paint: a canvas reads them.
CONTRAST = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const light = (c) => {
    const [r, g, b] = c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.push(rgba(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(element), isSvg = element.namespaceURI.endsWith("svg");
    const paper = behind(element);
    const text = over(rgba(isSvg ? style.fill : style.color), paper);
    const [high, low] = [light(text), light(paper)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push(`${node.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return found;
}
"""

# What a page must have for everybody to find their way in it; each problem as a sentence.
STRUCTURE = """
() => {
  const found = [], all = (query) => Array.from(document.querySelectorAll(query));
  const name = (one) => one.getAttribute("aria-label")
    || (one.getAttribute("aria-labelledby") || "").split(" ")
      .map((id) => document.getElementById(id)?.textContent).join("");
  if (!document.documentElement.lang) found.push("no language");
  if (!document.title) found.push("no title");
  if (all("h1").length !== 1) found.push("not exactly one h1");
  if (all("main").length !== 1) found.push("not exactly one main");
  let last = 0;
  for (const one of all("h1,h2,h3,h4,h5,h6")) {
    const level = Number(one.tagName[1]);
    if (level > last + 1) found.push(`h${level} after h${last}: ${one.textContent}`);
    if (!one.textContent.trim()) found.push("an empty heading");
    last = level;
  }
  const ids = all("[id]").map((one) => one.id);
  for (const id of new Set(ids.filter((id, place) => ids.indexOf(id) !== place))) found.push(`id ${id} twice`);
  for (const one of all("img:not([alt])")) found.push(`no alt: ${one.outerHTML.slice(0, 60)}`);
  for (const one of all('[role="img"],[role="region"],[role="group"],figure,section,nav'))
    if (!name(one).trim()) found.push(`no name: ${one.outerHTML.slice(0, 60)}`);
  for (const one of all("svg")) if (!one.closest('[role="img"]')) found.push("a drawing without a text");
  for (const one of all("table")) {
    if (!one.querySelector("th")) found.push("a table without headings");
    const widths = new Set(Array.from(one.tBodies[0].rows, (row) => row.cells.length));
    if (widths.size > 1) found.push("a ragged table");
  }
  for (const one of all("th")) if (!one.scope) found.push(`a heading without scope: ${one.textContent}`);
  for (const one of all('a[href^="#"]'))
    if (!document.getElementById(one.hash.slice(1))) found.push(`nowhere: ${one.hash}`);
  for (const one of all("a,button,summary")) if (!one.textContent.trim()) found.push("nothing to click on");
  for (const one of all("section")) if (one.children.length < 2) found.push(`an empty section: ${one.id}`);
  for (const one of all(".scroll"))
    if (one.scrollWidth > one.clientWidth && one.tabIndex < 0) found.push("no key scrolls it");
  return found;
}
"""

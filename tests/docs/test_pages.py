"""Every code block of the documentation runs, page by page, in one process."""

from __future__ import annotations

import contextlib
import io
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.page import Block, Page

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [page for page in map(Page.read, sorted(DOCS.rglob("*.md"))) if any(block.runs for block in page.blocks)]


def run(page: Page, folder: Path) -> None:
    """Runs the blocks of a page from `folder`, which is the current one and on the path."""
    # A module of its own, as a script has: classes of the page are looked up in it.
    module = types.ModuleType("page_" + page.path.stem.replace("-", "_"))
    sys.modules[module.__name__] = module
    known, printed = set(sys.modules), ""
    try:
        for block in page.blocks:
            if block.verb == "file":
                (folder / block.argument).parent.mkdir(parents=True, exist_ok=True)
                (folder / block.argument).write_text(block.text, encoding="utf-8")
            elif block.verb == "output":
                assert printed.strip() == block.text.strip(), f"{page.path.name}, line {block.line}"
            elif block.runs:
                printed = execute(page, block, module)
        for name, member in list(vars(module).items()):
            if name.startswith("test_"):
                call(member)
    finally:
        for name in set(sys.modules) - known:
            if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]
        del sys.modules[module.__name__]


def execute(page: Page, block: Block, module: types.ModuleType) -> str:
    """Runs one block; an error in it shows the line of the page. Returns what it printed."""
    code = compile("\n" * (block.line - 1) + block.text, str(page.path), "exec")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(code, module.__dict__)  # noqa: S102 - the pages are this project's own
    return said.getvalue()


def call(test: Callable[..., None]) -> None:
    """Calls a test that a page shows, with each of the values that `parametrize` has for its one argument."""
    for mark in getattr(test, "pytestmark", []):
        for value in mark.args[1]:
            test(value)
        return
    test()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("default")  # as for a reader: what other libraries warn of is no error
@pytest.mark.parametrize(
    "page", [pytest.param(page, id=page.path.stem, marks=[pytest.mark.slow] * page.slow) for page in PAGES]
)
def test_page_runs(page, folder):
    run(page, folder)


def written(folder: Path, text: str) -> Page:
    (folder / "page.md").write_text(text)
    return Page.read(folder / "page.md")


def test_blocks_share_a_namespace_files_and_printed_text(folder):
    page = written(
        folder,
        "<!-- test: file data/numbers.txt -->\n```text\n1 2\n```\n"
        "```python\nfrom pathlib import Path\n\nread = Path('data/numbers.txt').read_text()\n```\n"
        "1. in a list\n\n   ```python\n   print(read, end='')\n   ```\n"
        "<!-- test: output -->\n```text\n1 2\n```\n"
        "<!-- test: skip -->\n```python\nraise SystemExit\n```\n"
        "```bash\nexit 1\n```\n",
    )
    run(page, folder)


def test_an_error_shows_the_line_of_the_page(folder):
    page = written(folder, "# Title\n\n```python\nx = 1\n\nx / 0\n```\n")
    with pytest.raises(ZeroDivisionError) as error:
        run(page, folder)
    assert error.traceback[-1].lineno == 5  # counted from 0


def test_other_output_than_the_page_shows_fails(folder):
    page = written(folder, "```python\nprint(1)\n```\n<!-- test: output -->\n```text\n2\n```\n")
    with pytest.raises(AssertionError, match="line 6"):
        run(page, folder)


def test_tests_that_a_page_shows_are_called(folder):
    lines = "@pytest.mark.parametrize('number', [1, 0])\ndef test_it(number):\n    1 / number\n"
    with pytest.raises(ZeroDivisionError):
        run(written(folder, f"```python\nimport pytest\n\n{lines}```\n"), folder)
    with pytest.raises(ZeroDivisionError):
        run(written(folder, "```python\ndef test_it():\n    1 / 0\n```\n"), folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!-- test: skipp -->\n", "skipp"),
        ("```python\nx = 1\n", "must end"),
        ("<!-- test: skip -->\nSome text.\n```python\n```\n", "right before a block"),
    ],
)
def test_a_page_that_cannot_be_read_says_why(folder, text, message):
    with pytest.raises(ValueError, match=message):
        written(folder, text)


def test_slow_pages_are_told_apart(folder):
    assert written(folder, "<!-- test: slow -->\n# Title\n").slow
    assert not written(folder, "# Title\n").slow

"""The page about code shows what the command prints."""

from tests.docs.code import PAGE, page


def test_page_shows_what_is_printed():
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "print it again: python -m tests.docs.code > code.md && mv code.md docs/code.md"

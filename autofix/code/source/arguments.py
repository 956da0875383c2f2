"""Arguments put into a call and items put into a dict, laid out as those that are there."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from autofix.code.layout import Expression, flat, literal
from autofix.code.source.edits import Edit
from autofix.code.source.text import Source


def added_arguments(source: Source, node: cst.Call, pairs: list[tuple[str, Expression, str]]) -> Iterator[Edit]:
    """Yields the edit that adds keywords to a call: on lines of their own where its arguments have such.

    Args:
        source: The script.
        node: The call.
        pairs: Keyword, value and reason of each.
    """
    last = node.args[-1] if node.args else None
    _, end = source.span(node)
    reason = "\n".join(dict.fromkeys(reason for _, _, reason in pairs))
    text = ", ".join(f"{key}={flat(value)}" for key, value, _ in pairs)
    if last is None:
        yield Edit(end - 1, end - 1, text, reason)
        return
    yield from _appended(source, source.span(last), end, text, reason)


def added_items(source: Source, node: cst.Dict, pairs: list[tuple[str, Expression, str]]) -> Iterator[Edit]:
    """Yields the edit that adds items to a dict."""
    _, end = source.span(node)
    reason = "\n".join(dict.fromkeys(reason for _, _, reason in pairs))
    text = ", ".join(f"{flat(literal(key))}: {flat(value)}" for key, value, _ in pairs)
    if not node.elements:
        yield Edit(end - 1, end - 1, text, reason)
        return
    last = node.elements[-1]
    start = source.span(last.key)[0] if isinstance(last, cst.DictElement) else source.span(last.value)[0]
    yield from _appended(source, (start, source.span(last.value)[1]), end, text, reason)


def _appended(source: Source, last: tuple[int, int], end: int, text: str, reason: str) -> Iterator[Edit]:
    """Puts text behind the last of several things between brackets, which end in front of `end`."""
    start, stop = last
    between = source.text[stop : end - 1]
    has_comma = "," in between.split("#")[0]
    if source.begins_line(start) and source.ends_line(stop) and source.line_end(stop) < end:
        if not has_comma:
            yield Edit(stop, stop, ",")
        line_end, newline = source.line_end(stop), source.module.default_newline
        yield Edit(line_end, line_end, f"{source.indent(start)}{text},{newline}", reason)
        return
    yield Edit(stop, stop, f", {text}", reason)

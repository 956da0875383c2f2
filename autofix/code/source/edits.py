"""Edits of a text: what to put where and why, carried out all at once, with a comment beside each."""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autofix.code.layout import INDENT, Expression, flat, lines
from autofix.code.source.text import WIDTH, Source

MARK = "# autofix: "
SKIPPED = (tokenize.NL, tokenize.NEWLINE)


@dataclass(frozen=True)
class Edit:
    """Characters replaced by others.

    Attributes:
        start: The first character that goes.
        end: The first one that stays.
        text: What comes instead.
        reason: Why, in a few words, one line a reason; "" for an edit that another one explains.
    """

    start: int
    end: int
    text: str
    reason: str = ""


def carried_out(source: Source, edits: Iterable[Edit], *, comments: bool) -> str:
    """Returns the text of a script with every edit made.

    Args:
        source: The script.
        edits: What to change; no two overlap.
        comments: Whether to say beside each changed line why.
    """
    out: list[str] = []
    reasons: dict[int, list[str]] = {}
    place = line = 0
    for edit in sorted(set(edits), key=lambda item: (item.start, item.end)):
        kept = source.text[place : edit.start]
        out += [kept, edit.text]
        line += _newlines(kept)
        if edit.reason:
            first = line + _newlines(edit.text[: len(edit.text) - len(edit.text.lstrip())])
            known = reasons.setdefault(first, [])
            known += [reason for reason in edit.reason.split("\n") if reason not in known]
        line += _newlines(edit.text)
        place = edit.end
    text = "".join([*out, source.text[place:]])
    if not comments:
        return text
    commented = _commented(text, reasons, source)
    # A comment must change nothing: where it would, the script goes without.
    return commented if _same_program(text, commented) else text


def inline(source: Source, offset: int, expression: Expression, tail: str = "") -> str:
    """Returns the code of an expression that stands at `offset`, over several lines where one would be too long."""
    before = offset - source.line_start(offset)
    whole = flat(expression)
    if before + len(whole) + len(tail) <= WIDTH:
        return whole
    return stacked(source, expression, source.indent(offset)).lstrip()


def stacked(source: Source, expression: Expression, indent: str, *, lead: str = "", tail: str = "") -> str:
    """Returns the code of an expression on lines of its own, indented as the script indents."""
    width = WIDTH - len(indent.expandtabs(4))
    found = lines(expression, lead=lead, tail=tail, width=width)
    return source.module.default_newline.join(indent + _reindented(line, source) for line in found)


def _reindented(line: str, source: Source) -> str:
    body = line.lstrip(" ")
    depth = (len(line) - len(body)) // len(INDENT)
    return source.module.default_indent * depth + body


def _newlines(text: str) -> int:
    return len(re.findall(r"\r\n|\n|\r", text))


def _same_program(one: str, other: str) -> bool:
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except SyntaxError:
        return False


def _commented(text: str, reasons: dict[int, list[str]], source: Source) -> str:
    """Puts each reason at the end of its line, above the line where there is no room, or above the statement."""
    own = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    ends, taken, starts = _lines_of_tokens(text)
    above: dict[int, list[str]] = {}
    for number, told in sorted(reasons.items()):
        said = MARK + told[0]
        line = own[number].rstrip("\r\n")
        is_short = len(told) == 1 and len(line.expandtabs(4)) + len(said) + 2 <= WIDTH
        if is_short and number in ends and number not in taken:
            own[number] = f"{line}  {said}{own[number][len(line) :]}"
            continue
        free = number == 0 or number - 1 in ends
        where = number if free else max((start for start in starts if start <= number), default=0)
        above.setdefault(where, []).extend(MARK + reason for reason in told)
    newline = source.module.default_newline
    for number, said_lines in above.items():
        indent = re.match(r"[ \t]*", own[number]).group()  # type: ignore[union-attr]
        width = max(WIDTH - len(indent.expandtabs(4)), 40)
        cut = [textwrap.shorten(said, width, placeholder=" ...") for said in said_lines]
        own[number] = "".join(f"{indent}{said}{newline}" for said in cut) + own[number]
    return "".join(own)


def _lines_of_tokens(text: str) -> tuple[set[int], set[int], Sequence[int]]:
    """Returns the lines (from 0) that end with a token, those with a comment, and those that begin a statement."""
    ends: set[int] = set()
    taken: set[int] = set()
    starts: list[int] = []
    fresh = True
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(plain).readline):
            line = token.start[0] - 1
            if token.type in SKIPPED:
                ends.add(line)
                fresh = fresh or token.type == tokenize.NEWLINE
            elif token.type == tokenize.COMMENT:
                taken.add(line)
            elif fresh and token.type not in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
                starts.append(line)
                fresh = False
    except (tokenize.TokenError, SyntaxError):
        return set(), set(), []
    return ends, taken, starts

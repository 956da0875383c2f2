"""Python expressions as trees, and the way they are laid out on lines. No formatter is needed at run time."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

WIDTH = 100
INDENT = "    "


@dataclass(frozen=True)
class Call:
    """A call: `name(first, key=second)`.

    Attributes:
        name: What is called, as it is written.
        arguments: Pairs of a keyword (None for a positional argument) and a value.
    """

    name: str
    arguments: tuple[tuple[str | None, Expression], ...] = ()


@dataclass(frozen=True)
class Group:
    """A list, tuple or dict: what stands between two brackets, separated by commas.

    Attributes:
        brackets: The opening and the closing one.
        items: Pairs of a key (None where there are none) and a value.
    """

    brackets: str
    items: tuple[tuple[Expression | None, Expression], ...] = ()


Expression = str | Call | Group


def literal(value: Any) -> Expression:
    """Returns plain data as a Python expression.

    Args:
        value: None, text, numbers, lists, tuples and dicts of such.
    """
    if isinstance(value, dict):
        return Group("{}", tuple((literal(key), literal(item)) for key, item in value.items()))
    if isinstance(value, list):
        return Group("[]", tuple((None, literal(item)) for item in value))
    if isinstance(value, tuple):
        return Group("()", tuple((None, literal(item)) for item in value))
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float) and not float("-inf") < value < float("inf"):
        return f'float("{value}")'
    return repr(value)


def quoted(text: str) -> str:
    """Returns text in double quotes, unless it holds some."""
    plain = repr(text)
    return f'"{plain[1:-1]}"' if plain.startswith("'") and '"' not in text else plain


def flat(expression: Expression) -> str:
    """Returns an expression on one line."""
    if isinstance(expression, str):
        return expression
    if isinstance(expression, Call):
        inside = ", ".join((f"{key}=" if key else "") + flat(value) for key, value in expression.arguments)
        return f"{expression.name}({inside})"
    inside = ", ".join((f"{flat(key)}: " if key is not None else "") + flat(value) for key, value in expression.items)
    comma = "," if expression.brackets == "()" and len(expression.items) == 1 else ""
    return expression.brackets[0] + inside + comma + expression.brackets[1]


def lines(expression: Expression, *, indent: str = "", lead: str = "", tail: str = "", width: int = WIDTH) -> list[str]:
    """Returns an expression on as few lines as it needs.

    Args:
        expression: What to write.
        indent: Blanks in front of every line.
        lead: What stands in front of it on its first line: `x = `.
        tail: What stands behind it on its last line: a comma.
        width: Longest line.
    """
    whole = indent + lead + flat(expression) + tail
    if len(whole) <= width or isinstance(expression, str):
        return [whole]
    inner = indent + INDENT
    if isinstance(expression, Call):
        first, last = f"{expression.name}(", ")"
        members: list[tuple[str, Expression]] = [
            (f"{key}=" if key else "", value) for key, value in expression.arguments
        ]
    else:
        first, last = expression.brackets[0], expression.brackets[1]
        members = [(f"{flat(key)}: " if key is not None else "", value) for key, value in expression.items]
    if not members:
        return [whole]
    return [
        indent + lead + first,
        *(_filled(members, inner, width) or _stacked(members, inner, width)),
        indent + last + tail,
    ]


def comment(text: str, *, indent: str = "", width: int = WIDTH) -> list[str]:
    """Returns text as lines of a comment."""
    return textwrap.wrap(text, width, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _stacked(members: list[tuple[str, Expression]], indent: str, width: int) -> Iterator[str]:
    for lead, value in members:
        yield from lines(value, indent=indent, lead=lead, tail=",", width=width)


def _filled(members: list[tuple[str, Expression]], indent: str, width: int) -> list[str]:
    """Numbers without keys fill their lines: a hundred means on a hundred lines would hide the rest."""
    if any(lead or not isinstance(value, str) or value[:1] in "\"'" for lead, value in members):
        return []
    text = " ".join(f"{value}," for _, value in members)
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False)

"""Reads a source file: what its docstring says under which heading, and its constants with their comments."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# A heading stands alone at the margin and ends with a colon; what belongs to it is indented.
HEADING = re.compile(r"^([A-Z][A-Za-z ]+):$")
TITLE = re.compile(r"^([A-Z][A-Z_]*(?:, [A-Z][A-Z_]*)*): (.+)$")
CONSTANT = re.compile(r"^[A-Z][A-Z0-9_]*$")
# Comments for tools say nothing to a reader.
FOR_TOOLS = ("fmt:", "noqa", "type:")


@dataclass(frozen=True)
class Constant:
    """A constant of a module.

    Attributes:
        name: Its name.
        value: Its value, as the source writes it.
        comment: What the source says about it; empty where it says nothing.
    """

    name: str
    value: str
    comment: str


@dataclass(frozen=True)
class Page:
    """What one file says.

    Attributes:
        names: Symptoms that the title names; empty where it names none.
        lead: The title without them.
        constants: Constants of the module, in their order.
    """

    names: tuple[str, ...]
    lead: str
    constants: tuple[Constant, ...]
    _sections: Mapping[str, tuple[str, ...]] = field(repr=False)

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings of the docstring, in their order."""
        return tuple(self._sections)

    def lines(self, heading: str, name: str = "") -> tuple[str, ...]:
        """Returns what stands under a heading, line by line; empty where there is no such heading.

        Args:
            heading: The heading.
            name: One of `names`: in a file about several symptoms, a line that starts with the name of one, and
                those that follow it, are about that one alone.
        """
        found, of = [], ""
        for line in self._sections.get(heading, ()):
            owner = line.partition(":")[0]
            if owner in self.names:
                of, line = owner, line.partition(":")[2].strip()
            if of in ("", name):
                found.append(line)
        return tuple(found)

    def text(self, heading: str, name: str = "") -> str:
        """Returns what stands under a heading as one paragraph; see `lines`."""
        return " ".join(line for line in self.lines(heading, name) if line)


def read_page(source: str, docstring: str | None = None) -> Page:
    """Reads the source of a module.

    Args:
        source: The source.
        docstring: What to read in place of the module's own docstring, such as that of a class in it.
    """
    tree = ast.parse(source)
    text = docstring if docstring is not None else ast.get_docstring(tree) or ""
    first, *rest = text.strip().splitlines() or [""]
    title = TITLE.match(first)
    names, lead = (tuple(title[1].split(", ")), title[2]) if title else ((), first)
    return Page(names, lead, tuple(_constants(tree, source)), _sections(rest))


def _sections(lines: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in lines:
        heading = HEADING.match(line)
        if heading:
            current = found.setdefault(heading[1], [])
        elif current is not None and line.startswith(" "):
            current.append(line.strip())
    return {heading: tuple(content) for heading, content in found.items()}


def _constants(tree: ast.Module, source: str) -> Iterator[Constant]:
    comments, lines = _comments(source), source.encode().splitlines()
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            pairs = _pairs(node.targets[0], node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            pairs = _pairs(node.target, node.value)
        else:
            continue
        comment = _comment_of(node, comments)
        for name, value in pairs:
            if CONSTANT.match(name):
                yield Constant(name, _written(lines, value), comment)


def _written(lines: list[bytes], value: ast.expr) -> str:
    """Returns an expression as the source writes it, in one line. Columns are counted in bytes."""
    first, last = value.lineno - 1, (value.end_lineno or value.lineno) - 1
    parts = lines[first : last + 1]
    parts[-1] = parts[-1][: value.end_col_offset]
    parts[0] = parts[0][value.col_offset :]
    return " ".join(b" ".join(parts).decode().split())


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[str, ast.expr]]:
    """Returns names and values of an assignment; `A, B = 1, 2` is two."""
    if isinstance(target, ast.Name):
        return [(target.id, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        pairs = zip(target.elts, value.elts, strict=True)
        return [(part.id, item) for part, item in pairs if isinstance(part, ast.Name)]
    return []


def _comments(source: str) -> dict[int, tuple[bool, str]]:
    """Returns the comments by line, and whether each has the line to itself."""
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        text = token.string.lstrip("# ")
        if token.type == tokenize.COMMENT and not text.startswith(FOR_TOOLS):
            found[token.start[0]] = (not token.line[: token.start[1]].strip(), text)
    return found


def _comment_of(node: ast.stmt, comments: Mapping[int, tuple[bool, str]]) -> str:
    """Returns the comment above a statement, or behind its first line."""
    above, line = [], node.lineno - 1
    while line in comments and comments[line][0]:
        above.append(comments[line][1])
        line -= 1
    behind = [comments[node.lineno][1]] if node.lineno in comments else []
    return " ".join([*reversed(above), *behind])

"""A script as text with its syntax tree: where each expression stands, and who else uses a name."""

from __future__ import annotations

import ast
import codecs
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import libcst as cst
from libcst.metadata import (
    ClassScope,
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    ScopeProvider,
)

from autofix.errors import FixYourCall

# Columns that a changed line with its comment may take.
WIDTH = 100


@dataclass
class Source:
    """A parsed script.

    Attributes:
        text: Its text, line endings as they are.
        encoding: How it is written down.
        mark: The byte order mark in front of it, if there is one.
        module: Its syntax tree.
    """

    text: str
    encoding: str
    mark: bytes
    module: cst.Module
    _positions: Any = field(repr=False)
    _parents: Any = field(repr=False)
    _scopes: Any = field(repr=False)
    _starts: list[int] = field(repr=False)

    @classmethod
    def of(cls, content: bytes, name: str = "the script") -> Source:
        """Parses a script; nothing of it is run.

        Raises:
            FixYourCall: If it is no Python.
        """
        mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
        try:
            encoding = tokenize.detect_encoding(io.BytesIO(content).readline)[0].replace("utf-8-sig", "utf-8")
            text = content.removeprefix(mark).decode(encoding)
            # Python's own parser first: it refuses what is nested so deeply that native code would crash on it.
            ast.parse(text)
            if re.search(r"\r(?!\n)", text):
                raise ValueError("a carriage return that ends no line")
            module = cst.parse_module(text)
            wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
            found = wrapper.resolve_many([PositionProvider, ParentNodeProvider, ScopeProvider])
        except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError, cst.ParserSyntaxError) as error:
            reason = " ".join(str(error).split())[:200]
            raise FixYourCall(
                f"the script must be Python that this version can parse. Received: {name} ({reason}). Check that it "
                "runs."
            ) from error
        starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text))]
        positions, parents, scopes = (found[key] for key in (PositionProvider, ParentNodeProvider, ScopeProvider))
        return cls(text, encoding, mark, module, positions, parents, scopes, starts)

    def bytes_of(self, text: str) -> bytes:
        """Returns another text written down as this one was."""
        return self.mark + text.encode(self.encoding)

    def knows(self, node: cst.CSTNode) -> bool:
        """Returns whether a node is of this script."""
        return node in self._positions

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """Returns where a node begins and ends, in characters, the parentheses around it included."""
        place = self._positions[node]
        start, end = self._at(place.start.line, place.start.column), self._at(place.end.line, place.end.column)
        for _ in getattr(node, "lpar", ()):
            before = re.search(r"\(\s*$", self.text[:start])
            behind = re.match(r"\s*\)", self.text[end:])
            if before is None or behind is None:
                break
            start, end = before.start(), end + behind.end()
        return start, end

    def code(self, node: cst.CSTNode) -> str:
        """Returns the text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def line(self, node: cst.CSTNode) -> int:
        """Returns the number of the line on which a node begins, from 1."""
        return int(self._positions[node].start.line)

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Returns the node around a node."""
        found: cst.CSTNode | None = self._parents.get(node)
        return found

    def statement(self, node: cst.CSTNode) -> cst.SimpleStatementLine | None:
        """Returns the line of simple statements that a node stands in; None in the head of a compound one."""
        while not isinstance(node, cst.SimpleStatementLine):
            above = self.parent(node)
            if above is None or isinstance(above, cst.BaseCompoundStatement):
                return None
            node = above
        return node

    def line_start(self, offset: int) -> int:
        """Returns where the line of a character begins."""
        return max(start for start in self._starts if start <= offset)

    def line_end(self, offset: int) -> int:
        """Returns where the line of a character ends, its line ending included."""
        return min((start for start in self._starts if start > offset), default=len(self.text))

    def indent(self, offset: int) -> str:
        """Returns the blanks at the start of the line of a character."""
        found = re.match(r"[ \t]*", self.text[self.line_start(offset) :])
        return found.group() if found else ""

    def begins_line(self, offset: int) -> bool:
        """Returns whether nothing but blanks stands in front of a character on its line."""
        return not self.text[self.line_start(offset) : offset].strip()

    def ends_line(self, offset: int) -> bool:
        """Returns whether nothing but a comma and a comment stands behind a character on its line."""
        return re.fullmatch(r"\s*,?\s*(#.*)?\s*", self.text[offset : self.line_end(offset)]) is not None

    def references(self, node: cst.Name) -> set[cst.CSTNode] | None:
        """Returns every place that reads the variable which `node` reads; None where that cannot be told."""
        scope = self._scopes.get(node)
        if scope is None:
            return None
        found: set[cst.CSTNode] = set()
        for assignment in scope[node.value]:
            if isinstance(assignment.scope, ClassScope):
                return None
            found |= {access.node for access in assignment.references}
        return found or None

    def mentions(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yields every place that may read the attribute or the item which `node` reads: those of the same name."""
        finder = _Mentions(self.module.code_for_node(_key(node)))
        self.module.visit(finder)
        yield from finder.found

    def calls_of(self, name: str) -> int:
        """Returns how often a name is called or mentioned."""
        finder = _Names(name)
        self.module.visit(finder)
        return finder.count

    def _at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column


class _Mentions(cst.CSTVisitor):
    def __init__(self, key: str) -> None:
        self.key, self.found = key, []  # type: ignore[var-annotated]
        self.module = cst.Module([])

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Subscript | cst.Attribute) and self.module.code_for_node(_key(node)) == self.key:
            self.found.append(node)
        return True


class _Names(cst.CSTVisitor):
    def __init__(self, name: str) -> None:
        self.name, self.count = name, 0

    def visit_Name(self, node: cst.Name) -> None:  # noqa: N802 (libcst's own)
        self.count += node.value == self.name


def _key(node: cst.CSTNode) -> cst.CSTNode:
    if isinstance(node, cst.Attribute):
        return node.attr
    return node.slice[0] if isinstance(node, cst.Subscript) else node

"""A page of the documentation as what can be run of it: its code blocks, in their order, each with its directive.

Every ```` ```python ```` block of a page is run, all of a page in one namespace; then its test functions are called. An
HTML comment before a block says otherwise; readers of the page do not see it:

- `<!-- test: skip -->`: the block is not run.
- `<!-- test: file NAME -->`: the block, in whatever language, becomes a file of that name in the working folder.
- `<!-- test: output -->`: the block, in whatever language, is what the block before it printed.
- `<!-- test: slow -->` anywhere marks the whole page as slow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>\w*)[^`]*$")
DIRECTIVE = re.compile(r"^ *<!-- *test: *(?P<verb>\w+) *(?P<argument>[^ ]*) *-->$")
VERBS = frozenset({"skip", "file", "output", "slow"})


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        line: Line of the page on which its text begins, counted from 1.
        language: What stands behind the fence; empty for nothing.
        text: What is between the fences, without the indentation of the fence.
        verb: What the directive before it says; empty where there is none.
        argument: The rest of the directive.
    """

    line: int
    language: str
    text: str
    verb: str = ""
    argument: str = ""

    @property
    def runs(self) -> bool:
        """Whether it is to be run."""
        return self.language == "python" and not self.verb


@dataclass(frozen=True)
class Page:
    """A page and its blocks.

    Attributes:
        path: The file.
        blocks: All of its fenced blocks, in order.
        slow: Whether it takes more than a few seconds.
    """

    path: Path
    blocks: tuple[Block, ...]
    slow: bool = False

    @classmethod
    def read(cls, path: Path) -> Page:
        """Reads a page.

        Raises:
            ValueError: If a directive is unknown or a fence is not closed.
        """
        lines = path.read_text(encoding="utf-8").splitlines()
        return cls(path, tuple(_blocks(lines)), any(verb == "slow" for verb, _ in map(_directive, lines)))


def _blocks(lines: list[str]) -> Iterator[Block]:
    verb, argument, number = "", "", 0
    while number < len(lines):
        said, about = _directive(lines[number])
        opened = FENCE.match(lines[number])
        if said and said != "slow":
            verb, argument = said, about
        elif opened:
            closing = opened["indent"] + opened["ticks"]
            end = next((place for place in range(number + 1, len(lines)) if lines[place].rstrip() == closing), None)
            if end is None:
                raise ValueError(f"the block of line {number + 1} must end with {closing!r}")
            inner = [line.removeprefix(opened["indent"]) for line in lines[number + 1 : end]]
            yield Block(number + 2, opened["language"], "\n".join(inner) + "\n", verb, argument)
            verb, argument, number = "", "", end
        elif lines[number].strip() and verb:
            raise ValueError(f"`test: {verb}` must stand right before a block. Received on line {number + 1}: text")
        number += 1


def _directive(line: str) -> tuple[str, str]:
    found = DIRECTIVE.match(line)
    if found is None:
        return "", ""
    if found["verb"] not in VERBS:
        raise ValueError(f"`test:` must be followed by one of {sorted(VERBS)}. Received: {found['verb']!r}")
    return found["verb"], found["argument"]

"""Prints the reference, `docs/reference.md`, from the docstrings of what `autofix` exports.

Run `python -m tests.docs.reference > docs/reference.md` after a change to one of them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

ROOT = Path(__file__).parents[2]
HEAD = """# Reference

What `import autofix` offers. This page is printed from the docstrings.
"""
# In the order in which a reader needs them; whatever else is exported follows by name.
FIRST = ("repair", "RepairResult", "Verdict", "diagnose", "check", "Watch", "monitor", "explain", "Budget")


def page() -> str:
    """Returns the whole page."""
    package: Any = griffe.load("autofix", search_paths=[ROOT], docstring_parser="google")
    exported = [str(name) for name in package.exports]
    names = [*FIRST, *(name for name in sorted(exported, key=str.lower) if name not in FIRST)]
    return "\n".join([HEAD, *(line for name in names for line in _member(name, package[name].final_target))])


def _member(name: str, found: Any) -> Iterator[str]:
    yield f"## {name}\n"
    if found.is_function:
        yield from _function(found)
        return
    yield from _sections(found)
    # Keras calls the hooks of a callback; nobody else does.
    hidden = ("_", "on_")
    members = [item for key, item in found.members.items() if not key.startswith(hidden) and not item.is_alias]
    if any(str(base) == "enum.Enum" for base in found.bases):
        yield "| member | meaning |\n|---|---|"
        for item in members:
            if item.is_attribute and item.value is not None:
                yield f"| `{item.name}` | {_cell(ast.literal_eval(str(item.value)))} |"
        yield ""
        members = [item for item in members if not item.is_attribute]
    for item in members:
        if item.is_function:
            yield f"### {name}.{item.name}\n"
            yield from _function(item)
        elif item.docstring is not None and "property" in item.labels:
            yield f"### {name}.{item.name}\n"
            yield from _sections(item)


def _function(found: Any) -> Iterator[str]:
    """Signature and sections."""
    lines, keyword_only = [], False
    for parameter in found.parameters:
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is griffe.ParameterKind.keyword_only and not keyword_only:
            keyword_only = True
            lines.append("*")
        default = "" if parameter.default is None else f" = {parameter.default}"
        lines.append(f"{parameter.name}: {parameter.annotation}{default}")
    answer = f" -> {found.returns}" if found.returns is not None else ""
    one = f"{found.name}({', '.join(lines)}){answer}"
    text = one if len(one) <= 100 else f"{found.name}(\n    " + ",\n    ".join(lines) + f",\n){answer}"
    yield f"```text\n{text}\n```\n"
    yield from _sections(found)


def _sections(found: Any) -> Iterator[str]:
    if found.docstring is None:
        return
    for section in found.docstring.parsed:
        kind = section.kind.value
        if kind == "text":
            yield section.value + "\n"
        elif kind in ("parameters", "attributes"):
            yield f"| {kind.removesuffix('s')} | |\n|---|---|"
            for item in section.value:
                yield f"| `{item.name}` | {_cell(item.description)} |"
            yield ""
        elif kind in ("returns", "yields"):
            yield f"{kind.capitalize()}: " + " ".join(_cell(item.description) for item in section.value) + "\n"
        elif kind == "raises":
            yield "| raises | |\n|---|---|"
            for item in section.value:
                yield f"| `{item.annotation}` | {_cell(item.description)} |"
            yield ""
        elif kind == "admonition":  # "Example:" among them
            yield f"{section.title}:\n\n```pycon\n{section.value.description}\n```\n"
        else:
            raise ValueError(f"{found.path}: the reference has no form for a section of kind {kind!r}. Add one.")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page().rstrip() + "\n")

"""Which measurements a rule looks at, read from its source: what it takes from a trace, the data or the program."""

from __future__ import annotations

import ast
import functools
import inspect
import re
from collections.abc import Iterator, Mapping

from autofix.facts import DataFacts, InputFacts, TargetFacts
from autofix.manual.rules import source_of
from autofix.trace import LayerReading, PredictionReading, Trace

# What rules call the things they look at, and the class whose docstring describes its attributes.
HOLDERS: Mapping[str, type] = {"trace": Trace, "facts": DataFacts}
# What is kept per layer, output and input, where that is kept, and the attributes that nothing else has by that name.
PARTS: Mapping[str, tuple[type, frozenset[str], frozenset[str]]] = {
    "layer": (
        LayerReading,
        frozenset({"trace.first", "trace.last"}),
        frozenset({"dead", "saturated", "weight_norm", "weight_std"}),
    ),
    "prediction": (PredictionReading, frozenset({"trace.predictions"}), frozenset({"constant", "recalls"})),
    "input": (InputFacts, frozenset({"facts.inputs"}), frozenset({"feature_mean", "feature_std", "missing"})),
    "target": (TargetFacts, frozenset({"facts.targets"}), frozenset({"classes", "counts"})),
}
# Of no interest by themselves: bookkeeping, and what only says that something is missing.
SKIPPED = frozenset({"trace.error", "trace.unseen", "trace.seconds", "facts.notes"})
# Every rule asks whether the run has learned all the same; that is said once, for all of them.
EASING = frozenset({"eased", "learned"})
ATTRIBUTE = re.compile(r"^ {8}(\w+): (.*)$")


def readings_of(module: str) -> tuple[tuple[str, str], ...]:
    """Returns names of measurements, such as `trace.loss`, and what each of them is.

    Args:
        module: Module of the symptoms, such as `dead_units`; helpers that it shares with others are followed.
    """
    read = set(_read(module, None, set())) - SKIPPED
    known = {f"{holder}.{name}": text for holder, kind in HOLDERS.items() for name, text in described_attributes(kind)}
    for part, (kind, places, names) in PARTS.items():
        if read & places:
            known |= {f"{part}.{name}": text for name, text in described_attributes(kind) if name in names}
    return tuple((name, text) for name, text in known.items() if name in read)


@functools.cache
def described_attributes(kind: type) -> tuple[tuple[str, str], ...]:
    """Returns the attributes of a class and what its docstring says of each."""
    found: dict[str, str] = {}
    last = ""
    for line in inspect.getsource(kind).split('"""')[1].splitlines():
        start = ATTRIBUTE.match(line)
        if start:
            last = start[1]
            found[last] = start[2]
        elif last and line.startswith(" " * 12):
            found[last] += f" {line.strip()}"
        else:
            last = ""
    return tuple(found.items())


def _read(module: str, function: str | None, seen: set[tuple[str, str | None]]) -> Iterator[str]:
    """Yields what a module, or one function of it, reads, and what the shared helpers read that it calls."""
    if (module, function) in seen:
        return
    seen.add((module, function))
    tree = _tree(module)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    helpers = {
        alias.asname or alias.name: (node.module.rsplit(".", 1)[-1], alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("autofix.symptoms._")
        for alias in node.names
    }
    for node in ast.walk(tree if function is None else functions[function]) if function in (None, *functions) else ():
        if isinstance(node, ast.Attribute) and (holder := _holder(node.value, node.attr)):
            yield f"{holder}.{node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in helpers and node.func.id not in EASING:
                yield from _read(*helpers[node.func.id], seen)
            elif function is not None and node.func.id in functions:
                yield from _read(module, node.func.id, seen)


@functools.cache
def _tree(module: str) -> ast.Module:
    return ast.parse(source_of(module))


def _holder(node: ast.expr, attribute: str) -> str:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    if name in HOLDERS:
        return name
    return next((part for part, (_, _, names) in PARTS.items() if attribute in names), "")

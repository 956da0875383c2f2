"""From the changes of a patch to edits of a script: values replaced where they are written, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from autofix.change import Change, Patch
from autofix.code.expressing import express, same
from autofix.code.layout import Expression, flat, literal
from autofix.code.reasons import short
from autofix.code.source.arguments import added_arguments
from autofix.code.source.edits import Edit, inline
from autofix.code.source.matching import Match, is_idle
from autofix.code.source.names import Names
from autofix.code.source.text import Source
from autofix.code.source.values import UNKNOWN, Bound, Items, Made, Net, Seen, Table
from autofix.frozen import canonical, freeze, thaw
from autofix.recipe import Recipe


@dataclass(frozen=True)
class Want:
    """A value that a script is to give.

    Attributes:
        value: The value as the recipe has it.
        change: The change that asks for it.
    """

    value: Any
    change: Change

    @property
    def key(self) -> str:
        """What two wants share that are the same."""
        return canonical(freeze(self.value))


@dataclass
class Plan:
    """What is to be done to a script.

    Attributes:
        edits: Edits of its text.
        by_hand: What has no safe place in it, one sentence each.
        remarks: What else a reader should know.
        left: Paths of the changes that are left to the user.
        touched: Expressions that are edited.
    """

    edits: list[Edit] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    touched: set[cst.CSTNode] = field(default_factory=set)

    def leave(self, change: Change, why: str, what: str) -> None:
        """Leaves a change to the user."""
        self.left.add(change.path)
        told = f"{change.path}: {why} {what}"
        if told not in self.by_hand:
            self.by_hand.append(told)


class Planner:
    """Plans the edits of values: settings of layers, of `compile` and of `fit`.

    Args:
        source: The script.
        found: The model of the script that matches the recipe.
        recipe: The program before the patch.
        patch: What to change.
        names: How the script writes what it takes from Keras.
    """

    def __init__(self, source: Source, found: Match, recipe: Recipe, patch: Patch, names: Names) -> None:
        self.source, self.match, self.names = source, found, names
        self.before, self.after, self.patch = recipe, patch.apply(recipe), patch
        self.plan = Plan()
        self.flows: dict[cst.CSTNode, set[str]] = {}
        for path, seen in found.slots.items():
            for node in seen.trail:
                self.flows.setdefault(node, set()).add(path)
        self.owners = _owners(found)
        self.wants: dict[str, Want] = {}

    def values(self, changes: Mapping[str, Change]) -> None:
        """Plans the changes of values; `changes` holds the last change of each path."""
        for path, change in changes.items():
            if any(path.startswith(f"{outer}/") for outer in changes):
                continue  # a part of what is replaced as a whole
            before, after = thaw(self.before.get(path)), thaw(self.after.get(path))
            for leaf, value in self._leaves(path, before, after):
                self.wants.setdefault(leaf, Want(value, change))
        edits: dict[tuple[int, int], Edit] = {}
        for path, want in self.wants.items():
            for edit in self._edits(path, want):
                edits.setdefault((edit.start, edit.end), edit)
        self.plan.edits += edits.values()
        self.plan.edits += self._added()

    def text_of(self, value: Any, key: str = "") -> Expression:
        """Returns the code of a value as this script would write it."""
        return express(value, self.names.write, key=key)

    def _leaves(self, path: str, before: Any, after: Any) -> Iterator[tuple[str, Any]]:
        """Yields the smallest parts of a value that differ, as far as the script writes them one by one."""
        seen = self.match.slots.get(path)
        holder = seen.value if seen is not None else None
        key = path.rsplit("/", 1)[-1]
        if key == "batch_shape" and path.startswith("layers/"):
            yield path, list(after)[1:]
        elif isinstance(holder, Made) and _class(before) == _class(after) == holder.name and _class(before):
            old, new = before.get("config") or {}, after.get("config") or {}
            for name in sorted({*old, *new} - {"name"}):
                if not same(old.get(name), new.get(name), key=name):
                    yield from self._leaves(f"{path}/{name}", old.get(name), new.get(name))
        elif isinstance(holder, Table) and isinstance(after, dict) and _class(after) is None:
            yield from self._parts(path, before, after, list(holder.items))
        elif isinstance(holder, Items) and isinstance(after, list) and len(after) == len(holder.items):
            yield from self._parts(path, dict(enumerate(before)), dict(enumerate(after)), list(range(len(after))))
        else:
            yield path, after

    def _parts(self, path: str, before: Any, after: Any, keys: list[Any]) -> Iterator[tuple[str, Any]]:
        named = {str(key) for key in keys}
        if not isinstance(before, dict) or {str(key) for key in after} != named:
            yield path, after
            return
        for key, value in after.items():
            if canonical(freeze(before.get(key))) != canonical(freeze(value)):
                yield from self._leaves(f"{path}/{key}", before.get(key), value)

    def _edits(self, path: str, want: Want) -> Iterator[Edit]:
        seen = self.match.slots.get(path)
        if seen is None:
            return
        expression = self._expression(path, want)
        node, why = self.place(seen, path)
        if node is None:
            self.plan.leave(want.change, why, f"Set it to {flat(expression)} by hand.")
            return
        self.plan.touched.add(node)
        start, end = self.source.span(node)
        reason = short(want.change)
        yield Edit(start, end, inline(self.source, start, expression), reason)

    def _expression(self, path: str, want: Want) -> Expression:
        key = path.rsplit("/", 1)[-1]
        if key == "batch_shape":
            return literal(tuple(want.value))
        return self.text_of(want.value, key)

    def place(self, seen: Seen, path: str) -> tuple[cst.CSTNode | None, str]:
        """Returns the expression to replace so that `path` and nothing else gets its new value, or why there is none.

        The deepest that will do: a constant where it is defined, if all that reads it is to change alike.
        """
        trail = [node for node in seen.trail if self.source.knows(node)]
        if not trail:
            return None, "the script gives it in a way that cannot be followed."
        chosen: cst.CSTNode | None = None
        for node in trail:
            if self._all_want(node, path):
                chosen = node
            if not self._may_follow(node):
                break
        if chosen is None:
            others = sorted(self.flows.get(trail[0], set()) - {path})
            line = self.source.line(trail[0])
            return None, f"line {line} sets it for {', '.join(others[:3]) or 'more than this'} too."
        if seen.value is UNKNOWN:
            return None, f"line {self.source.line(chosen)} takes it from elsewhere ({self.source.code(trail[-1])})."
        if seen.computed and chosen is trail[-1]:
            return None, f"line {self.source.line(chosen)} computes it ({self.source.code(chosen)})."
        return chosen, ""

    def _all_want(self, node: cst.CSTNode, path: str) -> bool:
        """Whether everything that an expression flows into is to get the same new value."""
        wanted = self.wants[path].key
        for other in self.flows.get(node, set()):
            want = self.wants.get(other)
            if want is None and not self._is_idle(other):
                return False
            if want is not None and want.key != wanted:
                return False
        return True

    def _is_idle(self, path: str) -> bool:
        """Whether a value has no effect: `trainable` of a layer without weights."""
        if not path.endswith("/trainable"):
            return False
        layer = path.removesuffix("/trainable")
        config = self.before.get(layer).get("config", {}) if layer.startswith("layers/") else {}
        return bool(config) and is_idle(config)

    def _may_follow(self, node: cst.CSTNode) -> bool:
        """Whether what `node` reads may be changed where it was written: all that reads it is known to the match."""
        if isinstance(node, cst.Name):
            readers = self.source.references(node)
        elif isinstance(node, cst.Attribute | cst.Subscript):
            readers = {item for item in self.source.mentions(node) if not self._is_target(item)}
        elif isinstance(node, cst.Call):
            name = node.func.value if isinstance(node.func, cst.Name) else None
            # Two mentions: the definition and this call.
            return isinstance(name, str) and self.source.calls_of(name) <= 2
        else:
            return False
        return readers is not None and all(reader in self.flows for reader in readers)

    def _is_target(self, node: cst.CSTNode) -> bool:
        return isinstance(self.source.parent(node), cst.AssignTarget | cst.AnnAssign)

    def _added(self) -> Iterator[Edit]:
        """Plans the settings that the script leaves out, one edit a call."""
        waiting: dict[cst.Call, dict[str, Want]] = {}
        whole: set[str] = set()
        for path, want in list(self.wants.items()):
            if path in self.match.slots:
                continue
            parent, _, key = path.rpartition("/")
            bound = self._call_of(parent)
            expression = flat(self._expression(path, want))
            if bound is None:
                if parent not in whole:
                    whole.add(parent)
                    yield from self._replaced_whole(parent, want)
            elif bound.is_open:
                why = f"line {self.source.line(bound.node)} unpacks settings that cannot be told."
                self.plan.leave(want.change, why, f"Set {key}={expression} by hand.")
            elif not self._alike(bound, key, want):
                why = f"line {self.source.line(bound.node)} makes other layers too, which keep theirs."
                self.plan.leave(want.change, why, f"Set {key}={expression} by hand.")
            else:
                waiting.setdefault(bound.node, {})[key] = want
        self.plan.touched |= set(waiting)
        for node, wants in waiting.items():
            pairs = [(key, self._expression(key, want), short(want.change)) for key, want in wants.items()]
            yield from added_arguments(self.source, node, pairs)

    def _replaced_whole(self, parent: str, want: Want) -> Iterator[Edit]:
        """A part of what the script gives by its name, such as the rate of "adam": the whole is written out."""
        what = thaw(self.after.get(parent)) if self.after.has(parent) else None
        if parent not in self.match.slots or what is None or parent in self.wants:
            told = flat(self.text_of(want.value, want.change.key))
            self.plan.leave(want.change, "the script does not say where it is set.", f"Set it to {told} by hand.")
            return
        self.wants[parent] = Want(what, want.change)
        yield from self._edits(parent, self.wants[parent])

    def _call_of(self, parent: str) -> Bound | None:
        if parent == "compile":
            return self.match.net.compiled
        if parent in self.match.sites:
            value = self.match.sites[parent].layer.value
            return value.call if isinstance(value, Made | Net) else None
        seen = self.match.slots.get(parent)
        return seen.value.call if seen is not None and isinstance(seen.value, Made) else None

    def _alike(self, bound: Bound, key: str, want: Want) -> bool:
        """Whether every object that a call makes is to get the same setting."""
        owners = self.owners.get(bound.node, set())
        return all(f"{path}/{key}" in self.wants and self.wants[f"{path}/{key}"].key == want.key for path in owners)


def _owners(found: Match) -> dict[cst.CSTNode, set[str]]:
    """Paths of all objects that each call makes."""
    owners: dict[cst.CSTNode, set[str]] = {}
    for path, site in found.sites.items():
        if isinstance(site.layer.value, Made | Net):
            owners.setdefault(site.layer.value.call.node, set()).add(path)
    for path, seen in found.slots.items():
        if isinstance(seen.value, Made):
            owners.setdefault(seen.value.call.node, set()).add(path)
    return owners


def _class(value: Any) -> str | None:
    name = value.get("class_name") if isinstance(value, Mapping) else None
    return None if name is None else str(name)

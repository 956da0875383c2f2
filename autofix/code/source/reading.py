"""Statements of a script, followed as Python would run them, with what is unknown left unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import libcst as cst

from autofix.code.source.calling import Caller
from autofix.code.source.values import (
    UNKNOWN,
    Class,
    Custom,
    Function,
    Items,
    Made,
    Net,
    Plain,
    Public,
    Scope,
    Seen,
    Table,
    canonical,
    unknown,
)

# A condition that cannot be told is tried both ways; more than this many ways are not followed.
MOST_WAYS = 32
# Rounds of a loop that are followed: no network is built in more.
MOST_ROUNDS = 256


class _Return(Exception):
    def __init__(self, seen: Seen) -> None:
        self.seen = seen


class _Leave(Exception):
    """`break` or `continue`."""

    def __init__(self, ends: bool) -> None:
        self.ends = ends


class Reader(Caller):
    """One way through a script.

    Args:
        choices: What conditions that cannot be told are taken to be, in the order in which they are met.
    """

    def __init__(self, choices: Sequence[bool] = ()) -> None:
        super().__init__()
        self.choices = list(choices)
        self.met = 0

    def module(self, module: cst.Module) -> Scope:
        """Follows a whole script as if it were run, and returns its names."""
        scope = Scope()
        scope.names["__name__"] = Seen(Plain("__main__"))
        self.block(module.body, scope)
        return scope

    def call_function(self, function: Function, scope: Scope) -> Seen:
        """Follows the body of a function whose arguments are bound in `scope`."""
        node = function.node
        if isinstance(node, cst.Lambda):
            return self.value(node.body, scope)
        try:
            self.block(node.body.body, scope)
        except _Return as done:
            return done.seen
        except _Leave:
            pass
        return Seen(Plain(None))

    def block(self, body: Sequence[cst.CSTNode], scope: Scope) -> None:
        """Follows statements."""
        for item in body:
            self._statement(item, scope)

    def _statement(self, node: cst.CSTNode, scope: Scope) -> None:
        self.count()
        if isinstance(node, cst.SimpleStatementLine | cst.SimpleStatementSuite):
            for part in node.body:
                self._small(part, scope)
        elif isinstance(node, cst.FunctionDef):
            scope.names[node.name.value] = Seen(Function(node, scope))
        elif isinstance(node, cst.ClassDef):
            scope.names[node.name.value] = Seen(self._class(node, scope))
        elif isinstance(node, cst.If):
            self._if(node, scope)
        elif isinstance(node, cst.For):
            self._for(node, scope)
        elif isinstance(node, cst.While):
            self._round(node.body.body, scope)
        elif isinstance(node, cst.With):
            for item in node.items:
                seen = self.value(item.item, scope)
                if item.asname and isinstance(item.asname.name, cst.Name):
                    scope.names[item.asname.name.value] = seen
            self.block(node.body.body, scope)
        elif isinstance(node, cst.Try):
            self.block(node.body.body, scope)
            if node.finalbody:
                self.block(node.finalbody.body.body, scope)

    def _small(self, node: cst.CSTNode, scope: Scope) -> None:
        if isinstance(node, cst.Expr):
            self.value(node.value, scope)
        elif isinstance(node, cst.Assign):
            seen = self.value(node.value, scope)
            for target in node.targets:
                self.assign(target.target, seen, scope)
        elif isinstance(node, cst.AnnAssign) and node.value is not None:
            self.assign(node.target, self.value(node.value, scope), scope)
        elif isinstance(node, cst.AugAssign):
            self._aug(node, scope)
        elif isinstance(node, cst.Return):
            raise _Return(self.value(node.value, scope) if node.value else Seen(Plain(None)))
        elif isinstance(node, cst.Break | cst.Continue):
            raise _Leave(isinstance(node, cst.Break))
        elif isinstance(node, cst.Import):
            for alias in node.names:
                self._import(alias, scope)
        elif isinstance(node, cst.ImportFrom):
            self._import_from(node, scope)

    def _import(self, alias: cst.ImportAlias, scope: Scope) -> None:
        path = dotted(alias.name)
        if alias.asname and isinstance(alias.asname.name, cst.Name):
            scope.names[alias.asname.name.value] = Seen(Public(canonical(path)))
        else:
            first = path.split(".")[0]
            scope.names[first] = Seen(Public(first))

    def _import_from(self, node: cst.ImportFrom, scope: Scope) -> None:
        module = dotted(node.module) if node.module else ""
        if isinstance(node.names, cst.ImportStar):
            scope.top.stars.append(canonical(module))
            return
        for alias in node.names:
            name = dotted(alias.name)
            own = alias.asname.name.value if alias.asname and isinstance(alias.asname.name, cst.Name) else name
            scope.names[own] = Seen(Public(canonical(f"{module}.{name}")))

    def _class(self, node: cst.ClassDef, scope: Scope) -> Class:
        base, own = "", []
        for argument in node.bases:
            found = self.value(argument.value, scope).value
            if isinstance(found, Public):
                base = base or found.path
            elif isinstance(found, Class):
                own.append(found)
                base = base or found.base
        return Class(node, scope, base, tuple(own))

    def _if(self, node: cst.If, scope: Scope) -> None:
        if self.decide(self.value(node.test, scope)):
            self.block(node.body.body, scope)
        elif isinstance(node.orelse, cst.If):
            self._if(node.orelse, scope)
        elif node.orelse is not None:
            self.block(node.orelse.body.body, scope)

    def decide(self, seen: Seen) -> bool:
        """Returns what a condition is, or the next choice where that cannot be told."""
        value = seen.value
        if isinstance(value, Plain):
            return bool(value.value)
        if isinstance(value, Items | Table):
            return bool(value.items)
        if isinstance(value, Made | Net | Custom | Function):
            return True
        self.met += 1
        if self.met > len(self.choices):
            self.choices.append(True)
        return self.choices[self.met - 1]

    def _for(self, node: cst.For, scope: Scope) -> None:
        items = self.iterate(self.value(node.iter, scope))
        if items is None:
            self.assign(node.target, unknown(), scope)
            self._round(node.body.body, scope)
            return
        for item in items[:MOST_ROUNDS]:
            self.assign(node.target, item, scope)
            if self._round(node.body.body, scope):
                break

    def _round(self, body: Sequence[cst.CSTNode], scope: Scope) -> bool:
        try:
            self.block(body, scope)
        except _Leave as leave:
            return leave.ends
        return False

    def _aug(self, node: cst.AugAssign, scope: Scope) -> None:
        left, right = self.value(node.target, scope), self.value(node.value, scope)
        if isinstance(left.value, Items) and isinstance(right.value, Items):
            left.value.items += right.value.items
            return
        self.assign(node.target, self.combined(node, left, right), scope)

    def assign(self, target: cst.CSTNode, seen: Seen, scope: Scope) -> None:
        """Binds a value to a name, an attribute, an item, or to several of them."""
        value = seen.value
        if isinstance(target, cst.Name):
            if isinstance(value, Net):
                value.places.add(target.value)
            scope.names[target.value] = seen
        elif isinstance(target, cst.Tuple | cst.List):
            parts = self.iterate(seen) or []
            for place, element in enumerate(target.elements):
                part = parts[place] if place < len(parts) else unknown()
                self.assign(element.value, part, scope)
        elif isinstance(target, cst.Attribute):
            owner = self.value(target.value, scope).value
            if isinstance(owner, Made):
                owner.call.values[target.attr.value] = seen
            elif isinstance(owner, Custom | Net):
                owner.attributes[target.attr.value] = seen
                if target.attr.value == "trainable" and isinstance(owner, Net):
                    self.set_trainable(owner, seen)
                if isinstance(value, Net):
                    value.places.add(target.attr.value)
        elif isinstance(target, cst.Subscript):
            table, key = self.value(target.value, scope).value, self.index(target, scope)
            if isinstance(table, Table) and key is not UNKNOWN:
                table.items[key] = seen

    def set_trainable(self, net: Net, seen: Seen) -> None:
        """Sets `trainable` of a model and so of every layer in it."""
        layers = [member.seen for member in net.members] + [item.layer for item in net.applied if item.layer]
        for layer in layers:
            if isinstance(layer.value, Made):
                layer.value.call.values["trainable"] = seen
            elif isinstance(layer.value, Net):
                self.set_trainable(layer.value, seen)


def ways(module: cst.Module) -> Iterator[Reader]:
    """Yields a reader for each way through a script: conditions that cannot be told are tried both ways.

    Every way is followed from the top, then each function is called on its own, as somebody who imports the script
    might do.
    """
    waiting: list[list[bool]] = [[]]
    tried = 0
    while waiting and tried < MOST_WAYS:
        choices = waiting.pop(0)
        tried += 1
        reader = Reader(choices)
        _follow(reader, module)
        yield reader
        waiting += [[*reader.choices[:place], False] for place in range(len(choices), len(reader.choices))]


def _follow(reader: Reader, module: cst.Module) -> None:
    scope = reader.module(module)
    reader.scope = scope
    reader.run_nets = len(reader.nets)
    for seen in list(scope.names.values()):
        value: Any = seen.value
        if isinstance(value, Function):
            reader.try_call(value)
        elif isinstance(value, Class):
            reader.try_class(value)


def dotted(node: cst.CSTNode) -> str:
    """Returns a dotted name as text."""
    if isinstance(node, cst.Attribute):
        return f"{dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""

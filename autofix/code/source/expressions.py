"""Expressions of a script, worked out as far as literals and names go."""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import Any

import libcst as cst

from autofix.code.signatures import publishes
from autofix.code.source.operations import Operations, is_literal, is_number
from autofix.code.source.values import (
    UNKNOWN,
    Bound,
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

# Steps of a script that are followed; more is a loop that builds nothing.
MOST_STEPS = 50_000


class TooLong(Exception):
    """The script takes more steps than are followed."""


class Expressions(Operations):
    """Works out expressions; calls and statements are for those who build on it."""

    def __init__(self) -> None:
        self.steps = 0
        self.objects = 0
        self.nets: list[Net] = []
        self.run_nets = 0
        self.scope = Scope()
        self.stack: list[str] = []

    @abstractmethod
    def call(self, node: cst.Call, scope: Scope) -> Seen:
        """Follows a call."""

    @abstractmethod
    def assign(self, target: cst.CSTNode, seen: Seen, scope: Scope) -> None:
        """Binds a value to a target."""

    def count(self) -> None:
        """Counts a step.

        Raises:
            TooLong: If there were too many.
        """
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooLong

    def number(self) -> int:
        """Returns the number of the next object that is made."""
        self.objects += 1
        return self.objects

    def value(self, node: cst.CSTNode, scope: Scope) -> Seen:
        """Works out an expression."""
        self.count()
        if isinstance(node, cst.Name):
            return self._name(node, scope)
        if isinstance(node, cst.Integer | cst.Float | cst.SimpleString | cst.ConcatenatedString | cst.UnaryOperation):
            return self._literal(node, scope)
        if isinstance(node, cst.FormattedString):
            return self._formatted(node, scope)
        if isinstance(node, cst.List | cst.Tuple | cst.Set):
            return Seen(Items(self._elements(node, scope)), (node,))
        if isinstance(node, cst.Dict):
            return Seen(self._table(node, scope), (node,))
        if isinstance(node, cst.Attribute):
            return self.attribute(node, self.value(node.value, scope))
        if isinstance(node, cst.Subscript):
            return self._subscript(node, scope)
        if isinstance(node, cst.Call):
            return self.call(node, scope)
        if isinstance(node, cst.BinaryOperation):
            return self.combined(node, self.value(node.left, scope), self.value(node.right, scope))
        if isinstance(node, cst.Comparison | cst.BooleanOperation):
            return self.logical(node, scope)
        if isinstance(node, cst.IfExp):
            return self.value(node.body if self.decide(self.value(node.test, scope)) else node.orelse, scope)
        if isinstance(node, cst.Lambda):
            return Seen(Function(node, scope), (node,))
        if isinstance(node, cst.ListComp | cst.GeneratorExp):
            return Seen(Items(self._comprehended(node, scope)), (node,), computed=True)
        if isinstance(node, cst.NamedExpr):
            seen = self.value(node.value, scope)
            self.assign(node.target, seen, scope)
            return seen
        return unknown(node)

    def iterate(self, seen: Seen) -> list[Seen] | None:
        """Returns the items of a value; None where they cannot be told."""
        if isinstance(seen.value, Items):
            return list(seen.value.items)
        if isinstance(seen.value, Table):
            return [Seen(Plain(key)) for key in seen.value.items]
        return None

    def _name(self, node: cst.Name, scope: Scope) -> Seen:
        constants = {"None": None, "True": True, "False": False}
        if node.value in constants:
            return Seen(Plain(constants[node.value]), (node,))
        found = scope.find(node.value)
        if found is not None:
            return found.through(node)
        for module in scope.top.stars:
            group = module.removeprefix("keras").lstrip(".").replace(".", "/")
            if module.split(".")[0] == "keras" and (not group or publishes(group, node.value)):
                return Seen(Public(f"{module}.{node.value}"), (node,))
        return Seen(Public(node.value), (node,))

    def _literal(self, node: cst.CSTNode, scope: Scope) -> Seen:
        if isinstance(node, cst.UnaryOperation):
            inner = self.value(node.expression, scope)
            if isinstance(node.operator, cst.Not):
                return Seen(Plain(not inner.value.value) if isinstance(inner.value, Plain) else UNKNOWN, (node,), True)
            if not isinstance(inner.value, Plain) or not is_number(inner.value.value):
                return unknown(node)
            sign = -1 if isinstance(node.operator, cst.Minus) else 1
            return Seen(Plain(sign * inner.value.value), (node,), not is_literal(node))
        try:
            return Seen(Plain(ast.literal_eval(cst.Module([]).code_for_node(node))), (node,))
        except (ValueError, SyntaxError):
            return unknown(node)

    def _formatted(self, node: cst.FormattedString, scope: Scope) -> Seen:
        text = ""
        for part in node.parts:
            if isinstance(part, cst.FormattedStringText):
                text += part.value
                continue
            if not isinstance(part, cst.FormattedStringExpression):
                return Seen(UNKNOWN, (node,), True)
            inner = self.value(part.expression, scope).value
            if not isinstance(inner, Plain) or part.format_spec or part.conversion:
                return Seen(UNKNOWN, (node,), True)
            text += str(inner.value)
        return Seen(Plain(text), (node,), True)

    def _elements(self, node: cst.List | cst.Tuple | cst.Set, scope: Scope) -> list[Seen]:
        found: list[Seen] = []
        for element in node.elements:
            seen = self.value(element.value, scope)
            if isinstance(element, cst.StarredElement):
                found += self.iterate(seen) or ([] if isinstance(seen.value, Items) else [unknown(element.value)])
            else:
                found.append(seen)
        return found

    def _table(self, node: cst.Dict, scope: Scope) -> Table:
        items: dict[Any, Seen] = {}
        for element in node.elements:
            if isinstance(element, cst.StarredDictElement):
                inner = self.value(element.value, scope).value
                items |= inner.items if isinstance(inner, Table) else {}
                continue
            if not isinstance(element, cst.DictElement):
                continue
            key = self.value(element.key, scope).value
            if isinstance(key, Plain):
                items[key.value] = self.value(element.value, scope)
        return Table(items, node)

    def _comprehended(self, node: cst.ListComp | cst.GeneratorExp, scope: Scope) -> list[Seen]:
        found: list[Seen] = []
        inner = Scope(parent=scope)

        def go(clause: cst.CompFor) -> None:
            for item in self.iterate(self.value(clause.iter, inner)) or []:
                self.assign(clause.target, item, inner)
                if not all(self.decide(self.value(test.test, inner)) for test in clause.ifs):
                    continue
                if clause.inner_for_in:
                    go(clause.inner_for_in)
                else:
                    found.append(self.value(node.elt, inner))

        go(node.for_in)
        return found

    def attribute(self, node: cst.Attribute, owner: Seen) -> Seen:
        """Works out `owner.name`."""
        value, name = owner.value, node.attr.value
        if isinstance(value, Public):
            return Seen(Public(canonical(f"{value.path}.{name}")), (node,))
        if isinstance(value, Custom | Net) and name in value.attributes:
            return value.attributes[name].through(node)
        if isinstance(value, Custom) and name in value.call.values and value.kind and not value.kind.method("__init__"):
            return value.call.values[name].through(node)  # a dataclass
        if isinstance(value, Custom) and value.kind is not None:
            method = value.kind.method(name)
            if method is not None:
                return Seen(Function(method, value.kind.scope, owner), (node,))
            return self._of_class(value, name, node)
        if isinstance(value, Net) and name == "layers":
            own = [member.seen for member in value.members] or [item.layer for item in value.applied if item.layer]
            return Seen(Items([seen for seen in own if not _is_input(seen)]), (node,))
        if isinstance(value, Made) and name in value.call.values:
            return value.call.values[name].through(node)
        return unknown(node)

    def _of_class(self, value: Custom, name: str, node: cst.CSTNode) -> Seen:
        """An attribute that the body of a class assigns."""
        for item in value.kind.node.body.body if value.kind else ():
            for part in item.body if isinstance(item, cst.SimpleStatementLine) else ():
                target = part.targets[0].target if isinstance(part, cst.Assign) else getattr(part, "target", None)
                given = getattr(part, "value", None)
                if isinstance(target, cst.Name) and target.value == name and given is not None and value.kind:
                    return self.value(given, value.kind.scope).through(node)
        return unknown(node)

    def index(self, node: cst.Subscript, scope: Scope) -> Any:
        """Returns the key of `owner[key]`; `UNKNOWN` where it cannot be told."""
        part = node.slice[0].slice if len(node.slice) == 1 else None
        if not isinstance(part, cst.Index):
            return UNKNOWN
        found = self.value(part.value, scope).value
        return found.value if isinstance(found, Plain) else UNKNOWN

    def _subscript(self, node: cst.Subscript, scope: Scope) -> Seen:
        owner, key = self.value(node.value, scope).value, self.index(node, scope)
        if key is UNKNOWN:
            return unknown(node)
        if isinstance(owner, Table) and key in owner.items:
            return owner.items[key].through(node)
        if isinstance(owner, Items) and isinstance(key, int) and -len(owner.items) <= key < len(owner.items):
            return owner.items[key].through(node)
        return unknown(node)

    def bound(self, node: cst.Call, names: tuple[str, ...], scope: Scope) -> Bound:
        """Returns the arguments of a call by name."""
        found = Bound(node)
        place = 0
        for argument in node.args:
            seen = self.value(argument.value, scope)
            if argument.star == "**":
                if isinstance(seen.value, Table):
                    found.tables.append(seen.value)
                    found.values |= {str(key): item for key, item in seen.value.items.items()}
                else:
                    found.is_open = True
            elif argument.star == "*":
                items = self.iterate(seen)
                if items is None:
                    # How many there are cannot be told: what follows them is known by its keyword alone.
                    place, found.is_open = len(names), True
                    continue
                for item in items:
                    self._bind(found, names, place, item)
                    place += 1
            elif argument.keyword is not None:
                found.values[argument.keyword.value] = seen
            else:
                self._bind(found, names, place, seen)
                place += 1
        return found

    def _bind(self, found: Bound, names: tuple[str, ...], place: int, seen: Seen) -> None:
        if place < len(names):
            found.values[names[place]] = seen
        else:
            found.extra.append(seen)


def _is_input(seen: Seen) -> bool:
    return isinstance(seen.value, Made) and seen.value.name == "InputLayer"

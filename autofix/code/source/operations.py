"""Operations on values: arithmetic, comparisons, conditions."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import libcst as cst

from autofix.code.source.values import UNKNOWN, Applied, Items, Plain, Scope, Seen, Table, Tensor

BINARY: Mapping[type[cst.CSTNode], Callable[[Any, Any], Any]] = {
    cst.Add: operator.add,
    cst.Subtract: operator.sub,
    cst.Multiply: operator.mul,
    cst.Divide: operator.truediv,
    cst.FloorDivide: operator.floordiv,
    cst.Modulo: operator.mod,
    cst.Power: operator.pow,
    cst.Equal: operator.eq,
    cst.NotEqual: operator.ne,
    cst.LessThan: operator.lt,
    cst.LessThanEqual: operator.le,
    cst.GreaterThan: operator.gt,
    cst.GreaterThanEqual: operator.ge,
    cst.Is: operator.is_,
    cst.IsNot: operator.is_not,
    cst.In: lambda left, right: left in right,
    cst.NotIn: lambda left, right: left not in right,
}
# Largest power of a number that is worked out, and most repetitions of a list.
MOST_POWER, MOST_ITEMS = 64, 4096


class Operations(ABC):
    """Works out operations; expressions are for those who build on it."""

    @abstractmethod
    def value(self, node: cst.CSTNode, scope: Scope) -> Seen:
        """Works out an expression."""

    @abstractmethod
    def iterate(self, seen: Seen) -> list[Seen] | None:
        """Returns the items of a value; None where they cannot be told."""

    @abstractmethod
    def decide(self, seen: Seen) -> bool:
        """Returns what a condition is."""

    def combined(self, node: cst.CSTNode, left: Seen, right: Seen) -> Seen:
        """Works out an operation on two values."""
        if isinstance(left.value, Tensor) or isinstance(right.value, Tensor):
            inputs = tuple(seen for seen in (left, right) if isinstance(seen.value, Tensor))
            return Seen(Tensor(Applied(None, inputs, node)), (node,))
        if isinstance(left.value, Items) and isinstance(right.value, Items):
            return Seen(Items([*left.value.items, *right.value.items]), (node,), True)
        kind: type[Any] = type(getattr(node, "operator", None))
        if isinstance(node, cst.BinaryOperation) and kind is cst.Multiply:
            listed, times = (left, right) if isinstance(left.value, Items) else (right, left)
            count = times.value.value if isinstance(times.value, Plain) else None
            if isinstance(listed.value, Items) and isinstance(count, int):
                return Seen(Items(listed.value.items * min(count, MOST_ITEMS)), (node,), True)
        if not (isinstance(left.value, Plain) and isinstance(right.value, Plain)) or kind not in BINARY:
            return Seen(UNKNOWN, (node,), True)
        one, other = left.value.value, right.value.value
        if kind is cst.Power and not (is_number(other) and abs(other) <= MOST_POWER):
            return Seen(UNKNOWN, (node,), True)
        try:
            return Seen(Plain(BINARY[kind](one, other)), (node,), not is_literal(node))
        except (TypeError, ValueError, ArithmeticError):
            return Seen(UNKNOWN, (node,), True)

    def logical(self, node: cst.Comparison | cst.BooleanOperation, scope: Scope) -> Seen:
        """Works out a comparison or a combination of conditions."""
        if isinstance(node, cst.BooleanOperation):
            left = self.value(node.left, scope)
            if not isinstance(left.value, Plain | Items | Table):
                self.value(node.right, scope)
                return Seen(UNKNOWN, (node,), True)
            stops = self.decide(left) == isinstance(node.operator, cst.Or)
            return left if stops else self.value(node.right, scope)
        left, target = self.value(node.left, scope), node.comparisons[0]
        right = self.value(target.comparator, scope)
        kind: type[Any] = type(target.operator)
        if len(node.comparisons) > 1 or kind not in BINARY:
            return Seen(UNKNOWN, (node,), True)
        if kind in (cst.Is, cst.IsNot) and UNKNOWN not in (left.value, right.value):
            plain = [seen.value.value if isinstance(seen.value, Plain) else seen.value for seen in (left, right)]
            return Seen(Plain(BINARY[kind](*plain)), (node,), True)
        if kind in (cst.In, cst.NotIn) and isinstance(left.value, Plain) and isinstance(right.value, Items | Table):
            items = self.iterate(right) or []
            held = [item.value.value for item in items if isinstance(item.value, Plain)]
            return Seen(Plain(BINARY[kind](left.value.value, held)), (node,), True)
        if isinstance(left.value, Plain) and isinstance(right.value, Plain):
            try:
                return Seen(Plain(BINARY[kind](left.value.value, right.value.value)), (node,), True)
            except TypeError:
                return Seen(UNKNOWN, (node,), True)
        return Seen(UNKNOWN, (node,), True)


def is_literal(node: cst.CSTNode) -> bool:
    """Returns whether an expression holds nothing but numbers and text."""
    if isinstance(node, cst.UnaryOperation):
        return is_literal(node.expression)
    if isinstance(node, cst.BinaryOperation):
        return is_literal(node.left) and is_literal(node.right)
    return isinstance(node, cst.Integer | cst.Float | cst.SimpleString | cst.ConcatenatedString)


def is_number(value: Any) -> bool:
    """Returns whether a value is a number or a truth value."""
    return isinstance(value, int | float)

"""Layers and models in the making."""

from __future__ import annotations

import libcst as cst

from autofix.code.signatures import signature
from autofix.code.source.library import Library
from autofix.code.source.values import (
    Applied,
    Bound,
    Items,
    Made,
    Member,
    Net,
    Partial,
    Public,
    Scope,
    Seen,
    Table,
    Tensor,
    keras_class,
    unknown,
)


class Making(Library):
    """Follows the constructors of Keras."""

    def made(self, group: str, name: str, node: cst.Call, scope: Scope) -> Seen:
        """Makes an object of Keras."""
        known = signature(group, "Input" if name == "InputLayer" else name)
        made = Made(group, name, self.bound(node, known.names if known else (), scope), self.number())
        seen = Seen(made, (node,))
        is_tensor = name == "InputLayer" and not _called_as(node, "InputLayer")
        # What `keras.Input` gives is a tensor; a Sequential takes it for the layer behind it.
        return Seen(Tensor(Applied(seen, (), node)), (node,)) if is_tensor else seen

    def merged(self, name: str, node: cst.Call, scope: Scope) -> Seen:
        """`layers.add([a, b])` makes a layer `Add` and calls it."""
        found = [self.value(argument.value, scope) for argument in node.args]
        inputs = tuple(seen for item in found for seen in tensors(item))
        layer = Seen(Made("layers", name.capitalize(), Bound(node, is_open=True), self.number()))
        return Seen(Tensor(Applied(layer, inputs, node)), (node,))

    def sequential(self, node: cst.Call, scope: Scope) -> Seen:
        """Makes a Sequential."""
        net = Net("sequential", self.bound(node, ("layers", "trainable", "name"), scope), self.number())
        given = net.call.values.get("layers")
        listed = self.iterate(given) if given is not None else []
        for item in listed if listed is not None else [unknown()]:
            net.members.append(Member(layer_of(item)))
        return self.registered(net, node)

    def functional(self, node: cst.Call, scope: Scope) -> Seen:
        """Makes a functional model."""
        net = Net("functional", self.bound(node, ("inputs", "outputs", "name"), scope), self.number())
        seen: set[int] = set()

        def visit(item: Seen) -> None:
            for tensor in tensors(item):
                applied = tensor.value.of
                if id(applied) not in seen:
                    seen.add(id(applied))
                    for source in applied.inputs:
                        visit(source)
                    net.applied.append(applied)

        for key in ("inputs", "outputs"):
            if key in net.call.values:
                visit(net.call.values[key])
        return self.registered(net, node)

    def registered(self, net: Net, node: cst.CSTNode) -> Seen:
        """Notes a model and the functions that it is made in."""
        net.places |= set(self.stack)
        self.nets.append(net)
        return Seen(net, (node,))

    def completed(self, partial: Partial, node: cst.Call, scope: Scope) -> Seen:
        """Calls what a partial stands for with the arguments of both; those of this call come last and win."""
        first = partial.node.with_changes(args=partial.node.args[1:])
        value = partial.called.value
        made = keras_class(value.path) if isinstance(value, Public) else None
        if made is None:
            return unknown(node)
        known = signature(made[0], made[1])
        names = known.names if known else ()
        early = self.bound(first, names, partial.scope)
        late = self.bound(node, tuple(name for name in names if name not in early.values), scope)
        call = Bound(node, {**early.values, **late.values}, late.tables, early.is_open or late.is_open)
        return Seen(Made(*made, call, self.number()), (node,))


def tensors(seen: Seen) -> list[Seen]:
    """Returns the tensors in a value: itself, or those in a list or dict."""
    if isinstance(seen.value, Tensor):
        return [seen]
    if isinstance(seen.value, Items):
        return [part for item in seen.value.items for part in tensors(item)]
    if isinstance(seen.value, Table):
        return [part for item in seen.value.items.values() for part in tensors(item)]
    return []


def layer_of(seen: Seen) -> Seen:
    """A Sequential takes the tensor of `keras.Input` for the layer behind it."""
    if isinstance(seen.value, Tensor) and seen.value.of.layer is not None and not seen.value.of.inputs:
        return Seen(seen.value.of.layer.value, seen.trail, seen.computed)
    return seen


def _called_as(node: cst.Call, name: str) -> bool:
    func = node.func
    return (func.attr.value if isinstance(func, cst.Attribute) else getattr(func, "value", "")) == name

"""Calls of a script: what makes layers and models, and functions of its own that are followed."""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from typing import Any

import libcst as cst

from autofix.code.signatures import compile_signature, fit_signature
from autofix.code.source.expressions import TooLong
from autofix.code.source.making import Making, layer_of, tensors
from autofix.code.source.values import (
    Applied,
    Bound,
    Class,
    Custom,
    Function,
    Items,
    Made,
    Member,
    Net,
    Parser,
    Partial,
    Plain,
    Public,
    Scope,
    Seen,
    Table,
    Tensor,
    canonical,
    keras_class,
    unknown,
)

# Calls of functions within functions that are followed.
DEEPEST = 24
# Calls of autofix that take a model, data, and the settings of `fit`.
OF_AUTOFIX = ("autofix.repair", "autofix.diagnose", "autofix.check")
MODELS = ("keras.Sequential", "keras.models.Sequential")
FUNCTIONAL = ("keras.Model", "keras.models.Model")
FIT_NAMES = ("fit",)


class Caller(Making):
    """Follows calls."""

    @abstractmethod
    def call_function(self, function: Function, scope: Scope) -> Seen:
        """Follows the body of a function whose arguments are bound in `scope`."""

    def call(self, node: cst.Call, scope: Scope) -> Seen:
        """Follows a call."""
        if isinstance(node.func, cst.Attribute):
            owner = self.value(node.func.value, scope)
            found = self._method(node, owner, node.func.attr.value, scope)
            if found is not None:
                return found
            called = self.attribute(node.func, owner)
        else:
            called = self.value(node.func, scope)
        value = called.value
        if isinstance(value, Public):
            return self._public(value.path, node, scope)
        if isinstance(value, Function):
            return self._function(value, node, scope)
        if isinstance(value, Class):
            return self._instance(value, node, scope)
        if isinstance(value, Made | Custom | Net):
            return self._applied(called, node, scope)
        if isinstance(value, Partial):
            return self.completed(value, node, scope)
        return self._other(node, scope)

    def try_call(self, function: Function) -> None:
        """Follows a function as if somebody called it, its arguments unknown where they have no default."""
        node = function.node
        if not isinstance(node, cst.FunctionDef):
            return
        with contextlib.suppress(TooLong, RecursionError):
            self._enter(function, Bound(cst.Call(cst.Name(node.name.value))))

    def try_class(self, kind: Class) -> None:
        """Follows the making of an object and each of its methods that need no arguments."""
        with contextlib.suppress(TooLong, RecursionError):
            seen = self._made_of(kind, Bound(cst.Call(kind.node.name)))
            for item in kind.node.body.body:
                if isinstance(item, cst.FunctionDef) and not item.name.value.startswith("__"):
                    given = Bound(cst.Call(cst.Name(item.name.value)), is_open=True)
                    self._enter(Function(item, kind.scope, seen), given)

    def _other(self, node: cst.Call, scope: Scope) -> Seen:
        """A call of something that is not known: on tensors it gives a tensor, otherwise anything."""
        found = [self.value(argument.value, scope) for argument in node.args]
        inputs = tuple(seen for item in found for seen in tensors(item))
        return Seen(Tensor(Applied(None, inputs, node)), (node,)) if inputs else unknown(node)

    def _public(self, path: str, node: cst.Call, scope: Scope) -> Seen:
        path = canonical(path)
        if path in MODELS:
            return self.sequential(node, scope)
        if path in FUNCTIONAL:
            return self.functional(node, scope)
        if path in OF_AUTOFIX:
            return self._of_autofix(node, scope)
        if path == "argparse.ArgumentParser":
            return Seen(Parser(), (node,))
        if path == "functools.partial" and node.args:
            return Seen(Partial(self.value(node.args[0].value, scope), node, scope), (node,))
        made = keras_class(path)
        if made is not None and made[0] == "layers" and made[1].islower():
            return self.merged(made[1], node, scope)
        if made is not None:
            return self.made(*made, node, scope)
        built_in = self.built_in(path, node, scope)
        return built_in if built_in is not None else self._other(node, scope)

    def _of_autofix(self, node: cst.Call, scope: Scope) -> Seen:
        found = self.bound(node, ("model", "data"), scope)
        model = found.values.get("model")
        if model is not None and isinstance(model.value, Function):
            model = self._enter(model.value, Bound(node))
        if model is not None and isinstance(model.value, Net):
            model.value.fits.append(found)
        return unknown(node)

    def _method(self, node: cst.Call, owner: Seen, name: str, scope: Scope) -> Seen | None:
        value = owner.value
        if isinstance(value, Net):
            return self._of_net(node, owner, value, name, scope)
        if isinstance(value, Parser):
            return self.of_parser(node, value, name, scope)
        if isinstance(value, Items) and name in ("append", "extend"):
            items = [self.value(argument.value, scope) for argument in node.args]
            value.items += items if name == "append" else [part for item in items for part in self.iterate(item) or []]
            return Seen(Plain(None))
        if isinstance(value, Table) and name in ("items", "keys", "values", "get", "copy", "update", "pop"):
            return self.of_table(node, value, name, scope)
        return None

    def _of_net(self, node: cst.Call, owner: Seen, net: Net, name: str, scope: Scope) -> Seen | None:
        if name == "add" and net.kind == "sequential":
            layer = self.value(node.args[0].value, scope) if node.args else unknown()
            net.members.append(Member(layer_of(layer), node))
        elif name == "compile":
            net.compiled = self.bound(node, compile_signature().names, scope)
        elif name in FIT_NAMES:
            net.fits.append(self.bound(node, fit_signature().names, scope))
        elif name == "pop" and net.members:
            net.members.pop()
        elif net.kind == "subclassed" and isinstance(net.attributes.get("__class__"), Seen):
            kind = net.attributes["__class__"].value
            method = kind.method(name)
            return self._function(Function(method, kind.scope, owner), node, scope) if method else unknown(node)
        else:
            return unknown(node)
        return unknown(node)

    def _applied(self, called: Seen, node: cst.Call, scope: Scope) -> Seen:
        """A layer or a model called on tensors."""
        found = [self.value(argument.value, scope) for argument in node.args]
        inputs = tuple(seen for item in found for seen in tensors(item))
        if not inputs:
            return unknown(node)
        return Seen(Tensor(Applied(called, inputs, node)), (node,))

    def _function(self, function: Function, node: cst.Call, scope: Scope) -> Seen:
        parameters = function.node.params
        names = [item.name.value for item in (*parameters.posonly_params, *parameters.params)]
        own = tuple(names[1:] if function.owner is not None else names)
        return self._enter(function, self.bound(node, own, scope)).through(node)

    def _enter(self, function: Function, given: Bound) -> Seen:
        """Binds arguments and follows a function."""
        name = function.node.name.value if isinstance(function.node, cst.FunctionDef) else "lambda"
        if len(self.stack) >= DEEPEST or self.stack.count(name) > 2:
            return unknown(given.node)
        parameters, inner = function.node.params, Scope(parent=function.scope)
        plain = [*parameters.posonly_params, *parameters.params]
        if function.owner is not None and plain:
            inner.names[plain[0].name.value] = function.owner
            plain = plain[1:]
        rest = dict(given.values)
        for item in (*plain, *parameters.kwonly_params):
            key = item.name.value
            if key in rest:
                inner.names[key] = rest.pop(key)
            elif item.default is not None:
                inner.names[key] = self.value(item.default, function.scope)
            else:
                inner.names[key] = unknown()
        if parameters.star_kwarg is not None:
            inner.names[parameters.star_kwarg.name.value] = unknown() if given.is_open else Seen(Table(dict(rest)))
        if isinstance(parameters.star_arg, cst.Param):
            inner.names[parameters.star_arg.name.value] = unknown() if given.is_open else Seen(Items(list(given.extra)))
        self.stack.append(name)
        try:
            found = self.call_function(function, inner)
        finally:
            self.stack.pop()
        if isinstance(found.value, Net):
            found.value.places.add(name)
        return found

    def _instance(self, kind: Class, node: cst.Call, scope: Scope) -> Seen:
        init = kind.method("__init__")
        names = [item.name.value for item in init.params.params[1:]] if init else _fields(kind)
        return self._made_of(kind, self.bound(node, tuple(names), scope))

    def _made_of(self, kind: Class, given: Bound) -> Seen:
        """Makes an object of a class of the script."""
        name = kind.node.name.value
        is_model = canonical(kind.base) in FUNCTIONAL
        value: Any
        if is_model:
            value = Net("subclassed", given, self.number(), attributes={"__class__": Seen(kind)})
            seen = self.registered(value, given.node)
            value.places.add(name)
        else:
            value = Custom(name, given, self.number(), kind=kind)
            seen = Seen(value, (given.node,))
        init = kind.method("__init__")
        if init is not None:
            self.stack.append(name)
            try:
                self._enter(Function(init, kind.scope, seen), given)
            finally:
                self.stack.pop()
        return seen


def _fields(kind: Class) -> list[str]:
    """Returns the annotated attributes of a class, which are the arguments of a dataclass."""
    parts = (part for item in kind.node.body.body if isinstance(item, cst.SimpleStatementLine) for part in item.body)
    return [
        part.target.value for part in parts if isinstance(part, cst.AnnAssign) and isinstance(part.target, cst.Name)
    ]

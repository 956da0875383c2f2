"""What reading a script makes of its expressions: values, and the places in the source that they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import libcst as cst

from autofix.code.signatures import GROUPS, public_class


@dataclass(frozen=True, eq=False)
class Seen:
    """A value where it is used.

    Attributes:
        value: One of the classes below, or `UNKNOWN`.
        trail: Expressions any of which could be replaced to change it here: the one that stands here, then the one
            that it was assigned from, and so on to the literal.
        computed: Whether it was worked out from other values, so that no literal is to take its place.
    """

    value: Any
    trail: tuple[cst.CSTNode, ...] = ()
    computed: bool = False

    def through(self, node: cst.CSTNode) -> Seen:
        """Returns the same value, used by way of `node`."""
        return Seen(self.value, (node, *self.trail), self.computed)


@dataclass(frozen=True, eq=False)
class Plain:
    """None, a number, text or a truth value."""

    value: Any


@dataclass(eq=False)
class Items:
    """A list or a tuple."""

    items: list[Seen]


@dataclass(eq=False)
class Table:
    """A dict, with the node of its literal where it has one."""

    items: dict[Any, Seen]
    node: cst.CSTNode | None = None


@dataclass(frozen=True, eq=False)
class Public:
    """A module, class or function that is imported, by its full name: `keras.layers.Dense`."""

    path: str


@dataclass(eq=False)
class Scope:
    """Names and what they stand for, inside out."""

    names: dict[str, Seen] = field(default_factory=dict)
    parent: Scope | None = None
    stars: list[str] = field(default_factory=list)

    def find(self, name: str) -> Seen | None:
        """Returns what a name stands for, None for one that nobody bound."""
        if name in self.names:
            return self.names[name]
        return self.parent.find(name) if self.parent else None

    @property
    def top(self) -> Scope:
        """The scope of the module."""
        return self.parent.top if self.parent else self


@dataclass(frozen=True, eq=False)
class Function:
    """A function of the script; `owner` is what a method is called on."""

    node: cst.FunctionDef | cst.Lambda
    scope: Scope
    owner: Seen | None = None


@dataclass(frozen=True, eq=False)
class Class:
    """A class of the script; `base` is the public class it derives from, "" for none."""

    node: cst.ClassDef
    scope: Scope
    base: str = ""
    bases: tuple[Class, ...] = ()

    def method(self, name: str) -> cst.FunctionDef | None:
        """Returns a method, inherited ones included."""
        for item in self.node.body.body:
            if isinstance(item, cst.FunctionDef) and item.name.value == name:
                return item
        return next((found for base in self.bases if (found := base.method(name))), None)


@dataclass(eq=False)
class Bound:
    """The arguments of one call.

    Attributes:
        node: The call.
        values: Arguments by name.
        tables: Dicts that were unpacked into it by `**`.
        is_open: Whether something was unpacked into it that cannot be told.
        extra: Positional arguments beyond those that have a name.
    """

    node: cst.Call
    values: dict[str, Seen] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    is_open: bool = False
    extra: list[Seen] = field(default_factory=list)


@dataclass(eq=False)
class Made:
    """An object of Keras that the script constructs.

    Attributes:
        group: Where its class is: "layers".
        name: Its class: "Dense"; "InputLayer" for an input.
        call: The arguments it was made with; attributes set later take their place.
        number: How many objects were made before it.
    """

    group: str
    name: str
    call: Bound
    number: int


@dataclass(eq=False)
class Custom:
    """An object of a class of the script, or of one that is imported from elsewhere."""

    name: str
    call: Bound
    number: int
    attributes: dict[str, Seen] = field(default_factory=dict)
    kind: Class | None = None


@dataclass(eq=False)
class Partial:
    """What `functools.partial` gives: something to call, with some of its arguments."""

    called: Seen
    node: cst.Call
    scope: Scope


@dataclass(eq=False)
class Parser:
    """An `argparse.ArgumentParser`: defaults by the names that the parsed arguments go by."""

    defaults: dict[str, Seen] = field(default_factory=dict)


@dataclass(eq=False)
class Member:
    """A layer of a Sequential: how it stands in its list, or the call of `add` that put it there."""

    seen: Seen
    added_by: cst.Call | None = None


@dataclass(eq=False)
class Applied:
    """A layer called on tensors; without a layer for an operation on tensors.

    Attributes:
        layer: The layer.
        inputs: What it was called on, each with its trail.
        node: The call.
    """

    layer: Seen | None
    inputs: tuple[Seen, ...]
    node: cst.CSTNode


@dataclass(frozen=True, eq=False)
class Tensor:
    """What a layer puts out."""

    of: Applied


@dataclass(eq=False)
class Net:
    """A model.

    Attributes:
        kind: "sequential", "functional" or "subclassed".
        call: The arguments it was made with.
        number: How many objects were made before it.
        members: Layers of a Sequential in order.
        applied: Layers of a functional model with what they are called on.
        compiled: Its last `compile`.
        fits: Every `fit`, and every call of autofix that takes the settings of `fit`.
        places: Functions and variables that it goes through.
    """

    kind: str
    call: Bound
    number: int
    members: list[Member] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)
    compiled: Bound | None = None
    fits: list[Bound] = field(default_factory=list)
    places: set[str] = field(default_factory=set)
    attributes: dict[str, Seen] = field(default_factory=dict)


UNKNOWN: Final = object()


def unknown(*trail: cst.CSTNode) -> Seen:
    """Returns a value that reading does not tell."""
    return Seen(UNKNOWN, trail)


def canonical(path: str) -> str:
    """Returns a dotted name with the ways to get at Keras made one: `tensorflow.keras.layers` is `keras.layers`."""
    for prefix in ("tensorflow.python.keras", "tensorflow.keras", "tf.keras"):
        if path == prefix or path.startswith(prefix + "."):
            return "keras" + path.removeprefix(prefix)
    return path


def keras_class(path: str) -> tuple[str, str] | None:
    """Returns group and class of a public name of Keras; None for anything else."""
    parts = canonical(path).split(".")
    if parts[0] != "keras" or len(parts) < 2:
        return None
    if parts[-1] in ("Input", "InputLayer"):
        return "layers", "InputLayer"
    group = "/".join(part for part in parts[1:-1] if part != "legacy")
    if group not in GROUPS:
        return None
    name = public_class(group, parts[-1])
    return (group, name) if name else None

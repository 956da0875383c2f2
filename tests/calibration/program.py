"""`Program`: a Keras program with its data, as a small frozen description that a mutation can change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from autofix.frozen import EMPTY, FrozenDict, canonical, thaw

# Layers whose activation is one of the hidden ones.
HIDDEN = frozenset({"Dense", "Conv1D", "Conv2D", "SimpleRNN"})
WEIGHTED = HIDDEN | {"LSTM", "GRU", "Embedding"}


@dataclass(frozen=True)
class Part:
    """A Keras object by class name and settings: a layer, an optimizer or a loss.

    Attributes:
        kind: Name of the class; of a loss also the name of a function of Keras or of `losses.py`.
        settings: Arguments of the class.
    """

    kind: str
    settings: FrozenDict = EMPTY

    def put(self, settings: Mapping[str, Any]) -> Part:
        """Returns a copy with some settings replaced."""
        return replace(self, settings=FrozenDict({**self.settings, **settings}))

    @property
    def width(self) -> int | None:
        """Units or filters."""
        return self.settings.get("units") or self.settings.get("filters")


def part(kind: str, settings: Mapping[str, Any] = EMPTY) -> Part:
    """Returns a part with plain settings."""
    return Part(kind, FrozenDict(settings))


def dense(units: int, activation: str = "relu") -> Part:
    """Returns a dense layer."""
    return part("Dense", {"units": units, "activation": activation})


@dataclass(frozen=True)
class Stem:
    """One input of a model, and the layers that only it passes.

    Attributes:
        name: Name of the input.
        shape: Shape of one example.
        layers: Layers of its own.
        dtype: Type of the values.
    """

    name: str
    shape: tuple[int, ...]
    layers: tuple[Part, ...] = ()
    dtype: str = "float32"


@dataclass(frozen=True)
class Damage:
    """A change of the data, by name; see `damages.py`.

    Attributes:
        name: Name of the damage.
        amount: How much of it; each damage says what it counts.
    """

    name: str
    amount: float = 1.0


@dataclass(frozen=True)
class Program:
    """Model, data and settings of `fit`.

    Attributes:
        kind: Name of the healthy kind it derives from.
        seed: Seed of data, sizes and initial weights.
        data: Name of the data; see `data.py`.
        rows: Rows of it.
        stems: Inputs; several are concatenated.
        body: Layers between inputs and head.
        head: The output layer.
        loss: The loss.
        optimizer: The optimizer.
        epochs: Epochs.
        batch_size: Rows in a batch.
        shuffle: Whether rows are shuffled every epoch.
        tail: Layers behind the head.
        damage: Changes of the data, in their order.
        frozen: "" for none, "all" or "head": what has `trainable=False`.
    """

    kind: str
    seed: int
    data: str
    rows: int
    stems: tuple[Stem, ...]
    body: tuple[Part, ...]
    head: Part
    loss: Part
    optimizer: Part = Part("Adam", FrozenDict({"learning_rate": 1e-3}))
    epochs: int = 10
    batch_size: int = 32
    shuffle: bool = True
    tail: tuple[Part, ...] = ()
    damage: tuple[Damage, ...] = ()
    frozen: str = ""

    @property
    def rate(self) -> float:
        """The learning rate."""
        return float(self.optimizer.settings["learning_rate"])

    def fingerprint(self) -> str:
        """Returns 16 hexadecimal digits that change with anything in the description."""
        plain = {name: _plain(value) for name, value in asdict(self).items()}
        return hashlib.sha256(canonical(plain).encode()).hexdigest()[:16]

    def at_rate(self, rate: float) -> Program:
        """Returns the program with another learning rate."""
        return replace(self, optimizer=self.optimizer.put({"learning_rate": rate}))

    def damaged(self, name: str, amount: float = 1.0) -> Program:
        """Returns the program on changed data."""
        return replace(self, damage=(*self.damage, Damage(name, amount)))

    def mapped(self, change: Callable[[Part], Part], *, head: bool = False) -> Program:
        """Returns the program with every layer changed, the head only if asked for."""
        stems = tuple(replace(stem, layers=tuple(map(change, stem.layers))) for stem in self.stems)
        end = change(self.head) if head else self.head
        return replace(self, stems=stems, body=tuple(map(change, self.body)), head=end)

    def hidden(self, settings: Mapping[str, Any], *, kinds: frozenset[str] = HIDDEN, head: bool = False) -> Program:
        """Returns the program with settings replaced in every layer of some kinds."""
        return self.mapped(lambda layer: layer.put(settings) if layer.kind in kinds else layer, head=head)

    def deepened(self, layer: Part, count: int) -> Program:
        """Returns the program with `count` copies of a layer in front of the head."""
        return replace(self, body=(*self.body, *(layer,) * count))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return thaw(value)

"""`Change` and `Patch`: what a repair is made of, and the source of the change log."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from autofix import yaml_text
from autofix.errors import FixYourCall, StaleChange
from autofix.frozen import NOTHING, canonical, freeze, part, thaw, with_part
from autofix.recipe import LayerView, Recipe, layers

# What one change costs the person who has to live with it. Settings of `fit` and `compile` are edited in one place
# and change nothing that is deployed; layer settings change the model; new layers and other widths change its size
# and whatever reads its outputs; changed labels reach beyond the program.
COST_BY_SECTION: Mapping[str, float] = {"fit": 1.0, "compile": 1.0, "layers": 1.5, "transforms": 3.0}
COST_BY_KEY: Mapping[str, float] = {"after": 2.0, "skip": 2.0, "units": 2.5, "filters": 2.5, "epochs": 0.5}


@dataclass(frozen=True)
class Change:
    """One value replaced by another.

    Attributes:
        path: What is changed; see `Recipe`.
        before: The value it must have now.
        after: The value it gets.
        strategy: Name of the strategy that asked for it.
        why: The evidence, in one sentence with its numbers.
        effect: Score lost when the change's line is left out (mean over seeds, in units of the metric); None where
            it was not measured.
    """

    path: str
    before: Any
    after: Any
    strategy: str
    why: str
    effect: float | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "before", freeze(self.before))
        object.__setattr__(self, "after", freeze(self.after))

    @property
    def key(self) -> str:
        """The last part of the path: which setting it is."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def cost(self) -> float:
        """What the change costs; the sum over a patch is what "smaller" means."""
        if self.key == "epochs" and isinstance(self.before, int) and isinstance(self.after, int):
            # Every later training pays for more epochs: one for each doubling.
            return COST_BY_KEY["epochs"] + max(0.0, math.log2(max(self.after, 1) / max(self.before, 1)))
        return COST_BY_KEY.get(self.key, COST_BY_SECTION.get(self.path.split("/", 1)[0], 1.5))

    def to_dict(self) -> dict[str, Any]:
        """Returns the change as JSON-ready data."""
        return {
            "path": self.path,
            "before": thaw(self.before),
            "after": thaw(self.after),
            "strategy": self.strategy,
            "why": self.why,
            "effect": self.effect,
        }


@dataclass(frozen=True)
class Patch:
    """Changes in the order in which they are applied. `Patch()` changes nothing.

    Attributes:
        changes: The changes.
        layers: Paths of the layers of the program that it was made for, in order; empty where that is not known. Keras
            counts the layers of a process to name them, so that the same program has other names the next time.
    """

    changes: tuple[Change, ...] = ()
    layers: tuple[str, ...] = field(default=(), compare=False)

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    def __bool__(self) -> bool:
        return bool(self.changes)

    @property
    def cost(self) -> float:
        """What the patch costs: the sum over its lines, a line once however many layers it touches."""
        return sum(max(change.cost for change in line) for line in self.lines)

    @property
    def lines(self) -> tuple[tuple[Change, ...], ...]:
        """The lines of the change log: neighbouring changes of one kind for one reason count as one."""

        def kind(change: Change) -> tuple[str, str, str, str]:
            return change.strategy, change.key, canonical(_nameless(change)), change.why

        return tuple(tuple(group) for _, group in groupby(self.changes, key=kind))

    def made_for(self, recipe: Recipe) -> Patch:
        """Returns the patch with the names of the program that it was made for."""
        return replace(self, layers=tuple(layer.path for layer in layers(recipe)))

    def apply(self, recipe: Recipe) -> Recipe:
        """Returns the recipe with every change made.

        Layers that Keras named are found by their place where the recipe has the same ones. A recipe read from a model
        alone does not know how the model was fitted; settings of `fit` are then taken as the patch has them.

        Raises:
            StaleChange: If a value is no longer the one that the change was made for.
        """
        for change in renamed(self, recipe):
            found = recipe.get(change.path)
            told = recipe.fit_known or not change.path.startswith("fit/")
            if told and canonical(found) != canonical(change.before):
                raise StaleChange(
                    f"{change.path} must be {thaw(change.before)!r} for this change. Received a recipe where it is "
                    f"{thaw(found)!r}. Diagnose the model again instead of replaying the patch."
                )
            recipe = recipe.set(change.path, change.after)
        return recipe

    def inverse(self) -> Patch:
        """Returns the patch that undoes this one."""
        return Patch(
            tuple(replace(change, before=change.after, after=change.before) for change in reversed(self.changes))
        )

    def without(self, line: Iterable[Change]) -> Patch:
        """Returns the patch without the given changes, made for the values that are there when they are left out.

        A learning rate that was set in a new optimizer is set in the old one instead. What no longer applies or changes
        anything is left out too.
        """
        gone = set(map(id, line))
        kept: list[Change] = []
        stays: dict[str, Any] = {}  # values that the rest was not made for, by path
        for change in self.changes:
            outer = next((path for path in stays if change.path == path or _holds(path, change.path)), None)
            inner = {path: value for path, value in stays.items() if _holds(change.path, path)}
            before = change.before if outer is None else part(stays[outer], change.path.removeprefix(outer))
            for path, value in inner.items():
                before = with_part(before, path.removeprefix(change.path), value)
                del stays[path]
            if id(change) in gone:
                if outer is None:
                    stays[change.path] = before
            elif before is not NOTHING and canonical(before) != canonical(change.after):
                kept.append(replace(change, before=before) if outer is not None or inner else change)
                if outer == change.path:
                    del stays[outer]
                elif outer is not None:
                    stays[outer] = with_part(stays[outer], change.path.removeprefix(outer), change.after)
        return Patch(tuple(kept))

    def then(self, other: Patch) -> Patch:
        """Returns one patch that does both, with one change for what both change and none for what ends up as it was.

        A value and a part of it (``compile/optimizer`` and its learning rate) stay apart, in their order.
        """
        merged: list[Change] = []
        for change in (*self.changes, *other.changes):
            place = next((index for index, old in enumerate(merged) if old.path == change.path), None)
            if place is None or any(_holds(later.path, change.path) for later in merged[place + 1 :]):
                merged.append(change)
                continue
            # Parts of the value that were changed since are overwritten with it.
            later = [item for item in merged[place + 1 :] if not _holds(change.path, item.path)]
            merged[place:] = [replace(change, before=merged[place].before), *later]
        return Patch(tuple(item for item in merged if canonical(item.before) != canonical(item.after)))

    def _repr_html_(self) -> str:
        from autofix.report import notebook
        from autofix.report.document import line_of

        return notebook.patch([line_of(line) for line in self.lines])

    def to_dict(self) -> dict[str, Any]:
        """Returns the patch as JSON-ready data."""
        document: dict[str, Any] = {"changes": [change.to_dict() for change in self.changes]}
        return {**document, "layers": list(self.layers)} if self.layers else document

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Patch:
        """Reads what `to_dict` wrote.

        Raises:
            FixYourCall: If the document is not a patch.
        """
        try:
            return cls(tuple(_read(item) for item in document["changes"]), _names(document.get("layers", ())))
        except (KeyError, TypeError, RecursionError) as error:
            raise FixYourCall(f"this is not a patch: it needs a list `changes`. {error}") from error

    def to_yaml(self) -> str:
        """Returns the patch as YAML."""
        return yaml_text.write(self.to_dict())

    @classmethod
    def from_yaml(cls, text: str) -> Patch:
        """Reads what `to_yaml` wrote; never runs code from it.

        Raises:
            FixYourCall: If the text is not YAML or not a patch.
        """
        document = yaml_text.read(text)
        if not isinstance(document, Mapping):
            raise FixYourCall(f"a patch is a mapping with a list `changes`. Received: {type(document).__name__}.")
        return cls.from_dict(document)


def _holds(outer: str, inner: str) -> bool:
    """Whether the value at `inner` is a part of the one at `outer`."""
    return inner.startswith(outer + "/")


def renamed(patch: Patch, recipe: Recipe) -> tuple[Change, ...]:
    """Returns the changes of a patch with the names that the layers have in `recipe`.

    They are as they are where the layers are not the same ones, number for number, but for how Keras counted them.
    """
    theirs = layers(recipe)
    paths = dict(zip(patch.layers, (layer.path for layer in theirs), strict=False))
    same = len(patch.layers) == len(theirs) and all(map(_is_called, paths, theirs))
    if not same or all(old == new for old, new in paths.items()):
        return patch.changes
    names = {old.rsplit("/", 1)[-1]: new.rsplit("/", 1)[-1] for old, new in paths.items()}

    def path(old: str) -> str:
        inside = max((item for item in paths if old == item or _holds(item, old)), key=len, default="")
        return paths[inside] + old.removeprefix(inside) if inside else old

    def value(old: Any) -> Any:  # losses and labels go by the names of the outputs
        return {names.get(key, key): item for key, item in old.items()} if isinstance(old, Mapping) else old

    return tuple(
        replace(change, path=path(change.path), before=value(change.before), after=value(change.after))
        if change.path.startswith("layers/")
        else replace(change, before=value(change.before), after=value(change.after))
        for change in patch.changes
    )


def _is_called(old: str, layer: LayerView) -> bool:
    """Whether a layer has the name `old`, or one that differs in how Keras counted layers without a name."""
    if old == layer.path:
        return True
    counted = _uncounted(layer.name).replace("_", "") == layer.class_name.lower()
    return counted and _uncounted(old) == _uncounted(layer.path)


def _uncounted(path: str) -> str:
    return re.sub(r"_\d+(?=/|$)", "", path)


def _names(found: Any) -> tuple[str, ...]:
    if not isinstance(found, list | tuple) or not all(isinstance(item, str) for item in found):
        raise TypeError(f"`layers` must be a list of paths. Received: {found!r}")
    return tuple(found)


def _read(item: Any) -> Change:
    change = Change(**item)
    for key in ("path", "strategy", "why"):
        if not isinstance(getattr(change, key), str):
            raise TypeError(f"`{key}` must be text. Received: {getattr(change, key)!r}")
    if change.effect is not None and not isinstance(change.effect, int | float):
        raise TypeError(f"`effect` must be a number or nothing. Received: {change.effect!r}")
    return change


def _nameless(change: Change) -> Any:
    """Returns the new value without what differs from layer to layer: the names of layers put behind others."""
    if change.key != "after" or not isinstance(change.after, tuple):
        return change.after
    return [_without_name(layer) for layer in change.after]


def _without_name(layer: Any) -> Any:
    config = layer.get("config") if isinstance(layer, Mapping) else None
    return {**layer, "config": {**config, "name": ""}} if isinstance(config, Mapping) else layer

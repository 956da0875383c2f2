"""From wanted values to a `Patch`: what every strategy does with its answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autofix.change import Change, Patch
from autofix.frozen import canonical, freeze
from autofix.recipe import Recipe
from autofix.strategy import Case
from autofix.symptom import Symptom


def edit(recipe: Recipe, wanted: Iterable[tuple[str, Any]], *, strategy: str, why: str) -> Patch:
    """Returns the changes that give the paths their wanted values; paths that do not exist or fit are left out.

    Args:
        recipe: The program as it stands.
        wanted: Paths with their new values.
        strategy: Name of the strategy.
        why: The evidence, one sentence.
    """
    changes: dict[str, Change] = {}
    for path, after in wanted:
        if path in changes or not recipe.has(path):
            continue
        before = recipe.get(path)
        if canonical(before) != canonical(freeze(after)):
            changes[path] = Change(path, before, after, strategy, why)
    return Patch(tuple(changes.values()))


def join(*patches: Patch) -> Patch:
    """Returns the changes of all patches, which must not touch the same paths, in their order."""
    return Patch(tuple(change for patch in patches for change in patch))


def evidence(case: Case, symptoms: Iterable[Symptom], otherwise: str, *, first: Symptom | None = None) -> str:
    """Returns what was found of the given symptoms, `first` before the others, or the sentence `otherwise`."""
    found = (case.finds(first) if first else None) or case.telling(symptoms)
    return f"{found.symptom.value} {found.evidence}" if found else otherwise


def short(value: float, digits: int = 2) -> float:
    """Returns `value` with few digits, as a person would write it."""
    return float(f"{value:.{digits}g}")


def behind(recipe: Recipe, path: str, layer: dict[str, Any], *, last: bool = False) -> tuple[str, list[Any]]:
    """Returns the edit that puts a layer behind the one at `path`: before what was put there already, or last."""
    present = recipe.get(f"{path}/after")
    return f"{path}/after", [*present, layer] if last else [layer, *present]


def unused_name(taken: set[str], wanted: str) -> str:
    """Returns `wanted` or its first numbered form that is not taken yet, and takes it."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    taken.add(name)
    return name


def keras_layer(class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Returns a built-in layer in Keras' serialized form."""
    return {"module": "keras.layers", "class_name": class_name, "config": config, "registered_name": None}

"""Strategy `trainable`: layers frozen by mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from autofix.change import Patch
from autofix.contract import tails
from autofix.recipe import LayerView, Recipe, layers
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import edit, evidence
from autofix_strategies._graph import WRAPPERS, has_weights

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

CHOICES = ("own", "all")


@final
@dataclass(frozen=True)
class Trainable(Strategy):
    """Lets frozen layers learn again when nothing, or not even the output, is left to learn.

    What it changes:
        `trainable` of frozen layers, when no layer with weights is trainable or an output layer is frozen. A nested
        model (a pretrained base) stays frozen as long as the layers around it have weights; the search may unfreeze it.

    Why it helps:
        A frozen output layer cannot learn what the classes are, whatever feeds it.

    When it does not apply:
        A frozen base under a head that learns: that is transfer learning as it should be.

    References:
        Keras guide "Transfer learning and fine-tuning". Yosinski et al., NeurIPS 2014.
    """

    name: ClassVar[str] = "trainable"
    treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.FROZEN_LAYERS, Symptom.WEIGHTS_UNCHANGED})
    is_contract: ClassVar[bool] = True

    def guess(self, case: Case) -> Patch:
        return self._unfrozen(case, base_too=False) if _is_stuck(case) else Patch()

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        if not any(_is_frozen(case.recipe, view) for view in _weighted(case.recipe)):
            return Patch()
        choice = trial.suggest_categorical(f"{self.name}.layers", CHOICES)
        return self._unfrozen(case, base_too=True) if choice == "all" else self.guess(case)

    def _unfrozen(self, case: Case, *, base_too: bool) -> Patch:
        recipe = case.recipe
        weighted = _weighted(recipe)
        own = [view for view in weighted if "/layers/" not in view.path]
        chosen = weighted if base_too or not own else own
        paths = [path for path in _switches(chosen) if recipe.has(path) and recipe.get(path) is False]
        frozen = sum(_is_frozen(recipe, view) for view in weighted)
        why = evidence(case, self.treats, f"{frozen} of {len(weighted)} layers with weights are frozen.")
        return edit(recipe, [(path, True) for path in paths], strategy=self.name, why=why)


def _weighted(recipe: Recipe) -> list[LayerView]:
    return [view for view in layers(recipe) if not view.skipped and has_weights(view)]


def _is_stuck(case: Case) -> bool:
    """Whether nothing is trainable, or an output layer is not."""
    recipe = case.recipe
    weighted = _weighted(recipe)
    if not weighted:
        return False
    heads = {tail.host for tail in tails(recipe, len(case.facts.targets)) if tail is not None}
    frozen = [view for view in weighted if _is_frozen(recipe, view)]
    return len(frozen) == len(weighted) or any(view.path in heads for view in frozen)


def _is_frozen(recipe: Recipe, view: LayerView) -> bool:
    return any(recipe.has(path) and recipe.get(path) is False for path in _switches([view]))


def _switches(views: list[LayerView]) -> Iterator[str]:
    """Yields the paths of all switches that hold the layers: their own, their wrappers' and the models' around them."""
    seen: set[str] = set()
    for view in views:
        ancestors = ["architecture", *_models_around(view.path)]
        inside = [f"{view.path}/{key}" for key in WRAPPERS.get(view.class_name, ()) if _is_layer(view.config.get(key))]
        for place in (*ancestors, view.path, *inside):
            path = f"{place}/trainable"
            if path not in seen:
                seen.add(path)
                yield path


def _models_around(path: str) -> Iterator[str]:
    parts = path.split("/layers/")
    for end in range(1, len(parts)):
        yield "/layers/".join(parts[:end])


def _is_layer(value: Any) -> bool:
    return isinstance(value, Mapping) and "config" in value

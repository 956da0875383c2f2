"""Strategy `class_weight`: rare classes given their say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from autofix.change import Patch
from autofix.contract import SIGMOIDS, outputs_of
from autofix.facts import TargetFacts, TaskKind
from autofix.labels import positions
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import edit, join, short

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

# Below it, balanced weights differ by less than a factor that most losses do not notice.
UNEVEN = 1.5
CHOICES = ("balanced", "damped", "oversample", "prior", "balanced and prior")


@final
@dataclass(frozen=True)
class ClassWeight(Strategy):
    """Weighs classes inversely to how often they occur.

    What it changes:
        `fit/class_weight`: rows / (classes x rows of the class), scikit-learn's balanced weights. The search also tries
        their square roots, repeating rows of rare classes instead, and an output bias that starts at the log odds of
        the classes.

    Why it helps:
        At 98 to 2, never predicting the rare class costs next to nothing; with balanced weights both classes cost the
        same.

    When it does not apply:
        Several outputs (Keras refuses class weights), several labels a row, targets per time step, quantities, classes
        within a factor of 1.5, weights or oversampling that the user set and that did not fail.

    References:
        King and Zeng, Political Analysis 2001. scikit-learn, `compute_class_weight`. Lin et al., ICCV 2017, section
        3.3 (prior in the output bias). Buda et al., Neural Networks 2018 (oversampling).
    """

    name: ClassVar[str] = "class_weight"
    treats: ClassVar[frozenset[Symptom]] = frozenset(
        {Symptom.CLASS_IMBALANCE, Symptom.IMBALANCE_IGNORED, Symptom.COLLAPSED_PREDICTIONS}
    )

    def guess(self, case: Case) -> Patch:
        target = _uneven(case)
        has_own = case.recipe.fit.get("class_weight") is not None or case.recipe.fit.get("oversample")
        if target is None or (has_own and case.finds(*self.treats) is None):
            return Patch()
        return self._weighed(case, target, damped=False)

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        target = _uneven(case)
        if target is None:
            return Patch()
        choice = trial.suggest_categorical(f"{self.name}.kind", CHOICES)
        parts = []
        if choice in ("balanced", "damped", "balanced and prior"):
            parts.append(self._weighed(case, target, damped=choice == "damped"))
        if choice == "oversample":
            wanted = [("fit/oversample", True), ("fit/class_weight", None)]
            parts.append(edit(case.recipe, wanted, strategy=self.name, why=_why(target)))
        if "prior" in choice:
            parts.append(self._prior(case, target))
        return join(*parts)

    def _weighed(self, case: Case, target: TargetFacts, *, damped: bool) -> Patch:
        wanted = [("fit/class_weight", dict(weights(target.counts, damped=damped)))]
        return edit(case.recipe, wanted, strategy=self.name, why=_why(target))

    def _prior(self, case: Case, target: TargetFacts) -> Patch:
        """The output bias of a binary head starts at the log odds of the second class."""
        output = outputs_of(case.recipe, case.facts, case.output_shapes)[0]
        tail, loss = output.tail, output.loss
        if target.kind is not TaskKind.BINARY or tail is None or not tail.editable or output.width != 1 or loss is None:
            return Patch()
        if not (output.activation in SIGMOIDS or (output.activation == "linear" and loss.from_logits)):
            return Patch()
        if tail.core.config.get("use_bias") is False or min(target.counts) == 0:
            return Patch()
        odds = short(math.log(target.counts[1] / target.counts[0]), 4)
        constant = {
            "module": "keras.initializers",
            "class_name": "Constant",
            "config": {"value": odds},
            "registered_name": None,
        }
        wanted: list[tuple[str, Any]] = [(f"{tail.core.path}/bias_initializer", constant)]
        return edit(case.recipe, wanted, strategy=self.name, why=_why(target))


def weights(counts: tuple[int, ...], *, damped: bool = False) -> Mapping[str, float]:
    """Returns balanced class weights by class index: n / (k * count), or their square roots.

    Args:
        counts: Rows per class.
        damped: Whether to take square roots.
    """
    seen = [count for count in counts if count > 0]
    rows, k = sum(seen), len(seen)
    plain = [rows / (k * count) if count > 0 else 1.0 for count in counts]
    return {str(place): short(math.sqrt(weight) if damped else weight, 4) for place, weight in enumerate(plain)}


def _uneven(case: Case) -> TargetFacts | None:
    """Returns the target if it is the only one, names one class a row, and its classes are uneven."""
    if len(case.facts.targets) != 1:
        return None
    target = case.facts.targets[0]
    if target.kind not in (TaskKind.BINARY, TaskKind.MULTICLASS) or positions(target) != 1:
        return None
    seen = [count for count in target.counts if count > 0]
    return target if len(seen) > 1 and max(seen) / min(seen) >= UNEVEN else None


def _why(target: TargetFacts) -> str:
    seen = [(count, label) for label, count in zip(target.classes, target.counts, strict=True) if count > 0]
    (few, rare), (many, common) = min(seen, key=lambda pair: pair[0]), max(seen, key=lambda pair: pair[0])
    return f"Class {rare!r} has {few} rows and class {common!r} {many}: 1 to {many / few:.3g}."

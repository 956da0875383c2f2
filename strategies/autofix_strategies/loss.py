"""Strategy `loss`: the loss that fits head and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from autofix.change import Change, Patch
from autofix.contract import best_triple, judge, loss_value, outputs_of, with_loss
from autofix.frozen import canonical, freeze
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom

if TYPE_CHECKING:
    from optuna.trial import BaseTrial


@final
@dataclass(frozen=True)
class Loss(Strategy):
    """Replaces a loss that does not fit the output layer and the labels.

    What it changes:
        `compile/loss`: the cross-entropy that reads these labels from this head, with `from_logits` as the activation
        asks for; mean squared error for quantities under a loss for classes. Other settings of the loss stay.

    Why it helps:
        Sparse cross-entropy refuses one-hot targets; a loss for probabilities has no gradient where it clips raw
        outputs; squared distances of a saturated softmax hardly move the weights.

    When it does not apply:
        Custom losses; losses that fit, unusual ones included (Kullback-Leibler on softmax, hinge on margins, binary
        cross-entropy on one-hot columns or on shares between 0 and 1, Poisson on positive outputs).

    References:
        Bishop 2006, section 4.3.6. Golik et al., Interspeech 2013 (cross-entropy against squared error). Keras guide
        "Losses", `from_logits`.
    """

    name: ClassVar[str] = "loss"
    treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.LOSS_MISMATCH, Symptom.HEAD_MISMATCH})
    is_contract: ClassVar[bool] = True

    def guess(self, case: Case) -> Patch:
        recipe, patch = case.recipe, Patch()
        count = len(case.facts.targets)
        for output in outputs_of(recipe, case.facts, case.output_shapes):
            plan = best_triple(output)
            if plan.loss is None:
                continue
            found = judge(output)
            own = [item for item in found if item.symptom is Symptom.LOSS_MISMATCH] or list(found)
            path, before, after = with_loss(
                recipe, count, output.index, loss_value(plan.loss, plan.from_logits, output.loss)
            )
            if recipe.has(path) and canonical(freeze(before)) != canonical(freeze(after)):
                patch = patch.then(Patch((Change(path, before, after, self.name, own[0].sentence),)))
                recipe = recipe.set(path, after)
        return patch

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        return self.guess(case)

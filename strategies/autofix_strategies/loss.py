"""Strategy `loss`: the loss that fits head and labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

from autofix.change import Change, Patch
from autofix.contract import best_triple, judge, loss_value, outputs_of, with_loss
from autofix.frozen import canonical, freeze
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix.trace import Trace

if TYPE_CHECKING:
    from optuna.trial import BaseTrial


NO_GRADIENT = (
    "The gradient of the loss is exactly 0 for every weight, the output layer's included: a loss that rounds, compares "
    "or picks a maximum passes nothing back."
)


@final
@dataclass(frozen=True)
class Loss(Strategy):
    """Replaces a loss that does not fit the output layer and the labels.

    What it changes:
        `compile/loss`: the cross-entropy that reads these labels from this head, with `from_logits` as the activation
        asks for; mean squared error for quantities under a loss for classes. Other settings of the loss stay. A loss
        of the user's own goes only where the run showed that no weight gets a gradient from it.

    Why it helps:
        Sparse cross-entropy refuses one-hot targets; a loss for probabilities has no gradient where it clips raw
        outputs; squared distances of a saturated softmax hardly move the weights.

    When it does not apply:
        Custom losses that give gradients; losses that fit, unusual ones included (Kullback-Leibler on softmax, hinge on
        margins, binary cross-entropy on one-hot columns or on shares between 0 and 1, Poisson on positive outputs).

    References:
        Bishop 2006, section 4.3.6. Golik et al., Interspeech 2013 (cross-entropy against squared error). Keras guide
        "Losses", `from_logits`.
    """

    name: ClassVar[str] = "loss"
    treats: ClassVar[frozenset[Symptom]] = frozenset(
        {Symptom.LOSS_MISMATCH, Symptom.HEAD_MISMATCH, Symptom.WEIGHTS_UNCHANGED}
    )
    is_contract: ClassVar[bool] = True

    def guess(self, case: Case) -> Patch:
        recipe, patch = case.recipe, Patch()
        count = len(case.facts.targets)
        for output in outputs_of(recipe, case.facts, case.output_shapes):
            blind = output.loss is not None and output.loss.identifier == "custom" and _gives_no_gradient(case.trace)
            if blind and output.loss is not None:
                output = replace(output, loss=replace(output.loss, identifier="mean_squared_error"))
            plan = best_triple(output)
            wanted = plan.loss or ("mean_squared_error" if blind else None)
            if wanted is None:
                continue
            raw = plan.from_logits or (blind and output.activation == "linear" and "crossentropy" in wanted)
            found = judge(output)
            own = [item for item in found if item.symptom is Symptom.LOSS_MISMATCH] or list(found)
            why = NO_GRADIENT if blind else own[0].sentence
            path, before, after = with_loss(recipe, count, output.index, loss_value(wanted, raw, output.loss))
            if recipe.has(path) and canonical(freeze(before)) != canonical(freeze(after)):
                patch = patch.then(Patch((Change(path, before, after, self.name, why),)))
                recipe = recipe.set(path, after)
        return patch

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        return self.guess(case)


def _gives_no_gradient(trace: Trace | None) -> bool:
    """Whether the gradient was exactly zero at every step that was looked at, the output layer's included."""
    return trace is not None and bool(trace.gradient_norm) and not any(trace.gradient_norm)

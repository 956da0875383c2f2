"""Strategy `targets`: labels fed as the loss reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from autofix.change import Patch
from autofix.contract import best_triple, judge, outputs_of
from autofix.frozen import thaw
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import edit

if TYPE_CHECKING:
    from optuna.trial import BaseTrial


@final
@dataclass(frozen=True)
class Targets(Strategy):
    """Feeds every label as the index of its class.

    What it changes:
        `transforms/labels`: the user's labels in column order; what is fed is their index. The mapping stays in the
        result, and predictions come back as the user's labels.

    Why it helps:
        Sparse cross-entropy counts classes from 0: label k of 1..k has no column. Binary cross-entropy on labels other
        than 0 and 1 has no minimum.

    When it does not apply:
        Labels that fit head and loss as they are: 0..k-1, -1 and 1 under a hinge, 1..k with k+1 units; quantities.

    References:
        Keras API, `sparse_categorical_crossentropy`. scikit-learn, `LabelEncoder`.
    """

    name: ClassVar[str] = "targets"
    treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.LABEL_ENCODING})
    is_contract: ClassVar[bool] = True

    def guess(self, case: Case) -> Patch:
        present = dict(thaw(case.recipe.transforms.get("labels")) or {})
        wanted, why = dict(present), ""
        for output in outputs_of(case.recipe, case.facts, case.output_shapes):
            if best_triple(output).encode:
                wanted[output.target.name] = list(output.target.classes)
                found = judge(output)
                own = [item for item in found if item.symptom is Symptom.LABEL_ENCODING] or list(found)
                why = why or own[0].sentence
        if wanted == present:
            return Patch()
        return edit(case.recipe, [("transforms/labels", wanted)], strategy=self.name, why=why)

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        return self.guess(case)

"""Strategy `shuffle`: the order in which the rows are fed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from autofix.change import Patch
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import edit, evidence
from autofix_strategies._graph import Graph, parts

if TYPE_CHECKING:
    from optuna.trial import BaseTrial


@final
@dataclass(frozen=True)
class Shuffle(Strategy):
    """Draws the rows in a new order every epoch.

    What it changes:
        `fit/shuffle`: True, Keras' default, where it was turned off.

    Why it helps:
        Rows that come sorted make batches of one class each, and each batch undoes what the one before taught.

    When it does not apply:
        Rows that are shuffled already. Stateful recurrent layers need their rows in order, so a model with one keeps
        it.

    References:
        Bengio 2012 (arXiv:1206.5533), section 2.1. Bottou 2009, "Curiously fast convergence of some stochastic
        gradient descent algorithms": a new order every epoch beats any fixed one.
    """

    name: ClassVar[str] = "shuffle"
    treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.SORTED_ROWS})

    def guess(self, case: Case) -> Patch:
        views = Graph.of(case.recipe).views
        needs_order = any(part.config.get("stateful") for view in views for part in parts(view))
        if case.recipe.fit.get("shuffle", True) is not False or needs_order:
            return Patch()
        why = evidence(case, self.treats, "The rows are fed in the order in which they are stored.")
        return edit(case.recipe, [("fit/shuffle", True)], strategy=self.name, why=why)

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        return self.guess(case)

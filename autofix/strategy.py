"""The contract of a strategy: one remedy, told from what is known about a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from autofix.change import Patch
from autofix.facts import DataFacts
from autofix.recipe import Recipe
from autofix.symptom import Diagnosis, Symptom
from autofix.trace import Trace

if TYPE_CHECKING:
    from optuna.trial import BaseTrial


# Symptoms that say that a run fails, not why: any other one is the better reason for a change.
OUTCOMES = frozenset(
    {
        Symptom.COLLAPSED_PREDICTIONS,
        Symptom.PLATEAU,
        Symptom.LATE_PLATEAU,
        Symptom.SLOW,
        Symptom.UNDERFITTING,
        Symptom.STILL_IMPROVING,
    }
)


@dataclass(frozen=True)
class RangeTest:
    """Learning-rate range test (Smith 2017, arXiv:1506.01186, section 3.3).

    Attributes:
        rates: Learning rates, growing, one per step.
        losses: Smoothed loss at each of them; ends where the loss diverged.
        candidates: Rates worth a run, the most promising first.
        checked: Loss at the end of a short run at each of the candidates; empty where there was nothing to choose.
    """

    rates: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    candidates: tuple[float, ...] = ()
    checked: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, list[float]]:
        """Returns the curve as JSON-ready data."""
        return {name: list(getattr(self, name)) for name in ("rates", "losses", "candidates", "checked")}


@dataclass(frozen=True)
class Case:
    """What a strategy may look at; nothing in it can be changed.

    Attributes:
        recipe: The program as it stands now (earlier strategies of the same candidate are applied already).
        facts: The data in numbers.
        input_shapes: Shape of one example per model input, as the model declares it (None where free).
        output_shapes: Shape of one example per model output of the user's model.
        diagnoses: What is wrong, the most certain and severe first.
        trace: What the probes saw of the baseline run; None if it could not run.
        range_test: The learning-rate range test; None if it was not made.
    """

    recipe: Recipe
    facts: DataFacts
    input_shapes: tuple[tuple[int | None, ...], ...]
    output_shapes: tuple[tuple[int | None, ...], ...]
    diagnoses: tuple[Diagnosis, ...] = ()
    trace: Trace | None = None
    range_test: RangeTest | None = None

    def at(self, recipe: Recipe) -> Case:
        """Returns the same case with another recipe."""
        return replace(self, recipe=recipe)

    def finds(self, *symptoms: Symptom) -> Diagnosis | None:
        """Returns the first diagnosis of one of `symptoms`, None if there is none."""
        return next((item for item in self.diagnoses if item.symptom in symptoms), None)

    def telling(self, symptoms: Iterable[Symptom]) -> Diagnosis | None:
        """Returns the diagnosis among `symptoms` that says most: a cause rather than the failure it leads to."""
        wanted = frozenset(symptoms)
        found = [item for item in self.diagnoses if item.symptom in wanted]
        return min(found, key=lambda item: item.symptom in OUTCOMES, default=None)

    def why(self, strategy: Strategy, otherwise: str) -> str:
        """Returns the evidence of the most telling diagnosis that `strategy` treats, or the sentence `otherwise`."""
        found = self.telling(strategy.treats)
        return f"{found.symptom.value} {found.evidence}" if found else otherwise


class Strategy(ABC):
    """One remedy. Subclasses are final frozen dataclasses without state; one a file.

    A patch that does not apply to a case is the empty `Patch()`; a strategy never raises for a case that it cannot
    treat. Both methods are pure: same arguments, same patch. The controller composes the patches of several
    strategies in the order of their collection, each seeing the recipe that the earlier ones left.

    Attributes:
        name: Unique snake_case name; prefix of its Optuna parameters (``name.parameter``).
        treats: Symptoms that call for it.
        is_contract: Whether its guess follows from program and data alone (output layer, loss, labels, missing
            values), so that it is applied before any search.
    """

    name: ClassVar[str]
    treats: ClassVar[frozenset[Symptom]]
    is_contract: ClassVar[bool] = False

    @abstractmethod
    def guess(self, case: Case) -> Patch:
        """Returns the textbook remedy; empty when the case has nothing for it to change."""

    @abstractmethod
    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        """Returns a remedy drawn from the Optuna trial; parameter names start with ``name.``."""

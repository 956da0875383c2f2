"""Strategy `missing_values`: missing inputs replaced inside the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from autofix.change import Patch
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import edit, join
from autofix_strategies._inputs import Entry, entries, nested, normalization, operation

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

# Standard deviations from the mean that stand in for an infinity: beyond them lie 0.3 % of a normal distribution.
FAR = 3.0


@final
@dataclass(frozen=True)
class MissingValues(Strategy):
    """Replaces missing inputs by the mean of their feature, inside the model.

    What it changes:
        A small nested model behind the input: `Normalization` with the training data's means and variances written
        into it, then `nan_to_num`. So NaN becomes 0, which is the mean after standardizing, and an infinity becomes
        3 standard deviations. A `Normalization` of the user's right behind the input is left out: fitted to the same
        data, it does the same or holds NaN itself. Inputs with a `Masking` layer or an embedding are not standardized.

    Why it helps:
        One NaN in a batch makes every weight NaN. The mean shifts no unit of the first layer.

    When it does not apply:
        Complete inputs; integers; models whose input layer cannot be told.

    References:
        Little and Rubin, Statistical Analysis with Missing Data, 2019, chapter 4. Le Morvan et al., NeurIPS 2021 (why
        a constant is enough for a flexible learner).
    """

    name: ClassVar[str] = "missing_values"
    treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.MISSING_VALUES})
    is_contract: ClassVar[bool] = True

    def guess(self, case: Case) -> Patch:
        return join(*(self._imputed(case, entry) for entry in entries(case) if _needs_it(entry)))

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        return self.guess(case)

    def _imputed(self, case: Case, entry: Entry) -> Patch:
        facts, recipe = entry.facts, case.recipe
        bare = entry.is_masked or entry.is_encoded
        own = [view for view in entry.first if view.class_name == "Normalization" and len(view.feeds_on) == 1]
        steps: list[dict[str, Any]] = [] if bare else [normalization("scaled", facts)]
        top = 0.0 if bare else FAR
        steps.append(operation("NanToNum", {"name": "complete", "nan": 0.0, "posinf": top, "neginf": -top}))
        path = f"{entry.path}/after"
        layer = nested(recipe, entry, f"{facts.name}_imputed", steps)
        features = f" in {facts.missing_features} features" if facts.missing_features else ""
        why = f"{facts.missing:.2%} of the values of input {facts.name!r}{features} are missing or infinite."
        wanted: list[tuple[str, Any]] = [(path, [layer, *recipe.get(path)])]
        wanted += [(f"{view.path}/skip", True) for view in own if not bare]
        return edit(recipe, wanted, strategy=self.name, why=why)


def _needs_it(entry: Entry) -> bool:
    is_float = "float" in str(entry.layer.config.get("dtype", "float32"))
    return entry.facts.missing > 0 and is_float and "NanToNum" not in entry.after and "NanToNum" not in entry.reached

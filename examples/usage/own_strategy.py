"""Add a remedy of your own: a class with two methods, used by name."""

from dataclasses import dataclass
from typing import ClassVar, final

import keras
from optuna.trial import BaseTrial

import autofix
from autofix.symptom import Symptom
from autofix.testing import check_strategy, small_cases


@final
@dataclass(frozen=True)
class LabelSmoothing(autofix.Strategy):
    """Softens one-hot targets for a model that fits its training rows far better than others.

    What it changes:
        `compile/loss`.

    Why it helps:
        Targets of exactly 0 and 1 reward weights that grow without end.

    When it does not apply:
        The loss is not categorical crossentropy.

    References:
        Szegedy et al., CVPR 2016 (arXiv:1512.00567), section 7.
    """

    name: ClassVar[str] = "label_smoothing"
    treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.OVERFITTING})

    def guess(self, case: autofix.Case) -> autofix.Patch:
        return self._smooth(case, 0.1)

    def suggest(self, trial: BaseTrial, case: autofix.Case) -> autofix.Patch:
        return self._smooth(case, trial.suggest_float(f"{self.name}.amount", 0.01, 0.3))

    def _smooth(self, case: autofix.Case, amount: float) -> autofix.Patch:
        loss = case.recipe.get("compile/loss")
        if loss != "categorical_crossentropy":
            return autofix.Patch()
        softer = {
            "module": "keras.losses",
            "class_name": "CategoricalCrossentropy",
            "config": {"label_smoothing": amount},
            "registered_name": None,
        }
        why = case.why(self, "One-hot targets reward endless confidence.")
        return autofix.Patch((autofix.Change("compile/loss", loss, softer, self.name, why),))


def main() -> None:
    keras.utils.disable_interactive_logging()
    for small in small_cases():
        check_strategy(LabelSmoothing(), small)
    print("label_smoothing keeps the contract. In a package of its own it is found through the entry point")
    print('[project.entry-points."autofix.strategies"]\nlabel_smoothing = "my_package:LabelSmoothing"')


if __name__ == "__main__":
    main()

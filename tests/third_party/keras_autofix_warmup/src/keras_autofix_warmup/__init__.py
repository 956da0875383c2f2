"""Learning-rate warmup, as somebody else's strategy for autofix. Written from docs/own-strategy.md alone."""

from dataclasses import dataclass
from typing import ClassVar, final

from autofix import Case, Change, Patch, Strategy, Symptom


@final
@dataclass(frozen=True)
class Warmup(Strategy):
    """Lets the learning rate rise over the first steps and fall to zero over the others.

    What it changes:
        `compile/optimizer/learning_rate`: the rate becomes the peak of a cosine schedule with warmup.

    Why it helps:
        The first gradients of fresh weights are large and point anywhere, and full steps along them throw the weights
        far away; the last steps are small enough to settle in a minimum instead of jumping about in it.

    When it does not apply:
        The rate is a schedule already.

    References:
        Goyal et al. 2017 (arXiv:1706.02677), section 2.2. He et al., CVPR 2019 (arXiv:1812.01187), section 5.1.
    """

    name: ClassVar[str] = "warmup"
    treats: ClassVar[frozenset[Symptom]] = frozenset(
        {Symptom.DIVERGENCE, Symptom.NON_FINITE_LOSS, Symptom.EXPLODING_GRADIENT, Symptom.OSCILLATION}
    )

    def guess(self, case: Case) -> Patch:
        return self._over(case, 0.1)

    def suggest(self, trial, case: Case) -> Patch:
        return self._over(case, trial.suggest_float(f"{self.name}.share", 0.02, 0.5, log=True))

    def _over(self, case: Case, share: float) -> Patch:
        path = "compile/optimizer/learning_rate"
        rate = case.recipe.get(path) if case.recipe.has(path) else None
        if not isinstance(rate, float):
            return Patch()
        batches = -(-case.facts.rows[0] // (case.recipe.get("fit/batch_size") or 32))
        steps = batches * case.recipe.get("fit/epochs")
        rising = max(1, round(share * steps))
        schedule = {
            "module": "keras.optimizers.schedules",
            "class_name": "CosineDecay",
            "config": {
                # Not 0: FTRL divides by it.
                "initial_learning_rate": rate / 100,
                "warmup_target": rate,
                "warmup_steps": rising,
                "decay_steps": max(1, steps - rising),
            },
            "registered_name": None,
        }
        why = case.why(self, "The first steps are as large as all others, and so are the last.")
        return Patch((Change(path, rate, schedule, self.name, why),))

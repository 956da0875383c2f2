"""Which strategies the scores of a search depend on, as Optuna measures it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import optuna

# Shares of variance from fewer candidates say more about chance than about strategies.
LEAST_CANDIDATES = 12
# Scores count as at most so many distances of the best from the median below it: one run that diverged would be all
# that there is to say.
SPREADS = 3.0


def of(study: optuna.Study) -> dict[str, float]:
    """Returns shares of the variance of the scores by strategy, the largest first (fANOVA, Hutter et al. 2014).

    Empty where the search was too short, or one whose candidates all score alike.
    """
    import optuna

    done = [trial for trial in study.trials if trial.state is optuna.trial.TrialState.COMPLETE]
    values = sorted(float(trial.value) for trial in done if trial.value is not None)
    if len(values) < LEAST_CANDIDATES or values[0] == values[-1]:
        return {}
    median, best = values[len(values) // 2], values[-1]
    lowest = min(best - 1e-9, median - SPREADS * max(best - median, 1e-9))
    names = [name for name in done[0].params if name.endswith(".use")]
    names = [name for name in names if len({trial.params.get(name) for trial in done}) > 1]
    if not names:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = optuna.importance.get_param_importances(
                study,
                evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0),
                params=names,
                target=lambda trial: max(lowest, float(trial.value or lowest)),
            )
        except (ValueError, RuntimeError):  # no variance left once outliers are counted as what they are
            return {}
    ordered = sorted(found.items(), key=lambda item: -item[1])
    return {name.removesuffix(".use"): float(share) for name, share in ordered if share >= 0.005}

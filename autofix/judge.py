"""What the numbers mean: healthy or not, good enough or not, which candidates first. Thresholds live here."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set

from autofix.change import Patch
from autofix.compose import GUESS
from autofix.confirm import Measured
from autofix.outcome import Outcome, Status
from autofix.result import Verdict
from autofix.session import Session
from autofix.strategy import OUTCOMES, Case, Strategy
from autofix.symptom import Diagnosis, Symptom
from autofix.yardstick import has_signal

# Share of what a quick scikit-learn model gains over chance that a run must gain to count as working.
WORKING = 0.9
# Share of that gain below which no standard error, however large, makes a run a working one.
NEARLY = 0.75
# Share of that gain that a candidate may lack for the search to end with it, at most.
SETTLED_SHARE = 0.05
# A finding of this severity means that the run is stalled, not just that it could be better.
STALLED = 0.7
# A finding of this severity makes a run suspect where there is no yardstick to tell.
SUSPECT = 0.5
# Smallest gain worth telling of, as a share of the room between the run and what the data allows.
LEAST_SHARE = 0.15
# ... and in units of the score itself.
LEAST = 0.02
# What a symptom that says that a run fails, not why, adds to the promise of a remedy.
OUTCOME_WEIGHT = 0.4
# ... and what one adds that is a fact of the program: it may well explain what was seen in the run, never the reverse.
PROGRAM_WEIGHT = 1.3
PROGRAM = frozenset(
    {
        Symptom.MISSING_VALUES,
        Symptom.UNSCALED_INPUTS,
        Symptom.UNSCALED_TARGETS,
        Symptom.FROZEN_LAYERS,
        Symptom.BAD_INITIALIZATION,
        Symptom.STRONG_REGULARIZATION,
        Symptom.EXTREME_LEARNING_RATE,
        Symptom.BATCH_TOO_LARGE,
        Symptom.BOTTLENECK,
        Symptom.SORTED_ROWS,
        Symptom.TINY_BATCH_NORMALIZATION,
        Symptom.MISPLACED_DROPOUT,
        Symptom.LINEAR_HIDDEN_LAYERS,
    }
)
# Single remedies tried on their own before all together.
SINGLES = 3
# What a chance-level score may stand above chance by luck, in standard errors.
LUCK = 2.5
# Draws without a better candidate after which nothing better is likely.
PATIENCE = 6
# What may only mean that a run is not over yet.
FOR_WANT_OF_TIME = frozenset({Symptom.STILL_IMPROVING, Symptom.UNDERFITTING, Symptom.SLOW})
# Score at which nothing needs a further search, as a share of a perfect one.
EXCELLENT = 0.98


def ceiling(session: Session) -> float:
    """What the data is known to allow: the score of the yardstick models, or the best possible without one."""
    facts = session.facts
    best = session.scorer.perfect if math.isfinite(session.scorer.perfect) else 1.0
    return best if facts.signal is None else min(best, max(facts.signal, facts.chance))


def floor(session: Session) -> float:
    """What counts for a run that gives no usable predictions: chance."""
    return session.facts.chance


def comparable(session: Session) -> bool:
    """Whether the yardstick is in the units of the score; it is not under a user's own metric."""
    return session.scorer.metric == "auto" and session.facts.signal is not None


def good_enough(session: Session, value: float) -> bool:
    """Whether a score is near what the data allows."""
    if not comparable(session):
        return True
    facts = session.facts
    return value + facts.noise >= facts.chance + WORKING * (ceiling(session) - facts.chance)


def hopeless(session: Session) -> bool:
    """Whether not even the yardstick models find a relation between inputs and targets."""
    facts = session.facts
    if not comparable(session) or facts.signal is None:
        return False
    return not has_signal(facts.signal, facts.chance, facts.noise)


def is_healthy(session: Session, outcome: Outcome | None, findings: Sequence[Diagnosis]) -> bool:
    """Whether a run works: it ended well, nothing stalls it, and its score is near what the data allows."""
    if outcome is None or outcome.status is not Status.DONE or outcome.score is None:
        return False
    if any(item.severity >= STALLED for item in findings):
        return False
    if not comparable(session):
        return not any(item.severity >= SUSPECT for item in findings)
    value = outcome.score.value
    facts = session.facts
    if hopeless(session) and value <= facts.chance + LUCK * facts.noise:
        return False
    if value >= facts.chance + WORKING * (ceiling(session) - facts.chance):
        return True
    # Within the standard error of a score it is the findings that tell, unless the rows held out say otherwise.
    scores = (value,) if outcome.holdout is None else (value, outcome.holdout.value)
    least = facts.chance + NEARLY * (ceiling(session) - facts.chance)
    near = all(score >= least and good_enough(session, score) for score in scores)
    return near and not any(item.severity >= SUSPECT for item in findings)


def is_stuck(session: Session, outcome: Outcome, findings: Sequence[Diagnosis]) -> bool:
    """Whether the beginning of a run is enough to call it stalled: no better than guessing, and not for want of time.

    A mistake here costs time only: the proof makes the run in full.
    """
    if outcome.status in (Status.FAILED, Status.DIVERGED) or outcome.score is None:
        return True
    guessing = outcome.score.value <= session.facts.chance + LUCK * session.facts.noise
    return guessing and any(item.severity >= STALLED and item.symptom not in FOR_WANT_OF_TIME for item in findings)


def is_fine(session: Session, value: float, findings: Sequence[Diagnosis]) -> bool:
    """Whether a run that no candidate beat was all right: its score is near what the data allows, if that is known."""
    if comparable(session):
        return good_enough(session, value) and not hopeless(session)
    return not any(item.severity >= SUSPECT for item in findings)


def good_rank(session: Session, target: float | None) -> float:
    """Score rank at which the search may stop.

    Half-way between the yardstick models and a perfect score, less what scores vary by themselves: a network may well
    beat the yardstick, but the nearer it is to perfect, the more a further search only fits the validation rows.
    """
    if target is not None:
        return target
    if not math.isfinite(session.scorer.perfect):
        return math.inf
    perfect = session.scorer.perfect
    if not comparable(session):
        return EXCELLENT * perfect
    return min(EXCELLENT * perfect, (ceiling(session) + perfect) / 2 - session.facts.noise)


def settles(session: Session, outcome: Outcome, findings: Sequence[Diagnosis], target: float | None) -> bool:
    """Whether nothing better than a candidate needs to be looked for.

    It is so good that a further search would only fit the validation rows; or it does what the yardstick models do, as
    far as can be told, and nothing in its own run calls for a remedy.
    """
    if outcome.rank >= good_rank(session, target):
        return True
    if target is not None or not comparable(session) or hopeless(session):
        return False
    # The standard error of a difference of two scores; data too small to tell them apart settles nothing.
    error = math.sqrt(2 / len(session.data.splits)) * session.facts.noise
    near = ceiling(session) - min(error, SETTLED_SHARE * (ceiling(session) - session.facts.chance))
    return outcome.rank >= near and not any(item.severity >= SUSPECT for item in findings)


def tolerance(session: Session, gain: float) -> float:
    """Score rank that a smaller patch may lose: a small share of the gain, more where scores are noisy anyway."""
    noise = session.facts.noise / math.sqrt(len(session.data.splits))
    return max(0.02 * gain, min(0.75 * noise, 0.06 * gain))


def least_gain(session: Session, before: Measured) -> float:
    """The smallest gain that is called one."""
    room = max(0.0, ceiling(session) - max(before.mean, floor(session)))
    return max(LEAST, LEAST_SHARE * room)


def contract_plan(strategies: Sequence[Strategy]) -> dict[str, str]:
    """The fixes that follow from program and data alone."""
    return {strategy.name: GUESS for strategy in strategies if strategy.is_contract}


def plans(case: Case, strategies: Sequence[Strategy]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """First guesses, in two batches: the likely ones, and what is left if those do not do.

    The contract fixes come alone, then with the likeliest remedy, then with all remedies together but the costly
    ones: a long or a larger run is worth its time only when the quick remedies were not enough.
    """
    contract = contract_plan(strategies)
    ranked = _ranked(case.diagnoses, [strategy for strategy in strategies if not strategy.is_contract])
    names = [strategy.name for strategy, weight in ranked if weight > 0]
    quick = [name for name in names if name not in COSTLY]
    present = {strategy.name for strategy in strategies}
    usual = {**contract, **{name: GUESS for name in USUAL if name in present}}
    single = [{**contract, name: GUESS} for name in (quick + [name for name in names if name in COSTLY])[:SINGLES]]
    together = {**contract, **dict.fromkeys(quick, GUESS)}
    everything = {**contract, **dict.fromkeys(names, GUESS)}
    first = _distinct([plan for plan in (contract, *single[:2], together) if plan])
    rest = _distinct([plan for plan in (usual, {**usual, "epochs": GUESS}, *single[2:], everything) if plan])
    return first, [plan for plan in rest if plan not in first]


# Remedies that make every further run longer or larger.
COSTLY = ("epochs", "normalization", "capacity")
# What repairs most runs whatever the probes say: inputs on a common scale, a sane optimizer and rate.
USUAL = ("input_scaling", "target_scaling", "activation", "initializer", "optimizer", "learning_rate")


def deeper_plans(case: Case, strategies: Sequence[Strategy], patch: Patch) -> list[dict[str, str]]:
    """The best candidate so far, plus what its own run calls for."""
    used = {change.strategy: GUESS for change in patch}
    contract = contract_plan(strategies)
    ranked = _ranked(case.diagnoses, [s for s in strategies if s.name not in used and not s.is_contract])
    names = [strategy.name for strategy, weight in ranked if weight > 0]
    base = {**contract, **used}
    return _distinct([{**base, name: GUESS} for name in names[:2]] + [{**base, **dict.fromkeys(names, GUESS)}])


def without_costly(plans: Sequence[dict[str, str]], used: Set[str] = frozenset()) -> list[dict[str, str]]:
    """Leaves out of plans what makes a run longer or larger, but for what is in `used` and so paid already."""
    left = [{name: mode for name, mode in plan.items() if name not in COSTLY or name in used} for plan in plans]
    return _distinct([plan for plan in left if plan])


def _ranked(findings: Sequence[Diagnosis], strategies: Sequence[Strategy]) -> list[tuple[Strategy, float]]:
    def weight(strategy: Strategy) -> float:
        hits = [_promise(item) for item in findings if item.symptom in strategy.treats]
        return max(hits, default=0.0) + 0.1 * sum(hits)

    return sorted(((strategy, weight(strategy)) for strategy in strategies), key=lambda pair: -pair[1])


def _promise(item: Diagnosis) -> float:
    """Returns how much a finding speaks for the remedies that treat it."""
    kind = OUTCOME_WEIGHT if item.symptom in OUTCOMES else PROGRAM_WEIGHT if item.symptom in PROGRAM else 1.0
    return item.certainty * item.severity * kind


def _distinct(plans: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    return list({tuple(sorted(plan.items())): plan for plan in plans}.values())


def next_steps(session: Session, verdict: Verdict, findings: Sequence[Diagnosis]) -> tuple[str, ...]:
    """What a person should look at, where autofix could not help."""
    if verdict in (Verdict.HEALTHY, Verdict.REPAIRED):
        return ()
    facts, steps = session.facts, []
    if comparable(session) and hopeless(session):
        steps.append(
            f"The data shows no signal: a linear model and a forest of trees score {facts.signal:.3f} where guessing "
            f"scores {facts.chance:.3f} (± {facts.noise:.3f}). Check that rows of x and y belong together (a shuffle "
            "of one of them, a wrong join), and that x holds what decides y."
        )
    elif comparable(session) and verdict is Verdict.UNREPAIRED:
        steps.append(
            f"A linear model or a forest of trees scores {facts.signal:.3f} on this data; compare its most important "
            "features with what the network is fed."
        )
    if sum(facts.rows) < 200:
        steps.append(f"There are only {sum(facts.rows)} rows: more data may do more than any setting.")
    if verdict is Verdict.OUT_OF_BUDGET:
        steps.append("Give it more time: `budget='30x'`, or fewer `strategies`.")
    if verdict is Verdict.UNUSABLE:
        steps += [str(item) for item in findings if item.symptom is Symptom.INPUT_SHAPE]
    return tuple(steps)

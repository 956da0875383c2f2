"""Which symptoms a run that is still going can have, and who was told of them. No TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from autofix.symptom import Diagnosis, Evidence, Rule, Symptom
from autofix.symptoms import (
    TRACE,
    collapsed_predictions,
    complete,
    dead_units,
    diagnose,
    divergence,
    exploding_gradient,
    extreme_learning_rate,
    imbalance_ignored,
    non_finite_loss,
    oscillation,
    plateau,
    regularization_dominates,
    saturated_units,
    vanishing_gradient,
    weights_unchanged,
)
from autofix.trace import Trace

# Steps from which a loss curve says something, and steps of a whole epoch that say as much.
SETTLED, EPOCH = 100, 50
# What a rule needs to have been seen, in steps. Faults of layers and gradients show at once; weights may stand still
# at first under a learning rate that warms up; what a loss curve says, it says after some 100 steps.
FROM_STEP: tuple[tuple[Rule, int], ...] = (
    (non_finite_loss.judge, 0),
    (exploding_gradient.judge, 0),
    (vanishing_gradient.judge, 0),
    (dead_units.judge, 0),
    (saturated_units.judge, 0),
    (extreme_learning_rate.judge, 0),
    (weights_unchanged.judge, 20),
    (divergence.judge, EPOCH),
    (plateau.judge, SETTLED),
    (oscillation.judge, SETTLED),
    (collapsed_predictions.judge, SETTLED),
    (imbalance_ignored.judge, SETTLED),
    (regularization_dominates.judge, SETTLED),
)
# Once this many steps are done, one look is enough to tell of a finding; before, it takes two in a row.
SURE = 20
# Severity from which a finding is told, and from which it proves that the run is stalled (see `autofix.symptoms`). A
# loss that still falls at the end is 0.5 as long as no score says that it matters.
TOLD, STALLED = 0.55, 0.7
# What a learning rate that is still rising explains.
WARMING = (weights_unchanged.judge, plateau.judge)
# Severity of what remains a note for the reader.
NOTE = 0.4
# Faults of the inside of a model, which a run may have and learn all the same.
INSIDE = frozenset(
    {
        Symptom.VANISHING_GRADIENT,
        Symptom.DEAD_UNITS,
        Symptom.SATURATED_UNITS,
        Symptom.EXPLODING_GRADIENT,
        Symptom.EXTREME_LEARNING_RATE,
    }
)
# Share of its loss that a run without a score must have got rid of to count as learning: slow ones stay below 0.3.
FALLEN = 0.3
# Last quarter over first quarter of a loss that is no plateau, whatever its noise.
SUNK = 0.95
# Losses that count as the start and as the end of such a run.
HEAD, TAIL = 5, 20


class Judge:
    """Judges one run again and again, and tells of each finding once."""

    def __init__(self) -> None:
        self._told: set[tuple[Symptom, str | None]] = set()
        self._before: set[tuple[Symptom, str | None]] = set()

    def judge(
        self,
        evidence: Evidence,
        step: int,
        *,
        more: tuple[Diagnosis, ...] = (),
        stride: int = 1,
        is_epoch: bool = False,
        is_end: bool = False,
        is_warming: bool = False,
    ) -> tuple[tuple[Diagnosis, ...], tuple[Diagnosis, ...], tuple[str, ...]]:
        """Returns all findings, those that are news, and one sentence for each rule that failed.

        Args:
            evidence: The run so far.
            step: Training steps done.
            more: Findings that are no matter of a trace; they say more than a rule that finds the same.
            stride: Steps that an entry of the trace's loss stands for.
            is_epoch: Whether at least one epoch is complete.
            is_end: Whether the run is over, so that rules about whole runs apply.
            is_warming: Whether the learning rate is still rising.
        """
        rules = _rules(step, is_epoch=is_epoch, is_end=is_end)
        found, failed = diagnose(evidence, [rule for rule in rules if not (is_warming and rule in WARMING)])
        known = set(map(_key, more))
        found = (*map(complete, more), *(item for item in found if _key(item) not in known))
        found = tuple(_in_steps(_eased(item, evidence), stride) for item in found)
        found = tuple(sorted(found, key=lambda item: -item.certainty * item.severity))
        serious = [item for item in found if item.severity >= TOLD and _key(item) not in self._told]
        sure = step >= SURE or is_end
        news = tuple(
            item
            for item in serious
            if sure or _key(item) in self._before or item.symptom is Symptom.NON_FINITE_LOSS
        )  # fmt: skip
        self._told |= set(map(_key, news))
        self._before = set(map(_key, serious))
        return found, news, failed


def lines(news: Iterable[Diagnosis], step: int) -> list[str]:
    """Returns one line per symptom, that of the most severe finding of it."""
    by_symptom: dict[Symptom, list[Diagnosis]] = {}
    for item in news:
        by_symptom.setdefault(item.symptom, []).append(item)
    out = []
    for symptom, items in by_symptom.items():
        others = len(items) - 1
        more = f" (and {others} more {'layer' if others == 1 else 'layers'})" if others else ""
        out.append(f"step {step:,}: {symptom.code}: {max(items, key=lambda item: item.severity)}{more}")
    return out


def _rules(step: int, *, is_epoch: bool, is_end: bool) -> tuple[Rule, ...]:
    if is_end:
        return (*TRACE, extreme_learning_rate.judge)
    settled = is_epoch and step >= EPOCH
    return tuple(rule for rule, first in FROM_STEP if step >= first or settled)


def _key(item: Diagnosis) -> tuple[Symptom, str | None]:
    return item.symptom, item.layer


def _eased(item: Diagnosis, evidence: Evidence) -> Diagnosis:
    """Makes a note of what cannot be the matter, since the loss falls; where there is a score, the rules know."""
    if evidence.score is not None or item.severity <= NOTE:
        return item
    inside = item.symptom in INSIDE and _falls(evidence.trace)
    uncertain = item.symptom is Symptom.PLATEAU and _sank(evidence.trace)
    return replace(item, severity=NOTE) if inside or uncertain else item


def _falls(trace: Trace | None) -> bool:
    if trace is None or len(trace.loss) < HEAD + TAIL:
        return False
    start, end = float(np.mean(trace.loss[:HEAD])), float(np.mean(trace.loss[-TAIL:]))
    return bool(start - end > FALLEN * abs(start))


def _sank(trace: Trace | None) -> bool:
    """Whether a loss got lower at all, be it within its noise, or is too short to tell."""
    if trace is None or len(trace.loss) < SETTLED:
        return True
    quarter = len(trace.loss) // 4
    return bool(np.mean(trace.loss[-quarter:]) < SUNK * np.mean(trace.loss[:quarter]))


def _in_steps(item: Diagnosis, stride: int) -> Diagnosis:
    if stride == 1:
        return item
    since = None if item.since_step is None else item.since_step * stride
    return replace(item, since_step=since, evidence=f"{item.evidence} (Steps are counted by {stride}.)")

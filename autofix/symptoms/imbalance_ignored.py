"""IMBALANCE_IGNORED: a rare class is missed while the common one is always found.

What it sees:
    Recall per class on the validation part, next to the rows per class: a class with under a third of the majority's
    rows and a recall below a half, beyond the standard error of so few rows, while the majority's is above 0.9.

Why it stalls a run:
    Accuracy looks fine and nothing moves any more: saying "no" to every rare row costs the unweighted loss little.

Likely causes:
    The classes are imbalanced and the loss weighs every row alike.
    The run ended before the rare class was worth learning.
    The rare class differs in features that the model is not given.
    Predictions are cut at 0.5 where the rare class is seldom more likely than that.

What treats it:
    Class weights, repeating rare rows, an output bias from the class priors.

References:
    SageMaker: per-class error above 0.7; He and Garcia 2009, "Learning from imbalanced data". The recall of a class
    that has about 10 validation rows carries a standard error of 0.16, hence the margin.
"""

from __future__ import annotations

import math

from autofix.facts import TargetFacts, TaskKind
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import numbers

# Rows of a rare class over the majority's.
RARE = 1 / 3
# Recall below which a rare class is ignored, above which the majority is not itself in trouble.
MISSED, FOUND = 0.5, 0.9
# Validation rows of a class from which its recall means anything.
ROWS = 3
# Hardly ever predicted; predicted too rarely.
NEVER, SEVERITY_NEVER, SEVERITY_SELDOM = 0.2, 0.75, 0.55


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports each output with rare classes that the model does not find."""
    trace = evidence.trace
    if trace is None:
        return ()
    found = []
    for item, target in zip(trace.predictions, evidence.facts.targets, strict=False):
        finding = _judge(item.recalls, target, evidence)
        if finding is not None:
            found.append(finding)
    return tuple(found)


def _judge(recalls: tuple[float, ...], target: TargetFacts, evidence: Evidence) -> Diagnosis | None:
    if target.kind not in (TaskKind.BINARY, TaskKind.MULTICLASS) or len(recalls) != len(target.counts):
        return None
    total, most = sum(target.counts), max(target.counts, default=0)
    majority = target.counts.index(most) if most > 0 else 0
    if total <= 0 or not recalls[majority] > FOUND:
        return None
    worst: tuple[float, int, int] | None = None
    for index, (count, recall) in enumerate(zip(target.counts, recalls, strict=True)):
        rows = round(evidence.facts.rows[1] * count / total)
        if count <= 0 or count > RARE * most or rows < ROWS or not math.isfinite(recall):
            continue
        error = math.sqrt(max(recall * (1 - recall), 1 / (4 * rows)) / rows)
        if recall + error < MISSED and (worst is None or recall < worst[0]):
            worst = (recall, index, count)
    if worst is None:
        return None
    recall, index, count = worst
    label = target.classes[index] if index < len(target.classes) else index
    text = (
        f"Class {label!r} ({count:,} of {total:,} rows) is found in {recall:.0%} of its rows, "
        f"the most frequent class in {recalls[majority]:.0%}."
    )
    values = numbers(recall=float(recall), majority_recall=float(recalls[majority]), count=count, total=total)
    severity = SEVERITY_NEVER if recall < NEVER else SEVERITY_SELDOM
    return Diagnosis(Symptom.IMBALANCE_IGNORED, severity, 0.9, text, numbers=values)

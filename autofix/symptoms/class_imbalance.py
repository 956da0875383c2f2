"""CLASS_IMBALANCE: one class is much rarer than another.

What it sees:
    Rows per class in the training part. Silent when the recipe already weighs or repeats the rare classes.

Why it stalls a run:
    Predicting the majority is the nearest low point of an unweighted loss; a rare class gives so little gradient that
    the run ends before it is noticed.

Likely causes:
    One class is rare by nature: fraud, defects, illness.
    The rows were sampled or filtered class by class.
    Labels of a rare class were lost on the way.

What treats it:
    Class weights (scikit-learn's balanced formula), repeating rare rows, an output bias from the class priors.

References:
    SageMaker Debugger's ClassImbalance trips at majority/minority > 10; Buda et al. 2018 (arXiv:1710.05381) measure
    losses from a ratio of 5 to 10 on. A low severity: many models learn a 1:10 class without help, IMBALANCE_IGNORED
    says when this one did not.
"""

from __future__ import annotations

import math

from autofix.facts import TargetFacts, TaskKind
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms import imbalance_ignored
from autofix.symptoms._judging import clip, eased, numbers

# Majority over minority. Buda et al. 2018 see no loss below, some above.
RATIO = 5.0
# 0.25 at a ratio of 5, 0.5 at 230.
LOWEST, PER_DECADE, HIGHEST = 0.25, 0.15, 0.6
# Independent labels are rare by nature and take no class weights.
MULTILABEL = 0.35
# Once a run has ignored the rare class: the imbalance is why.
IGNORED = 0.5


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports targets whose most frequent class has over five times the rows of the rarest."""
    fit = evidence.recipe.fit
    if fit.get("class_weight") or fit.get("oversample"):
        return ()
    found = []
    for target in evidence.facts.targets:
        counts = _counts(target, evidence.facts.rows[0])
        if len(counts) < 2 or min(counts) <= 0:
            continue
        ratio = max(counts) / min(counts)
        if ratio <= RATIO:
            continue
        cap = MULTILABEL if target.kind is TaskKind.MULTILABEL else HIGHEST
        severity = eased(clip(LOWEST + PER_DECADE * math.log10(ratio / RATIO), LOWEST, cap), evidence)
        if imbalance_ignored.judge(evidence):
            severity = max(severity, IGNORED)
        text = f"Target {target.name!r}: {max(counts):,} rows of the commonest class, {min(counts):,} of the rarest."
        values = numbers(target=target.name, majority=max(counts), minority=min(counts), ratio=ratio)
        found.append(Diagnosis(Symptom.CLASS_IMBALANCE, severity, 1.0, text, numbers=values))
    return tuple(found)


def _counts(target: TargetFacts, rows: int) -> tuple[int, ...]:
    if target.kind is TaskKind.MULTILABEL:
        rarest = min((count for count in target.counts if count > 0), default=0)
        return (rows - rarest, rarest)
    if target.kind is TaskKind.REGRESSION:
        return ()
    return tuple(count for count in target.counts if count > 0)

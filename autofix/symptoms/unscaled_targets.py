"""UNSCALED_TARGETS: quantities far from where the output layer starts.

What it sees:
    Mean and standard deviation of each target column of a regression, against outputs that start around 0 with a
    spread of about 1. Silent when the recipe rescales behind the head, and for heads whose range cannot reach the
    targets at all (that is OUTPUT_RANGE).

Why it stalls a run:
    The loss starts at the square of the offset, so SGD explodes; Adam moves an output bias by about the learning rate a
    step, so a mean of 150 at 0.001 takes tens of thousands of steps. Columns of unlike size drown each other.

Likely causes:
    Prices, years or counts are predicted in their own unit.
    Targets of several outputs have different units.
    The targets were scaled for another model and not for this one.

What treats it:
    Standardized targets, with the inverse baked in behind the head; smaller learning rates or clipping help partly.

References:
    AutoTrainer counts any loss above 1,000 as broken and so trips on every unscaled regression; DeepDiagnosis compares
    label range with activation range. The bound follows from the start of the head: Glorot weights on unit activations
    give outputs with a standard deviation of about 1.
"""

from __future__ import annotations

import math

from autofix.facts import TaskKind
from autofix.recipe import Head, heads
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import clip, confirmed, numbers
from autofix.symptoms._program import class_names

# Three times the spread that outputs start with.
LARGE = 3.0
# Targets this small drown in the spread of the first outputs: R2 starts below -2,500.
SMALL = 0.02
# Spreads of columns under one loss: ten times the spread is a hundred times the weight.
UNEVEN = 10.0
# 0.3 at LARGE and 0.15 a decade: at 1,000 (severity 0.65) nothing but very long runs gets there.
LOWEST, PER_DECADE, HIGHEST = 0.3, 0.15, 0.65
BOUNDED = frozenset({"sigmoid", "tanh", "softmax", "hard_sigmoid", "softsign", "relu6"})


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports regression targets that are too large, too small or of unlike size."""
    known = heads(evidence.recipe) if evidence.recipe.is_graph else ()
    found = []
    for index, target in enumerate(evidence.facts.targets):
        if target.kind is not TaskKind.REGRESSION or not target.mean or not target.std:
            continue
        head = known[index] if index < len(known) else None
        if head is not None and (head.activation in BOUNDED or _rescaled(head)):
            continue
        offset = max((abs(value) for value in target.mean if math.isfinite(value)), default=0.0)
        spreads = [value for value in target.std if math.isfinite(value) and value > 0]
        if not spreads:
            continue
        largest = max(offset, *spreads)
        facts = f"Target {target.name!r}: mean {_most(target.mean):.4g}, standard deviation {max(spreads):.4g}"
        severity = 0.0
        if largest > LARGE:
            severity = LOWEST + PER_DECADE * math.log10(largest / LARGE)
            text = f"{facts}, while the output layer starts at 0 with a spread of about 1."
        elif max(spreads) < SMALL:
            severity = LOWEST + PER_DECADE * math.log10(SMALL / max(spreads))
            text = f"{facts}, far below the spread of about 1 that the output layer starts with."
        elif max(spreads) > UNEVEN * min(spreads):
            severity = LOWEST
            text = f"{facts}, but another column has only {min(spreads):.4g}, so one loss hardly sees it."
        if severity:
            values = numbers(target=target.name, offset=offset, largest=max(spreads), smallest=min(spreads))
            certainty = 0.9 if head is not None else 0.6
            layer = head.layer.path if head is not None else None
            severity = confirmed(clip(severity, LOWEST, HIGHEST), evidence)
            found.append(Diagnosis(Symptom.UNSCALED_TARGETS, severity, certainty, text, layer, numbers=values))
    return tuple(found)


def _most(values: tuple[float, ...]) -> float:
    return max(values, key=abs)


def _rescaled(head: Head) -> bool:
    behind = [name for view in (head.layer, *head.trailing) for name in class_names(view.after)]
    behind += [view.class_name for view in head.trailing]
    return any(name in ("Rescaling", "Normalization") for name in behind)

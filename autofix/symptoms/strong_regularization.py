"""STRONG_REGULARIZATION: penalties or dropout that leave too little to learn from.

What it sees:
    The L1 and L2 coefficients times the penalty that the initial weights will cost, against the loss of a constant
    prediction; dropout rates; dropout behind the output layer; weight decay of the optimizer.

Why it stalls a run:
    A penalty above the loss is fallen down first: the kernels shrink to zero and the loss rests at that of a constant.
    Dropout of 0.9 keeps a tenth of the units; behind the logits it deletes the answer.

Likely causes:
    Coefficients or rates were taken over from a far larger model.
    The rate of a dropout was meant as the share to keep.
    A dropout was put behind the output layer.
    Several kinds of regularization were added on top of each other.

What treats it:
    Smaller coefficients, lower rates, no dropout behind the head.

References:
    UMLAUT warns above a dropout of 0.5, the setting of the original (Srivastava et al. 2014). Measured on digits (two
    dropout layers, 15 epochs, accuracy without: 0.97): 0.5 gives 0.96, 0.6 0.95, 0.7 0.93, 0.8 0.87, 0.9 0.34. L2 on
    all kernels there (without: 0.98): an initial penalty of 0.07 times the constant loss costs nothing, 0.7 times costs
    0.02, 7 times all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from autofix.facts import DataFacts, TaskKind
from autofix.recipe import LayerView, heads
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import clip, confirmed, numbers
from autofix.symptoms._program import fans, incoming, optimizer, present, shapes, whole

# Initial penalty over the loss of a constant prediction from which it costs something (see above).
RATIO = 0.5
# A note there; 0.65, seven times the loss, is where nothing was learned any more.
LOWEST, PER_DECADE, HIGHEST = 0.35, 0.26, 0.65
# Dropout rates: above 0.6 it shows, at 0.8 a tenth of the accuracy is gone.
RATE, RATE_STRONG = 0.6, 0.8
DROPOUT = frozenset(
    {"Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout"}
)
# AdamW's default is 0.004 and published settings go up to 0.3, with rates of 1e-3.
DECAY, DECAY_LOWEST = 1.0, 0.5


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports penalties together, dropout layer by layer."""
    views = present(evidence.recipe)
    found = (*_penalties(evidence, views), *_dropouts(evidence, views), *_decay(evidence))
    return tuple(replace(item, severity=confirmed(item.severity, evidence)) for item in found)


def constant_loss(facts: DataFacts) -> float:
    """Returns about what a constant prediction costs: ln k for classes, the variance for quantities."""
    total = 0.0
    for target in facts.targets:
        if target.kind is TaskKind.REGRESSION:
            spreads = [std * std for std in target.std if math.isfinite(std)]
            total += sum(spreads) / len(spreads) if spreads else 1.0
        else:
            total += math.log(max(2, len(target.classes))) if target.kind is TaskKind.MULTICLASS else math.log(2)
    return max(total, 1e-12)


def coefficients(value: Any) -> tuple[float, float]:
    """Returns the L1 and L2 coefficients of a serialized regularizer, zeros for one that is not known."""
    if isinstance(value, str):
        return {"l1": (0.01, 0.0), "l2": (0.0, 0.01), "l1_l2": (0.01, 0.01)}.get(value.lower(), (0.0, 0.0))
    config = value.get("config") if isinstance(value, Mapping) else None
    if not isinstance(config, Mapping):
        return 0.0, 0.0
    pair = [config.get(key) for key in ("l1", "l2")]
    first, second = (float(item) if isinstance(item, int | float) and math.isfinite(item) else 0.0 for item in pair)
    return max(0.0, first), max(0.0, second)


def _penalties(evidence: Evidence, views: tuple[LayerView, ...]) -> tuple[Diagnosis, ...]:
    found_shapes = shapes(evidence.recipe)
    total, strongest, count = 0.0, 0.0, 0
    where: str | None = None
    for view in views:
        inner = whole(view)
        for key in ("kernel_regularizer", "recurrent_regularizer"):
            l1, l2 = coefficients(inner.config.get(key))
            if l1 == l2 == 0.0:
                continue
            fan = fans(view, incoming(view, found_shapes)) or (inner.width or 32, inner.width or 32)
            entries, variance = fan[0] * fan[1], 2.0 / (fan[0] + fan[1])
            # Mean absolute value of a normal variable: sqrt(2 / pi) standard deviations.
            cost = l2 * entries * variance + l1 * entries * math.sqrt(variance * 2 / math.pi)
            total, count = total + cost, count + 1
            if cost > strongest:
                strongest, where = cost, view.path
    base = constant_loss(evidence.facts)
    if total <= RATIO * base:
        return ()
    ratio = total / base
    severity = clip(LOWEST + PER_DECADE * math.log10(ratio / RATIO), LOWEST, HIGHEST)
    text = (
        f"The penalties of {count} kernels start at about {total:.3g}, {ratio:.3g} times the loss of a constant "
        f"prediction ({base:.3g})."
    )
    values = numbers(penalty=total, loss=base, ratio=ratio)
    layer = where if count == 1 else None
    return (Diagnosis(Symptom.STRONG_REGULARIZATION, severity, 0.8, text, layer, numbers=values),)


def _dropouts(evidence: Evidence, views: tuple[LayerView, ...]) -> list[Diagnosis]:
    recipe = evidence.recipe
    ends = heads(recipe) if recipe.is_graph else ()
    behind = {view.path for head in ends if head is not None for view in head.trailing if view.class_name in DROPOUT}
    found = []
    for view in views:
        inner = whole(view)
        key = "rate" if inner.class_name in DROPOUT else "dropout"
        rates = [inner.config.get(key), inner.config.get("recurrent_dropout")]
        rate = max((float(item) for item in rates if isinstance(item, int | float)), default=0.0)
        if view.path in behind and rate > 0:
            severity, text = 0.6, f"{view.name} drops {rate:.0%} of the outputs behind the output layer."
        elif rate > RATE:
            severity = clip(0.4 + (rate - RATE) * (0.2 / (RATE_STRONG - RATE)), 0.4, HIGHEST)
            text = f"{view.name} drops {rate:.0%} of its inputs."
        else:
            continue
        values = numbers(rate=rate, behind_head=view.path in behind)
        found.append(Diagnosis(Symptom.STRONG_REGULARIZATION, severity, 0.9, text, view.path, numbers=values))
    return found


def _decay(evidence: Evidence) -> tuple[Diagnosis, ...]:
    value = optimizer(evidence.recipe)[1].get("weight_decay")
    if not isinstance(value, int | float) or not value > DECAY:
        return ()
    text = f"The optimizer's weight decay is {value:g}."
    severity = clip(DECAY_LOWEST + PER_DECADE * math.log10(value / DECAY), DECAY_LOWEST, HIGHEST)
    return (Diagnosis(Symptom.STRONG_REGULARIZATION, severity, 0.9, text, numbers=numbers(weight_decay=float(value))),)

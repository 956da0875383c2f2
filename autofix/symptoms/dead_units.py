"""DEAD_UNITS: units that are zero for every input.

What it sees:
    Per layer, the fraction of units that are never positive on the reference batch at the end, and before training.

Why it stalls a run:
    A ReLU that is off for every row has no gradient and never comes back. A layer of them passes on nothing, and the
    output is a constant.

Likely causes:
    The learning rate is too high: one long step pushed the biases below zero.
    Biases start negative, or initial weights are far too large.
    Inputs are unscaled, large and of one sign.
    A large gradient from unscaled targets made the first steps too long.

What treats it:
    A lower rate when they died on the way; He initialization and zero biases when they were born dead; leaky variants.

References:
    Lu et al. 2019 (arXiv:1903.06733). SageMaker: layer when over 50 % of the units are dead; DeepDiagnosis, DEFault and
    AutoTrainer: 70 %. In the healthy and mended runs of the gallery 0 to 44 % of a
    layer are off on all reference rows, so a note begins at half.
"""

from __future__ import annotations

import math

from autofix.manual.rules import causes_led_by
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._explained import unit_certainty
from autofix.symptoms._judging import clip, eased, numbers
from autofix.symptoms._program import present

# Fraction of dead units from which a layer is mentioned, and from which nothing passes.
MANY, ALL = 0.5, 0.98
# 0.35 at half of the units, 0.75 at nine tenths, 0.95 when none is left.
LOWEST, SLOPE, WHOLE = 0.35, 1.0, 0.95
RELU = frozenset({"relu", "relu6"})
# What kills units before the first step.
BORN = "Biases start negative"


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports each layer with more dead than living units."""
    trace = evidence.trace
    if trace is None:
        return ()
    before = {item.layer: item.dead for item in trace.first}
    embeddings = {view.path for view in present(evidence.recipe) if view.class_name == "Embedding"}
    certainty = unit_certainty(evidence)
    found = []
    for item in trace.last:
        dead = item.dead
        # A linear layer of zeros is as dead as any, but a few zero columns of it are not.
        if (
            not item.finite
            or not math.isfinite(dead)
            or dead < (MANY if item.activation in RELU else ALL)
            or item.layer in embeddings
        ):
            continue
        severity = WHOLE if dead >= ALL else clip(LOWEST + SLOPE * (dead - MANY), LOWEST, 0.85)
        born = before.get(item.layer)
        text = f"{dead:.0%} of the units are zero for all rows of the reference batch"
        text += f", {born:.0%} were before training." if born is not None else "."
        values = numbers(dead=dead, before=born)
        is_born_so = born is not None and born >= MANY
        since, causes = (0, causes_led_by("DEAD_UNITS", BORN)) if is_born_so else (item.step, ())
        severity = eased(severity, evidence)
        found.append(Diagnosis(Symptom.DEAD_UNITS, severity, certainty, text, item.layer, since, values, causes))
    return tuple(found)

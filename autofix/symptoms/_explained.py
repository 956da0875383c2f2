"""Whether something in the program or the data explains what the inside of a layer shows. No TensorFlow."""

from __future__ import annotations

from autofix.symptom import Evidence
from autofix.symptoms import (
    bad_initialization,
    bottleneck,
    extreme_learning_rate,
    shape_broadcast,
    sorted_rows,
    strong_regularization,
    tiny_batch_normalization,
    unscaled_inputs,
    unscaled_targets,
)
from autofix.symptoms._judging import NOTE

# What leaves dead or saturated units behind. In the calibration those are in the last look at nearly every run with a
# rate a hundred times too high, inputs far from zero or a net of a few units, and were named before what did it.
CAUSES = (
    bad_initialization.judge,
    bottleneck.judge,
    extreme_learning_rate.judge,
    shape_broadcast.judge,
    sorted_rows.judge,
    strong_regularization.judge,
    tiny_batch_normalization.judge,
    unscaled_inputs.judge,
    unscaled_targets.judge,
)
# How sure it is that units are what is wrong, on their own and where one of these explains them.
CERTAINTY, EXPLAINED = 0.9, 0.6


def unit_certainty(evidence: Evidence) -> float:
    """Returns how sure it is that the units of a layer are what is wrong, not what made them so."""
    explained = any(finding.severity > NOTE for judge in CAUSES for finding in judge(evidence))
    return EXPLAINED if explained else CERTAINTY

"""The symptoms: what can be read off a program before training, and off a run after it.

One file a symptom (or family), each with a function `judge` (see `autofix.symptom.Rule`). Severities: from 0.7 on a
finding proves that the run is stalled, up to 0.4 it is a note, between them lies what would improve the run. All but
NaN, missing values, shapes and contract faults are eased to notes when the score shows that the run has learned.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from autofix.manual.rules import likely_causes
from autofix.registry import treating
from autofix.symptom import Diagnosis, Evidence, Rule
from autofix.symptoms import (
    bad_initialization,
    batch_too_large,
    bottleneck,
    class_imbalance,
    collapsed_predictions,
    contract,
    dead_units,
    divergence,
    exploding_gradient,
    extreme_learning_rate,
    frozen_layers,
    imbalance_ignored,
    input_shape,
    missing_values,
    no_signal,
    non_finite_loss,
    oscillation,
    overfitting,
    plateau,
    regularization_dominates,
    saturated_units,
    slow,
    still_improving,
    strong_regularization,
    underfitting,
    unscaled_inputs,
    unscaled_targets,
    vanishing_gradient,
    weights_unchanged,
)

__all__ = ["PREFLIGHT", "TRACE", "complete", "diagnose"]

logger = logging.getLogger(__name__)

PREFLIGHT: tuple[Rule, ...] = (
    input_shape.judge,
    missing_values.judge,
    contract.judge,
    frozen_layers.judge,
    extreme_learning_rate.judge,
    bad_initialization.judge,
    unscaled_inputs.judge,
    unscaled_targets.judge,
    strong_regularization.judge,
    batch_too_large.judge,
    class_imbalance.judge,
    bottleneck.judge,
    no_signal.judge,
)
TRACE: tuple[Rule, ...] = (
    non_finite_loss.judge,
    weights_unchanged.judge,
    exploding_gradient.judge,
    vanishing_gradient.judge,
    dead_units.judge,
    saturated_units.judge,
    divergence.judge,
    oscillation.judge,
    plateau.judge,
    collapsed_predictions.judge,
    imbalance_ignored.judge,
    regularization_dominates.judge,
    slow.judge,
    still_improving.judge,
    underfitting.judge,
    overfitting.judge,
)


def diagnose(evidence: Evidence, rules: Iterable[Rule]) -> tuple[tuple[Diagnosis, ...], tuple[str, ...]]:
    """Runs rules over the evidence.

    Args:
        evidence: What they may look at.
        rules: `PREFLIGHT`, `TRACE`, or any other rules.

    Returns:
        The findings, the surest and most severe first, and one sentence for each rule that failed.
    """
    found: list[Diagnosis] = []
    failed: list[str] = []
    for rule in rules:
        try:
            with np.errstate(all="ignore"):
                found += map(complete, rule(evidence))
        except Exception as error:
            name = getattr(rule, "__module__", str(rule)).rsplit(".", 1)[-1]
            logger.warning("the rule %s failed", name, exc_info=True)
            failed.append(f"The rule {name} could not be applied ({type(error).__name__}: {error}).")
    found.sort(key=lambda item: -item.certainty * item.severity)
    return tuple(found), tuple(failed)


def complete(found: Diagnosis) -> Diagnosis:
    """Returns a finding with the likely causes of its symptom, where its rule gave none, and what treats it."""
    causes = found.causes or likely_causes(found.symptom.name)
    return replace(found, causes=causes, strategies=treating(found.symptom))

"""COLLAPSED_PREDICTIONS: one answer for every input.

What it sees:
    The fraction of validation rows that get the most frequent prediction, against the share of the most frequent class;
    for quantities, predictions that vary by under 1 % of what the targets do.

Why it stalls a run:
    The output no longer depends on the input: softmax over one unit, dead layers, a rate that blew the head away, or
    simply nothing learned. The loss may fall all the same (Keras trains on cached logits), so it does not show there.

Likely causes:
    The output layer cannot say anything else: softmax over one unit, one unit for several classes.
    The learning rate is so high that the weights were blown away in the first steps.
    Hidden units are dead or saturated, so the output no longer depends on the input.
    The inputs are unscaled, or hold nothing that tells the targets.
    One class is so common that predicting it alone is cheap.

What treats it:
    The contract strategies first, then what treats dead units, scaling and the learning rate.

References:
    Measured in SYMPTOMS.md: `Dense(1, "softmax")` with binary cross-entropy falls like a sigmoid while every prediction
    is 1.0. UMLAUT and DeepLocalize look at the loss alone and miss it.
"""

from __future__ import annotations

import math

from autofix.facts import TargetFacts, TaskKind
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import eased, numbers

# Fraction of rows with the same prediction.
CONSTANT = 0.98
# Share of the most frequent class from which one answer is merely IMBALANCE_IGNORED.
MAJORITY = 0.85
# Recall of the most frequent class below which the one answer is another.
MISSED = 0.5
# Rate of the most frequent label from which predicting none of them is no excuse.
LABEL_RATE = 0.2
SEVERITY = 0.9


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports each output that no longer depends on the input."""
    trace = evidence.trace
    if trace is None:
        return ()
    found = []
    for item, target in zip(trace.predictions, evidence.facts.targets, strict=False):
        flat = math.isfinite(item.spread) and item.spread <= 1e-7 and item.finite
        if not item.finite or not (item.constant >= CONSTANT or flat) or not _varied(target, item.recalls, evidence):
            continue
        if target.kind is TaskKind.REGRESSION:
            text = f"Output {target.name!r}: predictions vary by under 1 % of what the targets do"
        else:
            text = f"Output {target.name!r}: {item.constant:.0%} of the validation rows get one prediction"
            share = max(target.counts, default=0) / max(1, sum(target.counts))
            text += f", while the most frequent class has {share:.0%}" if target.kind is not TaskKind.MULTILABEL else ""
        text += f"; raw outputs lie between {item.minimum:.3g} and {item.maximum:.3g}."
        values = numbers(
            output=target.name, constant=float(item.constant), spread=float(item.spread),
            minimum=float(item.minimum), maximum=float(item.maximum),
        )  # fmt: skip
        found.append(Diagnosis(Symptom.COLLAPSED_PREDICTIONS, eased(SEVERITY, evidence), 0.95, text, numbers=values))
    return tuple(found)


def _varied(target: TargetFacts, recalls: tuple[float, ...], evidence: Evidence) -> bool:
    """Whether the targets differ enough for one answer to be wrong."""
    if target.kind is TaskKind.REGRESSION:
        return any(std > 0 for std in target.std)
    total = sum(target.counts)
    if total <= 0:
        return False
    if target.kind is TaskKind.MULTILABEL:
        rows = max(1, evidence.facts.rows[0])
        return any(LABEL_RATE <= count / rows <= 1 - LABEL_RATE for count in target.counts)
    most = max(target.counts)
    majority = target.counts.index(most)
    # The one answer may be a rare class, as that of a softmax over one unit is: no imbalance explains that.
    is_missed = majority < len(recalls) and recalls[majority] < MISSED
    return most / total < MAJORITY or is_missed

"""LABEL_ENCODING, HEAD_MISMATCH, LOSS_MISMATCH, OUTPUT_RANGE: output layer, loss and labels do not go together.

What it sees:
    The triple of head, loss and labels of every output, as `autofix.contract` judges it; this file only gives its
    violations a severity.

Why it stalls a run:
    Softmax over one unit is always 1; a sigmoid cannot say 150; labels 1..k run out of a table of k columns; logits
    read as probabilities give gradients of the wrong thing.

What treats it:
    The contract strategies (output layer, loss, targets), before any search and, where the weights fit, without
    training.

References:
    The deepmufl collection: 73 of 109 stuck programs (67 %) have such a fault, all decidable before training. Some
    train on regardless (sigmoid with categorical cross-entropy learns the same argmax), hence two severities.
"""

from __future__ import annotations

from autofix.contract import violations
from autofix.symptom import Diagnosis, Evidence
from autofix.symptoms._judging import numbers

# A fatal violation cannot train; the others cost quality or speed.
FATAL, LESSER = 1.0, 0.5


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Returns one finding per violation."""
    return tuple(
        Diagnosis(
            found.symptom,
            FATAL if found.fatal else LESSER,
            1.0,
            found.sentence,
            numbers=numbers(output=found.output, fatal=found.fatal),
        )
        for found in violations(evidence.recipe, evidence.facts, evidence.output_shapes)
    )

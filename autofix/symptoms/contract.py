"""LABEL_ENCODING, HEAD_MISMATCH, LOSS_MISMATCH, OUTPUT_RANGE: output layer, loss and labels do not go together.

What it sees:
    The triple of head, loss and labels of every output, as `autofix.contract` judges it; this file only gives its
    violations a severity.
    LABEL_ENCODING: Here: how the labels are written, against what the loss reads.
    HEAD_MISMATCH: Here: units and activation of the output, against the classes or columns of the targets.
    LOSS_MISMATCH: Here: the loss, against the activation in front of it and the form of the targets.
    OUTPUT_RANGE: Here: the values that the output activation can take, against those of the targets.

Why it stalls a run:
    LABEL_ENCODING: Labels 1..k run out of a table of k columns; text cannot be counted; binary cross-entropy on
    labels other than 0 and 1 has no minimum.
    HEAD_MISMATCH: Softmax over one unit is always 1; one unit cannot tell four classes apart; a second activation or
    a dropout behind the output takes away what the first one said.
    LOSS_MISMATCH: A loss that reads logits as probabilities gives gradients of the wrong thing, one that compares
    class numbers with columns crashes, and distances between classes mean nothing.
    OUTPUT_RANGE: A sigmoid cannot say 150 and a ReLU cannot say -3: the loss rests at the nearest value that the
    output can take.

Likely causes:
    LABEL_ENCODING: The labels are counted from 1, or have gaps.
    The labels are text that no encoder has seen.
    -1 and 1, meant for a hinge loss, are fed to a cross-entropy.
    HEAD_MISMATCH: The head of a binary classifier was kept for several classes, or the other way round.
    `softmax` was written where one unit needs `sigmoid`.
    An `Activation` or a `Dropout` follows an output layer that has its activation already.
    LOSS_MISMATCH: `sparse_` is missing before, or too much in front of, `categorical_crossentropy`.
    `from_logits` does not say what the output layer does.
    A loss for quantities was kept for classes, or the other way round.
    OUTPUT_RANGE: The sigmoid or tanh of a classifier was kept for a regression.
    The targets were not scaled to the range of the output.
    A ReLU was put on an output that has to go below zero.

What treats it:
    LABEL_ENCODING: Feeding each label as the index of its class.
    HEAD_MISMATCH: Units and activation that the task asks for; where the weights fit, without training.
    LOSS_MISMATCH: The loss that reads these labels from this head, or the activation that the loss expects.
    OUTPUT_RANGE: A linear output, or targets that are scaled with the inverse behind the head.

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

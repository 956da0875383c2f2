"""REDUNDANT_FEATURES: features that never vary, or repeat another one.

What it sees:
    Per input, how many entries of the last axis are constant over the training rows, and how many that vary are equal
    to an earlier one in every row looked at (500 rows, then up to 20,000).

Why it stalls a run:
    A constant feature is a second bias, a repeated one a double weight: neither stops a run, but both are what a wrong
    join or a failed column leaves behind. An input in which nothing varies tells the network nothing at all.

Likely causes:
    A column was filled with one value, or lost in a join.
    The same column was joined twice, or in two units.
    A one-hot code has categories that do not occur.

What treats it:
    Looking at how the columns are made. No setting does.

References:
    SageMaker Debugger's TensorVariance and AllZero; deepchecks' "single value in column" and "identical columns".
    Pictures have a rim that is always black (3 of the 64 pixels of the 8x8 digits, 67 of the 784 of MNIST), so wide
    inputs are left alone until most of their features are constant.
"""

from __future__ import annotations

from autofix.facts import InputFacts
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import NOTE, eased, numbers
from autofix.symptoms._program import ENCODERS, routes

# Features from which a row may be a flattened picture.
WIDE = 64
# Share of such features that a rim never takes up.
MOST = 0.5
# Nothing varies in the only input, or in one of several; some features do not.
ALL, ONE_OF_SEVERAL, CONSTANT, REPEATED = 0.9, 0.5, 0.2, 0.25


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports each input with constant or repeated features; those that hold indices are passed over."""
    inputs = evidence.facts.inputs
    entered = routes(evidence.recipe)
    found = []
    for index, item in enumerate(inputs):
        entries = entered[index].entries if index < len(entered) else ()
        if not any(view.class_name in ENCODERS for view, _, _ in entries):
            found += _redundant(evidence, item, alone=len(inputs) == 1)
    return tuple(found)


def _redundant(evidence: Evidence, item: InputFacts, *, alone: bool) -> list[Diagnosis]:
    features = item.shape[-1] if item.shape else 1
    values = numbers(constant=item.constant, repeated=item.repeated, features=features)
    if item.constant >= features:
        severity = eased(ALL if alone else ONE_OF_SEVERAL, evidence)
        text = f"Input {item.name!r}: all {features:,} features have the same value in every row."
        return [Diagnosis(Symptom.REDUNDANT_FEATURES, severity, 1.0, text, numbers=values)]
    redundant = item.constant + item.repeated
    if not redundant or (features >= WIDE and redundant < MOST * features):
        return []
    parts = [f"{item.constant:,} never vary"] if item.constant else []
    parts += [f"{item.repeated:,} repeat another one"] if item.repeated else []
    text = f"Input {item.name!r}: of {features:,} features, {' and '.join(parts)}."
    severity = NOTE if redundant > MOST * features else REPEATED if item.repeated else CONSTANT
    return [Diagnosis(Symptom.REDUNDANT_FEATURES, severity, 0.9, text, numbers=values)]

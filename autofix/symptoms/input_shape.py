"""INPUT_SHAPE: the data does not have the shape that the model expects.

What it sees:
    Shape of one example in the data against the shape that the model declares, input by input. Where one is the other
    with axes merged, split or dropped (784 against 28 x 28 x 1), the finding names that one sensible reading.

Why it stalls a run:
    Keras refuses the first batch, or broadcasts it into something that nobody meant.

Likely causes:
    Images are flat for a convolution, or the other way round.
    The axis of the channels or of the time steps is missing or in another place.
    The model was built for another version of the features.

What treats it:
    A reshape in front of the model when exactly one reading exists, a clear message otherwise.

References:
    deepmufl and Stack Overflow collections list it among the most frequent crash causes (Humbatova et al. 2020,
    "Taxonomy of real faults in deep learning systems"). Keras 3.15 `Functional._adjust_input_rank`: it adds or drops a
    trailing axis of length 1 by itself, so that is no fault.
"""

from __future__ import annotations

import math

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import numbers
from autofix.symptoms._program import Shape


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Compares shapes; silent where the model does not declare any."""
    wanted, given = evidence.input_shapes, evidence.facts.inputs
    if not wanted or not given:
        return ()
    if len(wanted) != len(given):
        text = f"The model has {len(wanted)} inputs, the data {len(given)}."
        return (Diagnosis(Symptom.INPUT_SHAPE, 1.0, 1.0, text),)
    found = []
    for shape, item in zip(wanted, given, strict=True):
        if accepts(shape, item.shape):
            continue
        meant = reading(shape, item.shape)
        text = f"Input {item.name!r}: one example has the shape {_text(item.shape)}, the model expects {_text(shape)}; "
        if meant is not None:
            text += f"a reshape to {_text(meant)} fits, value by value."
        elif sorted(item.shape) == sorted(shape, key=lambda size: size or 0):
            text += "the axes are the same in another order, so they need a transpose."
        else:
            text += "no reshape turns one into the other."
        values = numbers(input=item.name, data=item.shape, model=shape, reading=meant)
        found.append(Diagnosis(Symptom.INPUT_SHAPE, 1.0, 1.0, text, numbers=values))
    return tuple(found)


def accepts(model: Shape, data: tuple[int, ...]) -> bool:
    """Whether Keras feeds examples of shape `data` to an input of shape `model` as they are."""
    if _fits(model, data):
        return True
    if len(data) == len(model) + 1 and data[-1] == 1:
        return _fits(model, data[:-1])
    return len(data) + 1 == len(model) and model[-1] in (1, None) and _fits(model[:-1], data)


def reading(model: Shape, data: tuple[int, ...]) -> tuple[int, ...] | None:
    """Returns `data`'s shape as the model expects it, None where no or more than one reshape keeps the order.

    One shape must be the other with neighbouring axes merged: a channel axis that moved is not a reshape.
    """
    size = math.prod(data)
    free = model.count(None)
    known = math.prod(axis for axis in model if axis is not None)
    if free > 1 or known == 0 or size == 0 or size % known:
        return None
    target = tuple(size // known if axis is None else axis for axis in model)
    if math.prod(target) != size:
        return None
    ours, theirs = _solid(data), _solid(target)
    return target if _merges(ours, theirs) or _merges(theirs, ours) else None


def _fits(model: Shape, data: tuple[int, ...]) -> bool:
    return len(model) == len(data) and all(want in (None, have) for want, have in zip(model, data, strict=True))


def _solid(shape: tuple[int, ...]) -> list[int]:
    return [axis for axis in shape if axis != 1]


def _merges(fine: list[int], coarse: list[int]) -> bool:
    """Whether multiplying neighbours in `fine` gives `coarse`."""
    rest = list(fine)
    for axis in coarse:
        product = 1
        while product < axis and rest:
            product *= rest.pop(0)
        if product != axis:
            return False
    return not rest


def _text(shape: Shape) -> str:
    axes = ["any" if axis is None else str(axis) for axis in shape]
    return f"({axes[0]},)" if len(axes) == 1 else f"({', '.join(axes)})"

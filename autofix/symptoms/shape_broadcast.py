"""SHAPE_BROADCAST: predictions and targets of different shapes that are stretched onto each other.

What it sees:
    The shape of an output, that of its targets, and whether its loss takes off a last axis of one. In Keras 3.15 the
    built-in losses and plain functions do so where the number of axes differs by one; a loss written as a class of its
    own does not.

Why it stalls a run:
    [n] against [n, 1] becomes [n, n]: every prediction is compared with every target, and the best that can be learned
    is their mean. [n, 1] against [n, k] pulls k outputs to one target.

Likely causes:
    Targets came as [n, 1] from a frame or a reshape, or as [n] against a loss of one's own.
    The head has another width than the targets.
    A loss of one's own takes a mean without looking at shapes.

What treats it:
    Targets of the shape of the outputs: `y.reshape(-1, 1)`, or a head of another width.

References:
    Measured on Keras 3.15 with 64 rows. Built-in losses and functions: [n] and [n, 1] agree row by row, in either
    order; [n] against [n, 1, 1] or [n, t, 1] is stretched to all pairs without a word (binary cross-entropy refuses);
    [n, 1] against [n, k] is stretched along k (binary cross-entropy refuses); [n] against [n, k] fails. A subclass of
    `keras.losses.Loss` with its own `call`: [n] against [n, 1] is stretched to all pairs, in either order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autofix.contract.losses import BINARY, CUSTOM, HINGE, OF_QUANTITIES, LossView
from autofix.contract.outputs import Output, outputs_of
from autofix.frozen import EMPTY
from autofix.recipe import Recipe
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import eased, numbers

Shape = tuple[int | None, ...]

# All rows are mixed: nothing but a mean can be learned. A loss of one's own may mend the shapes itself.
MIXED, MIXED_BY_CUSTOM = 0.9, 0.65
# Columns are repeated; a loss of one's own often means it (several quantiles, a mean and a variance).
REPEATED, REPEATED_BY_CUSTOM = 0.6, 0.25
ELEMENTWISE = frozenset({*OF_QUANTITIES, *HINGE, CUSTOM})


@dataclass(frozen=True)
class Stretch:
    """How two shapes are stretched: whether across rows, and to what one row becomes."""

    mixes_rows: bool
    shape: Shape


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports each output whose predictions and targets are stretched onto each other."""
    found = []
    for output in outputs_of(evidence.recipe, evidence.facts, evidence.output_shapes):
        loss = output.loss
        if loss is None or loss.identifier not in ELEMENTWISE or loss.identifier in BINARY or not output.shape:
            continue
        prediction = (*output.shape[:-1], output.width) if output.width is not None else output.shape
        stretch = stretched(output.target.shape, prediction, squeezes=_squeezes(loss, evidence.recipe))
        if stretch is not None:
            found.append(_diagnosis(evidence, output, loss, prediction, stretch))
    return tuple(found)


def stretched(target: Shape, prediction: Shape, *, squeezes: bool) -> Stretch | None:
    """Returns how the shapes of one example are stretched, None where they agree or cannot be brought together.

    Args:
        target: Shape of one example's target.
        prediction: Shape of one example's output; None where it is free.
        squeezes: Whether a last axis of one goes where the number of axes differs by one.
    """
    first, second = target, prediction
    if squeezes and abs(len(first) - len(second)) == 1:
        if len(first) > len(second) and first[-1] == 1:
            first = first[:-1]
        elif len(second) > len(first) and second[-1] == 1:
            second = second[:-1]
    if len(first) != len(second):
        # Aligned at the end, the rows of the one meet an inner axis of the other.
        longer, shorter = (first, second) if len(first) > len(second) else (second, first)
        rows_meet = longer[len(longer) - len(shorter) - 1]
        inner = zip(longer[len(longer) - len(shorter) :], shorter, strict=True)
        fits = rows_meet == 1 and all(a is None or b is None or a == b or 1 in (a, b) for a, b in inner)
        return Stretch(True, longer) if fits else None
    pairs = list(zip(first, second, strict=True))
    if any(a is not None and b is not None and a != b and 1 not in (a, b) for a, b in pairs):
        return None
    if not any(a is not None and b is not None and a != b for a, b in pairs):
        return None
    return Stretch(False, tuple(a if b in (1, None) else b for a, b in pairs))


def _squeezes(loss: LossView, recipe: Recipe) -> bool:
    """Whether Keras takes off a last axis of one: for its own losses and for functions, not for others' classes."""
    if loss.identifier != CUSTOM or not isinstance(loss.value, Mapping):
        return True
    config: Any = loss.value.get("config", EMPTY)
    if loss.value.get("class_name") == "function" or isinstance(config, str):
        return True
    registered = str(loss.value.get("registered_name") or "")
    kind = recipe.objects.get(registered) or recipe.objects.get(str(loss.value.get("class_name", "")))
    parents = getattr(kind, "__mro__", ())
    return any(parent.__name__ == "LossFunctionWrapper" for parent in parents)


def _diagnosis(evidence: Evidence, output: Output, loss: LossView, prediction: Shape, stretch: Stretch) -> Diagnosis:
    custom = loss.identifier == CUSTOM
    shown = f"Targets of shape {_show(output.target.shape)} meet outputs of shape {_show(prediction)}"
    if stretch.mixes_rows:
        severity = MIXED_BY_CUSTOM if custom else MIXED
        text = f"{shown}: the loss compares every row with every other one."
    else:
        severity = REPEATED_BY_CUSTOM if custom else REPEATED
        text = f"{shown}: the loss repeats the narrower one along the other."
    where = f" (output {output.target.name!r})" if output.index else ""
    values = numbers(target=output.target.shape, output=prediction, mixes_rows=stretch.mixes_rows, custom=custom)
    certainty = 0.7 if custom else 1.0
    return Diagnosis(
        Symptom.SHAPE_BROADCAST, eased(severity, evidence), certainty, text[:-1] + where + ".", numbers=values
    )


def _show(shape: Shape) -> str:
    return "[" + ", ".join(["n", *("free" if size is None else str(size) for size in shape)]) + "]"

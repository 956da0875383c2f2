"""What does not fit between task, labels, head and loss.

What is fatal was measured: every combination on a network of 16 units, 300 steps of Adam, three seeds, Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autofix.contract.heads import LOGITS, MARGINS, POSITIVE, RANGES, SIGMOIDS, SOFTMAXES, Tail
from autofix.contract.losses import (
    BINARY,
    CATEGORICAL,
    CATEGORICAL_HINGE,
    CROSS_ENTROPIES,
    CUSTOM,
    DIVERGENCE,
    HINGE,
    OF_CLASSES,
    OF_QUANTITIES,
    SPARSE,
)
from autofix.contract.outputs import Output, Shape, loss_of, outputs_of
from autofix.facts import DataFacts, Encoding, TaskKind
from autofix.recipe import Recipe
from autofix.symptom import Symptom

# Rounding of shares that add up to 1, of percentages with one decimal.
WHOLE = 0.01


@dataclass(frozen=True)
class Violation:
    """One breach of the contract between task, labels, head and loss.

    Attributes:
        symptom: HEAD_MISMATCH, LOSS_MISMATCH, OUTPUT_RANGE or LABEL_ENCODING.
        output: Index of the output.
        sentence: What is wrong, with its numbers.
        fatal: Whether it crashes or cannot train to a useful state; otherwise it trains worse than it should, or
            predicts what it was not asked for.
    """

    symptom: Symptom
    output: int
    sentence: str
    fatal: bool


def violations(recipe: Recipe, facts: DataFacts, output_shapes: tuple[Shape, ...]) -> tuple[Violation, ...]:
    """Returns what does not fit between task, labels, heads and losses; empty when all fits.

    Args:
        recipe: The program as it stands.
        facts: The data in numbers.
        output_shapes: Shape of one example per output of the user's model; the number of units is read from the
            recipe wherever it is written there.
    """
    return tuple(found for output in outputs_of(recipe, facts, output_shapes) for found in judge(output))


def judge(output: Output) -> tuple[Violation, ...]:
    """Returns what does not fit at one output."""
    if output.loss is None:
        return ()
    if output.labels.kind is TaskKind.REGRESSION:
        found = _judge_quantities(output)
    elif output.labels.encoding in (Encoding.ONE_HOT, Encoding.MULTI_HOT):
        found = _judge_columns(output)
    else:
        found = _judge_index(output)
    return (*found, *_judge_shape(output))


def _judge_shape(output: Output) -> Iterator[Violation]:
    extra = output.extra_axes
    if extra > 0 and output.loss is not None and output.loss.identifier != CUSTOM and output.shape:
        # Not fatal: the shape is that of the user's model, and an inserted layer may have mended it.
        sentence = f"The output has shape {_show(output.shape)} for targets of shape {_show(output.target.shape)}."
        yield _found(output, Symptom.HEAD_MISMATCH, sentence, fatal=False)
    if output.tail and (twice := output.tail.squashed_twice):
        sentence = f"The output passes {twice[0]} and then {twice[1]}, which flattens what the first let through."
        yield _found(output, Symptom.HEAD_MISMATCH, sentence, fatal=False)
    if output.tail and output.tail.noise:
        name = output.tail.noise[0].class_name
        yield _found(output, Symptom.HEAD_MISMATCH, f"{name} disturbs the outputs themselves.", fatal=False)


def _judge_index(output: Output) -> Iterator[Violation]:
    """Classes written as one number a row (or position)."""
    labels, loss, width = output.labels, loss_of(output), output.width
    k, name = labels.classes, loss.identifier
    if labels.text:
        yield _found(output, Symptom.LABEL_ENCODING, f"The {k} labels are text, which no loss reads.", fatal=True)
    if width == 1 and output.activation in SOFTMAXES:
        yield _found(output, Symptom.HEAD_MISMATCH, "A softmax over a single unit is always 1.", fatal=True)
    if name == CUSTOM or width is None:
        return
    if width == 1:
        if k > 2:
            sentence = f"The output has one unit for {k} classes."
            yield _found(output, Symptom.HEAD_MISMATCH, sentence, fatal=True)
        elif output.activation not in SOFTMAXES:
            yield from _judge_one_unit(output)
        return
    if not labels.text:
        yield from _judge_label_numbers(output, width)
    if name not in SPARSE:
        sentence = f"{name} compares {width} outputs with targets that hold one class number a row."
        yield _found(output, Symptom.LOSS_MISMATCH, sentence, fatal=True)
    else:
        yield from _judge_cross_entropy(output, SOFTMAXES)


def _judge_label_numbers(output: Output, width: int) -> Iterator[Violation]:
    labels, k = output.labels, output.labels.classes
    if k > width:
        yield _found(output, Symptom.HEAD_MISMATCH, f"The output has {width} units for {k} classes.", fatal=True)
    elif labels.low < 0 or labels.high >= width or not labels.whole:
        numbers = f"{labels.low:g} to {labels.high:g}"
        sentence = f"The labels go from {numbers}, but {width} units are counted from 0 to {width - 1}."
        yield _found(output, Symptom.LABEL_ENCODING, sentence, fatal=True)


def _judge_one_unit(output: Output) -> Iterator[Violation]:
    """Two classes and one unit."""
    labels, loss, activation = output.labels, loss_of(output), output.activation
    name, signed = loss.identifier, output.labels.encoding is Encoding.SIGNED
    plain = labels.encoding is Encoding.INDEX
    if name in (*SPARSE, *CATEGORICAL, *DIVERGENCE, *CATEGORICAL_HINGE):
        sentence = f"{name} needs one unit a class; over a single unit it says nothing about the other class."
        yield _found(output, Symptom.LOSS_MISMATCH, sentence, fatal=True)
    elif not plain and not labels.text and (name in BINARY or (name in HINGE and not signed)):
        wanted = "-1 and 1" if name in HINGE else "0 and 1"
        sentence = f"{name} reads {wanted}; the labels are {labels.low:g} and {labels.high:g}."
        yield _found(output, Symptom.LABEL_ENCODING, sentence, fatal=True)
    elif name in BINARY:
        yield from _judge_cross_entropy(output, SIGMOIDS)
    elif name in HINGE:
        if activation is not None and activation not in MARGINS:
            sentence = f"{name} pushes outputs to -1 and 1, which {activation} does not reach on both sides."
            yield _found(output, Symptom.LOSS_MISMATCH, sentence, fatal=False)
    else:
        if not plain and not signed and not labels.text and not reaches(output, labels.low, labels.high):
            sentence = f"The labels are {labels.low:g} and {labels.high:g}, beyond what {activation} puts out."
            yield _found(output, Symptom.LABEL_ENCODING, sentence, fatal=True)
        sentence = f"{name} measures distances; the targets are two classes."
        yield _found(output, Symptom.LOSS_MISMATCH, sentence, fatal=False)


def _judge_columns(output: Output) -> Iterator[Violation]:
    """Classes written as one column each."""
    labels, loss, width, activation = output.labels, loss_of(output), output.width, output.activation
    name, columns, single = loss.identifier, output.labels.columns, output.labels.encoding is Encoding.ONE_HOT
    if width == 1 and activation in SOFTMAXES:
        yield _found(output, Symptom.HEAD_MISMATCH, "A softmax over a single unit is always 1.", fatal=True)
    if name == CUSTOM or width is None:
        return
    if width != columns:
        what = "one unit" if width == 1 else f"{width} units"
        sentence = f"The output has {what} for targets with {columns} columns."
        yield _found(output, Symptom.HEAD_MISMATCH, sentence, fatal=True)
    elif not single and activation in SOFTMAXES and width > 1:
        sentence = f"A softmax shares one probability among {columns} labels that may hold at the same time."
        yield _found(output, Symptom.HEAD_MISMATCH, sentence, fatal=False)
    if name in SPARSE:
        sentence = f"{name} reads class numbers; the targets have {columns} columns."
        yield _found(output, Symptom.LOSS_MISMATCH, sentence, fatal=True)
    elif name in (*CATEGORICAL, *DIVERGENCE, *CATEGORICAL_HINGE) and not single:
        sentence = f"{name} expects exactly one label a row; the targets hold any number of them."
        yield _found(output, Symptom.LOSS_MISMATCH, sentence, fatal=activation not in (*SIGMOIDS, *SOFTMAXES, None))
    elif name in CATEGORICAL:
        yield from _judge_cross_entropy(output, SOFTMAXES)
    elif name in DIVERGENCE and activation not in (*SOFTMAXES, None):
        sentence = f"{name} compares distributions; outputs that pass {activation} are none."
        yield _found(output, Symptom.LOSS_MISMATCH, sentence, fatal=True)
    elif name in BINARY:
        if single and activation in SOFTMAXES and width > 2:
            sentence = f"{name} judges each of {columns} columns by itself, while a softmax couples them."
            yield _found(output, Symptom.LOSS_MISMATCH, sentence, fatal=False)
        else:
            yield from _judge_cross_entropy(output, SOFTMAXES if activation in SOFTMAXES else SIGMOIDS)
    elif name in HINGE and activation is not None and activation not in MARGINS:
        sentence = f"{name} pushes outputs to -1 and 1, which {activation} does not reach on both sides."
        yield _found(output, Symptom.LOSS_MISMATCH, sentence, fatal=False)
    elif name in OF_QUANTITIES:
        sentence = f"{name} measures distances; the targets are {labels.classes or columns} classes."
        yield _found(output, Symptom.LOSS_MISMATCH, sentence, fatal=False)


def _judge_cross_entropy(output: Output, squashes: tuple[str, ...]) -> Iterator[Violation]:
    """A cross-entropy that fits the labels, against the activation in front of it."""
    loss, activation, width = loss_of(output), output.activation, output.width
    name = loss.identifier
    if activation is None:
        return
    if activation in (*SIGMOIDS, *SOFTMAXES):
        if loss.from_logits:
            # Keras takes a softmax or sigmoid off again where it is the very last operation, and warns.
            sentence = f"{name} has from_logits=True, but the outputs passed {activation} already."
            yield _found(output, Symptom.LOSS_MISMATCH, sentence, fatal=False)
        if activation not in squashes:
            sentence = f"{name} expects outputs that add up to 1; {activation} gives each of {width} units its own."
            yield _found(output, Symptom.LOSS_MISMATCH, sentence, fatal=False)
    elif loss.from_logits:
        if activation not in LOGITS:
            low = RANGES[activation][0]
            stuck = name in BINARY and low >= 0
            tail = "so no probability falls below 0.5" if stuck else "so the odds are bounded"
            sentence = f"{name} takes log odds; {activation} keeps them above {low:g}, {tail}."
            yield _found(output, Symptom.HEAD_MISMATCH, sentence, fatal=stuck)
    else:
        sentence = (
            f"{name} has from_logits=False and takes the outputs for probabilities, "
            f"but {'nothing squashes them' if activation == 'linear' else f'they pass {activation}'}."
        )
        yield _found(output, Symptom.LOSS_MISMATCH, sentence, fatal=activation not in POSITIVE)


def _judge_quantities(output: Output) -> Iterator[Violation]:
    labels, loss, width, activation = output.labels, loss_of(output), output.width, output.activation
    name = loss.identifier
    if width == 1 and activation in SOFTMAXES:
        yield _found(output, Symptom.HEAD_MISMATCH, "A softmax over a single unit is always 1.", fatal=True)
        return
    if name == CUSTOM:
        return
    columns = output.columns
    if width is not None and columns is not None and width != columns and output.extra_axes == 0:
        what = "one value" if columns == 1 else f"{columns} values"
        sentence = f"The output has {width} units for targets of {what}."
        yield _found(output, Symptom.HEAD_MISMATCH, sentence, fatal=True)
    shares = labels.low >= 0 and labels.high <= 1
    spread = f"{labels.low:.4g} to {labels.high:.4g}"
    if name in OF_CLASSES:
        yield from _judge_shares(output, shares, spread)
        if not shares:
            return
    if name == "poisson" and (labels.low < 0 or (output.tail and output.tail.bounds[0].min() < 0)):
        whose = f"targets of {spread}" if labels.low < 0 else "outputs that may fall below 0"
        yield _found(
            output, Symptom.LOSS_MISMATCH, f"poisson takes the logarithm of rates; it gets {whose}.", fatal=True
        )
    elif name not in CROSS_ENTROPIES or not loss.from_logits:
        yield from _judge_reach(output, spread)


def _judge_shares(output: Output, shares: bool, spread: str) -> Iterator[Violation]:
    """A loss for classes on quantities: right for shares between 0 and 1, wrong for anything else."""
    loss, activation = loss_of(output), output.activation
    name = loss.identifier
    composition = is_composition(output)
    if name in BINARY and shares:
        yield from _judge_cross_entropy(output, SOFTMAXES if activation in SOFTMAXES and composition else SIGMOIDS)
    elif name in CATEGORICAL and composition:
        yield from _judge_cross_entropy(output, SOFTMAXES)
    elif not (name in DIVERGENCE and composition and activation in (*SOFTMAXES, None)):
        sentence = f"{name} is a loss for classes; the targets are quantities of {spread}."
        yield _found(output, Symptom.LOSS_MISMATCH, sentence, fatal=True)


def is_composition(output: Output) -> bool:
    """Returns whether the columns are shares of one whole."""
    labels, mean = output.labels, output.target.mean
    return 0 <= labels.low <= labels.high <= 1 and len(mean) > 1 and abs(sum(mean) - 1) < WHOLE


def _judge_reach(output: Output, spread: str) -> Iterator[Violation]:
    if output.tail is None or (output.activation is None and not _rescaled(output.tail)):
        return
    target, (low, high) = output.target, output.tail.bounds
    if reaches(output, output.labels.low, output.labels.high):
        return
    mean = np.asarray(target.mean or (0.0,))
    outside = bool((mean < low).any() or (mean > high).any()) if _fits(mean, low) else False
    reach = f"{low.min():.4g} to {high.max():.4g}"
    name = output.activation or "the rescaled activation"
    sentence = f"{name} puts out {reach}; the targets go from {spread}."
    yield _found(output, Symptom.OUTPUT_RANGE, sentence, fatal=outside)


def reaches(output: Output, low: float, high: float) -> bool:
    """Whether the head's range covers the targets, up to a thousandth of their spread."""
    if output.tail is None or (output.activation is None and not _rescaled(output.tail)):
        return True
    slack = 1e-3 * (high - low) + 1e-9
    bottom, top = output.tail.bounds
    return bool(bottom.min() <= low + slack and top.max() >= high - slack)


def _rescaled(tail: Tail) -> bool:
    names = [name for name, _ in tail.activations]
    return all(name in RANGES for name in names) and any(step.class_name == "Rescaling" for step in tail.steps)


def _fits(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> bool:
    return len(first) == len(second) or 1 in (len(first), len(second))


def _show(shape: Shape) -> str:
    return "[" + ", ".join("free" if size is None else str(size) for size in shape) + "]"


def _found(output: Output, symptom: Symptom, sentence: str, *, fatal: bool) -> Violation:
    where = f" (output {output.target.name!r})" if output.index else ""
    return Violation(symptom, output.index, sentence + where, fatal)

"""BOTTLENECK: a hidden layer too narrow for what has to pass through it.

What it sees:
    Units of the hidden dense and recurrent layers of a plain stack, against the width of its inputs and its head.
    Silent for autoencoders, whose bottleneck is the point, and for models with branches, where a narrow layer may be a
    gate.

Why it stalls a run:
    Two ReLU units cut a plane with two half-planes: one unlucky start and XOR is out of reach. Ten classes through two
    units must share a plane.

Likely causes:
    A hidden layer has as few units as the problem looks to need on paper.
    A layer of few units was left in the middle of a classifier of many classes.

What treats it:
    A wider layer, after everything cheaper has been tried.

References:
    Johnson 2019, "Deep, skinny neural networks are not universal approximators": width must exceed the input dimension.
    XOR of two uniform inputs, ReLU units, Adam at 0.01 for 2,400 steps, 40 starts: accuracy stays below 0.9 from all of
    them with 2 units, from 68 % with 3, from 33 % with 4 and from 5 % with 8.
"""

from __future__ import annotations

from autofix.recipe import LayerView, heads
from autofix.recipe.views import RECURRENT
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import confirmed, numbers
from autofix.symptoms._program import CARRIERS, incoming, present, shapes, whole

# Units from which XOR is learned from most starts.
NARROW = 4
# Outputs per unit beyond which the outputs crowd.
OUTPUTS_PER_UNIT = 4
SINGLE, FEW, CROWDED = 0.55, 0.45, 0.35
# How sure it is that the layer is what is wrong, before and after a run that failed.
CERTAINTY, CERTAINTY_FAILED = 0.6, 0.8
BRANCHES = frozenset(
    {"Add", "Multiply", "Concatenate", "Average", "Dot", "Attention", "AdditiveAttention", "MultiHeadAttention"}
)


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports hidden layers narrower than four units, or than a quarter of the outputs."""
    recipe = evidence.recipe
    views = present(recipe)
    ends = [head for head in heads(recipe) if head is not None] if recipe.is_graph else []
    if not ends or any(view.class_name in BRANCHES for view in views) or _reconstructs(evidence):
        return ()
    outputs = {head.layer.path for head in ends}
    widest = max((head.width or 1 for head in ends), default=1)
    found_shapes = shapes(recipe)
    found = []
    for view in views:
        inner = whole(view)
        width = inner.width
        if view.path in outputs or width is None or not _is_dense(inner) or view.class_name in CARRIERS:
            continue
        shape = incoming(view, found_shapes)
        arriving = shape[-1] if shape else None
        if arriving is not None and arriving < 2:
            continue
        crowded = width * OUTPUTS_PER_UNIT < widest
        if width >= NARROW and not crowded:
            continue
        if arriving is not None and arriving < NARROW and width >= arriving and not crowded and width > 2:
            continue
        given = SINGLE if width == 1 else FEW if width < NARROW else CROWDED
        severity = confirmed(given, evidence)
        certainty = CERTAINTY_FAILED if severity > given else CERTAINTY
        numerus = "number" if width == 1 else "numbers"
        text = f"{view.name} passes on {width} {numerus} to a head of width {widest}"
        text += f", from {arriving} inputs." if arriving is not None else "."
        values = numbers(units=width, outputs=widest, inputs=arriving)
        found.append(Diagnosis(Symptom.BOTTLENECK, severity, certainty, text, view.path, numbers=values))
    return tuple(found)


def _is_dense(view: LayerView) -> bool:
    return view.class_name == "Dense" or view.class_name in RECURRENT


def _reconstructs(evidence: Evidence) -> bool:
    shapes_in = [item.shape for item in evidence.facts.inputs]
    return any(target.shape and target.shape in shapes_in and target.width > 1 for target in evidence.facts.targets)

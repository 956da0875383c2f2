"""MISPLACED_DROPOUT: dropout where it takes away what nothing can make up for.

What it sees:
    What stands around each dropout layer: the head before it, a batch normalization, a pooling, an embedding or a
    regression head behind it, and how many units it leaves of a narrow layer.

Why it stalls a run:
    Behind the head it deletes the answer itself. Before an embedding it turns word numbers into other words. Before a
    batch normalization it changes the variance between training and prediction; before a regression head the same
    shifts the quantities. A layer of four units has none to spare.

Likely causes:
    Dropout was added after every layer, the last one included.
    Dropout stands before a batch normalization instead of behind it.
    A rate made for wide layers was put on a narrow one.

What treats it:
    Taking it out, or moving it behind the normalization or in front of the last hidden layer.

References:
    Li et al. 2019 (arXiv:1801.05134), variance shift. NeuraLint: batch normalization after dropout, dropout before
    pooling. Measured on digits (15 epochs): rate 0.5 before batch normalizations 0.937, behind them 0.952; behind 4, 8,
    16 units 0.71, 0.88, 0.94 where none gives 0.75, 0.93, 0.95; R2 on a made regression 0.947 with 0.5 before the head,
    0.961 without.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from autofix.facts import TaskKind
from autofix.recipe import LayerView, heads
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import eased, numbers
from autofix.symptoms._program import consumers_of, present, weighted
from autofix.symptoms.strong_regularization import DROPOUT

# Behind the head, before word numbers, in a layer too narrow: these cost the score (see above).
HEAD, EMBEDDING, NARROW = 0.6, 0.7, 0.5
# The rest costs a point or two at most.
NORMALIZATION, POOLING, REGRESSION = 0.3, 0.2, 0.25
# Units that a step is left with, on average: fewer than these cost 4 to 6 points of accuracy, and from which rate on.
UNITS, RATE = 5, 0.3
# What a dropped value passes through unchanged or as a zero that stays one.
BETWEEN = frozenset({"Flatten", "Reshape", "Permute", "Identity", "Activation", "ReLU", "LeakyReLU", "ELU"})
ELEMENTWISE = frozenset({"Dropout", "AlphaDropout", "GaussianDropout"})


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports each dropout layer once, for the worst that is wrong with its place."""
    recipe = evidence.recipe
    if not recipe.is_graph:
        return ()
    views = {view.path: view for view in present(recipe)}
    consumers = consumers_of(recipe)
    ends = heads(recipe)
    behind = {view.path for head in ends if head is not None for view in head.trailing}
    targets = evidence.facts.targets
    regression = {
        head.layer.path
        for index, head in enumerate(ends)
        if head is not None and index < len(targets) and targets[index].kind is TaskKind.REGRESSION
    }
    found = []
    for view in views.values():
        rate = view.config.get("rate")
        if view.class_name not in DROPOUT or not isinstance(rate, int | float) or not rate > 0:
            continue
        if view.path in behind:
            faults = [(HEAD, f"{view.name} drops {rate:.0%} of the outputs behind the output layer.", "head")]
        else:
            faults = list(_faults(view, float(rate), views, consumers, regression))
        if faults:
            severity, text, place = max(faults)
            values = numbers(rate=float(rate), place=place)
            found.append(Diagnosis(Symptom.MISPLACED_DROPOUT, severity, 0.9, text, view.path, numbers=values))
    return tuple(replace(item, severity=eased(item.severity, evidence)) for item in found)


def _faults(
    view: LayerView, rate: float, views: Mapping[str, LayerView], consumers: Mapping[str, tuple[str, ...]],
    regression: set[str],
) -> Iterator[tuple[float, str, str]]:  # fmt: skip
    for following in _following(view.path, views, consumers, frozenset()):
        name = following.class_name
        if name == "Embedding":
            text = f"{view.name} turns {rate:.0%} of the numbers that {following.name} looks up into others."
            yield EMBEDDING, text, "embedding"
        elif name == "BatchNormalization":
            text = f"{view.name} ({rate:.0%}) stands right before {following.name}, whose variance it changes."
            yield NORMALIZATION, text, "normalization"
        elif "Pooling" in name:
            text = f"{view.name} ({rate:.0%}) stands before {following.name}, which puts other values in place."
            yield POOLING, text, "pooling"
        elif following.path in regression and rate >= RATE:
            text = f"{view.name} ({rate:.0%}) stands right before the regression output, whose scale it shifts."
            yield REGRESSION, text, "regression"
    before = views.get(view.feeds_on[0]) if view.feeds_on else None
    while before is not None and before.class_name in BETWEEN and before.feeds_on:
        before = views.get(before.feeds_on[0])
    if before is None or not weighted(before) or before.class_name != "Dense" or view.class_name not in ELEMENTWISE:
        return
    width = before.width
    if width is not None and rate >= RATE and width * (1 - rate) < UNITS:
        left = width * (1 - rate)
        yield NARROW, f"{view.name} leaves about {left:.3g} of the {width} units of {before.name} a step.", "narrow"


def _following(
    path: str, views: Mapping[str, LayerView], consumers: Mapping[str, tuple[str, ...]], seen: frozenset[str]
) -> Iterator[LayerView]:
    for name in consumers.get(path, ()):
        following = views.get(name)
        if following is None or name in seen:
            continue
        if following.class_name in BETWEEN:
            yield from _following(name, views, consumers, seen | {path})
        else:
            yield following

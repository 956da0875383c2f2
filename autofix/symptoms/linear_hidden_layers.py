"""LINEAR_HIDDEN_LAYERS: layers with nothing between them that bends, or with two activations in a row.

What it sees:
    Dense and convolutional layers without an activation whose outputs reach another such layer through layers that are
    linear themselves; and activations that follow each other directly.

Why it stalls a run:
    Two linear maps in a row are one, so a stack of them learns no more than its last layer would alone. A second
    activation only takes away what the first let through.

Likely causes:
    The activation was forgotten: a Dense layer has none by default.
    An activation layer follows a layer that has one already.

What treats it:
    ReLU between the layers; one activation instead of two.

References:
    NeuraLint's rules on linear hidden layers and double activations (Nikanjam et al. 2021, arXiv:2105.08095). DeepFD:
    a wrong or missing activation in 25 of 52 programs. A layer narrower than both its neighbours is a deliberate
    bottleneck (Sandler et al. 2018, arXiv:1801.04381), and what ends in a sum or a product is bent there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from autofix.recipe import LayerView, Recipe, heads
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import eased, numbers
from autofix.symptoms._program import class_names, consumers_of, incoming, present, shapes

# All layers are one linear map; some of them are; activations that undo each other; one that changes nothing.
WHOLLY, PARTLY, SQUASHED, REPEATED = 0.6, 0.4, 0.35, 0.2
MAPS = frozenset({"Dense", "Conv1D", "Conv2D", "Conv3D"})
# Layers that are linear maps of one tensor, at prediction at least.
LINEAR = frozenset(
    {
        "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout",
        "Flatten", "Reshape", "Permute", "Identity", "RepeatVector", "Rescaling", "BatchNormalization", "ZeroPadding1D",
        "ZeroPadding2D", "ZeroPadding3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
        "GlobalAveragePooling1D", "GlobalAveragePooling2D", "UpSampling1D", "UpSampling2D",
    }
)  # fmt: skip
ACTIVATIONS = frozenset({"Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax"})
BOUNDED = frozenset({"sigmoid", "tanh", "softmax", "hard_sigmoid", "softsign", "hard_tanh"})


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports linear layers together, doubled activations one by one."""
    recipe = evidence.recipe
    if not recipe.is_graph:
        return ()
    views = {view.path: view for view in present(recipe)}
    consumers = consumers_of(recipe)
    found = (*_linear(recipe, views, consumers), *_doubled(recipe, views))
    return tuple(replace(item, severity=eased(item.severity, evidence)) for item in found)


def _linear(
    recipe: Recipe, views: Mapping[str, LayerView], consumers: Mapping[str, tuple[str, ...]]
) -> Iterator[Diagnosis]:
    found_shapes = shapes(recipe)
    idle: list[LayerView] = []
    into: list[LayerView] = []
    for view in views.values():
        if view.class_name not in MAPS or not _passes(view):
            continue
        reached = list(_reached(view.path, views, consumers, frozenset()))
        shape = incoming(view, found_shapes)
        beside = [shape[-1] if shape else None, *(following.width for following in reached)]
        if reached and not _is_bottleneck(view.width, beside):
            idle.append(view)
            into += reached
    if not idle:
        return
    maps = [view for view in views.values() if view.class_name in MAPS]
    wholly = all(view in idle or view.path in _heads(recipe) for view in maps)
    wholly = wholly and all(view.class_name in MAPS | LINEAR | ACTIVATIONS | {"InputLayer"} for view in views.values())
    names = ", ".join(view.name for view in idle[:5]) + (", ..." if len(idle) > 5 else "")
    what = "the whole network is one linear map" if wholly else f"with {into[0].name} they make one linear map"
    plural = "layers have" if len(idle) > 1 else "layer has"
    text = f"{len(idle)} hidden {plural} no activation ({names}): {what}."
    values = numbers(layers=[view.path for view in idle], wholly=wholly)
    severity = WHOLLY if wholly else PARTLY
    yield Diagnosis(Symptom.LINEAR_HIDDEN_LAYERS, severity, 0.9, text, idle[0].path, numbers=values)


def _doubled(recipe: Recipe, views: Mapping[str, LayerView]) -> Iterator[Diagnosis]:
    ends = {path for head in heads(recipe) if head is not None for path in (view.path for view in head.trailing)}
    for view in views.values():
        if view.class_name not in ACTIVATIONS or view.path in ends or len(view.feeds_on) != 1:
            continue
        before = views.get(view.feeds_on[0])
        first = before.activation if before is not None and not before.after else None
        second = view.activation
        if before is None or first in (None, "linear") or second in (None, "linear"):
            continue
        same = first == second and first not in BOUNDED
        severity = REPEATED if same or second not in BOUNDED else SQUASHED
        text = f"{before.name} applies {first}, and {view.name} applies {second} to that."
        values = numbers(first=first, second=second)
        yield Diagnosis(Symptom.LINEAR_HIDDEN_LAYERS, severity, 0.9, text, view.path, numbers=values)


def _is_bottleneck(width: int | None, beside: Sequence[int | None]) -> bool:
    """Whether a layer is narrower than all beside it; one that cannot be told is wider."""
    return width is not None and all(other is None or width < other for other in beside)


def _heads(recipe: Recipe) -> set[str]:
    return {head.layer.path for head in heads(recipe) if head is not None}


def _passes(view: LayerView) -> bool:
    """Whether a layer is linear, with all that the recipe puts behind it."""
    bare = view.activation in (None, "linear") and view.config.get("activity_regularizer") is None
    return bare and all(name in LINEAR for name in class_names(view.after))


def _reached(
    path: str, views: Mapping[str, LayerView], consumers: Mapping[str, tuple[str, ...]], seen: frozenset[str]
) -> Iterator[LayerView]:
    """Yields the next layers with weights behind one, as long as only linear layers lie between."""
    for name in consumers.get(path, ()):
        following = views.get(name)
        if following is None or name in seen or len(set(following.feeds_on)) != 1:
            continue
        if following.class_name in MAPS:
            yield following
        elif (following.class_name in LINEAR or following.activation == "linear") and all(
            item in LINEAR for item in class_names(following.after)
        ):
            yield from _reached(name, views, consumers, seen | {path})

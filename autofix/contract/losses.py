"""The loss of every output, read and written in each form that `compile` takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autofix.frozen import EMPTY, FrozenDict, thaw
from autofix.recipe import Recipe

SPARSE = ("sparse_categorical_crossentropy",)
CATEGORICAL = ("categorical_crossentropy", "categorical_focal_crossentropy")
BINARY = ("binary_crossentropy", "binary_focal_crossentropy")
DIVERGENCE = ("kl_divergence",)
HINGE = ("hinge", "squared_hinge")
CATEGORICAL_HINGE = ("categorical_hinge",)
CROSS_ENTROPIES = (*SPARSE, *CATEGORICAL, *BINARY)
OF_CLASSES = (*CROSS_ENTROPIES, *DIVERGENCE, *HINGE, *CATEGORICAL_HINGE)
OF_QUANTITIES = (
    "mean_squared_error", "mean_absolute_error", "huber", "log_cosh", "mean_squared_logarithmic_error",
    "mean_absolute_percentage_error", "poisson", "cosine_similarity",
)  # fmt: skip
KNOWN_LOSSES = frozenset({*OF_CLASSES, *OF_QUANTITIES})
CUSTOM = "custom"
ALIASES: Mapping[str, str] = {
    "mse": "mean_squared_error", "mae": "mean_absolute_error", "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error", "bce": "binary_crossentropy", "kld": "kl_divergence",
    "kldivergence": "kl_divergence", "kullback_leibler_divergence": "kl_divergence", "huber_loss": "huber",
    "logcosh": "log_cosh",
}  # fmt: skip


@dataclass(frozen=True)
class LossView:
    """The loss of one output.

    Attributes:
        path: Where it is written: ``compile/loss`` (a list included) or ``compile/loss/<output>``.
        identifier: Keras' snake_case name, or "custom".
        from_logits: Whether it takes log odds.
        value: What is written there, frozen.
    """

    path: str
    identifier: str
    from_logits: bool
    value: Any = None


def output_names(recipe: Recipe) -> tuple[str, ...]:
    """Returns the names by which losses are assigned to outputs; empty for a subclassed model."""
    if not recipe.is_graph:
        return ()
    config = recipe.architecture["config"]
    if "output_layers" not in config:
        return (str(config["layers"][-1]["config"]["name"]),)
    ends = config["output_layers"]
    if isinstance(ends, Mapping):
        return tuple(sorted(ends))  # the order of `model.outputs`, whatever the order in which the dict was written
    return tuple(_first_names(ends))


def losses(recipe: Recipe, outputs: int) -> tuple[LossView | None, ...]:
    """Returns the loss of every output, None for an output that is not trained on.

    Args:
        recipe: The program.
        outputs: Number of outputs of the model.
    """
    value: Any = recipe.compile.get("loss")
    if _is_one(value):
        view = _loss_view("compile/loss", value, recipe)
        return (view,) * outputs
    if isinstance(value, Mapping):
        keys = _keys(recipe, value, outputs)
        return tuple(_loss_view(f"compile/loss/{key}", value.get(key), recipe) for key in keys)
    items = tuple(value) if len(value) == outputs else (FrozenDict({"class_name": CUSTOM}),) * outputs
    return tuple(_loss_view("compile/loss", item, recipe) for item in items)


def with_loss(recipe: Recipe, outputs: int, index: int, value: Any) -> tuple[str, Any, Any]:
    """Returns path, value before and value after of the edit that gives one output another loss.

    Args:
        recipe: The program.
        outputs: Number of outputs of the model.
        index: Which output.
        value: The new loss: a name or a serialized `keras.losses.Loss`.
    """
    before: Any = recipe.compile.get("loss")
    if _is_one(before):
        return (
            "compile/loss",
            before,
            value if outputs == 1 else [*([before] * index), value, *([before] * (outputs - index - 1))],
        )
    if isinstance(before, Mapping):
        key = _keys(recipe, before, outputs)[index]
        return f"compile/loss/{key}", before.get(key), value
    return "compile/loss", before, [value if place == index else item for place, item in enumerate(before)]


def loss_value(identifier: str, from_logits: bool, before: LossView | None = None) -> Any:
    """Returns a loss as Keras takes it: a name, or a serialized object where it has settings.

    Args:
        identifier: Keras' snake_case name.
        from_logits: Whether it takes log odds.
        before: The present loss; its other settings stay where it is the same loss.
    """
    if before is not None and before.identifier == identifier and isinstance(before.value, Mapping):
        config = before.value.get("config")
        if isinstance(config, Mapping):
            return {**thaw(before.value), "config": {**thaw(config), "from_logits": from_logits}}
    if not from_logits:
        return identifier
    class_name = "".join(part.capitalize() for part in identifier.split("_"))
    config = {"name": identifier, "reduction": "sum_over_batch_size", "from_logits": True}
    return {"module": "keras.losses", "class_name": class_name, "config": config, "registered_name": None}


def _is_one(value: Any) -> bool:
    return value is None or isinstance(value, str) or (isinstance(value, Mapping) and "class_name" in value)


def _keys(recipe: Recipe, value: Mapping[str, Any], outputs: int) -> tuple[str, ...]:
    names = output_names(recipe)
    if len(names) == outputs and any(name in value for name in names):
        return names
    keys = tuple(value)
    return keys if len(keys) == outputs else (*keys, *("?",) * outputs)[:outputs]


def _loss_view(path: str, value: Any, recipe: Recipe) -> LossView | None:
    if value is None:
        return None
    config: Any = EMPTY
    name = value
    if isinstance(value, Mapping):
        config = value.get("config", EMPTY)
        name = config if isinstance(config, str) else value.get("class_name", CUSTOM)
        if value.get("registered_name") not in (None, "function", name):
            name = CUSTOM
    if not isinstance(name, str) or name in recipe.objects:
        return LossView(path, CUSTOM, False, value)
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    snake = ALIASES.get(snake, ALIASES.get(snake.replace("_", ""), snake))
    if snake not in KNOWN_LOSSES:
        return LossView(path, CUSTOM, False, value)
    from_logits = bool(config.get("from_logits", False)) if isinstance(config, Mapping) else False
    return LossView(path, snake, from_logits, value)


def _first_names(ends: Any) -> Iterator[str]:
    if len(ends) == 3 and isinstance(ends[0], str) and isinstance(ends[1], int):
        yield ends[0]
        return
    for item in ends:
        yield from _first_names(item)

"""Keras' own optimizers as plain data: where a recipe keeps its optimizer, and what a fresh one looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autofix.recipe import Recipe

# What every Keras optimizer takes, at its default.
COMMON: Mapping[str, Any] = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}
OWN: Mapping[str, Mapping[str, Any]] = {
    "Adam": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07, "amsgrad": False},
    "AdamW": {
        "learning_rate": 0.001,
        "weight_decay": 0.004,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-07,
        "amsgrad": False,
    },
    "Nadam": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07},
    "RMSprop": {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-07, "centered": False},
    "SGD": {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True},
}
# Keras' defaults; for Adagrad, Adadelta and Ftrl, whose Keras default of 0.001 hardly moves the weights, the rates of
# their papers (Duchi et al. 2011; Zeiler 2012; McMahan et al. 2013).
DEFAULT_RATE: Mapping[str, float] = {
    "SGD": 0.01,
    "Adadelta": 1.0,
    "Adagrad": 0.01,
    "Ftrl": 0.05,
    "Muon": 0.001,
    "Lion": 0.0001,
}
OTHERWISE_RATE = 0.001
CLIPPING = ("clipnorm", "global_clipnorm", "clipvalue")


def where(recipe: Recipe) -> str | None:
    """Returns the path of the optimizer that makes the steps: the inner one of a loss-scaling optimizer."""
    path = "compile/optimizer"
    for _ in range(3):
        if not (recipe.has(path) and isinstance(recipe.get(path), Mapping)):
            return None
        if not recipe.has(f"{path}/inner_optimizer"):
            return path
        path += "/inner_optimizer"
    return None


def is_built_in(optimizer: Mapping[str, Any]) -> bool:
    """Returns whether a serialized optimizer is one of Keras' own."""
    package = str(optimizer.get("module", "")).split(".")[0]
    return package == "keras" and ">" not in str(optimizer.get("registered_name"))


def serialized(class_name: str, *, keep: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a fresh optimizer as Keras writes it, with the clipping and averaging of the one it replaces.

    Args:
        class_name: One of `OWN`.
        keep: Configuration of the optimizer that it replaces.
    """
    kept = {key: keep[key] for key in COMMON if key in keep and key != "weight_decay"}
    config = {"name": class_name.lower(), **COMMON, **kept, **OWN[class_name]}
    return {"module": "keras.optimizers", "class_name": class_name, "config": config, "registered_name": None}

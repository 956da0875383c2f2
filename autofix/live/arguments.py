"""What the user passed to the `fit` that is running. Callbacks are told of its epochs and steps, not of its data."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import keras

from autofix.trees import leaves

# Public arguments of `fit` that say what it trains on; with `validation_split`, `fit` has divided x and y by then.
NAMES = ("x", "y", "sample_weight", "validation_data", "batch_size", "class_weight", "shuffle", "initial_epoch")


def arguments_of_fit(model: keras.Model) -> Mapping[str, Any]:
    """Returns the arguments of the `fit` of this model that called us, empty where there is none to be found.

    They are looked up in the frame of `fit` itself, which is only read: no method of the model is replaced for it.
    A loop of the user's own that calls callbacks has no such frame.
    """
    code = getattr(inspect.unwrap(keras.Model.fit), "__code__", None)
    frame = sys._getframe(1) if code is not None else None
    while frame is not None:
        if frame.f_code is code and frame.f_locals.get("self") is model:
            return MappingProxyType({name: frame.f_locals.get(name) for name in NAMES})
        frame = frame.f_back
    return MappingProxyType({})


def as_data(arguments: Mapping[str, Any]) -> Any:
    """Returns the training data among the arguments if it is held in arrays, else None.

    A dataset, a generator or a sequence is left alone: taking a batch from it might move it on, and with it the run.
    """
    return arrays(arguments.get("x"), arguments.get("y"), arguments.get("sample_weight"))


def as_validation_data(arguments: Mapping[str, Any]) -> Any:
    """Returns the validation data among the arguments if it is held in arrays, else None."""
    given = arguments.get("validation_data")
    return arrays(*given) if isinstance(given, tuple | list) and 1 <= len(given) <= 3 else None


def arrays(x: Any, y: Any = None, weight: Any = None) -> Any:
    """Returns (x, y, sample_weight) without the parts that are missing, or None if x or y is not held in arrays."""
    if x is None or not (is_held(x) and (y is None or is_held(y))):
        return None
    return tuple(part for part in (x, y, weight) if part is not None) if y is not None else (x,)


def is_held(tree: Any) -> bool:
    """Whether a tree consists of arrays, frames or tensors: things with rows that can be looked at twice."""
    if isinstance(tree, dict):
        return bool(tree) and all(map(is_held, tree.values()))
    if isinstance(tree, list | tuple):
        return bool(tree) and all(map(is_held, tree))
    return hasattr(tree, "shape") and hasattr(tree, "__getitem__") and not hasattr(tree, "element_spec")


def everything(data: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """Returns all inputs and all targets where they are held in memory."""
    if not (isinstance(data, tuple) and is_held(data)):
        return None
    return tuple(leaves(data[0])), tuple(leaves(list(data[1:2])))

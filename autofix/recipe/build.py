"""Between a live Keras model and a `Recipe`: reading without touching, building without global random state."""

from __future__ import annotations

import contextlib
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from autofix.errors import FixYourModel
from autofix.frozen import thaw
from autofix.recipe.document import Recipe
from autofix.recipe.objects import COMPILE_KEYS, LAMBDA, all_layers, codes, custom_objects
from autofix.recipe.surgery import operate, without_build_parts
from autofix.recipe.views import output_paths

# Key of `Recipe.objects` that holds the user's own function that builds the model.
BUILDER = "__build__"


def read_model(model: Any, example: Any = None) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Reads a model, or a function that builds one, into plain data.

    Args:
        model: A compiled `keras.Model`, or a callable without arguments that returns one.
        example: A few rows of input, to build a model that has no input shape yet.

    Returns:
        Architecture, compile settings, and the user's own classes and functions by name.

    Raises:
        FixYourModel: If the model is not compiled, or cannot be written down and no function builds it.
    """
    objects: dict[str, Any] = {}
    if not isinstance(model, keras.Model):
        objects[BUILDER] = model
        with seeded(0):
            model = call_builder(model)
    if not getattr(model, "compiled", False):
        raise FixYourModel(
            "the model must be compiled: its optimizer and loss are part of what is repaired. "
            "Received: a model without `compile`. Call `model.compile(optimizer=..., loss=...)` first."
        )
    objects.update(custom_objects(model))
    with keras.saving.custom_object_scope(objects), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = {key: plain(value) for key, value in compile_config(model).items()}
        try:
            document = keras.saving.serialize_keras_object(model)
        except Exception as error:  # a user's `get_config` may raise anything
            if BUILDER not in objects:
                raise FixYourModel(
                    f"the configuration of {type(model).__name__} cannot be read ({type(error).__name__}). "
                    "Pass a function that builds the compiled model instead, or give the class a `get_config`."
                ) from error
            document = {"class_name": type(model).__name__, "config": {}}
    document.pop("compile_config", None)
    if "layers" in document["config"]:
        document = without_build_parts(document)
    document = plain(document)
    nameless = codes(document)
    if nameless:
        objects[LAMBDA] = nameless
    if document["class_name"] == "Sequential":
        _give_input_layer(document, example)
    return document, compiled, objects


def build_model(recipe: Recipe, *, seed: int, compiled: bool = True, example: Any = None) -> keras.Model:
    """Builds the model of a recipe; see `Recipe.build`."""
    with keras.saving.custom_object_scope(dict(recipe.objects)), seeded(seed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = _construct(recipe)
            if example is not None and not _is_complete(model):
                model(example)
            if compiled:
                compile_model(model, recipe)
        except FixYourModel:
            raise
        except Exception as error:
            raise FixYourModel(f"Keras cannot build this configuration. {type(error).__name__}: {error}") from error
    return model


def _is_complete(model: keras.Model) -> bool:
    """Whether a model has all its weights: a subclassed one may be built while its layers wait for their first call."""
    return bool(model.built) and all(layer.built for layer in model._flatten_layers(include_self=False))


def compile_model(model: keras.Model, recipe: Recipe, *, metrics: bool = True) -> None:
    """Compiles `model` as the recipe says; without metrics where only the weights matter."""
    settings = thaw(recipe.compile)
    if not metrics:
        settings = {key: value for key, value in settings.items() if key not in ("metrics", "weighted_metrics")}
    settings = {key: _renamed(value, recipe, model) for key, value in settings.items() if value is not None}
    with keras.saving.custom_object_scope(dict(recipe.objects)):
        model.compile(**{key: _revive(key, value) for key, value in settings.items()}, jit_compile=False)


def _renamed(value: Any, recipe: Recipe, model: keras.Model) -> Any:
    """Settings by output name follow an output that a layer put behind it has renamed."""
    old = [path.rsplit("/", 1)[-1] for path in output_paths(recipe.architecture, "")] if recipe.is_graph else []
    new = list(getattr(model, "output_names", None) or [])
    if isinstance(getattr(model, "output", None), dict):
        return value  # a dict of outputs keeps its keys
    if not isinstance(value, dict) or old == new or len(old) != len(new) or not set(value) <= set(old):
        return value
    names = dict(zip(old, new, strict=True))
    return {names[key]: item for key, item in value.items()}


def restore(model: keras.Model, weights: Sequence[np.ndarray]) -> None:
    """Gives a model weights, and lets layers that keep derived state (`Normalization`) take them in."""
    for variable, value in zip(model.weights, weights, strict=True):
        variable.assign(value)
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.Normalization) and layer.built:
            layer.finalize_state()


def live_model(model: Any, seed: int) -> tuple[keras.Model, Callable[[], keras.Model] | None]:
    """Returns a live model to read from, and the function that builds it if that is what came."""
    if isinstance(model, keras.Model):
        return model, None
    with seeded(seed):
        return call_builder(model), model


def _revive(key: str, value: Any) -> Any:
    if key == "optimizer":
        return keras.optimizers.get(value)
    if isinstance(value, list):
        return [_revive(key, item) for item in value]
    if isinstance(value, dict) and "class_name" not in value:
        return {name: _revive(key, item) for name, item in value.items()}
    if isinstance(value, dict):
        return keras.saving.deserialize_keras_object(value)
    if isinstance(value, str):
        # Compiled by name: Keras finds its own; a user's function is found in the scope.
        return keras.saving.get_custom_objects().get(value, value)
    return value


def _construct(recipe: Recipe) -> keras.Model:
    document = thaw(recipe.architecture)
    if BUILDER in recipe.objects and not recipe.is_graph:
        model = call_builder(recipe.objects[BUILDER])
    else:
        # A `Lambda` may be rebuilt where its code came from the user's live model, never from a file or a patch.
        safe = not set(codes(document)) <= set(recipe.objects.get(LAMBDA, ()))
        model = keras.saving.deserialize_keras_object(fresh_seeds(operate(document)), safe_mode=safe)
    if not isinstance(model, keras.Model):
        raise FixYourModel(f"the model's configuration gives a {type(model).__name__}, not a `keras.Model`.")
    return model


def fresh_seeds(node: Any) -> Any:
    """Takes seeds out of initializers and dropout: the one seed of `build` decides them all."""
    if isinstance(node, dict):
        return {key: None if key == "seed" else fresh_seeds(value) for key, value in node.items()}
    if isinstance(node, list):
        return [fresh_seeds(item) for item in node]
    return node


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Makes Keras draw its default seeds from `seed`, and gives Python's and NumPy's generators back untouched."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 (kept as the user has it)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 (some layers draw from it)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002 (handed back)


def call_builder(builder: Callable[[], keras.Model]) -> keras.Model:
    """Calls the user's function and checks what it returns."""
    if not callable(builder):
        raise FixYourModel(
            "`model` must be a compiled `keras.Model` or a function that builds one. "
            f"Received: {builder!r} of type {type(builder).__name__}."
        )
    built = builder()
    if not isinstance(built, keras.Model):
        raise FixYourModel(f"the function must return a compiled `keras.Model`. Received: {type(built).__name__}.")
    return built


def compile_config(model: keras.Model) -> dict[str, Any]:
    """Returns what the model was compiled with, the optimizer as it stands now (its learning rate in force)."""
    config = dict(model.get_compile_config() or {})
    if not config:
        config = {
            "optimizer": getattr(model, "optimizer", None),
            "loss": getattr(model, "loss", None),
        }
    compiled = {key: keras.saving.serialize_keras_object(config.get(key)) for key in COMPILE_KEYS}
    if model.optimizer is not None:
        compiled["optimizer"] = _tidy(keras.saving.serialize_keras_object(model.optimizer))
    return compiled


def _tidy(optimizer: dict[str, Any]) -> dict[str, Any]:
    """Writes an optimizer down as a person would: 0.1 for 0.10000000149, and without the number in a name like `sgd_3`.

    Keras counts the optimizers of a process, so that the same program would give another recipe each time it is run.
    """
    config = optimizer["config"]
    if isinstance(config.get("learning_rate"), float):
        config["learning_rate"] = short(config["learning_rate"])
    base, _, number = str(config.get("name", "")).rpartition("_")
    if number.isdigit() and base.replace("_", "") == optimizer["class_name"].lower():
        config["name"] = base
    if isinstance(config.get("inner_optimizer"), dict):
        _tidy(config["inner_optimizer"])
    return optimizer


def short(value: float) -> float:
    """Returns the shortest decimal that is the same 32-bit float: 0.1 for 0.10000000149."""
    return float(np.format_float_scientific(np.float32(value), unique=True))


def plain(value: Any) -> Any:
    """Returns Keras' serialized data with tuples and arrays as lists and NumPy scalars as Python ones."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__tuple__":
            return [plain(item) for item in value["items"]]
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return value


def _give_input_layer(document: dict[str, Any], example: Any) -> None:
    """A Sequential without an input shape gets the one of its first batch, as Keras itself does."""
    entries = document["config"]["layers"]
    if entries and entries[0]["class_name"] == "InputLayer":
        return
    if example is None:
        raise FixYourModel(
            "the model has no input shape yet. Start it with `keras.Input`, or pass rows of input with it (`data`, or "
            "`example` for a `Recipe`)."
        )
    array = np.asarray(example)
    dtype = "float32" if array.dtype.kind == "f" else array.dtype.name
    config = {"batch_shape": [None, *array.shape[1:]], "dtype": dtype, "name": "input_layer"}
    entries.insert(0, {"module": "keras.layers", "class_name": "InputLayer", "config": config, "registered_name": None})

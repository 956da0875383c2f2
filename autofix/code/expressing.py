"""From Keras' serialized objects to the code that makes them, with nothing but what differs from the defaults."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autofix.code.layout import Call, Expression, Group, literal
from autofix.code.naming import is_counted, snake
from autofix.code.signatures import COMPUTED, group_of, publishes, signature

# How a public name of Keras is written: `layers.Dense` for ("layers", "Dense").
Writer = Callable[[str, str], str]

# Other names under which Keras finds an initializer.
ALIASES = {"normal": "randomnormal", "uniform": "randomuniform", "one": "ones", "zero": "zeros"}
# Settings that name an object of Keras by text or hold it.
OBJECT_KEYS = ("_initializer", "_regularizer", "_constraint")
# Float32 holds seven digits.
SAME = 1e-6


def express(value: Any, write: Writer, *, key: str = "", nameless: frozenset[str] = frozenset()) -> Expression:
    """Returns the code of one value of a recipe.

    Args:
        value: Plain data, or an object as Keras serializes it.
        write: How public names of Keras are written.
        key: The setting that it belongs to.
        nameless: Names of layers that are not to be written.
    """
    if isinstance(value, Mapping) and "class_name" in value:
        return _object(value, write, key, nameless)
    if isinstance(value, Mapping):
        pairs = ((_key(name), express(item, write, nameless=nameless)) for name, item in value.items())
        return Group("{}", tuple((literal(name), item) for name, item in pairs))
    if isinstance(value, list | tuple):
        if value and all(isinstance(item, int) and not isinstance(item, bool) for item in value):
            return literal(tuple(value))
        return Group("[]", tuple((None, express(item, write, nameless=nameless)) for item in value))
    return literal(number(value))


def arguments(
    group: str, name: str, config: Mapping[str, Any], write: Writer, nameless: frozenset[str] = frozenset()
) -> tuple[tuple[str | None, Expression], ...]:
    """Returns the arguments that make an object of Keras what `config` says; those with their default are left out."""
    if name == "InputLayer":
        return tuple(_input(config, nameless))
    known = signature(group, name)
    found: list[tuple[str | None, Expression]] = []
    names = known.names if known else tuple(config)
    for place, key in enumerate(names):
        if key not in config or is_default(group, name, key, config, nameless):
            continue
        positional = known is not None and place == len(found) and key not in known.defaults
        found.append((None if positional else key, express(config[key], write, key=key, nameless=nameless)))
    return tuple(found)


def is_default(
    group: str, name: str, key: str, config: Mapping[str, Any], nameless: frozenset[str] = frozenset()
) -> bool:
    """Returns whether a setting is what it would be if nobody wrote it."""
    value = config[key]
    if key == "name":
        own = {snake(name), name, name.lower()}
        return value in nameless or is_counted(name, value) or (group != "layers" and value in own)
    if key == "dtype":
        return _dtype(value) in (None, "float32")
    if key == "data_format":
        return value in (None, "channels_last")
    if key == "strides" and "pool_size" in config:
        return same(value, config["pool_size"])
    known = signature(group, name)
    default = known.defaults.get(key, COMPUTED) if known else COMPUTED
    return default is not COMPUTED and same(value, default, key=key)


def same(one: Any, other: Any, *, key: str = "") -> bool:
    """Returns whether two values of one setting mean the same: `3` and `(3, 3)`, `"zeros"` and `Zeros()`."""
    one, other = comparable(one, key), comparable(other, key)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(same(left, right) for left, right in zip(one, other, strict=True))
    if isinstance(one, tuple) != isinstance(other, tuple) and all(isinstance(v, int | tuple) for v in (one, other)):
        several, single = (one, other) if isinstance(one, tuple) else (other, one)
        return bool(several) and all(item == single for item in several)
    if isinstance(one, dict) and isinstance(other, dict):
        return set(one) == set(other) and all(same(one[name], other[name], key=name) for name in one)
    if _is_number(one) and _is_number(other):
        return math.isclose(one, other, rel_tol=SAME, abs_tol=0.0) or one == other
    return type(one) is type(other) and bool(one == other)


def comparable(value: Any, key: str = "") -> Any:
    """Returns a value in the one form in which `same` compares it."""
    if key.endswith("activation"):
        name = function_name(value)
        return "linear" if value is None else name if name is not None else comparable(value)
    if isinstance(value, Mapping) and "class_name" in value:
        name = function_name(value)
        if name is not None:
            return name
        group, config = group_of_object(value), value.get("config") or {}
        if value["class_name"] == "DTypePolicy":
            return config.get("name")
        kept = {
            inner: item
            for inner, item in config.items()
            if inner not in ("name", "seed", "input_axes", "output_axes")
            and not (group and is_default(group, str(value["class_name"]), inner, config))
        }
        return {"class_name": _flat_name(value["class_name"]), **kept}
    if isinstance(value, str) and (key.endswith(OBJECT_KEYS) or key == "optimizer"):
        return {"class_name": _flat_name(value)}
    if isinstance(value, list | tuple):
        return tuple(value)
    return {_key(name): item for name, item in value.items()} if isinstance(value, Mapping) else value


def function_name(value: Any) -> str | None:
    """Returns the name of a function, serialized or given by its name; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and isinstance(value.get("config"), str):
        return str(value["config"])
    return None


def group_of_object(value: Mapping[str, Any]) -> str | None:
    """Returns where in `keras` the class of a serialized object is published; None for one that is not Keras' own."""
    module, name = str(value.get("module") or ""), str(value.get("class_name"))
    if module.split(".")[0] != "keras" or ">" in str(value.get("registered_name")):
        return None
    group = module.removeprefix("keras").lstrip(".").replace(".", "/")
    return group if group and publishes(group, name) else group_of(name)


def number(value: Any) -> Any:
    """Returns a float as a person writes it: 0.3 for the float32 0.30000001192092896."""
    if isinstance(value, float) and math.isfinite(value) and float(np.float32(value)) == value:
        short = float(np.format_float_scientific(np.float32(value), unique=True))
        return short if len(repr(short)) < len(repr(value)) else value
    return value


def _object(value: Mapping[str, Any], write: Writer, key: str, nameless: frozenset[str]) -> Expression:
    name = str(value["class_name"])
    config = value.get("config")
    if name == "DTypePolicy" and isinstance(config, Mapping):
        return literal(config.get("name"))
    if not isinstance(config, Mapping):
        return _function(value, write)
    group = group_of_object(value)
    if group is None:
        own = (item for item in config if not _is_usual(name, item, config[item], nameless))
        return Call(write("", name), tuple((item, express(config[item], write, key=item)) for item in own))
    found = arguments(group, name, config, write, nameless)
    if not found and key.endswith(OBJECT_KEYS) and group == "initializers":
        return literal(snake(name))
    return Call(write(group, name), found)


def _function(value: Mapping[str, Any], write: Writer) -> Expression:
    name = str(value["config"])
    return write("", name.rpartition(">")[2]) if is_own_function(value) else literal(name)


def is_own_function(value: Mapping[str, Any]) -> bool:
    """Returns whether a serialized function is the user's own: Keras writes its own by their names."""
    return value.get("class_name") == "function"


def _is_usual(class_name: str, key: str, value: Any, nameless: frozenset[str]) -> bool:
    """Whether a setting that every layer has is as Keras sets it by itself."""
    if key == "name":
        return is_counted(class_name, value) or value in nameless
    return (key == "trainable" and value is True) or (key == "dtype" and _dtype(value) in (None, "float32"))


def _input(config: Mapping[str, Any], nameless: frozenset[str]) -> list[tuple[str | None, Expression]]:
    shape = config.get("batch_shape") or [None]
    found: list[tuple[str | None, Expression]] = [(None, literal(tuple(shape[1:])))]
    if shape[0] is not None:
        found.append(("batch_size", literal(shape[0])))
    if _dtype(config.get("dtype")) not in (None, "float32"):
        found.append(("dtype", literal(_dtype(config["dtype"]))))
    found += [(key, "True") for key in ("sparse", "ragged", "optional") if config.get(key)]
    if not is_counted("InputLayer", config.get("name")) and config.get("name") not in nameless:
        found.append(("name", literal(config["name"])))
    return found


def _dtype(value: Any) -> str | None:
    inner = value.get("config") if isinstance(value, Mapping) else None
    name = inner.get("name") if isinstance(inner, Mapping) else value
    return None if name is None else str(name)


def _flat_name(name: Any) -> str:
    flat = str(name).replace("_", "").lower()
    return ALIASES.get(flat, flat)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _key(name: Any) -> Any:
    """Classes are numbers in a program and text in JSON."""
    return int(name) if isinstance(name, str) and name.lstrip("-").isdigit() else name

"""How Keras' own constructors are called: read from the source of the installed Keras, which is never imported."""

from __future__ import annotations

import ast
import functools
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

# What a default is that is no literal, such as `keras.backend.epsilon()`.
COMPUTED: Final = object()
# Where each kind of object lives, by the last part of its module: `keras.layers`, `keras.optimizers.schedules`.
GROUPS = (
    "layers",
    "initializers",
    "regularizers",
    "constraints",
    "losses",
    "metrics",
    "optimizers",
    "optimizers/schedules",
    "callbacks",
)
# What `keras.layers.Layer` takes in `**kwargs`, with its defaults.
LAYER_KEYWORDS = {"activity_regularizer": None, "trainable": True, "dtype": None, "autocast": True, "name": None}


@dataclass(frozen=True)
class Signature:
    """Arguments of one constructor or function.

    Attributes:
        names: Its arguments in order, without `self`.
        defaults: Defaults by name; `COMPUTED` for one that is no literal. What has none must be given.
    """

    names: tuple[str, ...]
    defaults: dict[str, Any] = field(default_factory=dict)


@functools.cache
def signature(group: str, name: str) -> Signature | None:
    """Returns how a public class or function of Keras is called; None where there is none of that name.

    Args:
        group: One of `GROUPS`, or "models".
        name: Its public name, such as "Dense".
    """
    origin = _public(group).get(name)
    if origin is None:
        return None
    found = _in_module(*origin)
    if found is None:
        return None
    extra = LAYER_KEYWORDS if group == "layers" and name != "Input" else {}
    missing = {key: value for key, value in extra.items() if key not in found.names}
    return Signature((*found.names, *missing), {**missing, **found.defaults})


@functools.cache
def compile_signature() -> Signature:
    """Returns the arguments of `Model.compile`."""
    return _in_module("keras.src.trainers.trainer", "Trainer", "compile") or Signature(("optimizer", "loss"))


@functools.cache
def fit_signature() -> Signature:
    """Returns the arguments of `Model.fit`."""
    return _in_module("keras.src.backend.tensorflow.trainer", "TensorFlowTrainer", "fit") or Signature(("x", "y"))


def group_of(name: str) -> str | None:
    """Returns the group that has a public name; None where no group has it."""
    return next((group for group in GROUPS if name in _public(group)), None)


def publishes(group: str, name: str) -> bool:
    """Returns whether `keras.<group>` has a public `name`."""
    return name in _public(group)


def public_class(group: str, name: str) -> str | None:
    """Returns the class behind a public name: "Conv1D" for "Convolution1D"; None where there is none."""
    origin = _public(group).get(name)
    if origin is None:
        return None
    own = [public for public, found in _public(group).items() if found == origin]
    return origin[1] if origin[1] in own else name


@functools.cache
def _root() -> Path:
    spec = importlib.util.find_spec("keras")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("Keras is not installed: pip install keras")
    return Path(spec.origin).parent


@functools.cache
def _public(group: str) -> dict[str, tuple[str, str]]:
    """Module and name of what `keras.<group>` publishes, by its public name."""
    path = _root() / group / "__init__.py"
    if not path.is_file():
        return {}
    return {
        alias.asname or alias.name: (str(node.module), alias.name)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@functools.cache
def _tree(module: str) -> ast.Module | None:
    path = _root().parent.joinpath(*module.split("."))
    file = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
    return ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else None


def _in_module(module: str, name: str, method: str = "__init__") -> Signature | None:
    tree = _tree(module)
    if tree is None:
        return None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return _read(node.args, bound=False)
        if isinstance(node, ast.ClassDef) and node.name == name:
            return _of_class(tree, node, method)
    return None


def _of_class(tree: ast.Module, node: ast.ClassDef, method: str) -> Signature | None:
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == method:
            return _read(item.args, bound=True)
    for base in node.bases:
        name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
        own = next((item for item in tree.body if isinstance(item, ast.ClassDef) and item.name == name), None)
        if own is not None:
            return _of_class(tree, own, method)
        for module, original, local in _imports(tree):
            if local == name:
                return _in_module(module, original, method)
    return None


def _imports(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.module, alias.name, alias.asname or alias.name


def _read(arguments: ast.arguments, *, bound: bool) -> Signature:
    plain = [*arguments.posonlyargs, *arguments.args]
    with_default = zip(plain[len(plain) - len(arguments.defaults) :], arguments.defaults, strict=True)
    keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    defaults = {item.arg: _literal(value) for item, value in (*with_default, *keywords) if value is not None}
    names = [item.arg for item in (*plain, *arguments.kwonlyargs)]
    return Signature(tuple(names[1:] if bound else names), defaults)


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return COMPUTED

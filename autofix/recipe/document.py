"""`Recipe`: everything a training run is made of, except weights and data, as plain frozen data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from autofix.errors import FixYourCall, did_you_mean
from autofix.frozen import EMPTY, FrozenDict, canonical, freeze, thaw

if TYPE_CHECKING:
    import keras

SECTIONS = ("architecture", "compile", "fit", "transforms")
# Keys of a layer entry that are ours: layers to put behind it, and whether to leave it out.
STRUCTURAL = {"after": (), "skip": False}
FIT_DEFAULTS: Mapping[str, Any] = {
    "epochs": 10,
    "batch_size": 32,
    "shuffle": True,
    "class_weight": None,
    "oversample": False,
    "patience": None,
}
TRANSFORM_DEFAULTS: Mapping[str, Any] = {"labels": None}


@dataclass(frozen=True)
class Recipe:
    """A Keras program as data: read it with `get`, change it with `set`, make a model of it with `build`.

    Paths name values the way a person points at them: ``layers/dense_1/activation``,
    ``layers/encoder/layers/dense/units`` (nested model), ``layers/dense_1/after`` (layers put behind it),
    ``layers/softmax/skip`` (leave the layer out), ``compile/optimizer/learning_rate``, ``compile/loss``,
    ``fit/epochs``, ``transforms/labels``.

    Attributes:
        architecture: What `keras.saving.serialize_keras_object` gives for the model, without compile and build parts.
        compile: What the model was compiled with.
        fit: Settings of `fit`: `epochs`, `batch_size`, `shuffle`, `class_weight`, `oversample` (repeat rows of rare
            classes), `patience` (epochs without a better validation score before stopping; the best weights are
            kept). None for `patience` trains all epochs and keeps the last weights, as `fit` does.
        transforms: Changes to the data that cannot live in the model: `labels`, None or the user's labels in column
            order by output name (targets are fed as the index of their label).
        fit_known: Whether somebody said how the model is fitted; a model alone does not tell.
        objects: The user's own classes and functions, by name; needed by `build`, never written to a file.
    """

    architecture: FrozenDict
    compile: FrozenDict
    fit: FrozenDict = FrozenDict(FIT_DEFAULTS)
    transforms: FrozenDict = FrozenDict(TRANSFORM_DEFAULTS)
    objects: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    fit_known: bool = field(default=True, compare=False, repr=False)

    @classmethod
    def of(cls, model: keras.Model, *, fit: Mapping[str, Any] | None = None, example: Any = None) -> Recipe:
        """Reads a compiled model without changing it.

        Args:
            model: A compiled `keras.Model`.
            fit: Settings of `fit`; what is missing gets Keras' defaults (10 epochs, batches of 32 rows).
            example: A few rows of input; needed only for a model that was never built.

        Returns:
            The recipe.

        Raises:
            FixYourModel: If the model is not compiled or its configuration cannot be read.
        """
        from autofix.recipe.build import read_model

        architecture, compiled, objects = read_model(model, example)
        settings = {**FIT_DEFAULTS, **(fit or {})}
        parts = (FrozenDict(architecture), FrozenDict(compiled), FrozenDict(settings))
        return cls(*parts, objects=objects, fit_known=fit is not None)

    def build(self, *, seed: int = 0, compiled: bool = True, example: Any = None) -> keras.Model:
        """Builds a fresh model.

        Args:
            seed: Seed of the initial weights; the same seed gives the same weights.
            compiled: Whether to compile the model too.
            example: A few rows of input, to build a model that is not a graph of layers.

        Returns:
            A new `keras.Model`.

        Raises:
            FixYourModel: If Keras cannot build this configuration.
        """
        from autofix.recipe.build import build_model

        return build_model(self, seed=seed, compiled=compiled, example=example)

    @property
    def is_graph(self) -> bool:
        """Whether the layers are reachable: Sequential and functional models, not subclassed ones."""
        return "layers" in self.architecture.get("config", EMPTY)

    def get(self, path: str) -> Any:
        """Returns the frozen value at `path`.

        Raises:
            FixYourCall: If there is nothing at `path`.
        """
        return _get(self._section(path), _tail(path), path)

    def has(self, path: str) -> bool:
        """Returns whether there is a value at `path`."""
        try:
            self.get(path)
        except FixYourCall:
            return False
        return True

    def set(self, path: str, value: Any) -> Recipe:
        """Returns a copy with `value` at `path`.

        Raises:
            FixYourCall: If there is nothing at `path` to replace.
        """
        section = _head(path)
        document = thaw(self._section(path))
        _set(document, _tail(path), thaw(freeze(value)), path)
        changed: dict[str, Any] = {section: FrozenDict(document)}
        return replace(self, **changed)

    def fingerprint(self) -> str:
        """Returns 16 hexadecimal digits that change when anything in the recipe changes."""
        return hashlib.sha256(canonical(self.to_dict()).encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Returns the recipe as JSON-ready data."""
        return {name: thaw(getattr(self, name)) for name in SECTIONS}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], *, objects: Mapping[str, Any] | None = None) -> Recipe:
        """Reads what `to_dict` wrote; `objects` names the user's own classes and functions.

        Raises:
            FixYourCall: If the document is not a recipe.
        """
        try:
            architecture, compiled, fit, transforms = (freeze(document[name]) for name in SECTIONS)
        except (KeyError, TypeError, RecursionError) as error:
            raise FixYourCall(
                f"this is not a recipe: it needs mappings {', '.join(SECTIONS)}. {type(error).__name__}: {error}"
            ) from error
        for name, section in zip(SECTIONS, (architecture, compiled, fit, transforms), strict=True):
            if not isinstance(section, FrozenDict):
                raise FixYourCall(f"this is not a recipe: `{name}` must be a mapping. Received: {section!r}")
        return cls(architecture, compiled, fit, transforms, dict(objects or {}))

    def _section(self, path: str) -> FrozenDict:
        section: FrozenDict = getattr(self, _head(path))
        return section


def _head(path: str) -> str:
    first = path.split("/", 1)[0]
    section = "architecture" if first == "layers" else first
    if section not in SECTIONS:
        known = ("layers", *SECTIONS)
        raise FixYourCall(f"`path` must start with one of {known}. Received: {path!r}.{did_you_mean(first, known)}")
    return section


def _tail(path: str) -> list[str]:
    parts = path.split("/")
    return ["config", *parts] if parts[0] == "layers" else parts[1:]


def _missing(path: str, part: str, known: list[str]) -> FixYourCall:
    return FixYourCall(f"there is no {part!r} on the way to {path!r}.{did_you_mean(part, known)} Known: {known}")


def _layer(entries: Any, name: str, path: str) -> Any:
    for entry in entries:
        if entry["config"].get("name") == name:
            return entry
    raise _missing(path, name, [entry["config"].get("name", "?") for entry in entries])


def _get(node: Any, parts: list[str], path: str) -> Any:
    for index, part in enumerate(parts):
        if part == "layers" and index + 1 < len(parts) and isinstance(node, Mapping):
            node = node["config"] if "class_name" in node and "layers" not in node else node
            if "layers" not in node:
                raise _missing(path, part, sorted(node))
            entry = _layer(node["layers"], parts[index + 1], path)
            return _get(entry, parts[index + 2 :], path)
        node = _step(node, part, path)
    return node


def _step(node: Any, part: str, path: str) -> Any:
    if not isinstance(node, Mapping):
        raise _missing(path, part, [])
    if part in node:
        return node[part]
    inner = node.get("config")
    if isinstance(inner, Mapping) and part in inner:
        return inner[part]
    if "class_name" in node and part in STRUCTURAL:
        return STRUCTURAL[part]
    raise _missing(path, part, sorted(inner if isinstance(inner, Mapping) else node))


def _set(node: Any, parts: list[str], value: Any, path: str) -> None:
    for index, part in enumerate(parts[:-1]):
        if part == "layers" and index + 1 < len(parts) - 1:
            node = node["config"] if "class_name" in node and "layers" not in node else node
            _set(_layer(node["layers"], parts[index + 1], path), parts[index + 2 :], value, path)
            return
        node = _step(node, part, path)
    last = parts[-1]
    if not isinstance(node, dict):
        raise _missing(path, last, [])
    inner = node.get("config")
    if last in STRUCTURAL and "class_name" in node:
        if value:
            node[last] = value
        else:
            node.pop(last, None)
    elif last in node:
        node[last] = value
    elif isinstance(inner, dict) and last in inner:
        inner[last] = value
    elif not path.startswith("layers"):
        node[last] = value
    else:
        raise _missing(path, last, sorted(inner or node))

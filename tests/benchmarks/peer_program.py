"""The author's program as plain data, from which every candidate of the peers is built."""

from __future__ import annotations

import copy
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from . import peer_edits as edits
from .peer_edits import KEEP

OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "adamw": keras.optimizers.AdamW,
}
# What a user who picks SGD writes with it; the other optimizers are good at their defaults.
SGD_MOMENTUM = 0.9
LOSSES = {
    "binary_crossentropy": keras.losses.BinaryCrossentropy,
    "binary_focal_crossentropy": keras.losses.BinaryFocalCrossentropy,
    "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
    "categorical_focal_crossentropy": keras.losses.CategoricalFocalCrossentropy,
    "sparse_categorical_crossentropy": keras.losses.SparseCategoricalCrossentropy,
    "mean_squared_error": keras.losses.MeanSquaredError,
    "mean_absolute_error": keras.losses.MeanAbsoluteError,
    "huber": keras.losses.Huber,
}


@dataclass(frozen=True)
class Settings:
    """One candidate. `Settings()` is the author's program; every field left alone is as the author has it.

    Attributes:
        optimizer: A key of `OPTIMIZERS`.
        learning_rate: The learning rate.
        batch_size: Rows in a batch.
        epochs: Epochs.
        hidden: Activation of all hidden layers.
        output: Activation of the output.
        initializer: Initializer of all kernels.
        loss: A key of `LOSSES`. A cross-entropy takes logits where the output is linear.
        momentum: Momentum of SGD.
        clip_value: Gradients are clipped to this size, entry by entry.
        batch_norm: Whether a batch normalization follows every hidden layer.
        noise: Standard deviation of Gaussian noise behind every hidden layer; 0 for none.
        reduce_on_plateau: Whether the learning rate falls when the loss stands still.
        min_max: Whether the inputs are scaled to 0..1.
    """

    optimizer: str = KEEP
    learning_rate: float | None = None
    batch_size: int | None = None
    epochs: int | None = None
    hidden: str = KEEP
    output: str = KEEP
    initializer: str = KEEP
    loss: str = KEEP
    momentum: float | None = None
    clip_value: float | None = None
    batch_norm: bool = False
    noise: float = 0.0
    reduce_on_plateau: bool = False
    min_max: bool = False


def takes_logits(name: str) -> bool:
    """Whether a loss can be told that the output is linear."""
    return name.endswith("crossentropy")


@dataclass(frozen=True)
class Program:
    """What the author wrote, taken apart.

    Attributes:
        kind: Class of the model.
        config: Its config.
        kept: Places in `weights` and the values there of weights that are not trained: frozen layers, adapted ones.
        optimizer: Class and config of the optimizer.
        loss: The loss as it was given to `compile`.
        units: Output columns.
        fit: Arguments of `fit` other than epochs and batch size.
        epochs: Epochs.
        batch_size: Rows in a batch.
        bounds: Least and greatest value of every input column, in the shape of a row; None for other than one array.
    """

    kind: type[keras.Model]
    config: edits.Config
    kept: tuple[tuple[int, np.ndarray], ...]
    optimizer: tuple[type[keras.optimizers.Optimizer], Mapping[str, Any]]
    loss: Any
    units: int
    fit: Mapping[str, Any]
    epochs: int
    batch_size: int
    bounds: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, model: keras.Model, fit: Mapping[str, Any], x: Any = None) -> Program:
        """Take a compiled model apart; `x` are the rows it is fitted on."""
        fixed = {id(weight) for weight in model.non_trainable_weights}
        return cls(
            kind=type(model),
            config=model.get_config(),
            kept=tuple((i, w.value.numpy()) for i, w in enumerate(model.weights) if id(w) in fixed),
            optimizer=(type(model.optimizer), model.optimizer.get_config()),
            loss=model.loss,
            units=int(model.output_shape[-1]) if isinstance(model.output_shape, tuple) else 0,
            fit={key: value for key, value in fit.items() if key not in ("epochs", "batch_size", "verbose")},
            epochs=int(fit.get("epochs", 1)),
            batch_size=int(fit.get("batch_size") or 32),
            bounds=_bounds(x),
        )

    @property
    def author(self) -> Settings:
        """The author's program in the terms of `Settings`; what has no name there is KEEP or None."""
        kind, settings = self.optimizer
        rate = settings["learning_rate"]
        return Settings(
            optimizer=_known(OPTIMIZERS, kind),
            # Keras gives back 0.1 as 0.10000000149: the digits of float32 that count.
            learning_rate=float(f"{rate:.6g}") if isinstance(rate, (int, float)) else None,
            batch_size=self.batch_size,
            epochs=self.epochs,
            hidden=edits.hidden_activation(self.config),
            output=edits.output_activation(self.config),
            initializer=edits.kernel_initializer(self.config),
            loss=self._loss_name(),
        )

    def _loss_name(self) -> str:
        """The author's loss, if it is what `_loss` would make of its name with the author's output; else KEEP."""
        logits = edits.output_activation(self.config) == "linear"
        if isinstance(self.loss, keras.losses.Loss):
            name, config = _known(LOSSES, type(self.loss)), self.loss.get_config()
            if name == KEEP:
                return KEEP
            usual = LOSSES[name]().get_config() | ({"from_logits": logits} if takes_logits(name) else {})
            return name if config == usual else KEEP
        function = keras.losses.get(self.loss) if isinstance(self.loss, str) else self.loss
        name = getattr(function, "__name__", KEEP)
        known = name in LOSSES and function is keras.losses.get(name)
        return name if known and not (takes_logits(name) and logits) else KEEP

    def build(self, settings: Settings) -> keras.Model:
        """Build and compile a candidate, with weights as fresh as its initializers."""
        config = copy.deepcopy(self.config)
        if settings.hidden != KEEP:
            edits.set_hidden_activation(config, settings.hidden)
        if settings.output != KEEP:
            edits.set_output_activation(config, settings.output)
        if settings.initializer != KEEP:
            edits.set_kernel_initializer(config, settings.initializer)
        last = {layer["config"]["name"] for layer in edits.head(config)}
        model = self.kind.from_config(config)
        for place, value in self.kept:
            model.weights[place].assign(value)
        _settle(model)
        model = _with_layers(model, last, settings)
        if settings.min_max:
            model = self._with_scaling(model)
        model.compile(optimizer=self._optimizer(settings), loss=self._loss(settings))
        return model

    def _optimizer(self, settings: Settings) -> keras.optimizers.Optimizer:
        kind, config = self.optimizer
        arguments: dict[str, Any] = dict(config)
        if settings.optimizer != KEEP and OPTIMIZERS[settings.optimizer] is not kind:
            # The author's learning rate goes too: what suits one optimizer does not suit another.
            kind = OPTIMIZERS[settings.optimizer]
            arguments = {"momentum": SGD_MOMENTUM} if settings.optimizer == "sgd" else {}
        chosen = {
            "learning_rate": settings.learning_rate,
            "momentum": settings.momentum,
            "clipvalue": settings.clip_value,
        }
        return kind.from_config(arguments | {key: value for key, value in chosen.items() if value is not None})

    def _loss(self, settings: Settings) -> Any:
        if settings.loss == KEEP:
            return self.loss
        output = edits.output_activation(self.config) if settings.output == KEEP else settings.output
        options = {"from_logits": output == "linear"} if takes_logits(settings.loss) else {}
        return LOSSES[settings.loss](**options)

    def _with_scaling(self, model: keras.Model) -> keras.Model:
        if self.bounds is None:
            raise ValueError("`min_max` needs inputs that are one array of numbers.")
        low, high = self.bounds
        scale = 1.0 / np.where(high > low, high - low, 1.0)
        inputs = keras.Input(batch_shape=model.inputs[0].shape, dtype=model.inputs[0].dtype)
        return keras.Model(inputs, model(keras.layers.Rescaling(scale, -low * scale)(inputs)))


def _known(names: Mapping[str, type], kind: type) -> str:
    return next((name for name, known in names.items() if known is kind), KEEP)


def _bounds(x: Any) -> tuple[np.ndarray, np.ndarray] | None:
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
        return None
    # Columns of a table one by one; pixels and steps of a series alike, only their channels differ.
    axes = tuple(range(x.ndim - 1)) or (0,)
    return np.nanmin(x, axis=axes), np.nanmax(x, axis=axes)


def _with_layers(model: keras.Model, last: Container[str], settings: Settings) -> keras.Model:
    """Put batch normalization or noise behind every layer that has a kernel, except those of some names."""
    if not settings.batch_norm and not settings.noise:
        return model

    def extra(layer: keras.Layer) -> list[keras.Layer]:
        # A recurrent layer has its kernel in its cell.
        if not (hasattr(layer, "kernel") or hasattr(layer, "cell")) or layer.name in last:
            return []
        norm = [keras.layers.BatchNormalization(name=f"{layer.name}_norm")] if settings.batch_norm else []
        noise = [keras.layers.GaussianNoise(settings.noise, name=f"{layer.name}_noise")] if settings.noise else []
        return norm + noise

    if isinstance(model, keras.Sequential):
        inputs = keras.Input(batch_shape=model.inputs[0].shape, dtype=model.inputs[0].dtype)
        parts = [(type(layer).from_config(layer.get_config()), *extra(layer)) for layer in model.layers]
        return _with_weights(keras.Sequential([inputs, *(layer for part in parts for layer in part)]), model)

    def call(layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        outputs = layer(*args, **kwargs)
        for added in extra(layer):
            outputs = added(outputs)
        return outputs

    return _with_weights(keras.models.clone_model(model, call_function=call), model)


def _with_weights(larger: keras.Model, model: keras.Model) -> keras.Model:
    for layer in model.layers:
        if layer.weights:
            larger.get_layer(layer.name).set_weights(layer.get_weights())
    _settle(larger)
    return larger


def _settle(model: keras.Model) -> None:
    """Let layers that were adapted compute with the weights they were given."""
    for layer in leaves(model):
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def leaves(model: keras.Model) -> list[keras.Layer]:
    """The layers of a model and of the models inside it."""
    return [leaf for layer in model.layers for leaf in (leaves(layer) if hasattr(layer, "layers") else [layer])]

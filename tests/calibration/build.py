"""From a `Program` to arrays and a compiled Keras model."""

from __future__ import annotations

import zlib
from typing import Any

import keras
import numpy as np

from autofix.frozen import thaw

from .damages import DAMAGES
from .data import TABLES
from .losses import LOSSES
from .program import Damage, Part, Program, Stem


def arrays(program: Program) -> tuple[Any, Any]:
    """Returns x and y, damages applied; x is a dictionary where there are several inputs."""
    x, y = TABLES[program.data](program.rows, program.seed)
    for damage in program.damage:
        x, y = _damaged(x, y, damage, program.seed)
    return x, y


def model(program: Program) -> keras.Model:
    """Returns the compiled model; sets Keras' seed, as a user would."""
    keras.utils.set_random_seed(program.seed)
    x, _ = arrays(program)
    inputs = [keras.Input(stem.shape, name=stem.name, dtype=stem.dtype) for stem in program.stems]
    ends = [_stem(stem, start, x) for stem, start in zip(program.stems, inputs, strict=True)]
    flow = ends[0] if len(ends) == 1 else keras.layers.Concatenate()(ends)
    for layer in program.body:
        flow = _layer(layer)(flow)
    head = _layer(program.head)
    flow = head(flow)
    for layer in program.tail:
        flow = _layer(layer)(flow)
    net = keras.Model(inputs if len(inputs) > 1 else inputs[0], flow)
    if program.frozen == "head":
        head.trainable = False
    elif program.frozen == "all":
        net.trainable = False
    net.compile(optimizer=_optimizer(program.optimizer), loss=_loss(program.loss))
    return net


def _damaged(x: Any, y: np.ndarray, damage: Damage, seed: int) -> tuple[Any, np.ndarray]:
    rng = np.random.default_rng([zlib.crc32(damage.name.encode()), seed])
    change = DAMAGES[damage.name]
    if not isinstance(x, dict):
        return change(x, y, damage.amount, rng)
    name = next(iter(x))
    first, y = change(x[name], y, damage.amount, rng)
    return {**x, name: first}, y


def _stem(stem: Stem, flow: Any, x: Any) -> Any:
    for layer in stem.layers:
        made = _layer(layer)
        if layer.kind == "Normalization":
            values = x[stem.name] if isinstance(x, dict) else x
            made.adapt(values[np.isfinite(values).all(axis=-1)])
        flow = made(flow)
    return flow


def _layer(layer: Part) -> keras.Layer:
    return getattr(keras.layers, layer.kind)(**thaw(layer.settings))


def _optimizer(optimizer: Part) -> keras.optimizers.Optimizer:
    # Through `get`, which also makes a schedule of the learning rate where that is one.
    return keras.optimizers.get({"class_name": optimizer.kind, "config": thaw(optimizer.settings)})


def _loss(loss: Part) -> Any:
    if loss.kind in LOSSES:
        return LOSSES[loss.kind]
    return getattr(keras.losses, loss.kind)(**thaw(loss.settings)) if loss.settings else loss.kind

"""One small program of each kind, with data that suits it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

L = keras.layers
ROWS = 96
KINDS = "sparse_categorical_crossentropy"


def table(*shape: int, seed: int = 0, rows: int = ROWS) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, *shape)).astype("float32")


def kinds(rows: int = ROWS) -> np.ndarray:
    return np.random.default_rng(1).permutation(np.arange(rows) % 3)


def compiled(model: keras.Model, optimizer: Any = None) -> keras.Model:
    model.compile(optimizer or keras.optimizers.Adam(0.01), KINDS, jit_compile=False)
    return model


def mlp() -> tuple[keras.Model, Any, Any]:
    hidden = [L.Dense(12, kernel_regularizer="l2"), L.BatchNormalization(), L.ReLU(), L.Dropout(0.3)]
    return compiled(keras.Sequential([keras.Input((6,)), *hidden, L.Dense(3, "softmax")])), table(6), kinds()


def lstm() -> tuple[keras.Model, Any, Any]:
    model = keras.Sequential([keras.Input((5, 3)), L.LSTM(6), L.Dense(3, "softmax")])
    return compiled(model), table(5, 3), kinds()


def cnn() -> tuple[keras.Model, Any, Any]:
    body = [L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D(), L.Flatten()]
    return compiled(keras.Sequential([keras.Input((8, 8, 1)), *body, L.Dense(3, "softmax")])), table(8, 8, 1), kinds()


def embedding() -> tuple[keras.Model, Any, Any]:
    body = [L.Embedding(20, 4, mask_zero=True), L.GlobalAveragePooling1D()]
    model = keras.Sequential([keras.Input((6,), dtype="int32"), *body, L.Dense(3, "softmax")])
    return compiled(model), np.random.default_rng(0).integers(1, 20, (ROWS, 6)), kinds()


def two_inputs() -> tuple[keras.Model, Any, Any]:
    left, right = keras.Input((4,), name="left"), keras.Input((2,), name="right")
    joined = L.Concatenate()([L.Dense(4, "relu")(left), L.Dense(4, "tanh")(right)])
    model = keras.Model({"left": left, "right": right}, L.Dense(3, "softmax")(joined))
    return compiled(model), {"left": table(4), "right": table(2, seed=3)}, kinds()


@keras.saving.register_keras_serializable("probes_tests")
class Subclassed(keras.Model):
    """Layers in a list and in a condition: there is no graph to read their outputs from."""

    def __init__(self, activation: str = "relu", bias: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        start = keras.initializers.Constant(bias)
        self.activation, self.bias = activation, bias
        first = L.Dense(8, activation, bias_initializer=start, name="first")
        self.body = [first, L.Dense(8, activation, name="second")]
        self.drop, self.head = L.Dropout(0.2), L.Dense(3, "softmax", name="head")

    def call(self, inputs: Any, training: bool = False) -> Any:
        for layer in self.body:
            inputs = layer(inputs)
        return self.head(self.drop(inputs, training=training) if training else inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": self.activation, "bias": self.bias}


def subclassed(**settings: Any) -> tuple[keras.Model, Any, Any]:
    model = Subclassed(**settings)
    x = table(6)
    model(x[:2])
    return compiled(model), x, kinds()


MODELS: dict[str, Callable[[], tuple[keras.Model, Any, Any]]] = {
    build.__name__: build for build in (mlp, lstm, cnn, embedding, two_inputs, subclassed)
}

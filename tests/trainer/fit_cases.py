"""Programs with data that suit them: one of each kind that a compiled loop has to run as `fit` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

L = keras.layers
# 32 full batches in a row, enough for XLA, and a last one of two rows.
ROWS, BATCH = 98, 3
KINDS = "sparse_categorical_crossentropy"


@dataclass(frozen=True, eq=False)
class Given:
    """What a user brings.

    Attributes:
        model: A compiled model.
        x: Inputs.
        y: Targets.
        weight: Sample weights.
        fit: Further settings of `fit`.
        noise: Difference in a weight that the order of sums can make with XLA, as far as it was measured.
        xla: Whether a comparison with XLA would tell more than others do.
    """

    model: keras.Model
    x: Any
    y: Any
    weight: Any = None
    fit: Mapping[str, Any] = field(default_factory=dict)
    noise: float = 2e-6
    xla: bool = True


CASES: dict[str, Callable[[], Given]] = {}


def case(build: Callable[[], Given]) -> Callable[[], Given]:
    CASES[build.__name__] = build
    return build


def table(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(ROWS, *(shape or (4,)))).astype("float32")


def kinds(count: int = 3) -> np.ndarray:
    return np.random.default_rng(1).permutation(np.arange(ROWS) % count)


def words() -> np.ndarray:
    """Sentences of three to six words, filled up with zeros."""
    x = np.random.default_rng(0).integers(1, 12, size=(ROWS, 6))
    x[np.arange(6) >= 3 + np.arange(ROWS)[:, None] % 4] = 0
    return x


def compiled(model: keras.Model, loss: Any = KINDS, optimizer: Any = None, **settings: Any) -> keras.Model:
    model.compile(optimizer or keras.optimizers.SGD(0.05, momentum=0.9), loss, jit_compile=False, **settings)
    return model


def stack(shape: tuple[int, ...], *layers: Any, dtype: str = "float32") -> keras.Model:
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


def mlp(optimizer: Any = None, loss: Any = KINDS, **dense: Any) -> keras.Model:
    return compiled(stack((4,), L.Dense(8, "relu", **dense), L.Dense(3, "softmax", **dense)), loss, optimizer)


def on_table(model: keras.Model, **more: Any) -> Given:
    return Given(model, table(), kinds(), **more)


# ------------------------------------------------------------------------------------------------- layers


@case
def dense() -> Given:
    return on_table(mlp())


@case
def convolution_1d() -> Given:
    model = stack((6, 2), L.Conv1D(3, 3, activation="relu"), L.GlobalMaxPooling1D(), L.Dense(3, "softmax"))
    return Given(compiled(model), table(6, 2), kinds(), xla=False)


@case
def convolution_2d() -> Given:
    layers = (L.Conv2D(3, 3, activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(3, "softmax"))
    return Given(compiled(stack((6, 6, 1), *layers)), table(6, 6, 1), kinds())


def on_series(*layers: Any, **more: Any) -> Given:
    model = compiled(stack((5, 2), *layers, L.Dense(1, "sigmoid")), "binary_crossentropy")
    return Given(model, table(5, 2), kinds(2), **more)


@case
def lstm() -> Given:
    return on_series(L.LSTM(3))


@case
def gru() -> Given:
    return on_series(L.GRU(3))


@case
def simple_rnn() -> Given:
    return on_series(L.SimpleRNN(3), xla=False)


@case
def bidirectional() -> Given:
    return on_series(L.Bidirectional(L.SimpleRNN(2)))


@case
def embedding_with_mask() -> Given:
    layers = (L.Embedding(12, 4, mask_zero=True), L.GlobalAveragePooling1D(), L.Dense(1, "sigmoid"))
    return Given(compiled(stack((6,), *layers, dtype="int32"), "binary_crossentropy"), words(), kinds(2))


@case
def mask_in_the_loss() -> Given:
    """A label for every step; those that are filled up count for nothing."""
    layers = (L.Embedding(12, 4, mask_zero=True), L.SimpleRNN(3, return_sequences=True), L.Dense(2, "softmax"))
    return Given(compiled(stack((6,), *layers, dtype="int32")), words(), words() % 2)


@case
def attention() -> Given:
    inputs = keras.Input((5, 4))
    seen = L.MultiHeadAttention(2, 2)(inputs, inputs)
    model = keras.Model(inputs, L.Dense(1, "sigmoid")(L.GlobalAveragePooling1D()(seen)))
    return Given(compiled(model, "binary_crossentropy"), table(5, 4), kinds(2))


@case
def batch_normalization() -> Given:
    layers = (L.Dense(8), L.BatchNormalization(), L.ReLU(), L.Dense(3, "softmax"))
    return on_table(compiled(stack((4,), *layers)), noise=2e-5)


@case
def layer_normalization() -> Given:
    layers = (L.Dense(8), L.LayerNormalization(), L.ReLU(), L.Dense(3, "softmax"))
    return on_table(compiled(stack((4,), *layers)))


@case
def dropout() -> Given:
    """XLA draws other numbers from the same seed."""
    return on_table(compiled(stack((4,), L.Dense(16, "relu"), L.Dropout(0.5), L.Dense(3, "softmax"))), xla=False)


# ------------------------------------------------------------------------------------------------- structure


def two_inputs() -> keras.Model:
    left, right = keras.Input((4,), name="left"), keras.Input((2,), name="right")
    joined = L.Concatenate()([L.Dense(4, "relu")(left), L.Dense(4, "tanh")(right)])
    return compiled(keras.Model([left, right], L.Dense(3, "softmax")(joined)))


@case
def two_inputs_as_a_list() -> Given:
    return Given(two_inputs(), [table(), table(2, seed=3)], kinds())


@case
def two_inputs_by_name() -> Given:
    return Given(two_inputs(), {"right": table(2, seed=3), "left": table()}, kinds(), xla=False)


@case
def two_outputs() -> Given:
    inputs = keras.Input((4,))
    trunk = L.Dense(8, "relu")(inputs)
    model = keras.Model(inputs, [L.Dense(3, "softmax", name="kind")(trunk), L.Dense(1, name="size")(trunk)])
    compiled(model, [KINDS, "mse"], loss_weights=[1.0, 0.3])
    return Given(model, table(), [kinds(), table(1, seed=5)])


@case
def two_outputs_by_name() -> Given:
    inputs = keras.Input((4,))
    trunk = L.Dense(8, "relu")(inputs)
    heads = {"size": L.Dense(1, name="size")(trunk), "kind": L.Dense(3, "softmax", name="kind")(trunk)}
    model = keras.Model(inputs, heads)
    compiled(model, {"kind": KINDS, "size": "mae"}, loss_weights={"kind": 1.0, "size": 0.3})
    return Given(model, table(), {"kind": kinds(), "size": table(1, seed=5)}, xla=False)


@case
def nested_model() -> Given:
    inner = keras.Sequential([keras.Input((4,)), L.Dense(8, "relu"), L.Dense(4, "tanh")], name="inner")
    inputs = keras.Input((4,))
    return on_table(compiled(keras.Model(inputs, L.Dense(3, "softmax")(inner(inputs)))), xla=False)


@case
def shared_layer() -> Given:
    """One layer called twice, and penalised once."""
    inputs = keras.Input((4,))
    shared = L.Dense(4, "tanh", kernel_regularizer=keras.regularizers.L2(0.05))
    return on_table(compiled(keras.Model(inputs, L.Dense(3, "softmax")(shared(shared(inputs))))), xla=False)


def scaled_step(self: Any, data: Any) -> dict[str, Any]:
    x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
    with tf.GradientTape() as tape:
        loss = 3.0 * self.compute_loss(x=x, y=y, y_pred=self(x, training=True), sample_weight=weight)
    variables = self.trainable_variables
    self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    return {"loss": loss}


class TripledGraph(keras.Model):
    train_step = scaled_step


class Tripled(keras.Model):
    def __init__(self, units: int = 8, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.hidden, self.out = L.Dense(units, "relu"), L.Dense(3, "softmax")

    def call(self, inputs: Any) -> Any:
        return self.out(self.hidden(inputs))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}

    train_step = scaled_step


@case
def custom_train_step_of_a_functional_model() -> Given:
    inputs = keras.Input((4,))
    return on_table(compiled(TripledGraph(inputs, L.Dense(3, "softmax")(L.Dense(8, "relu")(inputs)))))


@case
def custom_train_step_of_a_subclassed_model() -> Given:
    model = Tripled()
    model(table()[:2])
    return on_table(compiled(model), xla=False)


# ------------------------------------------------------------------------------------------------- loss


@case
def regularization() -> Given:
    penalties = {"kernel_regularizer": keras.regularizers.L2(0.05), "bias_regularizer": keras.regularizers.L1(0.01)}
    return on_table(mlp(**penalties, activity_regularizer=keras.regularizers.L1(1e-3)))


class Doubling(L.Layer):
    def build(self, shape: Any) -> None:
        self.gain = self.add_weight(shape=(shape[-1],), initializer="ones", name="gain")

    def call(self, inputs: Any) -> Any:
        self.add_loss(0.01 * keras.ops.sum(self.gain**2))
        return 2.0 * inputs * self.gain


@case
def custom_layer_with_a_loss_of_its_own() -> Given:
    return on_table(compiled(stack((4,), L.Dense(8, "tanh"), Doubling(), L.Dense(3, "softmax"))))


def cubic(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)


class Quartic(keras.losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean((y_true - y_pred) ** 4, axis=-1)


@case
def loss_function() -> Given:
    model = stack((4,), L.Dense(8, "tanh"), L.Dense(2))
    return Given(compiled(model, cubic, keras.optimizers.SGD(0.01)), table(), table(2, seed=7), xla=False)


@case
def loss_class() -> Given:
    model = stack((4,), L.Dense(8, "tanh"), L.Dense(2))
    return Given(compiled(model, Quartic(), keras.optimizers.SGD(0.01)), table(), table(2, seed=7), xla=False)


@case
def targets_of_a_float_column() -> Given:
    model = compiled(stack((4,), L.Dense(8, "tanh"), L.Dense(1)), "mse", keras.optimizers.SGD(0.05))
    return Given(model, table().astype("float64"), table(1, seed=7)[:, 0].astype("float64"), xla=False)


# ------------------------------------------------------------------------------------------------- weights of rows


@case
def uneven_classes() -> Given:
    """Class weights are likely to be tried here, so that the program takes weights where none are given."""
    return Given(mlp(), table(), (np.arange(ROWS) % 10 == 0) + (np.arange(ROWS) % 15 == 1) * 2)


@case
def class_weight() -> Given:
    return on_table(mlp(), fit={"class_weight": {0: 1.0, 1: 5.0, 2: 0.2}}, xla=False)


@case
def class_weight_is_keyed_by_label() -> Given:
    """Labels 1 to 3 in a head of 4 units: `fit` looks a label up, not its place among those that occur."""
    model = compiled(stack((4,), L.Dense(8, "relu"), L.Dense(4, "softmax")))
    return Given(model, table(), kinds() + 1, fit={"class_weight": {1: 5.0, 2: 1.0, 3: 0.2}}, xla=False)


@case
def class_weight_on_one_hot_targets() -> Given:
    hot = np.eye(3, dtype="float32")[kinds()]
    weights = {"class_weight": {0: 1.0, 1: 5.0, 2: 0.2}}
    return Given(mlp(loss="categorical_crossentropy"), table(), hot, fit=weights, xla=False)


@case
def sample_weight() -> Given:
    return on_table(mlp(), weight=np.random.default_rng(2).uniform(0.1, 3.0, size=ROWS))


# ------------------------------------------------------------------------------------------------- optimizer


@case
def gradient_clipping() -> Given:
    return on_table(mlp(keras.optimizers.SGD(0.5, clipnorm=0.05)))


@case
def global_gradient_clipping() -> Given:
    return on_table(mlp(keras.optimizers.Adam(0.05, global_clipnorm=0.05)))


@case
def learning_rate_schedule() -> Given:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.05, decay_steps=5, decay_rate=0.5)
    return on_table(mlp(keras.optimizers.SGD(schedule, momentum=0.9)))


@case
def weight_decay() -> Given:
    return on_table(mlp(keras.optimizers.AdamW(0.01, weight_decay=0.1)))


@case
def averaged_weights() -> Given:
    return on_table(mlp(keras.optimizers.SGD(0.1, use_ema=True, ema_overwrite_frequency=4)))


@case
def gradient_accumulation() -> Given:
    return on_table(mlp(keras.optimizers.SGD(0.1, gradient_accumulation_steps=3)))


@case
def mixed_precision() -> Given:
    return on_table(mlp(dtype="mixed_float16"), noise=2e-3)


def in_16_bits(optimizer: Any = None) -> Given:
    """The policy set for everything: the loss is scaled, lest small gradients vanish."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return on_table(mlp(optimizer), noise=2e-3)
    finally:
        keras.config.set_dtype_policy("float32")


@case
def mixed_precision_policy() -> Given:
    return in_16_bits()


@case
def mixed_precision_policy_and_a_schedule() -> Given:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.05, decay_steps=5, decay_rate=0.5)
    return in_16_bits(keras.optimizers.SGD(schedule, momentum=0.9))

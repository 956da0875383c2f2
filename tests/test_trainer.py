"""The compiled loop is the arithmetic of `fit`: the same start and the same batches end in the same weights."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from autofix.change import Patch
from autofix.outcome import Outcome, Status
from autofix.session import prepare

L = keras.layers
ROWS, BATCH, EPOCHS = 40, 16, 2  # the last batch of an epoch has 8 rows
# XLA off, as the loop compiles it; what is left is the order in which sums are taken.
TOLERANCE = 2e-6


@pytest.fixture(autouse=True)
def no_full_collection(monkeypatch):
    """Looking through all of TensorFlow's objects after each test takes longer than the test."""
    monkeypatch.setattr("autofix.trainer.runner.gc", SimpleNamespace(collect=lambda: 0))


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(3)


@pytest.fixture(autouse=True)
def no_yardstick(monkeypatch):
    """scikit-learn's models say nothing about arithmetic."""
    monkeypatch.setattr("autofix.yardstick.signal_of", lambda data, targets, seed: (None, 0.0, 0.0))


def table(columns: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(ROWS, columns)).astype("float32")


def classes(count: int) -> np.ndarray:
    return np.random.default_rng(1).permutation(np.arange(ROWS) % count)


def compiled(model: keras.Model, loss: Any, optimizer: Any = None, **settings: Any) -> keras.Model:
    model.compile(optimizer or keras.optimizers.SGD(0.1, momentum=0.9), loss, jit_compile=False, **settings)
    return model


def same_as_fit(
    model: keras.Model, x: Any, y: Any, *, weight: Any = None, tolerance: float = TOLERANCE, **fit: Any
) -> Outcome:
    """Trains a model in our loop and in Keras', and compares all weights, moving averages included."""
    before = [value.copy() for value in model.get_weights()]
    settings = {"epochs": EPOCHS, "batch_size": BATCH, "shuffle": False, **fit}
    ours = {**settings, "class_weight": {str(key): value for key, value in (fit.get("class_weight") or {}).items()}}
    data = (x, y) if weight is None else (x, y, weight)
    session = prepare(model, data, validation_data=(x, y), fit={**ours, "class_weight": ours["class_weight"] or None})
    outcome = session.trainer.run(session.recipe, Patch(), holdout=True)
    session.trainer.close()
    assert outcome.status is Status.DONE, outcome.error
    model.fit(x, y, sample_weight=weight, verbose=0, **settings)
    theirs = model.get_weights()
    assert any(np.abs(old - new).max() > 1e-3 for old, new in zip(before, theirs, strict=True)), "nothing was trained"
    assert len(outcome.weights) == len(theirs)
    for variable, mine, value in zip(model.weights, outcome.weights, theirs, strict=True):
        np.testing.assert_allclose(mine, value, atol=tolerance, rtol=1e-5, err_msg=variable.path)
    return outcome


def mlp(**dense: Any) -> keras.Model:
    return keras.Sequential([keras.Input((4,)), L.Dense(8, "relu", **dense), L.Dense(3, "softmax", **dense)])


def test_dense_network():
    outcome = same_as_fit(compiled(mlp(), "sparse_categorical_crossentropy"), table(), classes(3))
    assert outcome.steps == EPOCHS * 3


def test_batch_normalization_and_no_dropout():
    model = keras.Sequential(
        [keras.Input((4,)), L.Dense(8), L.BatchNormalization(), L.ReLU(), L.Dropout(0.0), L.Dense(3, "softmax")]
    )
    same_as_fit(compiled(model, "sparse_categorical_crossentropy"), table(), classes(3))


def test_convolution():
    x = np.random.default_rng(0).normal(size=(ROWS, 6, 6, 1)).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            L.Conv2D(3, 3, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(3, "softmax"),
        ]
    )
    same_as_fit(compiled(model, "sparse_categorical_crossentropy"), x, classes(3))


def test_lstm():
    x = np.random.default_rng(0).normal(size=(ROWS, 5, 2)).astype("float32")
    model = keras.Sequential([keras.Input((5, 2)), L.LSTM(4), L.Dense(1, "sigmoid")])
    same_as_fit(compiled(model, "binary_crossentropy"), x, classes(2))


def test_embedding():
    x = np.random.default_rng(0).integers(0, 12, size=(ROWS, 5))
    model = keras.Sequential([keras.Input((5,), dtype="int32"), L.Embedding(12, 4), L.Flatten(), L.Dense(1, "sigmoid")])
    same_as_fit(compiled(model, "binary_crossentropy"), x, classes(2))


def two_inputs() -> keras.Model:
    left, right = keras.Input((4,), name="left"), keras.Input((2,), name="right")
    joined = L.Concatenate()([L.Dense(4, "relu")(left), L.Dense(4, "tanh")(right)])
    return compiled(keras.Model([left, right], L.Dense(3, "softmax")(joined)), "sparse_categorical_crossentropy")


def test_two_inputs_as_a_list():
    same_as_fit(two_inputs(), [table(), table(2, seed=3)], classes(3))


def test_two_inputs_by_name():
    same_as_fit(two_inputs(), {"right": table(2, seed=3), "left": table()}, classes(3))


def test_two_outputs():
    inputs = keras.Input((4,))
    trunk = L.Dense(8, "relu")(inputs)
    model = keras.Model(inputs, [L.Dense(3, "softmax", name="kind")(trunk), L.Dense(1, name="size")(trunk)])
    compiled(model, ["sparse_categorical_crossentropy", "mse"], loss_weights=[1.0, 0.3])
    same_as_fit(model, table(), [classes(3), table(1, seed=5)])


def test_two_outputs_by_name():
    inputs = keras.Input((4,))
    trunk = L.Dense(8, "relu")(inputs)
    model = keras.Model(
        inputs, {"size": L.Dense(1, name="size")(trunk), "kind": L.Dense(3, "softmax", name="kind")(trunk)}
    )
    compiled(model, {"kind": "sparse_categorical_crossentropy", "size": "mae"}, loss_weights={"kind": 1.0, "size": 0.3})
    same_as_fit(model, table(), {"kind": classes(3), "size": table(1, seed=5)})


def test_nested_model():
    inner = keras.Sequential([keras.Input((4,)), L.Dense(8, "relu"), L.Dense(4, "tanh")], name="inner")
    inputs = keras.Input((4,))
    model = keras.Model(inputs, L.Dense(3, "softmax")(inner(inputs)))
    same_as_fit(compiled(model, "sparse_categorical_crossentropy"), table(), classes(3))


def test_class_weight():
    model = compiled(mlp(), "sparse_categorical_crossentropy")
    same_as_fit(model, table(), classes(3), class_weight={0: 1.0, 1: 5.0, 2: 0.2})


def test_class_weight_is_keyed_by_label():
    """Labels 1 to 3 in a head of 4 units: `fit` looks a label up, not its place among those that occur."""
    model = keras.Sequential([keras.Input((4,)), L.Dense(8, "relu"), L.Dense(4, "softmax")])
    compiled(model, "sparse_categorical_crossentropy")
    same_as_fit(model, table(), classes(3) + 1, class_weight={1: 5.0, 2: 1.0, 3: 0.2})


def test_class_weight_on_one_hot_targets():
    model = compiled(mlp(), "categorical_crossentropy")
    same_as_fit(model, table(), np.eye(3, dtype="float32")[classes(3)], class_weight={0: 1.0, 1: 5.0, 2: 0.2})


def test_sample_weight():
    weight = np.random.default_rng(2).uniform(0.1, 3.0, size=ROWS)
    same_as_fit(compiled(mlp(), "sparse_categorical_crossentropy"), table(), classes(3), weight=weight)


def test_regularization():
    decay = keras.regularizers.L2(0.05)
    model = mlp(kernel_regularizer=decay, activity_regularizer=keras.regularizers.L1(1e-3))
    same_as_fit(compiled(model, "sparse_categorical_crossentropy"), table(), classes(3))


def test_gradient_clipping():
    optimizer = keras.optimizers.SGD(0.5, clipnorm=0.01)
    same_as_fit(compiled(mlp(), "sparse_categorical_crossentropy", optimizer), table(), classes(3), epochs=4)


def test_learning_rate_schedule():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.2, decay_steps=2, decay_rate=0.3)
    optimizer = keras.optimizers.Adam(schedule)
    same_as_fit(compiled(mlp(), "sparse_categorical_crossentropy", optimizer), table(), classes(3))


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.AdamW(0.01, weight_decay=0.1),
        keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=2),
    ],
    ids=["adamw", "averaged"],
)
def test_optimizers_with_state(optimizer):
    same_as_fit(compiled(mlp(), "sparse_categorical_crossentropy", optimizer), table(), classes(3))


def test_mixed_precision():
    model = mlp(dtype="mixed_float16")
    compiled(model, "sparse_categorical_crossentropy")
    same_as_fit(model, table(), classes(3), tolerance=2e-3)


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


def test_custom_train_step_of_a_functional_model():
    inputs = keras.Input((4,))
    model = TripledGraph(inputs, L.Dense(3, "softmax")(L.Dense(8, "relu")(inputs)))
    same_as_fit(compiled(model, "sparse_categorical_crossentropy"), table(), classes(3))


def test_custom_train_step_of_a_subclassed_model():
    model = Tripled()
    model(table()[:2])
    same_as_fit(compiled(model, "sparse_categorical_crossentropy"), table(), classes(3))


class PythonStep(Tripled):
    def train_step(self, data: Any) -> dict[str, Any]:
        logs = scaled_step(self, data)
        return {"loss": float(logs["loss"].numpy())}


def test_train_step_that_does_not_compile():
    model = PythonStep()
    model(table()[:2])
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", run_eagerly=True)
    same_as_fit(model, table(), classes(3))


def cubic(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)


class Quartic(keras.losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean((y_true - y_pred) ** 4, axis=-1)


@pytest.mark.parametrize("loss", [cubic, Quartic()], ids=["function", "class"])
def test_custom_loss(loss):
    model = keras.Sequential([keras.Input((4,)), L.Dense(8, "tanh"), L.Dense(2)])
    same_as_fit(compiled(model, loss, keras.optimizers.SGD(0.01)), table(), table(2, seed=7))


class Doubling(L.Layer):
    def build(self, shape: Any) -> None:
        self.gain = self.add_weight(shape=(shape[-1],), initializer="ones", name="gain")

    def call(self, inputs: Any) -> Any:
        self.add_loss(0.01 * keras.ops.sum(self.gain**2))
        return 2.0 * inputs * self.gain


def test_custom_layer_with_a_loss_of_its_own():
    model = keras.Sequential([keras.Input((4,)), L.Dense(8, "tanh"), Doubling(), L.Dense(3, "softmax")])
    same_as_fit(compiled(model, "sparse_categorical_crossentropy"), table(), classes(3))


def test_targets_of_a_float_column():
    model = keras.Sequential([keras.Input((4,)), L.Dense(8, "tanh"), L.Dense(1)])
    same_as_fit(compiled(model, "mse"), table().astype("float64"), table(1, seed=7)[:, 0].astype("float64"))


def test_steps_in_python_are_the_compiled_ones():
    from autofix.recipe import Recipe
    from autofix.trainer.hot import Knobs
    from autofix.trainer.program import Program

    model = compiled(mlp(), "sparse_categorical_crossentropy")
    x, y = table(), classes(3)
    session = prepare(model, (x, y), validation_data=(x, y), fit={})
    batch = session.trainer.feed.batch(session.recipe)
    order, starts = np.arange(ROWS), np.arange(0, ROWS, BATCH)
    ends: list[Any] = []
    for eager in (False, True):
        program = Program(Recipe.of(model).set("compile/run_eagerly", eager), batch)
        program.reset(tuple(model.get_weights()), Knobs(0.1))
        losses, norms = program.run(order, starts, np.minimum(starts + BATCH, ROWS), 0)
        ends.append((program.weights(), losses, norms))
    assert np.isfinite(ends[0][2]).all()
    assert (ends[0][2] > 0).all()
    for mine, value in zip(tf.nest.flatten(ends[0]), tf.nest.flatten(ends[1]), strict=True):
        np.testing.assert_allclose(mine, value, rtol=1e-4, atol=TOLERANCE)

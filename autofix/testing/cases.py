"""Small cases of every kind of model, each with faults for strategies to find. Built once per process."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.facts import TaskKind
from autofix.recipe import Recipe
from autofix.strategy import Case, RangeTest
from autofix.symptom import Diagnosis, Symptom
from autofix.testing.numbers import facts_for
from autofix.trace import Trace

ROWS = 96
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class SmallCase:
    """A case and the rows that it is about.

    Attributes:
        name: Which one it is.
        case: What the strategy sees; without diagnoses, which the checks plant.
        x: The inputs as the model takes them.
        y: The targets as the loss takes them.
    """

    name: str
    case: Case
    x: Any
    y: Any


def small_cases() -> tuple[SmallCase, ...]:
    """Returns every small case."""
    return tuple(small_case(name) for name in CASES)


def case_for(
    model: Any,
    x: Any,
    y: Any,
    *,
    kinds: Sequence[TaskKind],
    symptoms: Sequence[Symptom] = (),
    fit: Mapping[str, Any] | None = None,
    trace: Trace | None = None,
    range_test: RangeTest | None = None,
) -> Case:
    """Returns the case of a compiled model with data and symptoms of your choice.

    Args:
        model: A compiled `keras.Model`.
        x: One array, or a list with one per input.
        y: One array, or a dict with one per output.
        kinds: What each target asks for.
        symptoms: What is to be wrong, the most certain first.
        fit: Settings of `fit` that differ from Keras' defaults.
        trace: What the probes are to have seen.
        range_test: The range test that is to have been made.
    """
    inputs = x if isinstance(x, list) else [x]
    targets = list(y.values()) if isinstance(y, dict) else [y]
    return Case(
        recipe=Recipe.of(model, fit=fit, example=x),
        facts=facts_for(inputs, targets, kinds=kinds, names=list(y) if isinstance(y, dict) else None),
        input_shapes=tuple(array.shape[1:] for array in inputs),
        output_shapes=tuple(tuple(shape[1:]) for shape in _output_shapes(model, [array[:1] for array in inputs])),
        diagnoses=tuple(diagnosis(symptom) for symptom in symptoms),
        trace=trace,
        range_test=range_test,
    )


def diagnosis(symptom: Symptom) -> Diagnosis:
    """Returns a finding of `symptom`, severe and certain."""
    return Diagnosis(symptom, severity=0.9, certainty=0.9, evidence="Planted by the test.")


@functools.cache
def small_case(name: str) -> SmallCase:
    """Returns the small case called `name`, one of `CASES`; it has no diagnoses."""
    model, x, y, kinds, fit = BUILDERS[name]()
    trace = Trace(gradient_norm=(0.5, 2.0, 3.0, float("inf")))
    ranged = RangeTest(rates=(1e-4, 1e-3, 1e-2), losses=(1.0, 0.9, 0.8), candidates=(3e-3, 1e-3))
    return SmallCase(name, case_for(model, x, y, kinds=kinds, fit=fit, trace=trace, range_test=ranged), x, y)


def _output_shapes(model: Any, inputs: list[Array]) -> list[tuple[int | None, ...]]:
    outputs = model(inputs if len(inputs) > 1 else inputs[0])
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    return [tuple(output.shape) for output in (outputs if isinstance(outputs, list | tuple) else [outputs])]


Built = tuple[Any, Any, Any, tuple[TaskKind, ...], dict[str, Any]]


def _random() -> np.random.Generator:
    return np.random.default_rng(0)


def _table(columns: int = 8) -> Array:
    return _random().normal(size=(ROWS, columns)).astype("float32")


def _classes(count: int) -> Array:
    return np.arange(ROWS) % count


def _sigmoid_mlp() -> Built:
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(16, activation="sigmoid", kernel_initializer="zeros"),
            layers.Dense(16, activation="sigmoid", kernel_initializer=keras.initializers.RandomNormal(stddev=5.0)),
            layers.Dense(16, activation="sigmoid"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(1e-6), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, _table(), _classes(3), (TaskKind.MULTICLASS,), {"epochs": 2, "batch_size": 512}


def _dead_relu_mlp() -> Built:
    import keras
    from keras import layers

    off = keras.initializers.Constant(-10.0)
    model = keras.Sequential([keras.Input((8,))])
    for _ in range(2):
        model.add(layers.Dense(16, "relu", bias_initializer=off, kernel_regularizer=keras.regularizers.L2(0.5)))
        model.add(layers.Dropout(0.9))
    model.add(layers.Dense(1, activation="sigmoid", kernel_constraint=keras.constraints.MaxNorm(0.01)))
    model.compile(keras.optimizers.Adam(10.0, beta_1=0.9999, epsilon=1.0), "binary_crossentropy")
    rare = (np.arange(ROWS) % 12 == 0).astype("int64")
    return model, _table(), rare, (TaskKind.BINARY,), {"epochs": 1, "batch_size": 1}


def _cnn() -> Built:
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="tanh"),
            layers.MaxPooling2D(),
            layers.SpatialDropout2D(0.8),
            layers.Conv2D(8, 3, kernel_initializer="ones"),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(8),
            layers.Dense(3),
            layers.Activation("softmax"),
        ]
    )
    model.compile(keras.optimizers.RMSprop(0.1, clipvalue=100.0), "categorical_crossentropy")
    x = _random().uniform(0, 255, size=(ROWS, 8, 8, 1)).astype("float32")
    return model, x, np.eye(3, dtype="float32")[_classes(3)], (TaskKind.MULTICLASS,), {}


def _recurrent() -> Built:
    import keras
    from keras import layers

    wide = keras.initializers.RandomNormal(stddev=0.9)
    model = keras.Sequential(
        [
            keras.Input((6, 3)),
            layers.SimpleRNN(8, activation="relu", recurrent_initializer=wide, return_sequences=True),
            layers.LSTM(8, recurrent_dropout=0.8),
            layers.Dense(4, activation="sigmoid"),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(0.5, momentum=0.999), "mse")
    x = _random().normal(size=(ROWS, 6, 3)).astype("float32")
    return model, x, x[:, -1, 0], (TaskKind.REGRESSION,), {"epochs": 3}


def _embedding() -> Built:
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(20, 4, embeddings_initializer=keras.initializers.RandomUniform(-9.0, 9.0)),
            layers.Bidirectional(layers.GRU(4, kernel_regularizer=keras.regularizers.L1(0.3), return_sequences=True)),
            layers.TimeDistributed(layers.Dense(4, activation="sigmoid")),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adagrad(), "binary_crossentropy")
    return model, _random().integers(0, 20, size=(ROWS, 6)), _classes(2), (TaskKind.BINARY,), {"shuffle": False}


def _two_inputs() -> Built:
    import keras
    from keras import layers

    table, flags = keras.Input((8,), name="table"), keras.Input((2,), name="flags")
    left = layers.Dense(8, activation="softsign")(table)
    right = layers.Dense(8, activation="relu", activity_regularizer="l2")(flags)
    joined = layers.Concatenate()([left, right])
    joined = layers.ActivityRegularization(l2=3.0)(layers.Dense(8, activation="tanh")(joined))
    output = layers.Dense(4, activation="softmax")(joined)
    model = keras.Model([table, flags], output)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=1, decay_rate=0.1)
    model.compile(keras.optimizers.AdamW(schedule, weight_decay=0.9), "sparse_categorical_crossentropy")
    return model, [_table() * 100, _table(2)], _classes(4), (TaskKind.MULTICLASS,), {"patience": 1}


def _two_outputs() -> Built:
    import keras
    from keras import layers

    inputs = keras.Input((8,))
    trunk = layers.Dense(8, activation="sigmoid")(layers.Dense(8, activation="sigmoid")(inputs))
    kind = layers.Dense(3, activation="softmax", name="kind")(trunk)
    size = layers.Dense(1, name="size")(layers.Dropout(0.5)(trunk))
    model = keras.Model(inputs, {"kind": kind, "size": size})
    model.compile("adadelta", {"kind": "sparse_categorical_crossentropy", "size": "mse"})
    x = _table()
    y = {"kind": _classes(3), "size": x[:, 0] * 50 + 300}
    return model, x, y, (TaskKind.MULTICLASS, TaskKind.REGRESSION), {}


def _nested() -> Built:
    import keras
    from keras import layers

    encoder = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(8, kernel_initializer=keras.initializers.RandomUniform(-1e-5, 1e-5), name="first"),
            layers.LeakyReLU(name="leak"),
            layers.Dense(4, activation="hard_sigmoid"),
        ],
        name="encoder",
    )
    inputs = keras.Input((8,))
    hidden = layers.Dense(8)(encoder(inputs))
    outputs = layers.Dropout(0.3)(layers.Dense(3, activation="sigmoid")(layers.ELU()(hidden)))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Ftrl(), "binary_crossentropy")
    y = (_random().uniform(size=(ROWS, 3)) > 0.5).astype("float32")
    return model, _table(), y, (TaskKind.MULTILABEL,), {}


def _regression() -> Built:
    import keras
    from keras import layers

    model = keras.Sequential(
        [keras.Input((8,)), layers.Dense(16, activation="tanh"), layers.Dense(8, activation="tanh")]
    )
    model.add(layers.Dropout(0.4))
    model.add(layers.Dense(1))
    model.compile(keras.optimizers.SGD(0.3, clipnorm=50.0), "mae", loss_weights=2.0)
    x = _table()
    return model, x * 40 + 7, (x[:, :1] * 100 + 1000), (TaskKind.REGRESSION,), {"epochs": 600}


def _subclassed() -> Built:
    import keras
    from keras import layers

    @keras.saving.register_keras_serializable("autofix_testing")
    class Perceptron(keras.Model):
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.hidden = layers.Dense(units, activation="sigmoid")
            self.out = layers.Dense(3, activation="softmax")

        def call(self, inputs: Any) -> Any:
            return self.out(self.hidden(inputs))

        def get_config(self) -> dict[str, Any]:
            return {"name": self.name, "units": self.units}

    model, x = Perceptron(8), _table()
    model(x[:2])
    model.compile(keras.optimizers.Nadam(1e-9), "sparse_categorical_crossentropy")
    return model, x, _classes(3), (TaskKind.MULTICLASS,), {"batch_size": 96}


def _custom_layer() -> Built:
    import keras
    from keras import layers

    @keras.saving.register_keras_serializable("autofix_testing")
    class Scaled(keras.layers.Layer):
        def __init__(self, activation: str = "sigmoid", kernel_initializer: str = "zeros", **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.activation, self.kernel_initializer = activation, kernel_initializer

        def build(self, shape: Any) -> None:
            self.kernel = self.add_weight(shape=(shape[-1],), initializer="ones")

        def call(self, inputs: Any) -> Any:
            return inputs * self.kernel

        def get_config(self) -> dict[str, Any]:
            own = {"activation": self.activation, "kernel_initializer": self.kernel_initializer}
            return {**super().get_config(), **own}

    @keras.saving.register_keras_serializable("autofix_testing")
    def bent(values: Any) -> Any:
        return keras.ops.tanh(values) + 0.1 * values

    inputs = keras.Input((8,))
    hidden = Scaled()(layers.Dense(8, activation="sigmoid")(inputs))
    hidden = layers.Dense(8, activation=bent)(hidden)
    model = keras.Model(inputs, layers.Dense(1)(hidden))
    model.compile(keras.optimizers.SGD(1e-5), "mse")
    x = _table()
    return model, x, x[:, 0], (TaskKind.REGRESSION,), {}


def _gated() -> Built:
    import keras
    from keras import layers

    inputs = keras.Input((8,))
    hidden = layers.Dense(8, activation="sigmoid")(inputs)
    gate = layers.Dense(8, activation="sigmoid", name="gate")(hidden)
    gated = layers.Multiply()([hidden, gate])
    branch = layers.Dense(8, name="branch")(gated)
    residual = layers.Activation("sigmoid")(layers.Add()([gated, branch]))
    frozen = layers.Dense(8, activation="sigmoid", trainable=False, name="frozen")(residual)
    shared = layers.Dense(8, activation="sigmoid", name="shared")
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(shared(shared(frozen))))
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1e-4)), "sparse_categorical_crossentropy")
    return model, _table(), _classes(3), (TaskKind.MULTICLASS,), {}


BUILDERS: Mapping[str, Callable[[], Built]] = {
    "sigmoid_mlp": _sigmoid_mlp,
    "dead_relu_mlp": _dead_relu_mlp,
    "cnn": _cnn,
    "recurrent": _recurrent,
    "embedding": _embedding,
    "two_inputs": _two_inputs,
    "two_outputs": _two_outputs,
    "nested": _nested,
    "regression": _regression,
    "subclassed": _subclassed,
    "custom_layer": _custom_layer,
    "gated": _gated,
}
CASES = tuple(BUILDERS)

"""Faults of where the weights start: scale, constants, biases, recurrences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.calibration.mutation import Mutation
from tests.calibration.program import WEIGHTED, Program, dense, part

START = ("bad_initialization", "exploding_gradient", "vanishing_gradient")
TABLES = ("digits_mlp", "tabular_multiclass", "regression_one", "digits_cnn", "tabular_binary")


def normal(stddev: float) -> dict[str, Any]:
    """Returns a normal initializer."""
    return {"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": stddev}}


def constant(value: float) -> dict[str, Any]:
    """Returns a constant initializer."""
    return {"class_name": "Constant", "config": {"value": value}}


def too_large(program: Program) -> Program:
    """Weights that start some twenty times too large, in a net of usual depth."""
    return program.hidden({"kernel_initializer": normal(5.0)}, head=True)


def deep_too_large(program: Program) -> Program:
    """Weights that start ten times too large in eight layers: the signal grows by a power of ten in each."""
    deep = program.deepened(dense(48), 6)
    return replace(deep.hidden({"kernel_initializer": normal(1.5)}, head=True), optimizer=sgd(0.01))


def deep_too_small(program: Program) -> Program:
    """Weights that start a hundred times too small in six layers."""
    deep = program.deepened(dense(32), 3)
    return deep.hidden({"kernel_initializer": normal(1e-3)})


def zeros(program: Program) -> Program:
    """Every kernel starts at zero."""
    return program.hidden({"kernel_initializer": "zeros"}, kinds=WEIGHTED - {"Embedding"}, head=True)


def constants(program: Program) -> Program:
    """Every entry of a kernel starts at the same value, so the units of a layer stay copies of one."""
    return program.hidden({"kernel_initializer": constant(0.05)}, head=True)


def low_biases(program: Program) -> Program:
    """ReLU units that are off for every row."""
    return program.hidden({"bias_initializer": constant(-10.0)})


def saturated_start(program: Program) -> Program:
    """Tanh layers whose weights start so large that every unit sits at a bound."""
    return program.deepened(dense(32), 2).hidden({"activation": "tanh", "kernel_initializer": normal(8.0)})


def exploding_recurrence(program: Program) -> Program:
    """A ReLU recurrence whose kernel multiplies its state at every step."""
    start = {"activation": "relu", "recurrent_initializer": normal(0.8)}
    program = program.mapped(lambda layer: layer.put(start) if layer.kind == "SimpleRNN" else recurrence(layer, start))
    return replace(program, optimizer=sgd(0.05))


def recurrence(layer: Any, start: dict[str, Any]) -> Any:
    """Returns a gated recurrence as a plain one."""
    if layer.kind not in ("LSTM", "GRU"):
        return layer
    return part("SimpleRNN", {"units": layer.settings["units"], **start})


def sgd(rate: float) -> Any:
    """Returns plain SGD."""
    return part("SGD", {"learning_rate": rate})


ALL = (
    Mutation("start_too_large", ("bad_initialization",), START, TABLES, too_large),
    Mutation(
        "deep_start_too_large", ("exploding_gradient", "bad_initialization"),
        ("exploding_gradient", "bad_initialization", "non_finite_loss"),
        ("regression_one", "regression_several", "digits_mlp", "tabular_multiclass"), deep_too_large,
    ),
    Mutation("deep_start_too_small", ("bad_initialization",), START, TABLES, deep_too_small),
    Mutation("zeros", ("bad_initialization", "plateau"), (*START, "dead_units", "weights_unchanged"), TABLES, zeros),
    Mutation("constants", ("bad_initialization",), START, TABLES, constants),
    Mutation(
        "low_biases", ("dead_units", "collapsed_predictions", "plateau"), ("dead_units", "bad_initialization"),
        TABLES, low_biases,
    ),
    Mutation(
        "saturated_start", ("saturated_units", "bad_initialization"), ("saturated_units", *START), TABLES,
        saturated_start,
    ),
    Mutation(
        "exploding_recurrence", ("exploding_gradient",),
        ("exploding_gradient", "bad_initialization", "non_finite_loss"), ("series_rnn", "wave_lstm"),
        exploding_recurrence,
    ),
)  # fmt: skip

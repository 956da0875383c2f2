"""Faults of how the weights move: learning rate, batches, epochs, freezing, losses without a gradient."""

from __future__ import annotations

from dataclasses import replace

from tests.calibration.mutation import Mutation
from tests.calibration.program import Part, Program, part

RATE = ("extreme_learning_rate", "divergence", "non_finite_loss", "exploding_gradient", "oscillation")
UNLEARNED = ("weights_unchanged", "frozen_layers", "extreme_learning_rate")
TABLES = ("tabular_binary", "digits_mlp", "regression_one", "digits_cnn", "wave_lstm", "tabular_multiclass")


def faster(factor: float) -> Mutation:
    """Returns the fault of a rate that is too high."""

    def change(program: Program) -> Program:
        return program.at_rate(program.rate * factor)

    kinds = TABLES if factor > 100 else ("digits_mlp", "digits_cnn", "regression_one", "tabular_multiclass")
    return Mutation(f"rate_x{factor:g}", ("extreme_learning_rate",), RATE, kinds, change)


def slower(factor: float, brings: tuple[str, ...]) -> Mutation:
    """Returns the fault of a rate that is too low."""

    def change(program: Program) -> Program:
        return program.at_rate(program.rate / factor)

    causes = ("extreme_learning_rate", "weights_unchanged", "slow", "still_improving")
    return Mutation(f"rate_over_{factor:g}", brings, causes, TABLES, change)


def below_resolution(program: Program) -> Program:
    """Steps that a 32-bit weight rounds away."""
    return program.at_rate(1e-10)


def plain_sgd_too_slow(program: Program) -> Program:
    """Plain SGD at a rate made for Adam."""
    return replace(program, optimizer=part("SGD", {"learning_rate": 2e-5}))


def swinging(program: Program) -> Program:
    """Momentum on top of a rate that is high already: it swings, and nothing gets lower."""
    # Tanh units do not die of it, which would leave a constant that does not swing.
    program = program.hidden({"activation": "tanh"})
    return replace(program, optimizer=part("SGD", {"learning_rate": 0.3, "momentum": 0.9, "clipnorm": 1.0}))


def climbing(program: Program) -> Program:
    """Clipped steps that are far too long: the loss climbs, and no NaN ends it."""
    program = program.hidden({"activation": "tanh"})
    return replace(program, optimizer=part("SGD", {"learning_rate": 5.0, "clipnorm": 1.0}))


def stops_early(program: Program) -> Program:
    """A schedule that turns a modest rate off after two epochs of many."""
    steps = -(-program.rows // program.batch_size)
    values = [program.rate / 4, program.rate / 1e3, program.rate / 1e6]
    setting = {
        "module": "keras.optimizers.schedules",
        "class_name": "PiecewiseConstantDecay",
        "config": {"boundaries": [2 * steps, 4 * steps], "values": values},
        "registered_name": None,
    }
    return replace(program, optimizer=program.optimizer.put({"learning_rate": setting}))


def one_epoch(program: Program) -> Program:
    """A run that ends when it has begun."""
    return replace(program, epochs=1, batch_size=64).at_rate(program.rate / 3)


def long_run(program: Program) -> Program:
    """A run that went on long after it had converged."""
    return replace(program, epochs=5 * program.epochs)


def whole_batch(program: Program) -> Program:
    """The whole table in one batch."""
    return replace(program, batch_size=2048, epochs=10)


def batch_of_one(program: Program) -> Program:
    """Batch normalization over a single row."""
    return replace(normalized(program), batch_size=1, epochs=3)


def normalized(program: Program) -> Program:
    """Batch normalization behind every dense layer."""
    body: list[Part] = []
    for layer in program.body:
        body += [layer, part("BatchNormalization")] if layer.kind == "Dense" else [layer]
    return replace(program, body=tuple(body))


def one_row_left(program: Program) -> Program:
    """A last batch of one row, through batch normalization."""
    return replace(normalized(program), batch_size=100, rows=program.rows // 100 * 100 + 1)


def sorted_rows(program: Program) -> Program:
    """Rows in the order of their labels, and no shuffling, at a brisk rate: each class wipes out the one before."""
    sharp = program.at_rate(4 * program.rate)
    return replace(sharp.damaged("sorted_rows"), shuffle=False, epochs=max(3, program.epochs // 3))


def all_frozen(program: Program) -> Program:
    """No weight is trainable."""
    return replace(program, frozen="all")


def zero_gradient(program: Program) -> Program:
    """A loss that is flat wherever it has a derivative."""
    return replace(program, loss=part("zero_gradient"))


def disconnected(program: Program) -> Program:
    """A loss that no gradient reaches the weights from."""
    return replace(program, loss=part("disconnected"))


ALL = (
    faster(1000),
    faster(100),
    slower(1000, ("extreme_learning_rate", "slow")),
    slower(100, ("still_improving",)),
    Mutation(
        "rate_below_resolution", ("weights_unchanged", "extreme_learning_rate"), UNLEARNED, TABLES, below_resolution
    ),
    Mutation(
        "plain_sgd_too_slow", ("extreme_learning_rate", "slow"), ("extreme_learning_rate", "slow", "weights_unchanged"),
        ("tabular_binary", "digits_mlp", "regression_several", "tabular_multiclass"), plain_sgd_too_slow,
    ),
    Mutation(
        "swinging", ("oscillation",), RATE,
        ("regression_several", "regression_one", "raw_features"), swinging,
    ),
    Mutation(
        "climbing", ("divergence",), RATE,
        ("regression_one", "regression_several", "raw_features", "digits_sgd"), climbing,
    ),
    Mutation(
        "stops_early", ("late_plateau",), ("late_plateau", "extreme_learning_rate", "slow", "plateau"),
        ("regression_one", "digits_mlp", "two_inputs", "tabular_multiclass"), stops_early,
    ),
    Mutation(
        "one_epoch", ("still_improving",), ("still_improving", "slow", "batch_too_large", "extreme_learning_rate"),
        ("digits_mlp", "regression_one", "tabular_multiclass", "digits_cnn", "regression_several"), one_epoch,
    ),
    Mutation(
        "long_run", ("converged",), ("converged",), ("series_rnn", "autoencoder", "regression_several"), long_run, None,
        noted=True,
    ),
    Mutation(
        "whole_batch", ("batch_too_large",), ("batch_too_large",),
        ("digits_mlp", "regression_one", "tabular_multiclass", "two_inputs", "digits_cnn"), whole_batch,
    ),
    Mutation(
        "batch_of_one", ("tiny_batch_normalization",), ("tiny_batch_normalization",),
        ("tabular_multiclass", "regression_one", "digits_mlp"), batch_of_one, None,
    ),
    Mutation(
        "one_row_left", ("last_batch",), ("last_batch", "tiny_batch_normalization"),
        ("tabular_multiclass", "regression_one", "digits_mlp"), one_row_left, None, noted=True,
    ),
    Mutation(
        "sorted_rows", ("sorted_rows",), ("sorted_rows",),
        ("digits_mlp", "tabular_multiclass", "digits_cnn", "digits_sgd"), sorted_rows,
    ),
    Mutation(
        "all_frozen", ("frozen_layers", "weights_unchanged"), UNLEARNED,
        ("tabular_binary", "digits_cnn", "regression_one", "text_embedding"), all_frozen,
    ),
    Mutation(
        "zero_gradient", ("weights_unchanged", "plateau"), ("weights_unchanged",),
        ("tabular_binary", "two_inputs", "wave_lstm", "multilabel"), zero_gradient,
    ),
    Mutation(
        "disconnected", ("weights_unchanged",), ("weights_unchanged",),
        ("tabular_binary", "regression_one", "digits_mlp"), disconnected,
    ),
)  # fmt: skip

"""Faults of the data: scales, missing values, labels that say nothing, features that say too much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.calibration.mutation import Mutation
from tests.calibration.program import Program

INPUTS = ("unscaled_inputs", "saturated_units")
QUANTITIES = ("regression_one", "regression_several", "series_rnn", "raw_features")
TABLES = ("tabular_binary", "regression_one", "digits_mlp", "tabular_multiclass", "regression_several")


def damaged(name: str, amount: float = 1.0) -> Callable[[Program], Program]:
    """Returns the change that damages the data."""
    return lambda program: program.damaged(name, amount)


def widened(name: str, amount: float, width: Callable[[int], int]) -> Callable[[Program], Program]:
    """Returns the change that adds features, and the input shape that goes with them."""

    def change(program: Program) -> Program:
        first = program.stems[0]
        stems = (replace(first, shape=(*first.shape[:-1], width(first.shape[-1]))), *program.stems[1:])
        return replace(program.damaged(name, amount), stems=stems)

    return change


def rare_class(program: Program) -> Program:
    """One row in twenty is of the rare class, and hard to tell from the others."""
    return replace(program, rows=4000).damaged("blurred", 1.5).damaged("thinned_class", 0.05)


def flat_images(program: Program) -> Program:
    """Images as vectors, for a model that expects images."""
    return program.damaged("flat_images")


ALL = (
    Mutation(
        "inputs_x1000", ("unscaled_inputs",), INPUTS,
        ("digits_sgd", "wave_lstm", "series_rnn", "regression_one", "digits_mlp"), damaged("scaled_inputs", 1000.0),
    ),
    Mutation("inputs_over_1000", ("unscaled_inputs",), INPUTS, TABLES, damaged("scaled_inputs", 1e-3)),
    Mutation("inputs_offset", ("unscaled_inputs",), INPUTS, TABLES, damaged("offset_inputs", 200.0)),
    Mutation("inputs_uneven", ("unscaled_inputs",), INPUTS, TABLES, damaged("uneven_inputs", 1e4)),
    Mutation(
        "targets_x1e5", ("unscaled_targets",), ("unscaled_targets",), QUANTITIES, damaged("scaled_targets", 1e5)
    ),
    Mutation(
        "targets_over_1000", ("unscaled_targets",), ("unscaled_targets",), QUANTITIES, damaged("scaled_targets", 1e-3)
    ),
    Mutation(
        "nan_in_inputs", ("missing_values", "non_finite_loss"), ("missing_values",),
        ("tabular_binary", "regression_one", "digits_cnn", "series_rnn"), damaged("missing_inputs", 0.01),
    ),
    Mutation(
        "inf_in_inputs", ("missing_values", "non_finite_loss"), ("missing_values",),
        ("tabular_multiclass", "regression_several", "digits_mlp"), damaged("infinite_inputs", 0.003),
    ),
    Mutation(
        "inf_in_targets", ("missing_values", "non_finite_loss"), ("missing_values",),
        ("regression_one", "series_rnn", "raw_features"), damaged("infinite_targets", 0.005),
    ),
    Mutation(
        "shuffled_labels", ("no_signal",), ("no_signal", "label_noise"),
        ("tabular_binary", "digits_mlp", "regression_one", "series_rnn", "multilabel"), damaged("shuffled_labels"),
    ),
    Mutation(
        "flipped_labels", ("label_noise",), ("label_noise",),
        ("digits_mlp", "tabular_multiclass", "digits_cnn", "tabular_binary"), damaged("flipped_labels", 0.4),
        noted=True,
    ),
    Mutation(
        "rare_class", ("imbalance_ignored", "class_imbalance"), ("imbalance_ignored", "class_imbalance"),
        ("overlapping", "tabular_binary", "imbalanced"), rare_class,
    ),
    Mutation(
        "constant_features", ("redundant_features",), ("redundant_features",), QUANTITIES[:2] + TABLES[:1],
        widened("constant_features", 0.5, lambda width: width + round(0.5 * width)), None,
        noted=True,
    ),
    Mutation(
        "duplicate_features", ("redundant_features",), ("redundant_features",), TABLES,
        widened("duplicate_features", 1, lambda width: 2 * width), None, noted=True,
    ),
    Mutation(
        "leaked_target", ("leakage",), ("leakage",), ("overlapping", "low_ceiling", "raw_features"),
        widened("leaked_target", 1, lambda width: width + 1), None, noted=True,
    ),
    Mutation("flat_images", ("input_shape",), ("input_shape",), ("digits_cnn",), flat_images, None),
    Mutation(
        "transposed", ("input_shape",), ("input_shape",), ("wave_lstm", "series_rnn"), damaged("transposed"), None
    ),
)  # fmt: skip

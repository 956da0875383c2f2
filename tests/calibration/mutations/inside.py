"""Faults between input and output: activations, capacity, dropout and penalties."""

from __future__ import annotations

from dataclasses import replace

from tests.calibration.mutation import Mutation
from tests.calibration.program import Program, dense, part

PENALTIES = ("strong_regularization", "regularization_dominates")
TABLES = ("digits_mlp", "tabular_multiclass", "regression_one", "tabular_binary", "regression_several", "digits_cnn")


def deep_sigmoid(program: Program) -> Program:
    """Ten sigmoid layers under plain SGD."""
    deep = program.deepened(dense(32), 8).hidden({"activation": "sigmoid"})
    return replace(deep, optimizer=part("SGD", {"learning_rate": 0.05}))


def deep_sigmoid_adam(program: Program) -> Program:
    """Ten sigmoid layers under Adam."""
    return program.deepened(dense(32), 8).hidden({"activation": "sigmoid"})


def saturated_by_inputs(program: Program) -> Program:
    """Tanh units under inputs a thousand times too large."""
    return program.hidden({"activation": "tanh"}).damaged("scaled_inputs", 1000.0)


def linear_hidden(program: Program) -> Program:
    """Hidden layers without an activation: all of them together are one linear map."""
    return program.hidden({"activation": "linear"})


def narrow_layer(program: Program) -> Program:
    """One unit in the middle."""
    half = max(1, len(program.body) // 2)
    return replace(program, body=(*program.body[:half], dense(1), *program.body[half:]))


def narrow_net(program: Program) -> Program:
    """Two units a layer."""
    return program.mapped(lambda layer: layer.put({"units": 2}) if layer.kind == "Dense" else layer)


def dropout(program: Program) -> Program:
    """Dropout of nine in ten behind every hidden layer."""
    dropped = []
    for layer in program.body:
        dropped += [layer, part("Dropout", {"rate": 0.9})] if layer.kind == "Dense" else [layer]
    return replace(program, body=tuple(dropped))


def dropout_at_the_end(program: Program) -> Program:
    """Dropout behind the output layer."""
    return replace(program, tail=(part("Dropout", {"rate": 0.5}),))


def penalty(kind: str, amount: float) -> Mutation:
    """Returns the fault of a penalty that outweighs the data."""
    setting = {"kernel_regularizer": {"class_name": kind, "config": {kind.lower(): amount}}}

    def change(program: Program) -> Program:
        return program.hidden(setting, head=True)

    return Mutation(f"{kind.lower()}_{amount:g}", PENALTIES, PENALTIES, TABLES, change)


def decay(program: Program) -> Program:
    """A weight decay that leaves nothing of the weights."""
    return replace(program, optimizer=part("AdamW", {"learning_rate": program.rate, "weight_decay": 20.0}))


def memorizing(program: Program) -> Program:
    """A wide net without a penalty and many epochs, on labels of which some are wrong: it learns those by heart too."""
    wide = replace(program, body=(dense(256), dense(256), dense(128)), epochs=60)
    return wide.at_rate(1e-3).damaged("flipped_labels", 0.35)


ALL = (
    Mutation(
        "deep_sigmoid", ("vanishing_gradient", "plateau"), ("vanishing_gradient", "saturated_units"), TABLES,
        deep_sigmoid,
    ),
    Mutation(
        "deep_sigmoid_adam", ("vanishing_gradient",), ("vanishing_gradient", "saturated_units"), TABLES,
        deep_sigmoid_adam,
    ),
    Mutation(
        "saturated_by_inputs", ("saturated_units", "unscaled_inputs"),
        ("unscaled_inputs", "saturated_units", "vanishing_gradient"), TABLES, saturated_by_inputs,
    ),
    Mutation(
        "linear_hidden", ("linear_hidden_layers",), ("linear_hidden_layers",),
        ("raw_features", "two_inputs", "regression_one", "tabular_binary"), linear_hidden, noted=True,
    ),
    Mutation("narrow_layer", ("bottleneck",), ("bottleneck",), TABLES, narrow_layer),
    Mutation(
        "narrow_net", ("bottleneck", "underfitting"), ("bottleneck",),
        ("digits_mlp", "tabular_multiclass", "regression_several", "regression_one"), narrow_net,
    ),
    Mutation("dropout_0.9", ("strong_regularization", "underfitting"), PENALTIES[:1], TABLES, dropout),
    Mutation(
        "dropout_at_the_end", ("misplaced_dropout",),
        ("misplaced_dropout", "strong_regularization", "head_mismatch"), TABLES, dropout_at_the_end,
    ),
    penalty("L2", 1.0),
    penalty("L1", 0.1),
    Mutation("weight_decay", ("strong_regularization",), PENALTIES, TABLES, decay),
    Mutation(
        "memorizing", ("overfitting",), ("overfitting", "label_noise"),
        ("tabular_binary", "tabular_multiclass", "digits_mlp", "imbalanced"), memorizing,
    ),
)  # fmt: skip

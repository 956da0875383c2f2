"""Faults of the contract between task, labels, output layer and loss. At fault whatever the score says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.calibration.mutation import Mutation
from tests.calibration.program import Program, part

BINARY = ("tabular_binary", "wave_lstm", "two_inputs", "imbalanced", "text_embedding")
CLASSES = ("tabular_multiclass", "digits_cnn", "digits_sgd", "small_table")
COLUMNS = ("digits_mlp",)
LABELS = ("multilabel",)
QUANTITY = ("regression_one", "series_rnn", "raw_features")
QUANTITIES = ("regression_several", "autoencoder")


def ending(
    name: str,
    symptom: str,
    kinds: tuple[str, ...],
    *,
    head: Mapping[str, Any] | None = None,
    loss: str | None = None,
    settings: Mapping[str, Any] | None = None,
    damage: tuple[str, float] | None = None,
    also: tuple[str, ...] = (),
    causes: tuple[str, ...] = (),
) -> Mutation:
    """Returns the fault of an output layer, loss or labels that do not fit together."""

    def change(program: Program) -> Program:
        made = replace(program, head=program.head.put(head or {}))
        if loss or settings:
            made = replace(made, loss=part(loss or program.loss.kind, settings or {}))
        return made.damaged(*damage) if damage else made

    return Mutation(name, (symptom, *also), (symptom, *causes), kinds, change, None)


def double_softmax(program: Program) -> Program:
    """A softmax behind a softmax."""
    return replace(program, tail=(part("Softmax"),))


def too_few_units(program: Program) -> Program:
    """Two units less than there are classes."""
    return replace(program, head=program.head.put({"units": program.head.settings["units"] - 2}))


def sequences(program: Program) -> Program:
    """A recurrence that returns every step, so that every step is compared with the one target."""
    settings = {"return_sequences": True}
    recurrent = ("SimpleRNN", "LSTM", "GRU")
    return program.mapped(lambda layer: layer.put(settings) if layer.kind in recurrent else layer)


def rows_against_rows(program: Program) -> Program:
    """A loss of one's own that compares every output with every target."""
    return replace(program, loss=part("rows_against_rows"))


def simple(name: str, symptom: str, kinds: tuple[str, ...], change: Callable[[Program], Program]) -> Mutation:
    """Returns a fault that brings one symptom."""
    return Mutation(name, (symptom,), (symptom,), kinds, change, None)


LOSS, HEAD, RANGE, ENCODING = "loss_mismatch", "head_mismatch", "output_range", "label_encoding"
BROADCAST = "shape_broadcast"
ALL = (
    ending("softmax_one_unit", HEAD, BINARY, head={"activation": "softmax"}, also=("collapsed_predictions",)),
    ending("one_unit_for_classes", HEAD, CLASSES, head={"units": 1, "activation": "sigmoid"}, causes=(LOSS,)),
    simple("too_few_units", HEAD, CLASSES, too_few_units),
    simple("double_softmax", HEAD, (*CLASSES, *COLUMNS), double_softmax),
    ending("softmax_for_labels", HEAD, LABELS, head={"activation": "softmax"}, causes=(LOSS,)),
    ending("one_unit_for_quantities", HEAD, QUANTITIES, head={"units": 1}, also=(BROADCAST,), causes=(BROADCAST,)),
    ending("no_softmax", LOSS, (*CLASSES, *COLUMNS), head={"activation": "linear"}),
    ending("relu_head", LOSS, (*CLASSES, *COLUMNS), head={"activation": "relu"}, causes=(HEAD,)),
    ending("no_sigmoid", LOSS, BINARY, head={"activation": "linear"}),
    ending("sparse_on_columns", LOSS, COLUMNS, loss="sparse_categorical_crossentropy"),
    ending("categorical_on_numbers", LOSS, CLASSES, loss="categorical_crossentropy", causes=(BROADCAST,)),
    ending("sigmoid_for_classes", LOSS, (*COLUMNS, *CLASSES), head={"activation": "sigmoid"}),
    ending("distance_for_classes", LOSS, (*COLUMNS, *BINARY), loss="mse"),
    ending("hinge_on_sigmoid", LOSS, BINARY[:2], loss="hinge", causes=(ENCODING,)),
    ending("squashed_twice", LOSS, BINARY, loss="BinaryCrossentropy", settings={"from_logits": True}),
    ending("cross_entropy_for_quantity", LOSS, QUANTITY, head={"activation": "sigmoid"}, loss="binary_crossentropy",
           causes=(RANGE,)),
    ending("poisson_for_quantity", LOSS, QUANTITY, loss="poisson"),
    ending("sigmoid_for_quantity", RANGE, (*QUANTITY, *QUANTITIES), head={"activation": "sigmoid"}),
    ending("relu_for_quantity", RANGE, (*QUANTITY, *QUANTITIES), head={"activation": "relu"}),
    ending("labels_from_one", ENCODING, CLASSES, damage=("shifted_labels", 1)),
    ending("signed_labels", ENCODING, BINARY, damage=("signed_labels", 1)),
    ending("text_labels", ENCODING, (*CLASSES, *BINARY), damage=("text_labels", 1)),
    Mutation("every_step", (BROADCAST,), (BROADCAST, HEAD), ("series_rnn",), sequences,
             None),
    # Inside a loss of one's own no shape can be seen: all that shows is that nothing is learned.
    Mutation("rows_against_rows", ("plateau",), (BROADCAST,), QUANTITY, rows_against_rows),
)  # fmt: skip

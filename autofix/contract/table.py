"""The table of valid combinations of labels, head and loss, and the cheapest way there."""

from __future__ import annotations

from dataclasses import dataclass

from autofix.contract.heads import LOGITS, MARGINS, SIGMOIDS, SOFTMAXES, Tail
from autofix.contract.judging import judge, reaches
from autofix.contract.losses import BINARY, CATEGORICAL, CATEGORICAL_HINGE, CUSTOM, DIVERGENCE, HINGE, SPARSE
from autofix.contract.outputs import Labels, Output, loss_of
from autofix.facts import Encoding, TaskKind
from autofix.symptom import Symptom

# What an edit costs here, in the order of what a person would rather change: an activation keeps the trained weights,
# a loss is one word, recoded labels need a mapping kept beside the model, other units throw the head's weights away.
ACTIVATION_COST, LOSS_COST, LABEL_COST, UNITS_COST = 0.8, 1.0, 2.0, 2.5
# What the user's `predict` gives changes its meaning from probabilities to log odds.
LOGIT_COST = 1.0


@dataclass(frozen=True)
class Row:
    """One valid combination for classes.

    Attributes:
        encodings: How the targets may be written.
        width: Units it needs: "one", "two", "index" (more than the largest label) or "columns" (those of the targets).
        activations: Activations of the head, the textbook one first.
        losses: Losses, the textbook one first.
        from_logits: Whether the loss applies the activation itself.
        reluctance: What is added to the cost of going there from an invalid program; staying costs nothing.
    """

    encodings: tuple[Encoding, ...]
    width: str
    activations: tuple[str, ...]
    losses: tuple[str, ...]
    from_logits: bool = False
    reluctance: float = 0.0


INDEX, ONE_HOT, MULTI_HOT = (Encoding.INDEX,), (Encoding.ONE_HOT,), (Encoding.MULTI_HOT,)
TABLE = (
    Row(INDEX, "one", SIGMOIDS, BINARY),
    Row(INDEX, "one", LOGITS, BINARY, from_logits=True),
    Row((Encoding.INDEX, Encoding.SIGNED), "one", MARGINS, HINGE, reluctance=1.0),
    Row((Encoding.INDEX, Encoding.LABELS), "index", SOFTMAXES, SPARSE),
    Row((Encoding.INDEX, Encoding.LABELS), "index", LOGITS, SPARSE, from_logits=True),
    Row(ONE_HOT, "columns", SOFTMAXES, (*CATEGORICAL, *DIVERGENCE)),
    Row(ONE_HOT, "columns", LOGITS, CATEGORICAL, from_logits=True),
    Row(ONE_HOT, "columns", SIGMOIDS, BINARY, reluctance=2.0),
    Row(ONE_HOT, "columns", LOGITS, BINARY, from_logits=True, reluctance=2.0),
    Row(ONE_HOT, "two", SOFTMAXES, BINARY, reluctance=2.0),
    Row(ONE_HOT, "columns", (*SOFTMAXES, *MARGINS, *SIGMOIDS), CATEGORICAL_HINGE, reluctance=3.0),
    Row((*ONE_HOT, *MULTI_HOT), "columns", MARGINS, HINGE, reluctance=3.0),
    Row(MULTI_HOT, "columns", SIGMOIDS, BINARY),
    Row(MULTI_HOT, "columns", LOGITS, BINARY, from_logits=True),
)


@dataclass(frozen=True)
class Triple:
    """A valid combination and what it takes to get there.

    Attributes:
        units: Units of the head; None to leave them.
        activation: Activation of the head; None to leave it.
        loss: Keras' snake_case name of the loss; None to leave it.
        from_logits: Whether that loss takes log odds.
        encode: Whether labels have to be fed as the index of their class.
        cost: What the edits cost; see the constants of this module.
    """

    units: int | None
    activation: str | None
    loss: str | None
    from_logits: bool
    encode: bool
    cost: float


KEEP = Triple(None, None, None, False, encode=False, cost=0.0)


def best_triple(output: Output) -> Triple:
    """Returns the valid combination that takes the fewest edits from where the output stands.

    Every strategy that carries out a part of it asks again from the state the earlier ones left: what remains of the
    cheapest way stays the cheapest, so they agree without talking to each other.

    Args:
        output: One output as it stands.
    """
    if output.loss is None or not judge(output):
        return KEEP
    if output.labels.kind is TaskKind.REGRESSION:
        return _best_for_quantities(output)
    options = []
    writings = [output.labels]
    if output.target.classes and output.labels.encoding is not Encoding.INDEX:
        writings.append(Labels.of(output.target, encoded=True))
    for encode, labels in enumerate(writings):
        options += [option for row in TABLE if (option := _way(output, labels, row, bool(encode))) is not None]
    return min(options, key=lambda option: option.cost) if options else KEEP


def _way(output: Output, labels: Labels, row: Row, encode: bool) -> Triple | None:
    """What it takes to get from an output to one row of the table; None where it cannot be done."""
    loss, tail, width = loss_of(output), output.tail, output.width
    if labels.encoding not in row.encodings or labels.text:
        return None
    wanted = _wanted_width(row, labels, width)
    if wanted is None or (width is None and output.tail is None and wanted != labels.columns):
        return None
    units = None if wanted == width or width is None else wanted
    if units is not None and not _can_widen(tail):
        return None
    custom = loss.identifier == CUSTOM
    activation = None if output.activation in row.activations or tail is None else row.activations[0]
    keeps = custom or (loss.identifier in row.losses and loss.from_logits == row.from_logits)
    name = loss.identifier if loss.identifier in row.losses else row.losses[0]
    cost = LABEL_COST * encode + UNITS_COST * (units is not None) + row.reluctance
    cost += ACTIVATION_COST * (activation is not None) + LOSS_COST * (not keeps)
    squashed = output.activation in (*SIGMOIDS, *SOFTMAXES)
    if row.from_logits and not custom and (squashed or not loss.from_logits):
        cost += LOGIT_COST
    return Triple(units, activation, None if keeps else name, row.from_logits, encode, cost)


def _wanted_width(row: Row, labels: Labels, width: int | None) -> int | None:
    if row.width == "one":
        return 1 if labels.classes == 2 else None
    if row.width == "two":
        return 2 if labels.columns == 2 else None
    if row.width == "columns":
        return labels.columns
    if labels.low < 0 or not labels.whole:
        return None
    if width is not None and width > max(1.0, labels.high):
        return width
    # Labels with gaps would leave units without a class: these are encoded instead.
    return labels.classes if labels.high == labels.classes - 1 else None


def _can_widen(tail: Tail | None) -> bool:
    return tail is not None and tail.editable and tail.width is not None


def _best_for_quantities(output: Output) -> Triple:
    found = judge(output)
    symptoms = {violation.symptom for violation in found}
    loss, tail = loss_of(output), output.tail
    columns = output.columns
    softmax_on_one = output.width == 1 and output.activation in SOFTMAXES
    units = (
        columns
        if columns != output.width and output.width is not None and _can_widen(tail) and output.extra_axes == 0
        else None
    )
    name, activation = None, None
    if Symptom.LOSS_MISMATCH in symptoms:
        rates = loss.identifier == "poisson" and output.labels.low >= 0
        if rates:
            activation = "softplus"
        else:
            name, activation = _loss_for_shares(output)
    elif Symptom.OUTPUT_RANGE in symptoms or softmax_on_one or (units is not None and output.activation in SOFTMAXES):
        activation = "linear"
    if name == "mean_squared_error" and (softmax_on_one or not reaches(output, output.labels.low, output.labels.high)):
        activation = "linear"
    if activation == output.activation or tail is None:
        activation = None
    cost = (
        UNITS_COST * (units is not None) + ACTIVATION_COST * (activation is not None) + LOSS_COST * (name is not None)
    )
    return Triple(units, activation, name, False, encode=False, cost=cost)


def _loss_for_shares(output: Output) -> tuple[str | None, str | None]:
    """Loss and activation for quantities under a loss for classes."""
    loss, labels = loss_of(output), output.labels
    if loss.identifier in BINARY and labels.low >= 0 and labels.high <= 1:
        if output.activation in SIGMOIDS:
            return loss.identifier, None
        return (loss.identifier if loss.from_logits else None), "sigmoid"
    return "mean_squared_error", None

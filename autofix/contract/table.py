"""The table of valid combinations of labels, head and loss, and the cheapest way there."""

from __future__ import annotations

from dataclasses import dataclass

from autofix.contract.heads import LOGITS, MARGINS, SIGMOIDS, SOFTMAXES, Tail
from autofix.contract.judging import is_composition, judge, reaches
from autofix.contract.losses import (
    BINARY,
    CATEGORICAL,
    CATEGORICAL_HINGE,
    CROSS_ENTROPIES,
    CUSTOM,
    DIVERGENCE,
    HINGE,
    OF_QUANTITIES,
    SPARSE,
)
from autofix.contract.outputs import Labels, Output, loss_of
from autofix.facts import Encoding, TaskKind

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
    Row(ONE_HOT, "two", SOFTMAXES, BINARY),
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
    if output.labels.encoding in (Encoding.LABELS, Encoding.SIGNED):
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
    custom, unknown = loss.identifier == CUSTOM, output.activation is None
    activation = None if unknown or output.activation in row.activations else row.activations[0]
    keeps = custom or (loss.identifier in row.losses and loss.from_logits == row.from_logits)
    name = loss.identifier if loss.identifier in row.losses else row.losses[0]
    cost = LABEL_COST * encode + UNITS_COST * (units is not None)
    if activation is not None or not keeps:
        cost += row.reluctance + ACTIVATION_COST * (activation is not None) + LOSS_COST * (not keeps)
    squashed = output.activation in (*SIGMOIDS, *SOFTMAXES)
    turns_logit = row.from_logits and (squashed or not loss.from_logits)
    # What cannot be seen is what the present loss takes it for.
    turns_blindly = unknown and loss.identifier in CROSS_ENTROPIES and row.from_logits != loss.from_logits
    if not custom and (turns_logit or turns_blindly):
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
    loss, tail, columns = loss_of(output), output.tail, output.columns
    widens = columns != output.width and output.width is not None and output.extra_axes == 0 and _can_widen(tail)
    name, from_logits, activation = _fit_for_quantities(output)
    if output.activation is None or activation == output.activation:
        activation = None
    keeps = (name, from_logits) == (loss.identifier, loss.from_logits)
    cost = UNITS_COST * widens + ACTIVATION_COST * (activation is not None) + LOSS_COST * (not keeps)
    units = columns if widens else None
    return Triple(units, activation, None if keeps else name, from_logits, encode=False, cost=cost)


def _fit_for_quantities(output: Output) -> tuple[str, bool, str | None]:
    """Returns loss, `from_logits` and activation that suit quantities; None for an activation that may stay."""
    loss, labels, activation = loss_of(output), output.labels, output.activation
    name = loss.identifier
    own: tuple[str, ...] = ()
    if name in BINARY and 0 <= labels.low <= labels.high <= 1:
        own = SIGMOIDS
    elif name in (*CATEGORICAL, *DIVERGENCE) and is_composition(output):
        own = SOFTMAXES
    if own:
        stays = loss.from_logits and activation in LOGITS
        return name, stays, None if stays or activation in own else own[0]
    if name == "poisson" and labels.low >= 0:
        low = output.tail.bounds[0].min() if output.tail else 0.0
        return name, False, None if low >= 0 else "softplus"
    always_one = 1 in (output.width, output.columns) and activation in SOFTMAXES
    wanted = "linear" if always_one or not reaches(output, labels.low, labels.high) else None
    is_sound = name == CUSTOM or (name in OF_QUANTITIES and name != "poisson")
    return name if is_sound else "mean_squared_error", False, wanted

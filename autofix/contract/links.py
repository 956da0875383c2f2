"""How the raw values of an output are to be read."""

from __future__ import annotations

from autofix.contract.heads import LOGITS, SIGMOIDS, SOFTMAXES
from autofix.contract.losses import BINARY, CATEGORICAL_HINGE, CROSS_ENTROPIES, CUSTOM, DIVERGENCE, HINGE
from autofix.contract.outputs import outputs_of
from autofix.decoding import Link
from autofix.facts import DataFacts, Encoding, TaskKind
from autofix.recipe import Recipe


def link_of(recipe: Recipe, facts: DataFacts, index: int) -> Link:
    """Returns how the raw values of an output are to be read.

    Args:
        recipe: The program.
        facts: The data in numbers.
        index: Which output.
    """
    output = outputs_of(recipe, facts, ())[index]
    loss, activation, labels = output.loss, output.activation, output.labels
    name = loss.identifier if loss else CUSTOM
    logits = bool(loss and loss.from_logits)
    squashed = activation in (*SIGMOIDS, *SOFTMAXES)
    if labels.kind is TaskKind.REGRESSION:
        return Link.LOGIT if name in BINARY and logits and not squashed else Link.VALUE
    if squashed:
        return Link.PROBABILITY
    signed = labels.encoding is Encoding.SIGNED
    if name in (*HINGE, *CATEGORICAL_HINGE):
        return Link.SIGNED
    if name in CROSS_ENTROPIES or name in DIVERGENCE:
        return Link.LOGIT if logits else Link.PROBABILITY
    if signed:
        return Link.SIGNED
    if name == CUSTOM:
        return Link.LOGIT if activation in LOGITS else Link.PROBABILITY
    is_label = labels.encoding is Encoding.LABELS or labels.classes > 2
    return Link.VALUE if is_label and labels.encoding is not Encoding.ONE_HOT else Link.PROBABILITY

"""What two models say about the same rows, in one form: their heads may differ, what they mean must not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from autofix.contract import link_of
from autofix.data import Data
from autofix.decoding import Link, decode
from autofix.facts import DataFacts, TargetFacts
from autofix.labels import positions, to_index
from autofix.recipe import Recipe
from autofix.trees import leaves

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[Any]

# Rows predicted at a time: small enough for any memory that trained the model.
BATCH = 1_024


@dataclass(frozen=True, eq=False)
class Predictions:
    """Raw outputs and how they are read.

    Attributes:
        outputs: One array [rows, ...] per output, in the order of the model's outputs.
        links: How each is read.
    """

    outputs: tuple[Array, ...]
    links: tuple[Link, ...]

    def plain(self, targets: Sequence[TargetFacts]) -> Predictions:
        """Returns them as class probabilities and quantities, whatever head they came from."""
        pairs = [_plain(*item) for item in zip(self.outputs, targets, self.links, strict=True)]
        return Predictions(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))

    def mixes_with(self, other: Predictions) -> bool:
        """Whether rows of one may stand among rows of the other as they are."""
        shapes = [output.shape for output in self.outputs] == [output.shape for output in other.outputs]
        return shapes and self.links == other.links


def predictions(model: keras.Model, recipe: Recipe, facts: DataFacts, data: Data, x: Any) -> Predictions:
    """Asks a model.

    Args:
        model: The model.
        recipe: Its program.
        facts: The data in numbers.
        data: Knows the order of the outputs.
        x: Inputs, in the structure that the user gave.
    """
    raw = model.predict(x, batch_size=BATCH, verbose=0)
    if isinstance(raw, dict) and set(data.outputs) <= raw.keys():
        raw = [raw[name] for name in data.outputs]
    found = tuple(np.asarray(output) for output in (leaves(list(raw)) if isinstance(raw, tuple) else leaves(raw)))
    return Predictions(found, tuple(link_of(recipe, facts, place) for place in range(len(found))))


def mixed(first: Predictions, second: Predictions, rows: Array, chosen: Array) -> list[Array]:
    """Returns the outputs of `first` where `chosen`, of `second` elsewhere.

    Args:
        first: Predictions of one model.
        second: Those of the other, in the same form.
        rows: Row numbers, integer array [n].
        chosen: Boolean array [n].
    """
    found = []
    for mine, other in zip(first.outputs, second.outputs, strict=True):
        mask = chosen.reshape(-1, *[1] * (mine.ndim - 1))
        found.append(np.where(mask, mine[rows], other[rows]))
    return found


def _plain(output: Array, target: TargetFacts, link: Link) -> tuple[Array, Link]:
    labels, shares = decode(output, target, link)
    if not target.kind.is_classification:
        return labels, Link.VALUE
    if shares is None:  # an estimate of the label itself: certain of one
        index = to_index(np.asarray(labels), target)
        shares = np.eye(len(target.classes))[np.maximum(index, 0)]
    if positions(target) > 1 and target.classes:
        shares = shares.reshape(len(output), -1, shares.shape[-1])
    return shares, Link.PROBABILITY

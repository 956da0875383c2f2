"""Strategy `input_shape`: inputs that come in another shape than the model declares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from autofix.change import Patch
from autofix.frozen import thaw
from autofix.recipe import Recipe, layers
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import edit, join, keras_layer, unused_name
from autofix_strategies._inputs import Entry, entries

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

Shape = tuple[int | None, ...]


@final
@dataclass(frozen=True)
class InputShape(Strategy):
    """Reshapes the inputs inside the model when exactly one reading of them makes sense.

    What it changes:
        The shape of the input layer, and a layer behind it that gives what follows the shape it was written for:
        `Reshape` for flattened images and series, `Flatten` for the reverse, `Permute` where the channels come first.
        A number of rows written into the input shape is taken out.

    Why it helps:
        The model cannot even be called otherwise.

    When it does not apply:
        Shapes that fit, or that Keras fits itself (a last axis of one, free axes); shapes with different numbers of
        values, or with several readings: only the author knows which.

    References:
        Keras guide "The Functional API". NeuraLint's missing-flatten rules: Nikanjam et al., TOSEM 2021.
    """

    name: ClassVar[str] = "input_shape"
    treats: ClassVar[frozenset[Symptom]] = frozenset({Symptom.INPUT_SHAPE})
    is_contract: ClassVar[bool] = True

    def guess(self, case: Case) -> Patch:
        return join(*(self._reshaped(case, entry) for entry in entries(case)))

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        return self.guess(case)

    def _reshaped(self, case: Case, entry: Entry) -> Patch:
        batch = thaw(entry.layer.config.get("batch_shape"))
        if not isinstance(batch, list) or entry.after:
            return Patch()
        wanted, given = tuple(batch[1:]), entry.facts.shape
        if fits(given, wanted):
            return Patch()
        why = f"Input {entry.facts.name!r} has rows of shape {list(given)}; the model declares {list(wanted)}."
        shape = [batch[0], *given]
        if _counts_rows(wanted, given, case):
            return edit(case.recipe, [(f"{entry.path}/batch_shape", shape)], strategy=self.name, why=why)
        layer = _bridge(case.recipe, entry, given, wanted)
        if layer is None:
            return Patch()
        changes: list[tuple[str, Any]] = [(f"{entry.path}/batch_shape", shape), (f"{entry.path}/after", [layer])]
        return edit(case.recipe, changes, strategy=self.name, why=why)


def fits(given: Sequence[int], wanted: Shape) -> bool:
    """Returns whether Keras takes rows of shape `given` for an input declared as `wanted`."""
    if len(given) == len(wanted):
        return all(size in (None, have) for have, size in zip(given, wanted, strict=True))
    longer, shorter = (wanted, given) if len(wanted) > len(given) else (given, wanted)
    # Keras adds or drops a last axis of one.
    if len(longer) == len(shorter) + 1 and longer[-1] == 1:
        return all(None in (one, two) or one == two for one, two in zip(longer[:-1], shorter, strict=True))
    return False


def _counts_rows(wanted: Shape, given: Sequence[int], case: Case) -> bool:
    """Whether the declared shape is that of the whole array: rows first."""
    first = wanted[0] if wanted else None
    return (
        len(wanted) == len(given) + 1
        and wanted[1:] == tuple(given)
        and first is not None
        and (first in case.facts.rows or first >= min(case.facts.rows[0], sum(case.facts.rows)) > 1)
    )


def _bridge(recipe: Recipe, entry: Entry, given: Sequence[int], wanted: Shape) -> dict[str, Any] | None:
    """Returns the layer that turns rows of shape `given` into `wanted`; None where there is not exactly one reading."""
    taken = {view.name for view in layers(recipe)}
    size = math.prod(given)
    free = [place for place, known in enumerate(wanted) if known is None]
    known = math.prod(value for value in wanted if value is not None)
    if len(free) > 1 or known == 0 or size % known or (not free and size != known):
        return None
    full = tuple(size // known if value is None else value for value in wanted)
    if len(given) == len(full) == 3 and tuple(given) != full:
        return _channels(taken, given, full)
    if len(full) == 1:
        return keras_layer("Flatten", {"name": unused_name(taken, f"{entry.facts.name}_flat")})
    # One flattened axis, or axes of one put in or taken out: the order of the values leaves no choice.
    squeezed = [value for value in given if value != 1]
    if len(squeezed) <= 1 or squeezed == [value for value in full if value != 1]:
        config = {"name": unused_name(taken, f"{entry.facts.name}_shaped"), "target_shape": list(full)}
        return keras_layer("Reshape", config)
    return None


def _channels(taken: set[str], given: Sequence[int], full: tuple[int, ...]) -> dict[str, Any] | None:
    """Channels first instead of last, or last instead of first."""
    for dims in ((2, 3, 1), (3, 1, 2)):
        if tuple(given[place - 1] for place in dims) == full:
            return keras_layer("Permute", {"name": unused_name(taken, "channels"), "dims": list(dims)})
    return None

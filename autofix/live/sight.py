"""What of a live model can be looked at: its layers, some rows, and how predictions on them are scored."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras

from autofix.contract import link_of
from autofix.facts import DataFacts
from autofix.live.graph import LayerOutputs
from autofix.live.program import Program
from autofix.live.reader import Call, Reader
from autofix.live.reference import Rows, read_rows
from autofix.look import Look, Predicted, Slope, because
from autofix.scoring import Link, Score, Scorer, scorer_of

logger = logging.getLogger(__name__)

# Rows of the reference batch. There are fewer where the outputs of all layers, which a tape holds, come to more
# bytes: as many as a usual batch has, so that a look takes no more memory than a step, or what still fits.
REFERENCE, FEW, FEWEST = 256, 32, 4
BYTES, MOST_BYTES = 2**21, 2**26

# Failed calls of the model after which nothing more is tried.
MOST_FAILURES = 3

# Told, in a few words, of what could not be measured.
Note = Callable[[str], None]
# Returns the gradients of the step just done.
Given = Callable[[], tuple[Slope, ...] | None]

# What of a look takes a call of the model, and what of that is seen without differentiating.
CALLED = frozenset({"outputs", "predicted", "gradients", "penalty"})
NO_GRAPH = ", because the model is no graph of layers"
NO_ROWS = ", because there are no rows to look at"
NO_TARGETS = ", because the targets cannot be read"


@dataclass(frozen=True, eq=False)
class Scored:
    """Predictions on some rows, scored.

    Attributes:
        score: The score.
        rows: Number of rows.
    """

    score: Score
    rows: int


class Sight:
    """Looks at a live model.

    Args:
        model: The user's model, built.
        program: What is known of it.
        data: Where reference rows come from; None for nowhere.
        validation: Validation data; None for none.
        note: Told of what cannot be seen.

    Attributes:
        program: What is known of the model, and now of its data.
    """

    def __init__(self, model: keras.Model, program: Program, data: Any, validation: Any, note: Note) -> None:
        self.program = program
        self._note = note
        self._missing: dict[str, str] = {}
        self._activations = program.activations
        self._differentiates, self._failures = True, 0
        self._rows: Rows | None = None
        self._held: Rows | None = None
        self._facts: DataFacts | None = None
        self._scorer: Scorer | None = None
        self._links: list[Link] = []
        outputs = LayerOutputs(model)
        self._reader = Reader(model, outputs)
        if data is None:
            self._missing |= dict.fromkeys(CALLED - {"penalty"}, NO_ROWS)
        else:
            self.measured("the reference rows", lambda: self._show(data, validation, _rows(outputs.bytes_per_row)))
        if not outputs.sees:
            self._missing["outputs"] = NO_GRAPH

    @property
    def reader(self) -> Reader:
        """What calls the model."""
        return self._reader

    @property
    def perfect(self) -> float:
        """Best score there is."""
        return self._scorer.perfect if self._scorer else 1.0

    def look(self, look: Look, needs: frozenset[str], given: Given | None) -> Look:
        """Sees what is needed, and no more: a model that need not be called is not.

        Args:
            look: What is seen already.
            needs: Fields of a look that are to be seen.
            given: Returns the gradients of the step; None computes those of the reference rows.
        """
        look = replace(look, missing={**look.missing, **self._missing}, activations=self._activations)
        if given is not None and "gradients" in needs:
            look = look.seeing({"gradients": given})
        rows = self._rows
        if rows is None or not needs & CALLED:
            return look
        sources = {"inputs": lambda: rows.fed[0], "targets": lambda: rows.fed[1]}
        look = look.seeing({name: source for name, source in sources.items() if name in needs})
        call, missing = self._call(rows, needs, is_given=given is not None)
        look = replace(look, missing={**look.missing, **missing})
        if call is None:
            return look
        return replace(
            look,
            outputs=call.layers or None,
            gradients=look.gradients if call.gradients is None else call.gradients,
            penalty=call.penalty,
            predicted=self._predicted(rows, call.outputs),
        )

    def validate(self) -> Predicted | None:
        """Predicts the validation rows; None where there are none."""
        held = self._held
        if held is None:
            return None
        found: Predicted | None = self.measured(
            "the validation score", lambda: self._predicted(held, self._reader.call(held.x).outputs)
        )
        return found

    def scored(self, predicted: Predicted | None) -> Scored | None:
        """Scores predictions; None where there are none."""
        scorer = self._scorer
        if scorer is None or predicted is None:
            return None
        score = self.measured("the score", lambda: scorer.score(predicted.truths, predicted.outputs, predicted.links))
        return None if score is None else Scored(score, len(predicted.outputs[0]))

    def blame(self, everything: tuple[Any, Any] | None) -> Look:
        """Sees what a NaN may have come from.

        Args:
            everything: All inputs and targets, where they are held in memory: the few rows may well be sound.
        """
        rows = self._rows
        inputs, targets = everything or ((rows.inputs, rows.targets) if rows is not None else ((), ()))
        return Look(inputs=tuple(inputs), targets=tuple(targets))

    def measured(self, what: str, measure: Callable[[], Any]) -> Any:
        """Returns what `measure` gives, None where it fails."""
        try:
            return measure()
        except Exception as error:  # looking must never end a run
            logger.debug("a look failed", exc_info=True)
            self._note(f"{what}{because(error)}")
            return None

    def _call(self, rows: Rows, needs: frozenset[str], *, is_given: bool) -> tuple[Call | None, dict[str, str]]:
        """Calls the model, under a tape where gradients are wanted and can be had; returns what could not be seen."""
        reader, missing = self._reader, {}
        wants = bool(needs & {"gradients", "penalty"}) and not is_given
        if wants and rows.y is not None and self._differentiates and reader.can_differentiate:
            try:
                return reader.differentiate(rows), {}
            except Exception as error:  # looking must never end a run
                logger.debug("the loss cannot be differentiated", exc_info=True)
                self._differentiates = False
                missing = self._missing = self._missing | dict.fromkeys(("gradients", "penalty"), because(error))
        if self._failures >= MOST_FAILURES:
            return None, missing
        try:
            return reader.call(rows.x), missing
        except Exception as error:  # likewise
            logger.debug("the model cannot be called", exc_info=True)
            self._failures += 1
            return None, {**dict.fromkeys(CALLED - {"gradients", "penalty"}, because(error)), **missing}

    def _show(self, data: Any, validation: Any, most: int) -> None:
        """Takes the reference rows, and all that follows from them."""
        program = self.program
        self._rows, facts = read_rows(data, program.hints, most)
        if facts is None or not facts.targets:
            self._note(f"the score{NO_TARGETS}")
            self._missing["predicted"] = NO_TARGETS
            return
        self._links = [link_of(program.recipe, facts, index) for index in range(len(facts.targets))]
        self._facts, self._scorer = facts, scorer_of("auto", facts.targets)
        self.program = program.knowing(facts, self._rows.count)
        if validation is not None:
            self._held, _ = read_rows(validation, program.hints, most, facts=False)

    def _predicted(self, rows: Rows, outputs: tuple[Any, ...]) -> Predicted | None:
        if self._facts is None or not rows.targets or not outputs:
            return None
        return Predicted(outputs, rows.targets, tuple(self._facts.targets), tuple(self._links))


def _rows(size: int) -> int:
    """Returns how many rows to look at where the outputs of all layers come to `size` bytes a row."""
    comfortable = min(REFERENCE, max(FEW, BYTES // max(1, size)))
    return max(FEWEST, min(comfortable, MOST_BYTES // max(1, size)))

"""What of a live model can be looked at: its layers, some rows, and how predictions on them are scored."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras

from autofix.contract import link_of
from autofix.errors import one_line
from autofix.facts import DataFacts
from autofix.live.graph import LayerOutputs
from autofix.live.program import Program
from autofix.live.reader import Gradients, Reader, Reading
from autofix.live.reference import Rows, read_rows
from autofix.probes.origin import origin_of
from autofix.probes.predictions import read_predictions
from autofix.scoring import Link, Score, Scorer, scorer_of
from autofix.trace import LayerReading, PredictionReading

logger = logging.getLogger(__name__)

# Rows of the reference batch. There are fewer where the outputs of all layers, which a tape holds, come to more
# bytes: as many as a usual batch has, so that a look takes no more memory than a step, or what still fits.
REFERENCE, FEW, FEWEST = 256, 32, 4
BYTES, MOST_BYTES = 2**21, 2**26

# Told, in a few words, of what could not be measured.
Note = Callable[[str], None]
# Reads the gradients of the step just done.
Given = Callable[[], Gradients | None]


@dataclass(frozen=True, eq=False)
class Scored:
    """Predictions on some rows, scored.

    Attributes:
        score: The score.
        predictions: One reading per output.
        rows: Number of rows.
    """

    score: Score
    predictions: tuple[PredictionReading, ...]
    rows: int


class Sight:
    """Looks at a live model. A probe that fails is noted as not measured.

    Args:
        model: The user's model, built.
        program: What is known of it.
        data: Where reference rows come from; None for nowhere.
        validation: Validation data; None for none.
        note: Told of what cannot be measured.

    Attributes:
        program: What is known of the model, and now of its data.
    """

    def __init__(self, model: keras.Model, program: Program, data: Any, validation: Any, note: Note) -> None:
        self.program = program
        self._note = note
        self._differentiates = True
        self._rows: Rows | None = None
        self._held: Rows | None = None
        self._facts: DataFacts | None = None
        self._scorer: Scorer | None = None
        self._links: list[Link] = []
        outputs = LayerOutputs(model)
        if not outputs.sees:
            note("layer outputs, because the model is no graph of layers")
        self._reader = Reader(model, outputs, program.activations)
        if data is None:
            note("layer outputs, gradients and predictions: there are no rows to take them on")
            return
        self.measured("the reference rows", lambda: self._show(data, validation, _rows(outputs.bytes_per_row)))

    @property
    def reader(self) -> Reader:
        """What reads the model."""
        return self._reader

    @property
    def perfect(self) -> float:
        """Best score there is."""
        return self._scorer.perfect if self._scorer else 1.0

    def read(self, step: int, gradients: Given | None) -> tuple[Reading, Scored | None]:
        """Takes a full reading.

        Args:
            step: Training steps done.
            gradients: Reads the gradients of the step; None computes those of the reference rows.
        """
        reader, rows = self._reader, self._rows
        reading = None
        has_targets = rows is not None and rows.y is not None
        if gradients is None and has_targets and self._differentiates and reader.can_differentiate:
            reading = self.measured("gradients", lambda: reader.read(step, rows, gradients=True))
            self._differentiates = reading is not None
        if reading is None:
            reading = reader.read(step, rows, gradients=False)
        if gradients is not None:
            reading = replace(reading, gradients=self.measured("gradients", gradients))
        if rows is None:
            return reading, None
        return reading, self.measured("the score", lambda: self._scored(rows, reading.outputs))

    def validate(self) -> Scored | None:
        """Scores the validation rows; None where there are none."""
        held = self._held
        if held is None:
            return None
        scored: Scored | None = self.measured(
            "the validation score", lambda: self._scored(held, self._reader.outputs(held.x))
        )
        return scored

    def origin(self, readings: tuple[LayerReading, ...], everything: tuple[Any, Any] | None) -> str:
        """Names where a NaN came from.

        Args:
            readings: Layer readings with the weights that it came from.
            everything: All inputs and targets, where they are held in memory: the few rows may well be sound.
        """
        rows = self._rows
        inputs, targets = everything or ((rows.inputs, rows.targets) if rows is not None else ((), ()))
        return origin_of(inputs, targets, readings)

    def measured(self, what: str, measure: Callable[[], Any]) -> Any:
        """Returns what `measure` gives, None where it fails."""
        try:
            return measure()
        except Exception as error:  # a probe must never end a run
            logger.debug("a probe failed", exc_info=True)
            self._note(f"{what} ({one_line(error)})")
            return None

    def _show(self, data: Any, validation: Any, most: int) -> None:
        """Takes the reference rows, and all that follows from them."""
        program = self.program
        self._rows, facts = read_rows(data, program.hints, most)
        if facts is None or not facts.targets:
            self._note("the score, because the targets cannot be read")
            return
        self._links = [link_of(program.recipe, facts, index) for index in range(len(facts.targets))]
        self._facts, self._scorer = facts, scorer_of("auto", facts.targets)
        self.program = program.knowing(facts, self._rows.count)
        if validation is not None:
            self._held, _ = read_rows(validation, program.hints, most, facts=False)

    def _scored(self, rows: Rows, outputs: tuple[Any, ...]) -> Scored | None:
        if self._scorer is None or self._facts is None or not rows.targets or not outputs:
            return None
        return Scored(
            self._scorer.score(rows.targets, outputs, self._links),
            read_predictions(outputs, rows.targets, self._facts.targets, self._links),
            rows.count,
        )


def _rows(size: int) -> int:
    """Returns how many rows to look at where the outputs of all layers come to `size` bytes a row."""
    comfortable = min(REFERENCE, max(FEW, BYTES // max(1, size)))
    return max(FEWEST, min(comfortable, MOST_BYTES // max(1, size)))

"""A live model as the rules see it: its recipe, its shapes, and what its data says."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from autofix.errors import AutofixError
from autofix.facts import DataFacts
from autofix.frozen import FrozenDict
from autofix.hints import ModelHints
from autofix.recipe import Recipe, layers
from autofix.recipe.build import plain
from autofix.recipe.document import FIT_DEFAULTS
from autofix.recipe.hints import hints_of
from autofix.recipe.surgery import without_build_parts
from autofix.symptom import Evidence
from autofix.trace import Trace

logger = logging.getLogger(__name__)

# Rows of data that nobody has shown: so many that no rule takes the run for a short one.
UNKNOWN_ROWS = 10**9
# Standard error of a share of n rows, and of an R2 near 0 on n rows, times the root of n; both at most.
NOISE = 0.5
NOTHING = DataFacts(
    rows=(UNKNOWN_ROWS, 0, 0), inputs=(), targets=(), sorted_labels=False, duplicates=0.0, signal=None,
    chance=math.nan, noise=0.0, notes=(),
)  # fmt: skip


@dataclass(frozen=True)
class Program:
    """What is known of a model and its data without training.

    Attributes:
        recipe: The program; one without layers where the model cannot be written down.
        hints: Shapes and names of inputs and outputs.
        facts: The data in numbers.
    """

    recipe: Recipe
    hints: ModelHints
    facts: DataFacts = NOTHING

    @property
    def activations(self) -> dict[str, str]:
        """Snake-case activation by layer path."""
        return {layer.path: layer.activation or "linear" for layer in layers(self.recipe)}

    def knowing(self, facts: DataFacts, rows: int) -> Program:
        """Returns the program with facts about data of which `rows` rows are scored."""
        return replace(self, facts=replace(facts, noise=NOISE / math.sqrt(max(1, rows))))

    def with_batches(self, size: int) -> Program:
        """Returns the program with the rows of a batch."""
        return replace(self, recipe=self.recipe.set("fit/batch_size", size))

    def evidence(self, trace: Trace, score: float | None, *, rows: tuple[int, int], perfect: float) -> Evidence:
        """Returns what rules may look at.

        Args:
            trace: The run so far.
            score: Its score; None where it has none.
            rows: Rows that are trained on, and rows that predictions were read on.
            perfect: Best score there is.
        """
        facts = replace(self.facts, rows=(rows[0] or UNKNOWN_ROWS, rows[1], 0))
        shapes = tuple(output.shape for output in self.hints.outputs)
        return Evidence(self.recipe, facts, self.hints.input_shapes, shapes, trace, score, perfect)


def program_of(model: keras.Model, fit: Mapping[str, Any], optimizer: Any = None) -> tuple[Program, list[str]]:
    """Reads a live model.

    Args:
        model: The user's model, built; compiled or not.
        fit: Settings of `fit` that are known.
        optimizer: What trains a model that was not compiled.

    Returns:
        The program, and sentences about what of it could not be read.
    """
    unseen = []
    try:
        recipe = _compiled(model, fit) if model.compiled else _uncompiled(model, fit, optimizer)
        if not recipe.is_graph:
            unseen.append("the order and settings of the layers, because the model is subclassed")
    except AutofixError as error:
        logger.debug("the model cannot be written down: %s", error)
        recipe = _recipe({"class_name": type(model).__name__, "config": {}}, optimizer, fit)
        unseen.append("the order and settings of the layers, because the model has no configuration")
    return Program(recipe, hints_of(model, recipe)), unseen


def _compiled(model: keras.Model, fit: Mapping[str, Any]) -> Recipe:
    shape = getattr(model, "input_shape", None) if isinstance(model, keras.Sequential) else None
    # A Sequential that got its shape from the first batch does not write it down.
    example = None if shape is None else np.zeros([1, *(axis or 1 for axis in shape[1:])], "float32")
    return Recipe.of(model, fit=fit, example=example)


def _uncompiled(model: keras.Model, fit: Mapping[str, Any], optimizer: Any) -> Recipe:
    try:
        document = plain(without_build_parts(keras.saving.serialize_keras_object(model)))
    except Exception as error:  # a user's `get_config` may raise anything
        raise AutofixError(f"{type(error).__name__}: {error}") from error
    return _recipe(document, optimizer, fit)


def _recipe(document: dict[str, Any], optimizer: Any, fit: Mapping[str, Any]) -> Recipe:
    compiled = {} if optimizer is None else {"optimizer": plain(keras.saving.serialize_keras_object(optimizer))}
    return Recipe(FrozenDict(document), FrozenDict(compiled), FrozenDict({**FIT_DEFAULTS, **fit}))

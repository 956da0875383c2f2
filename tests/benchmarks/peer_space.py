"""The search space that all tuners share: what a user who knows Keras would vary in a run that does not learn.

Ranges and choices are those of the Keras and Optuna tutorials. Losses are the ones that exist for the task and for the
format of the labels, so that no trial is lost on a pair that cannot train; whatever the author chose is among the
choices. Not in it, because no tuner offers it: anything that would need a diagnosis first (input scaling, bias and
recurrent initializers, regularization, class weights, units, frozen layers, labels).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from .peer_edits import KEEP, has_hidden
from .peer_program import OPTIMIZERS, Program, Settings

LEARNING_RATES = (1e-5, 1e-1)
BATCH_SIZES = (16, 32, 64, 128, 256)
# Of the author's epochs.
LEAST_EPOCHS, MOST_EPOCHS = 0.5, 5.0
HIDDEN = ("relu", "tanh", "elu", "selu", "gelu")
INITIALIZERS = ("glorot_uniform", "he_normal", "lecun_normal", "orthogonal")
BINARY = ("binary_crossentropy", "binary_focal_crossentropy", "mean_squared_error")
ONE_HOT = ("categorical_crossentropy", "categorical_focal_crossentropy", "mean_squared_error")
NUMBERED = ("sparse_categorical_crossentropy",)
REGRESSION = ("mean_squared_error", "mean_absolute_error", "huber")


class Draws(Protocol):
    """How a tuner is asked for a value."""

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        """One of some options."""

    def rate(self, name: str, low: float, high: float) -> float:
        """A number on a logarithmic scale."""

    def count(self, name: str, low: int, high: int) -> int:
        """A whole number on a logarithmic scale."""


@dataclass(frozen=True)
class Space:
    """Choices by name, and the range of epochs."""

    optimizer: tuple[str, ...]
    hidden: tuple[str, ...]
    output: tuple[str, ...]
    initializer: tuple[str, ...]
    loss: tuple[str, ...]
    epochs: tuple[int, int]

    @classmethod
    def of(cls, program: Program, task: str, y: Any) -> Space:
        """The space around a program, for the task and the format of the labels `y`."""
        author = program.author
        outputs, losses = heads(task, program.units, y)
        low = max(1, round(LEAST_EPOCHS * program.epochs))
        return cls(
            optimizer=_with(tuple(OPTIMIZERS), author.optimizer),
            hidden=_with(HIDDEN, author.hidden) if has_hidden(program.config) else (KEEP,),
            output=_with(outputs, author.output),
            initializer=_with(INITIALIZERS, author.initializer),
            loss=_with(losses, author.loss),
            epochs=(low, max(low, round(MOST_EPOCHS * program.epochs))),
        )

    def draw(self, draws: Draws, epochs: bool = True) -> Settings:
        """Ask a tuner for a candidate; without `epochs` where the tuner itself decides on those."""
        chosen = {
            name: options[0] if len(options) == 1 else draws.choice(name, options)
            for name, options in self.choices.items()
        }
        return Settings(
            **chosen,
            learning_rate=draws.rate("learning_rate", *LEARNING_RATES),
            batch_size=draws.choice("batch_size", BATCH_SIZES),
            epochs=draws.count("epochs", *self.epochs) if epochs else None,
        )

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """The fields of `Settings` that are drawn from a list of names."""
        return {key: value for key, value in vars(self).items() if key != "epochs"}

    def point(self, settings: Settings) -> dict[str, Any] | None:
        """Settings as the values that `draw` would ask for; None where they lie outside the space."""
        inside = (
            settings.learning_rate is not None
            and LEARNING_RATES[0] <= settings.learning_rate <= LEARNING_RATES[1]
            and settings.batch_size in BATCH_SIZES
            and settings.epochs is not None
            and self.epochs[0] <= settings.epochs <= self.epochs[1]
        )
        if not inside:
            return None
        drawn = [name for name, options in self.choices.items() if len(options) > 1]
        values = asdict(settings)
        return {name: values[name] for name in (*drawn, "learning_rate", "batch_size", "epochs")}


def heads(task: str, units: int, y: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Output activations and losses for a task, the number of output columns and the format of the labels."""
    shape = np.shape(y)
    one_hot = len(shape) == 2 and shape[1] > 1
    if task == "regression" or (task == "multiclass" and units == 1):
        # One unit for many classes: the number of the class is all that it can learn to give.
        return ("linear",), REGRESSION
    if task == "multilabel" or units == 1:
        return ("sigmoid", "linear"), BINARY
    return ("softmax", "linear"), ONE_HOT if one_hot else NUMBERED


def _with(options: tuple[str, ...], author: str) -> tuple[str, ...]:
    return options if author in options else (*options, author)

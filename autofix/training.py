"""What the controller asks of whatever trains: in this process, in other ones, or remembered from before."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from autofix.change import Patch
from autofix.outcome import Outcome
from autofix.recipe import Recipe
from autofix.strategy import RangeTest

if TYPE_CHECKING:
    import keras

    from autofix.trainer.start import Start


@dataclass(frozen=True)
class Progress:
    """How far a run is: what a pruner decides on.

    Attributes:
        fraction: Share of the planned epochs done, 0..1.
        epoch: Epochs done.
        rank: Score rank on the validation part so far.
        constant: Whether all validation rows are predicted alike.
    """

    fraction: float
    epoch: float
    rank: float
    constant: bool = False


@dataclass(frozen=True)
class Bar:
    """What a run under way has to keep up with. Plain data, so that a run in another process can be held against it.

    Attributes:
        since: Share of its epochs from which on a run may be dropped.
        curve: Score ranks of the best run so far, one an evaluation; empty for none.
        behind: How far below that curve a run may be.
    """

    since: float
    curve: tuple[float, ...] = ()
    behind: float = math.inf

    def __call__(self, progress: Progress) -> bool:
        """Whether the run may go on."""
        if progress.fraction < self.since:
            return True
        if progress.constant:
            return False
        at = min(int(progress.fraction * len(self.curve)), len(self.curve) - 1)
        return not self.curve or progress.rank > self.curve[at] - self.behind


class Trains(Protocol):
    """Trains recipes derived from one user's program on that user's data; see `autofix.trainer.Trainer`."""

    rung: float

    @property
    def traces(self) -> int:
        """Number of training functions that had to be compiled."""

    @property
    def start(self) -> Start:
        """Which weights runs start from."""

    def run(
        self,
        recipe: Recipe,
        patch: Patch,
        *,
        seed: int = 0,
        deadline: float = math.inf,
        probes: bool = False,
        holdout: bool = False,
        whole: bool = False,
        refit: bool = False,
        full: bool = False,
        keep: Callable[[Progress], bool] | None = None,
    ) -> Outcome:
        """Trains a recipe."""

    def fit(self, recipe: Recipe, patch: Patch, source: Any, *, seed: int, deadline: float) -> Outcome:
        """Trains a recipe with plain `fit` on data that does not fit into memory."""

    def together(self, calls: Sequence[Callable[[], Outcome]]) -> list[Outcome]:
        """Makes several runs at the same time."""

    def range_test(self, recipe: Recipe) -> RangeTest:
        """Runs a learning-rate range test."""

    def score_weights(self, recipe: Recipe, patch: Patch, weights: tuple[np.ndarray, ...]) -> Outcome:
        """Scores a recipe with given weights, without training it."""

    def choose_rung(self, recipe: Recipe) -> float:
        """Sets the share of a run that a search makes of each candidate at first; returns the seconds of a run."""

    def build(self, outcome: Outcome, recipe: Recipe) -> keras.Model:
        """Returns the trained model of an outcome."""

    def close(self) -> None:
        """Releases what is held."""


def in_turn(trainer: Trains, calls: Iterable[Callable[[], Outcome]], slots: int) -> Iterator[Outcome]:
    """Makes runs, so many at the same time, and yields what comes of them in the order of the calls.

    The next runs are made once somebody asks for them, so that whoever has seen enough pays for no more.

    Args:
        trainer: Makes them.
        calls: The runs to make; read as far as they are made.
        slots: How many to make at the same time.
    """
    waiting = iter(calls)
    while group := list(itertools.islice(waiting, slots)):
        yield from trainer.together(group) if len(group) > 1 else [group[0]()]

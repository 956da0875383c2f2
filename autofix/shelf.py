"""What the search asks of whatever keeps its trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


class Shelf(Protocol):
    """Keeps the finished trials of a search beyond its process."""

    @property
    def trials(self) -> Sequence[FrozenTrial]:
        """Those that an interrupted search has left, in their order."""

    def add(self, trial: FrozenTrial) -> None:
        """Takes in a trial that has just finished."""

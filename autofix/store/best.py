"""`BestWeights`: which weights of the proof are worth their room on the disk."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from autofix.outcome import Outcome
from autofix.store.ledger import Entry, Ledger


@dataclass
class BestWeights:
    """Keeps the weights of the best run of each program in the proof, and drops those of the others.

    The model that is handed over may be made of them. Were those of all candidates kept, a search over a large model
    would fill the disk.

    Attributes:
        ledger: Where they are kept.
    """

    ledger: Ledger
    _best: dict[str, Entry] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_better(self, recipe: str, outcome: Outcome) -> bool:
        """Whether an outcome is better than every one of the same program that was taken in.

        Args:
            recipe: Fingerprint of the program.
            outcome: What came of a run of it.
        """
        former = self._best.get(recipe)
        return former is None or former.outcome is None or outcome.rank > former.outcome.rank

    def take(self, entry: Entry) -> None:
        """Takes in a run, and drops the weights of the one that was the best so far if this one is better."""
        recipe = str(entry.asked["recipe"])
        with self._lock:
            former = self._best.get(recipe)
            if entry.outcome is not None and self.is_better(recipe, entry.outcome):
                self._best[recipe] = entry
                if former is not None and former.number != entry.number:
                    self.ledger.drop_weights(former)

"""What runs came to, so that none is made twice. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from autofix.change import Patch
from autofix.outcome import Outcome, Status
from autofix.recipe import Recipe


@dataclass(frozen=True)
class Making:
    """What tells one run from another: the recipe's fingerprint, the seed, the rows and the share of its epochs."""

    fingerprint: str
    seed: int
    whole: bool
    share: float

    @classmethod
    def of(cls, recipe: Recipe, seed: int, *, whole: bool, refit: bool, full: bool, rung: float) -> Making:
        """Returns what `Trainer.run` is asked for; where early stopping needs them, no run trains on all rows."""
        share = 1.0 if whole or refit or full else rung
        return cls(recipe.fingerprint(), seed, whole and recipe.fit.get("patience") is None, share)


@dataclass
class Memo:
    """Outcomes of runs that came to their own end."""

    known: dict[Making, Outcome] = field(default_factory=dict)

    def find(self, making: Making, patch: Patch, *, holdout: bool, probes: bool) -> Outcome | None:
        """Returns what is known of a run, if that is as much as is asked for now."""
        found = self.known.get(making)
        if found is None or (holdout and found.holdout is None) or (probes and found.trace is None):
            return None
        return replace(found, patch=patch)

    def keep(self, making: Making, outcome: Outcome) -> None:
        """Takes in a run, unless it ended for reasons that need not hold the next time."""
        if outcome.status in (Status.DONE, Status.DIVERGED):
            self.known[making] = outcome

"""Whether the challenger takes the champion's place: pure, from numbers that were measured before."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from autofix.exits import Exit
from autofix.retraining.contest import Contest, Standing

# Standard errors by which a first model must stand above guessing, one-sided normal: one false blessing in 160. The
# same as what a run may stand above chance by luck in a repair.
ABOVE_GUESSING = 2.5


class Status(enum.Enum):
    """How a retraining ended; the value is the sentence that the user reads."""

    PROMOTED = "The challenger is the champion now."
    KEPT = "The champion stays: the challenger is sound, but not better beyond what chance explains."
    NO_REPAIR = "No acceptable model came of this training; what was there before stays."
    UNUSABLE = "The model or the data cannot be used."
    USAGE = "The command or the pipeline is wrong."
    FAILED = "The training ended without an answer; what was there before stays."
    LOCKED = "Another retraining of these models is under way."
    INTERRUPTED = "Interrupted; the same command goes on from here."
    ROLLED_BACK = "An earlier version is the champion again."


# What a training is called that may replace a champion, and what only does so if it beats one.
PROVEN = frozenset({"healthy", "repaired"})
BETTER = frozenset({"improved"})


@dataclass(frozen=True)
class Trained:
    """What came of the training.

    Attributes:
        verdict: Name of the verdict of looking at it and repairing it, in lower case.
        sentence: The verdict in words.
        challenger: How the new model does on the holdout; None where there is no new model.
        champion: How the champion does on it; None where there is none, or it cannot be scored.
        contest: The paired test of the two; None unless both are there.
        chance: Score of guessing on the holdout.
    """

    verdict: str
    sentence: str
    challenger: Standing | None
    champion: Standing | None
    contest: Contest | None
    chance: float


@dataclass(frozen=True)
class Rule:
    """What a challenger has to show.

    Attributes:
        alpha: Largest p-value of the paired test at which it counts as better.
        gain: Smallest gain in score that is worth a change.
    """

    alpha: float = 0.05
    gain: float = 0.0


@dataclass(frozen=True)
class Decision:
    """What is done.

    Attributes:
        status: How it ended.
        exit: Exit code of the command.
        reason: Why, in one sentence with its numbers; it is what the marker of the version says.
    """

    status: Status
    exit: Exit
    reason: str

    @property
    def promotes(self) -> bool:
        """Whether the challenger becomes the champion."""
        return self.status is Status.PROMOTED


def decide(found: Trained, rule: Rule) -> Decision:
    """Decides between challenger and champion.

    A broken challenger never wins. Without a champion it must be proven healthy or repaired, and stand above guessing.
    Against one it must be better by more than noise; where it is merely as good, the champion stays.
    """
    if found.verdict == "unusable":
        return Decision(Status.UNUSABLE, Exit.UNUSABLE, found.sentence)
    broken = _broken(found)
    if broken is not None:
        return Decision(Status.NO_REPAIR, Exit.NO_REPAIR, broken)
    assert found.challenger is not None
    if found.champion is None or found.contest is None:
        return _first(found)
    test = found.contest
    numbers = (
        f"challenger {found.challenger.score:.4f}, champion {found.champion.score:.4f}: {test.gain:+.4f} "
        f"(95 % interval {test.low:+.4f} to {test.high:+.4f}), p = {test.p_value:.3g} on {test.rows} rows"
    )
    if test.gain > 0.0 and test.gain >= rule.gain and test.p_value <= rule.alpha:
        return Decision(Status.PROMOTED, Exit.DONE, f"better than the champion beyond chance; {numbers}")
    if found.verdict in BETTER:
        reason = f"its training stalls and it does not beat the champion; {numbers}"
        return Decision(Status.NO_REPAIR, Exit.NO_REPAIR, reason)
    missing = f"p-value above {rule.alpha:g}" if test.p_value > rule.alpha else f"gain below {rule.gain:g}"
    return Decision(Status.KEPT, Exit.DONE, f"not better than the champion beyond chance ({missing}); {numbers}")


def _broken(found: Trained) -> str | None:
    """Why a challenger is out, whatever it is compared with; None if it is not."""
    if found.challenger is None or found.verdict not in PROVEN | BETTER:
        return found.sentence
    one = found.challenger
    if not one.finite:
        return "the challenger's predictions are not finite"
    if one.constant:
        return "the challenger predicts the same for every row of the holdout"
    if not one.score > found.chance + ABOVE_GUESSING * one.error:
        return (
            f"the challenger does not stand above guessing: score {one.score:.4f} (standard error {one.error:.4f}), "
            f"guessing {found.chance:.4f}"
        )
    return None


def _first(found: Trained) -> Decision:
    assert found.challenger is not None
    numbers = f"score {found.challenger.score:.4f}, guessing {found.chance:.4f}"
    if found.verdict in PROVEN:
        return Decision(
            Status.PROMOTED, Exit.DONE, f"{found.verdict} and above guessing, no champion before; {numbers}"
        )
    reason = f"a first model must be healthy or repaired, and this one is {found.verdict}; {numbers}"
    return Decision(Status.NO_REPAIR, Exit.NO_REPAIR, reason)

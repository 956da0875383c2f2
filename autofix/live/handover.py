"""From what a `Watch` saw to the run that a repair would otherwise make first."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from autofix import judge
from autofix.change import Patch
from autofix.errors import FixYourCall, one_line
from autofix.frozen import FrozenDict
from autofix.given import as_it_began
from autofix.outcome import Outcome, Status
from autofix.recipe import Recipe
from autofix.session import Session
from autofix.symptom import Diagnosis
from autofix.symptoms import PREFLIGHT, TRACE
from autofix.symptoms import diagnose as judge_rules
from autofix.trace import Trace

logger = logging.getLogger(__name__)

AGAIN = "the program was run again, although a run of it was watched: "
# Settings of `fit` that hold for the repair, too.
SETTINGS = ("epochs", "batch_size", "class_weight", "shuffle")


class Watched(Protocol):
    """What is taken over of a `Watch`."""

    @property
    def trace(self) -> Trace | None:
        """What was seen; None before the first `fit`."""

    @property
    def recipe(self) -> Recipe | None:
        """The program as it was when the run began."""

    @property
    def fit_settings(self) -> FrozenDict:
        """Settings of the watched `fit`."""

    @property
    def fresh(self) -> bool:
        """Whether the model had no training behind it when the run began."""

    @property
    def ended_at(self) -> int | None:
        """Steps that the optimizer had done in all when the run ended; None before that."""


@dataclass(frozen=True)
class Taken:
    """What came of taking a watched run over.

    Attributes:
        note: What the user should know about it.
        run: The run; None where it has to be made again.
        findings: What is wrong with it.
    """

    note: str
    run: Outcome | None = None
    findings: tuple[Diagnosis, ...] = ()


def watched_settings(watch: Any) -> dict[str, Any]:
    """Returns the settings of the watched `fit` that a repair takes over; none without a watch.

    Raises:
        FixYourCall: If it is not a `Watch`.
    """
    from autofix.watch import Watch

    if watch is None:
        return {}
    if not isinstance(watch, Watch):
        raise FixYourCall(
            f"`watch` must be an `autofix.Watch` that saw the `fit` of the model. Received: {type(watch).__name__}. "
            "Pass `callbacks=[watch]` to `fit`, and the same `watch` here."
        )
    return {name: value for name, value in watch.fit_settings.items() if name in SETTINGS}


def refusal(watch: Watched, session: Session, fit: Mapping[str, Any], weights: str) -> str:
    """Returns why the watched run is none of the program in question; empty where it is.

    Args:
        watch: Watched the last `fit` of the session's model.
        session: Model and data as read for a repair.
        fit: Settings of `fit` that hold for the repair.
        weights: Which weights candidates start from; see `repair`.
    """
    trace, recipe, seen = watch.trace, watch.recipe, watch.fit_settings
    if trace is None or recipe is None or not trace.steps:
        return f"{AGAIN}the watch has seen no step of it"
    if as_it_began(session.recipe, recipe) is None:
        return f"{AGAIN}it was that of another program"
    if watch.ended_at is None:
        return f"{AGAIN}it did not come to its end"
    if watch.ended_at != int(session.model.optimizer.iterations):
        return f"{AGAIN}the model is not as that run left it"
    other = [name for name in SETTINGS if name in fit and fit[name] != seen.get(name, fit[name])]
    if other:
        return f"{AGAIN}it had {', '.join(f'{name}={seen[name]!r}' for name in other)}"
    if not watch.fresh or weights == "keep":
        return f"{AGAIN}it began with other weights than those that every candidate starts from"
    return ""


def take_over(watch: Watched, session: Session, again: float) -> Taken:
    """Returns the watched run and what is wrong with it, where that tells as much as a run of our own.

    A watched run has trained on rows that we would have held out, so its score is only believed where it is bad, or
    where it comes from rows that the user set apart.

    Args:
        watch: Watched the last `fit` of the session's model.
        session: Model and data as read for a repair.
        again: Seconds that the run would take here; 0 where that is not known.
    """
    try:
        run = outcome_of(watch, session)
    except Exception as error:  # whatever hinders predictions hinders no training
        logger.debug("the watched model cannot be scored", exc_info=True)
        return Taken(f"{AGAIN}the model cannot be scored ({one_line(error)})")
    if run is None:
        return Taken(f"{AGAIN}it was that of another program")
    run = replace(run, again=again or run.again)
    findings, failed = judge_rules(session.evidence(run), (*PREFLIGHT, *TRACE))
    stuck = judge.is_stuck(session, run, findings)
    if not stuck and run.share < 1.0:
        return Taken(f"{AGAIN}it was stopped before its end")
    if not stuck and not session.data.given:
        return Taken(
            f"{AGAIN}it does well on rows that it was trained on, which proves nothing; pass `validation_data` that it "
            "did not see"
        )
    what = f"{run.epochs:.4g} epochs, {run.steps:,} steps"
    failed_too = "".join(f" Not measured: {sentence}" for sentence in failed)
    note = f"the run as it came was not made again: it is the one that was watched ({what}).{failed_too}"
    return Taken(note, run, findings)


def outcome_of(watch: Watched, session: Session) -> Outcome | None:
    """Returns the watched run as the outcome of the program as it came.

    The model's present weights are what the watched run ended with, so they are scored on the session's own rows, and
    every rule can be asked again with a score on rows set apart. They were not set apart in the user's `fit`: the score
    of a model that knows its training rows by heart is too good, which the proof with fresh seeds does not inherit.

    Args:
        watch: Watched the last `fit` of the session's model.
        session: Model and data as read for a repair.

    Returns:
        The outcome; None where the watch has seen nothing or another program, so that the run has to be made.
    """
    trace, recipe = watch.trace, watch.recipe
    if trace is None or recipe is None or not trace.steps or as_it_began(session.recipe, recipe) is None:
        return None
    given = tuple(session.trainer.start.values.values())
    scored = session.trainer.score_weights(session.recipe, Patch(), given)
    return replace(
        scored,
        status=Status.DONE if trace.non_finite_step is None else Status.DIVERGED,
        epochs=trace.epochs,
        seconds=trace.seconds,
        again=trace.seconds,
        trace=trace,
        steps=trace.steps,
        share=min(1.0, trace.epochs / max(1, trace.planned_epochs)),
        engine="fit",
    )

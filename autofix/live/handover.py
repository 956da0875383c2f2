"""From what a `Watch` saw to the run that a repair would otherwise make first."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from autofix.change import Patch
from autofix.outcome import Outcome, Status
from autofix.recipe import Recipe
from autofix.session import Session
from autofix.trace import Trace


class Watched(Protocol):
    """What is taken over of a `Watch`."""

    @property
    def trace(self) -> Trace | None:
        """What was seen; None before the first `fit`."""

    @property
    def recipe(self) -> Recipe | None:
        """The program as it was when the run began."""


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
    if trace is None or recipe is None or not trace.steps or not _same(recipe, session.recipe):
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


def _same(watched: Recipe, given: Recipe) -> bool:
    """Whether both are one program, apart from the learning rate, which `fit` may have lowered."""
    rate = "compile/optimizer/learning_rate"
    if watched.has(rate) and given.has(rate):
        given = given.set(rate, watched.get(rate))
    return watched.architecture == given.architecture and watched.compile == given.compile

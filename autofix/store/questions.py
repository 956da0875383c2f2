"""What a trainer can be asked, as plain data: the same question gets the same answer."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autofix.errors import AutofixError
from autofix.frozen import canonical
from autofix.outcome import Status
from autofix.recipe import Recipe
from autofix.store.ledger import Entry, Ledger
from autofix.training import Bar, Progress

Question = dict[str, Any]
RUN, FIT, RANGE_TEST, SCORE, RUNG = "run", "fit", "range test", "score", "rung"


class Recalled(AutofixError):
    """What was asked ended with this error before."""


def run(recipe: Recipe, *, seed: int, share: float, probes: bool, holdout: bool, whole: bool, refit: bool) -> Question:
    """Asks what comes of training a recipe; see `autofix.trainer.Trainer.run`."""
    return {
        "what": RUN,
        "recipe": recipe.fingerprint(),
        "seed": seed,
        "whole": whole and recipe.fit.get("patience") is None,
        "refit": refit,
        "share": share,
        "probes": probes,
        "holdout": holdout,
        "bar": None,
    }


def barred(asked: Question, keep: Callable[[Progress], bool] | None) -> Question | None:
    """Returns a question about a run that may be dropped; None for one that may not be, or for reasons of no `Bar`."""
    if not isinstance(keep, Bar):
        return None
    return {**asked, "bar": _digest(canonical([keep.since, keep.curve, keep.behind]).encode())}


def fit(recipe: Recipe, seed: int) -> Question:
    """Asks what comes of training a recipe on all of the user's data."""
    return {"what": FIT, "recipe": recipe.fingerprint(), "seed": seed}


def range_test(recipe: Recipe) -> Question:
    """Asks for a learning-rate range test."""
    return {"what": RANGE_TEST, "recipe": recipe.fingerprint()}


def score(recipe: Recipe, weights: tuple[np.ndarray, ...]) -> Question:
    """Asks how a recipe scores with these weights."""
    digest = _digest(*(np.ascontiguousarray(array).tobytes() for array in weights))
    return {"what": SCORE, "recipe": recipe.fingerprint(), "weights": digest}


def rung(recipe: Recipe) -> Question:
    """Asks which share of a run the search makes."""
    return {"what": RUNG, "recipe": recipe.fingerprint()}


def answered(ledger: Ledger, asked: Question, barred: Mapping[str, Any] | None) -> Entry | None:
    """Returns the answer to a question about a run, or to the first one that asked for more of the same run.

    The first one, because that is the one that was there when the question was asked first.

    Args:
        ledger: The answers that were given.
        asked: What is asked, as if the run could not be dropped: one that held its bar answers that.
        barred: The same with the bar.
    """
    exact = ledger.find(asked) or (barred and ledger.find(barred))
    if exact or asked["refit"]:
        return exact or None
    more = []
    for probes, holdout in itertools.product((True, False), (True, False)):
        if probes >= asked["probes"] and holdout >= asked["holdout"]:
            found = ledger.find({**asked, "probes": probes, "holdout": holdout})
            if found and found.outcome and found.outcome.status in (Status.DONE, Status.DIVERGED):
                more.append(found)
    return min(more, key=lambda entry: entry.number, default=None)


def _digest(*parts: bytes) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()

"""One run: prepare a session, look once, keep what the rules may look at."""

from __future__ import annotations

import time
import warnings
from typing import Any

from autofix.change import Patch
from autofix.errors import one_line
from autofix.session import prepare

from . import build
from .evidence import layout, to_dict
from .program import Program


def measure(program: Program) -> dict[str, Any]:
    """Runs a program as `autofix.diagnose` does, in full.

    Returns:
        JSON-ready: `status` and `error` of the run, its `score` on the validation part and `holdout` score, `share` of
        the run that was made, `splits`, `seconds`, `layout` and `evidence`; without evidence where the data or the
        model was refused.
    """
    began = time.perf_counter()
    row: dict[str, Any] = {"fingerprint": program.fingerprint(), "layout": layout()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            row |= _look(program)
    except Exception as error:  # what autofix refuses is a result like any other
        row |= {"status": "refused", "error": one_line(error), "evidence": None}
    return {**row, "seconds": round(time.perf_counter() - began, 3)}


def _look(program: Program) -> dict[str, Any]:
    fit = {"epochs": program.epochs, "batch_size": program.batch_size, "shuffle": program.shuffle}
    session = prepare(build.model(program), build.arrays(program), fit=fit, seed=program.seed)
    try:
        run = session.trainer.run(session.recipe, Patch(), probes=True, holdout=True, full=True)
        return {
            "status": run.status.name,
            "error": run.error,
            "score": None if run.score is None else run.score.value,
            "holdout": None if run.holdout is None else run.holdout.value,
            "share": run.share,
            "splits": len(session.data.splits),
            "evidence": to_dict(session.evidence(run)),
        }
    finally:
        session.trainer.close()

"""`Recorded`: a trainer that makes no run twice, not even in another process."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autofix.budget import Clock
from autofix.change import Patch
from autofix.errors import one_line
from autofix.frozen import canonical
from autofix.outcome import Outcome, Status
from autofix.recipe import Recipe
from autofix.store import questions, written
from autofix.store.best import BestWeights
from autofix.store.ledger import Entry, Ledger
from autofix.store.questions import Recalled
from autofix.strategy import RangeTest
from autofix.training import Progress, Trains

if TYPE_CHECKING:
    import keras

    from autofix.trainer.start import Start


@dataclass
class Recorded:
    """Answers from a ledger, and writes down whatever it has to ask its own trainer for.

    The controller is asked to go its whole way again after an interruption. It takes the same decisions, because it
    gets the same answers at the same times: the clock stands while answers are known, and runs from the first one on
    that is not.

    Weights are kept where a model may be made of them: of the run that is handed over, and of the best run of each
    patched program in the proof (see `BestWeights`).

    Attributes:
        trainer: Makes the runs.
        ledger: Knows those that were made.
        clock: The repair's clock.
        spent: Seconds that were spent before, unfinished runs included.
        on_trouble: Told when an answer could not be written down; the repair goes on.
    """

    trainer: Trains
    ledger: Ledger
    clock: Clock
    spent: float = 0.0
    on_trouble: Callable[[OSError], None] = lambda error: None
    _best: BestWeights = field(init=False)
    _cuts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._best = BestWeights(self.ledger)
        first = next(iter(self.ledger), None)
        if first is not None:
            self.clock.stand(first.began)
        else:
            self.clock.go_on(self.spent)

    @property
    def rung(self) -> float:
        """Share of a run that the search makes of each candidate."""
        return self.trainer.rung

    @rung.setter
    def rung(self, share: float) -> None:
        self.trainer.rung = share

    @property
    def traces(self) -> int:
        """Number of training functions that had to be compiled, in this process."""
        return self.trainer.traces

    @property
    def start(self) -> Start:
        """Which weights runs start from."""
        return self.trainer.start

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
        """Trains a recipe, or says what came of it before; see `autofix.trainer.Trainer.run`."""
        asked = questions.run(
            recipe,
            seed=seed,
            share=1.0 if whole or refit or full else self.rung,
            probes=probes,
            holdout=holdout,
            whole=whole,
            refit=refit,
        )
        barred = questions.barred(asked, keep)
        proves = holdout and not refit and bool(patch)
        entry = questions.answered(self.ledger, asked, barred)
        cut = self._cut(asked, entry)
        if cut is not None and cut.outcome is not None:
            self._pass(cut)
            return replace(cut.outcome, patch=patch)
        outcome = None if entry is None else self._recalled(entry, weights=refit or proves)
        lost = refit and holdout and outcome is not None and outcome.weights is None and outcome.status is Status.DONE
        if entry is not None and outcome is not None and not lost:
            self._pass(entry)
            if proves:
                self._best.take(entry)
            return replace(outcome, patch=patch)
        began = self._live()
        outcome = self.trainer.run(
            recipe,
            patch,
            seed=seed,
            deadline=self.clock.real(deadline),
            probes=probes,
            holdout=holdout,
            whole=whole,
            refit=refit,
            full=full,
            keep=keep,
        )
        if outcome.status is Status.CUT:
            if self.clock.now() > deadline:  # else it was interrupted
                key = canonical(asked)
                self._write({**asked, "cut": self._cuts[key]}, began, outcome)
                self._cuts[key] += 1
        elif outcome.status is not Status.PRUNED:
            self._write(asked, began, outcome, keep_weights=refit, proves=proves)
        elif barred:
            self._write(barred, began, outcome)
        return outcome

    def fit(self, recipe: Recipe, patch: Patch, source: Any, *, seed: int, deadline: float) -> Outcome:
        """Trains a recipe with plain `fit`, or says what came of it before."""
        asked = questions.fit(recipe, seed)
        entry = self.ledger.find(asked)
        outcome = None if entry is None else self._recalled(entry, weights=True)
        usable = outcome is not None and (outcome.weights is not None or outcome.status is not Status.DONE)
        if entry is not None and outcome is not None and usable:
            self._pass(entry)
            return replace(outcome, patch=patch)
        began = self._live()
        outcome = self.trainer.fit(recipe, patch, source, seed=seed, deadline=self.clock.real(deadline))
        if outcome.status is not Status.CUT:
            self._write(asked, began, outcome, keep_weights=True)
        return outcome

    def together(self, calls: Sequence[Callable[[], Outcome]]) -> list[Outcome]:
        """Makes several runs at the same time."""
        return self.trainer.together(calls)

    def range_test(self, recipe: Recipe) -> RangeTest:
        """Runs a learning-rate range test, or says what came of it before."""
        answer = self._answer(questions.range_test(recipe), lambda: self.trainer.range_test(recipe).to_dict())
        return written.to_range_test(answer)

    def score_weights(self, recipe: Recipe, patch: Patch, weights: tuple[np.ndarray, ...]) -> Outcome:
        """Scores a recipe with given weights, or says how it scored before."""
        asked = questions.score(recipe, weights)
        entry = self.ledger.find(asked)
        if entry is not None:
            self._pass(entry)
            if entry.outcome is not None:
                return replace(entry.outcome, patch=patch, weights=weights)
        began = self._live()
        try:
            outcome = self.trainer.score_weights(recipe, patch, weights)
        except Exception as error:
            self._add(asked, began, answer={"error": one_line(error)})
            raise
        self._write(asked, began, outcome)
        return outcome

    def choose_rung(self, recipe: Recipe) -> float:
        """Sets the share of a run that a search makes of each candidate at first, or sets it as before."""

        def chosen() -> dict[str, float]:
            seconds = self.trainer.choose_rung(recipe)
            return {"seconds": seconds, "rung": self.trainer.rung}

        answer = self._answer(questions.rung(recipe), chosen)
        self.trainer.rung = float(answer["rung"])
        return float(answer["seconds"])

    def build(self, outcome: Outcome, recipe: Recipe) -> keras.Model:
        """Returns the trained model of an outcome; one whose weights were not kept is trained once more."""
        if outcome.weights is None and outcome.holdout is not None:
            self._live()
            outcome = self.trainer.run(recipe, outcome.patch, seed=outcome.seed, holdout=True, whole=True)
        return self.trainer.build(outcome, recipe)

    def close(self) -> None:
        """Releases what is held."""
        self.trainer.close()

    def _cut(self, asked: Mapping[str, Any], known: Entry | None) -> Entry | None:
        """Returns the answer that the time was up before the end, where that was the answer at this point.

        It says nothing about the run, only about what was decided next.
        """
        if not self.clock.stands:
            return None
        key = canonical(asked)
        entry = self.ledger.find({**asked, "cut": self._cuts[key]})
        if entry is None or (known is not None and known.number < entry.number):
            return None
        self._cuts[key] += 1
        return entry

    def _recalled(self, entry: Entry, *, weights: bool) -> Outcome | None:
        if entry.outcome is None:
            return None
        return replace(entry.outcome, weights=self.ledger.weights(entry) if weights else None)

    def _answer(self, asked: Mapping[str, Any], ask: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        entry = self.ledger.find(asked)
        if entry is not None:
            self._pass(entry)
            return entry.answer
        began = self._live()
        try:
            answer = ask()
        except Exception as error:
            self._add(asked, began, answer={"error": one_line(error)})
            raise
        self._add(asked, began, answer=answer)
        return answer

    def _pass(self, entry: Entry) -> None:
        """Lets the time pass up to the next question, and raises the error that an answer was, if it was one.

        What was decided in between was decided by then: a decision that the time was up is taken again, and so is
        one to go on, but for those of the last milliseconds.
        """
        with self._lock:  # another thread's question may be the first one that is not known
            if self.clock.stands:
                after = self.ledger.after(entry)
                self.clock.stand(entry.ended if after is None else max(entry.ended, after.began))
        if "error" in entry.answer:
            raise Recalled(str(entry.answer["error"]))

    def _live(self) -> float:
        """From here on nothing is known beforehand; returns the seconds spent so far."""
        with self._lock:
            if self.clock.stands:
                self.clock.go_on(self.spent)
            return self.clock.spent

    def _write(
        self,
        asked: Mapping[str, Any],
        began: float,
        outcome: Outcome,
        *,
        keep_weights: bool = False,
        proves: bool = False,
    ) -> None:
        keep_weights = keep_weights or (proves and self._best.is_better(str(asked["recipe"]), outcome))
        entry = self._add(asked, began, outcome=outcome, keep_weights=keep_weights)
        if entry is not None and proves:
            self._best.take(entry)

    def _add(
        self,
        asked: Mapping[str, Any],
        began: float,
        *,
        outcome: Outcome | None = None,
        answer: Mapping[str, Any] | None = None,
        keep_weights: bool = False,
    ) -> Entry | None:
        try:
            return self.ledger.add(
                asked,
                began=began,
                ended=self.clock.spent,
                outcome=outcome,
                answer=answer or {},
                keep_weights=keep_weights,
            )
        except OSError as error:
            self.on_trouble(error)
            return None

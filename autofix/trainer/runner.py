"""`Trainer`: runs recipes and says what came of them."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from autofix.change import Patch
from autofix.contract import link_of
from autofix.data import Data, Split
from autofix.errors import FixYourCall, one_line
from autofix.facts import DataFacts
from autofix.outcome import Outcome, Status, joined
from autofix.recipe import Recipe, layers
from autofix.recipe.build import restore
from autofix.scoring import Link, Scorer
from autofix.strategy import RangeTest
from autofix.trainer.evaluation import Evaluator
from autofix.trainer.feed import Feed
from autofix.trainer.hot import Hot, Knobs
from autofix.trainer.memo import Making, Memo
from autofix.trainer.plain_fit import fit_source
from autofix.trainer.plan import RATE, Plan, fixed_rate, usual_rate
from autofix.trainer.program import Program
from autofix.trainer.range_test import tested
from autofix.trainer.rows import Rows
from autofix.trainer.run import Run
from autofix.trainer.start import Start, Weights
from autofix.trainer.store import Store
from autofix.trainer.tracing import Tracer
from autofix.training import Progress

logger = logging.getLogger(__name__)

# A search makes about this much of each candidate's run at first, in seconds and in steps: less than it costs to
# compile one would save nothing, and fewer steps would say nothing. And the smallest share of a run it makes.
RUNG_SECONDS, LEAST_STEPS, SMALLEST_RUNG = 2.0, 500, 1 / 27
# Steps that are timed for it.
TIMED_STEPS = 20
# Rows of the largest class for each of the smallest one from which on class weights are likely to be tried.
UNEVEN = 3


@dataclass(frozen=True)
class Asked:
    """What a run is to be; see `Trainer.run`."""

    recipe: Recipe
    patch: Patch
    seed: int
    deadline: float
    probes: bool
    holdout: bool
    share: float
    keep: Callable[[Progress], bool] | None
    is_last: bool


class Trainer:
    """Trains any recipe derived from the user's program on the user's data.

    Args:
        data: The user's data.
        facts: What is known about it.
        scorer: How predictions are scored.
        start: Which weights runs start from.
        origin: The user's recipe, unchanged.

    Attributes:
        rung: Share of a run that the search makes of each candidate.
    """

    def __init__(self, data: Data, facts: DataFacts, scorer: Scorer, start: Start, origin: Recipe) -> None:
        self.data = data
        self.facts = facts
        self.start = start
        self.rung = 1.0
        self.feed = Feed(data, facts)
        self.evaluator = Evaluator(data, facts, scorer)
        hot = Hot(origin, facts.inputs, weighted=_is_uneven(facts) and _is_plain(origin))
        self.store = Store(self.feed, start, origin, hot)
        size = sum(value.size for value in start.values.values())
        self._rows = Rows(data, size)
        self._memo = Memo()
        self._stop = threading.Event()

    @property
    def traces(self) -> int:
        """Number of training functions that had to be compiled."""
        return self.store.traces

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
        """Trains a recipe once per split of the data.

        Args:
            recipe: What to train.
            patch: What was changed to get it; noted in the outcome.
            seed: Seed of the initial weights and of the data order.
            deadline: `time.monotonic()` at which to stop, in seconds.
            probes: Whether to fill the outcome's trace.
            holdout: Whether to score the holdout part too.
            whole: Whether to train on the validation part too, where no early stopping needs it: for the proof.
            refit: Whether to train on every row that no early stopping needs, the holdout's too: for the model that
                is handed over.
            full: Whether to train to the end, whatever the rung of the search.
            keep: Asked after each evaluation; False ends the run as pruned.

        Returns:
            What came of it. An error inside ends up in the outcome, never as an exception. A run that was made
            before is not made again.
        """
        making = Making.of(recipe, seed, whole=whole, refit=refit, full=full, rung=self.rung)
        known = None if refit else self._memo.find(making, patch, holdout=holdout, probes=probes)
        if known is not None:
            return known
        share, proves, whole = making.share, whole or refit, making.whole
        parts: list[Outcome] = []
        stops_early = recipe.fit.get("patience") is not None
        for number, split in enumerate(self._rows.divisions(whole=whole, refit=refit, stops_early=stops_early)):
            asked = Asked(recipe, patch, seed, deadline, probes and number == 0, holdout, share, keep, proves)
            try:
                part = self._run_split(asked, split, seed * 1000 + number)
            except FixYourCall:  # the user's own metric or argument: no trial would do better
                raise
            except Exception as error:  # any trial may die, for any reason, and takes nothing with it
                logger.debug("a trial failed", exc_info=True)
                part = Outcome(patch, seed, Status.FAILED, None, error=one_line(error))
            parts.append(part)
            if part.status in (Status.FAILED, Status.PRUNED, Status.CUT):
                break
        outcome = joined(parts, patch, seed, sum(part.seconds for part in parts))
        if not refit:
            self._memo.keep(making, outcome)
        return outcome

    def fit(self, recipe: Recipe, patch: Patch, source: Any, *, seed: int, deadline: float) -> Outcome:
        """Trains a recipe with plain `fit` on data that does not fit into memory; see `run`.

        Args:
            recipe: What to train.
            patch: What was changed to get it.
            source: The user's data, as `fit` takes it.
            seed: Seed of the initial weights.
            deadline: `time.monotonic()` at which to stop, in seconds.
        """
        began = time.monotonic()
        try:
            program, knobs, weights = self.store.get(recipe, seed)
            model = self.build(Outcome(patch, seed, Status.DONE, None, weights=weights), recipe)
            cut = fit_source(model, recipe, source, deadline)
        except Exception as error:  # whatever the user's data does when it is read in full
            logger.debug("no fit on all of the data", exc_info=True)
            return Outcome(patch, seed, Status.FAILED, None, error=one_line(error))
        trained = tuple(variable.numpy() for variable in model.weights)
        with program.lock:
            program.reset(trained, knobs)
            score = self.evaluator.score(program, self.data.splits[0].validation, self.links(recipe))
        return Outcome(
            patch,
            seed,
            Status.CUT if cut else Status.DONE,
            score,
            seconds=time.monotonic() - began,
            engine="fit",
            reason="the data is larger than memory",
            weights=trained,
        )

    def together(self, calls: Sequence[Callable[[], Outcome]]) -> list[Outcome]:
        """Makes several runs at the same time: small models leave most of a machine idle. An interrupt ends all."""
        if len(calls) < 2:
            return [call() for call in calls]
        with ThreadPoolExecutor(len(calls), thread_name_prefix="autofix") as pool:
            futures = [pool.submit(call) for call in calls]
            try:
                return [future.result() for future in futures]
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                self._stop.clear()
                raise

    def range_test(self, recipe: Recipe) -> RangeTest:
        """Runs a learning-rate range test on the recipe's compiled program, and short runs at what it points to.

        The program belongs to the trainer and is reset before whatever runs next, so that nothing of it stays.
        """
        if recipe.has(RATE) and fixed_rate(recipe) is None:  # a schedule would go on ruling
            recipe = recipe.set(RATE, usual_rate(recipe))
        return tested(lambda rates: self._losses(recipe, rates), usual_rate(recipe))

    def build(self, outcome: Outcome, recipe: Recipe) -> keras.Model:
        """Returns the trained model of an outcome: compiled as the recipe says, metrics included."""
        example = self.feed.batch(recipe).rows(np.arange(1))
        model = recipe.build(seed=0, example=example)
        if outcome.weights is not None:
            restore(model, outcome.weights)
        model.optimizer.build(model.trainable_variables)  # else Keras warns when the saved model is loaded
        return model

    def score_weights(self, recipe: Recipe, patch: Patch, weights: Weights) -> Outcome:
        """Scores a recipe with given weights, without training it."""
        began = time.monotonic()
        program, knobs, _ = self.store.get(recipe, 0)
        program.reset(weights, knobs)
        links = self.links(recipe)
        split = self.data.splits[0]
        held, seen = self.evaluator.held(program, split.holdout, links)
        return Outcome(
            patch,
            0,
            Status.DONE,
            self.evaluator.score(program, split.validation, links),
            seconds=time.monotonic() - began,
            holdout=held,
            weights=program.weights(),
            resampled=self.evaluator.resampled(program, split.holdout, links),
            predictions=seen,
        )

    def choose_rung(self, recipe: Recipe) -> float:
        """Sets the share of a run that a search makes of each candidate at first: all of it, if that is short.

        Takes the time of some steps of the given recipe.

        Returns:
            Seconds that its steps take in all.
        """
        program = self._ready(recipe)
        plan = Plan(recipe, self.feed.epoch_rows)
        rows = np.resize(self._rows.splits[0].train, TIMED_STEPS * plan.batch)
        starts = np.arange(TIMED_STEPS) * plan.batch
        program.run(rows, starts[:1], starts[:1] + plan.batch, 0)
        began = time.monotonic()
        program.run(rows, starts, starts + plan.batch, 0)
        pace = (time.monotonic() - began) / TIMED_STEPS
        planned = plan.epochs * plan.steps
        self.rung = min(1.0, max(SMALLEST_RUNG, LEAST_STEPS / planned, RUNG_SECONDS / (pace * planned)))
        return pace * planned

    def links(self, recipe: Recipe) -> list[Link]:
        """Returns how the raw outputs of a recipe are to be read."""
        return [link_of(recipe, self.facts, index) for index in range(len(self.facts.targets))]

    def close(self) -> None:
        """Releases every compiled program."""
        self.store.close()

    def _run_split(self, asked: Asked, split: Split, seed: int) -> Outcome:
        began = time.monotonic()
        program, knobs, initial = self.store.get(asked.recipe, asked.seed)
        setting_up = time.monotonic() - began
        with program.lock:
            return self._trained(program, knobs, initial, asked, split, seed, setting_up)

    def _trained(
        self,
        program: Program,
        knobs: Knobs,
        initial: Weights,
        asked: Asked,
        split: Split,
        seed: int,
        setting_up: float,
    ) -> Outcome:
        began, compiled = time.monotonic(), program.compiling
        recipe, links = asked.recipe, self.links(asked.recipe)
        program.reset(initial, knobs, self.feed.batch(recipe).weight)
        tracer = Tracer(program, self.feed, recipe, split, _activations(recipe)) if asked.probes else None
        if tracer:
            tracer.before()
        plan = Plan(recipe, max(self.feed.epoch_rows, len(split.train)), asked.share)
        rng = np.random.default_rng(seed)
        run = Run(
            program,
            plan,
            split,
            self.evaluator,
            links,
            lambda: self.feed.order(recipe, split.train, rng),
            tracer,
            recipe.fit.get("patience"),
            knobs.rate is not None,
            lambda: self._stop.is_set() or time.monotonic() > asked.deadline,
            asked.keep,
            asked.is_last,
        )
        run.go()
        trace = None
        if tracer:
            read = self.evaluator.reader(program, split, links)
            trace = tracer.finish(plan.steps, run.epoch, plan.epochs, read, initial)
        held, seen = self.evaluator.held(program, split.holdout, links) if asked.holdout else (None, ())
        resampled = self.evaluator.resampled(program, split.holdout, links) if asked.holdout else ()
        seconds = time.monotonic() - began
        again = max(0.0, seconds - (program.compiling - compiled))
        return Outcome(
            asked.patch,
            asked.seed,
            run.status,
            run.score,
            run.epoch,
            setting_up + seconds,
            again * plan.epochs / plan.end if run.epoch >= plan.end else again,
            held,
            trace,
            steps=run.step,
            share=asked.share,
            engine=program.engine,
            reason=program.reason,
            weights=program.weights() if asked.holdout else None,
            resampled=resampled,
            predictions=seen,
        )

    def _ready(self, recipe: Recipe) -> Program:
        """Returns the program of a recipe at its start."""
        program, knobs, weights = self.store.get(recipe, 0)
        program.reset(weights, knobs, self.feed.batch(recipe).weight)
        return program

    def _losses(self, recipe: Recipe, rates: np.ndarray) -> np.ndarray:
        """Trains one step at each rate, from the recipe's start; returns the losses up to the first that overflows."""
        program = self._ready(recipe)
        rows = self.feed.order(recipe, self.data.splits[0].train, np.random.default_rng(0))
        batch = min(int(recipe.fit["batch_size"]), len(rows))
        order = np.resize(rows, len(rates) * batch)
        starts = np.arange(len(rates)) * batch
        losses: list[float] = []
        for begin in range(0, len(rates), 25):
            part = slice(begin, begin + 25)
            found, _ = program.run(order, starts[part], starts[part] + batch, 10**6 + 1, rates[part])
            losses.extend(found.tolist())
            if not np.isfinite(found).all():
                break
        return np.asarray(losses)


def _is_uneven(facts: DataFacts) -> bool:
    """Whether class weights may be tried, so that programs take weights from the start."""
    counts = facts.targets[0].counts if len(facts.targets) == 1 else ()
    return len(counts) > 1 and max(counts) >= UNEVEN * max(1, min(counts))


def _is_plain(recipe: Recipe) -> bool:
    """Whether a model is of a class of Keras' own: a user's train step may not take weights."""
    return recipe.is_graph and str(recipe.architecture.get("module")).startswith("keras")


def _activations(recipe: Recipe) -> dict[str, str]:
    return {layer.path: layer.activation or "linear" for layer in layers(recipe)}

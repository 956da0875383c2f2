"""`Trainer`: runs recipes and says what came of them."""

from __future__ import annotations

import gc
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from autofix.change import Patch
from autofix.contract import link_of
from autofix.data import Data, Split
from autofix.errors import FixYourCall, one_line
from autofix.facts import DataFacts
from autofix.frozen import canonical
from autofix.outcome import Outcome, Status, joined
from autofix.recipe import Recipe, layers
from autofix.recipe.build import restore
from autofix.scoring import Link, Scorer
from autofix.strategy import RangeTest
from autofix.trainer.evaluation import Evaluator
from autofix.trainer.feed import Feed
from autofix.trainer.hot import Hot, Knobs
from autofix.trainer.plan import RATE, Plan, fixed_rate, usual_rate
from autofix.trainer.program import Program
from autofix.trainer.range_test import CHECK_STEPS, COUNTED, RATES, read_range, verified
from autofix.trainer.run import Progress, Run
from autofix.trainer.start import Start, Weights
from autofix.trainer.tracing import Tracer

logger = logging.getLogger(__name__)

# Compiled programs kept at once; each holds 15-20 MB.
PROGRAMS = 10
# Values of initial weights that are kept for the next run with the same seed: 64 MB.
MOST_WEIGHTS = 2**24
# Weights up to which a run on few rows is so short that every division of them can be afforded.
SMALL_MODEL = 200_000
# A search makes about this much of each candidate's run at first, in seconds and in steps: less than it costs to
# compile one would save nothing, and fewer steps would say nothing. And the smallest share of a run it makes.
RUNG_SECONDS, LEAST_STEPS, SMALLEST_RUNG = 2.0, 500, 1 / 27
# Steps that are timed for it.
TIMED_STEPS = 20
# Rows of the largest class for each of the smallest one from which on class weights are likely to be tried.
UNEVEN = 3


class Trainer:
    """Trains any recipe derived from the user's program on the user's data.

    Args:
        data: The user's data.
        facts: What is known about it.
        scorer: How predictions are scored.
        start: Which weights runs start from.
        origin: The user's recipe, unchanged.
    """

    def __init__(self, data: Data, facts: DataFacts, scorer: Scorer, start: Start, origin: Recipe) -> None:
        self.data = data
        self.facts = facts
        self.scorer = scorer
        self.start = start
        self.feed = Feed(data, facts)
        self.traces = 0
        self._programs: OrderedDict[str, Program] = OrderedDict()
        self._fresh: OrderedDict[tuple[str, int], Weights] = OrderedDict()
        self.evaluator = Evaluator(data, facts, scorer)
        self.rung = 1.0
        self._hot = Hot(origin, facts.inputs, weighted=_is_uneven(facts) and origin.is_graph)
        self._origin_key = self._hot.key(self._hot.split(origin)[0])
        size = sum(value.size for value in start.values.values())
        self._splits = data.splits if size <= SMALL_MODEL else data.splits[:1]
        self._memo: dict[tuple[str, int, bool, float], Outcome] = {}
        self._unions: dict[tuple[int, bool, bool], np.ndarray] = {}

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
        began = time.monotonic()
        share = 1.0 if whole or refit or full else self.rung
        whole = whole and recipe.fit.get("patience") is None
        key = (recipe.fingerprint(), seed, whole, share)
        known = self._memo.get(key) if not refit else None
        scored = known is not None and (known.holdout is not None or not holdout)
        if known is not None and scored and (known.trace is not None or not probes):
            return replace(known, patch=patch)
        parts: list[Outcome] = []
        for number, split in enumerate(self._splits[:1] if refit else self._splits):
            part_seed = seed * 1000 + number
            split = replace(split, train=self._rows(recipe, number, whole=whole, refit=refit))
            try:
                part = self._run_split(
                    recipe, patch, split, seed, part_seed, deadline, probes and number == 0, holdout, keep, share
                )
            except FixYourCall:  # the user's own metric or argument: no trial would do better
                raise
            except Exception as error:  # any trial may die, for any reason, and takes nothing with it
                logger.debug("a trial failed", exc_info=True)
                part = Outcome(patch, seed, Status.FAILED, None, error=one_line(error))
            parts.append(part)
            if part.status in (Status.FAILED, Status.PRUNED, Status.CUT):
                break
        outcome = joined(parts, patch, seed, time.monotonic() - began)
        if outcome.status in (Status.DONE, Status.DIVERGED) and not refit:
            self._memo[key] = outcome
        return outcome

    def range_test(self, recipe: Recipe) -> RangeTest:
        """Runs a learning-rate range test on the recipe's compiled program, and short runs at what it points to.

        The program belongs to the trainer and is reset before whatever runs next, so that nothing of it stays.
        """
        if recipe.has(RATE) and fixed_rate(recipe) is None:  # a schedule would go on ruling
            recipe = recipe.set(RATE, usual_rate(recipe))
        test = read_range(RATES, self._losses(recipe, RATES), usual_rate(recipe))
        if len(test.candidates) < 2:
            return test
        ends = []
        for rate in test.candidates:
            losses = self._losses(recipe, np.full(CHECK_STEPS, rate))
            ends.append(float(np.mean(losses[-COUNTED:])) if len(losses) == CHECK_STEPS else math.nan)
        return verified(test, ends)

    def _losses(self, recipe: Recipe, rates: np.ndarray) -> np.ndarray:
        """Trains one step at each rate, from the recipe's start; returns the losses up to the first that overflows."""
        program, knobs = self._program(recipe)
        program.reset(self._weights(recipe, program, 0), knobs, self.feed.batch(recipe).weight)
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
        program, knobs = self._program(recipe)
        program.reset(weights, knobs)
        links = self.links(recipe)
        split = self.data.splits[0]
        return Outcome(
            patch,
            0,
            Status.DONE,
            self.evaluator.score(program, split.validation, links),
            seconds=time.monotonic() - began,
            holdout=self.evaluator.score(program, split.holdout, links),
            weights=program.weights(),
            resampled=self.evaluator.resampled(program, split.holdout, links),
        )

    def choose_rung(self, recipe: Recipe) -> None:
        """Sets the share of a run that a search makes of each candidate at first: all of it, if that is short.

        Takes the time of some steps of the given recipe.
        """
        program, knobs = self._program(recipe)
        program.reset(self._weights(recipe, program, 0), knobs, self.feed.batch(recipe).weight)
        plan = Plan(recipe, self.feed.epoch_rows)
        rows = np.resize(self._splits[0].train, TIMED_STEPS * plan.batch)
        starts = np.arange(TIMED_STEPS) * plan.batch
        program.run(rows, starts[:1], starts[:1] + plan.batch, 0)
        began = time.monotonic()
        program.run(rows, starts, starts + plan.batch, 0)
        pace = (time.monotonic() - began) / TIMED_STEPS
        steps = max(LEAST_STEPS, RUNG_SECONDS / pace)
        self.rung = min(1.0, max(SMALLEST_RUNG, steps / (plan.epochs * plan.steps)))

    def links(self, recipe: Recipe) -> list[Link]:
        """Returns how the raw outputs of a recipe are to be read."""
        return [link_of(recipe, self.facts, index) for index in range(len(self.facts.targets))]

    def close(self) -> None:
        """Releases every compiled program."""
        while self._programs:
            self._programs.popitem()[1].close()
        self._fresh.clear()
        gc.collect()

    def _run_split(
        self,
        recipe: Recipe,
        patch: Patch,
        split: Split,
        seed: int,
        part_seed: int,
        deadline: float,
        probes: bool,
        holdout: bool,
        keep: Callable[[Progress], bool] | None,
        share: float,
    ) -> Outcome:
        began = time.monotonic()
        program, knobs = self._program(recipe)
        initial = self._weights(recipe, program, seed)
        program.reset(initial, knobs, self.feed.batch(recipe).weight)
        setting_up, compiled = time.monotonic() - began, program.compiling
        links = self.links(recipe)
        tracer = Tracer(program, self.feed, recipe, split, _activations(recipe)) if probes else None
        if tracer:
            tracer.before()
        plan = Plan(recipe, max(self.feed.epoch_rows, len(split.train)), share)
        rng = np.random.default_rng(part_seed)
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
            deadline,
            keep,
        )
        run.go()
        trace = None
        if tracer:
            read = self.evaluator.reader(program, split, links)
            trace = tracer.finish(plan.steps, run.epoch, plan.epochs, read, initial)
        held = self.evaluator.score(program, split.holdout, links) if holdout else None
        resampled = self.evaluator.resampled(program, split.holdout, links) if holdout else ()
        seconds = time.monotonic() - began
        again = max(0.0, seconds - setting_up - (program.compiling - compiled))
        return Outcome(
            patch,
            seed,
            run.status,
            run.score,
            run.epoch,
            seconds,
            again * plan.epochs / plan.end if run.epoch >= plan.end else again,
            held,
            trace,
            steps=run.step,
            share=share,
            engine=program.engine,
            reason=program.reason,
            weights=program.weights() if holdout else None,
            resampled=resampled,
        )

    def _rows(self, recipe: Recipe, number: int, *, whole: bool, refit: bool) -> np.ndarray:
        """Returns the rows to train on: the training part, and what else no score and no early stopping needs."""
        split, patience = self._splits[number], recipe.fit.get("patience")
        if not (refit or whole):
            return split.train
        key = (number, refit, patience is None)
        if key not in self._unions:
            chosen = np.zeros(self.data.rows, bool)
            if refit:
                chosen[: self.data.rows - self.data.given] = True
                chosen[split.validation] &= patience is None
            else:
                chosen[split.train] = True
                chosen[split.validation] |= patience is None
                chosen[split.holdout] = False
            self._unions[key] = np.flatnonzero(chosen)
        return self._unions[key]

    def _program(self, recipe: Recipe) -> tuple[Program, Knobs]:
        base, knobs = self._hot.split(recipe)
        key = self._hot.key(base)
        program = self._programs.get(key)
        if program is None:
            program = Program(base, self.feed.batch(recipe), self._hot)
            self.traces += 1
            self._programs[key] = program
            while len(self._programs) > PROGRAMS:
                # The program as it came is needed again for the proof.
                oldest = next(name for name in self._programs if name != self._origin_key)
                self._programs.pop(oldest).close()
        self._programs.move_to_end(key)
        return program, knobs

    def _weights(self, recipe: Recipe, program: Program, seed: int) -> Weights:
        key = (canonical(recipe.architecture), seed)
        if key not in self._fresh:
            example = self.feed.batch(recipe).rows(np.arange(1))
            model = recipe.build(seed=seed + 1, compiled=False, example=example)
            self._fresh[key] = tuple(v.numpy() for v in model.weights)
            while len(self._fresh) > 1 and _size(self._fresh) > MOST_WEIGHTS:
                self._fresh.popitem(last=False)
        return self.start.weights(recipe, program.model, seed, self._fresh[key])


def _is_uneven(facts: DataFacts) -> bool:
    """Whether class weights may be tried, so that programs take weights from the start."""
    counts = facts.targets[0].counts if len(facts.targets) == 1 else ()
    return len(counts) > 1 and max(counts) >= UNEVEN * max(1, min(counts))


def _size(weights: Mapping[Any, Weights]) -> int:
    return sum(value.size for values in weights.values() for value in values)


def _activations(recipe: Recipe) -> dict[str, str]:
    return {layer.path: layer.activation or "linear" for layer in layers(recipe)}

"""`Trainer`: runs recipes and says what came of them."""

from __future__ import annotations

import gc
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from autofix.scoring import Link, Score, Scorer
from autofix.strategy import RangeTest
from autofix.trainer.feed import Feed
from autofix.trainer.hot import Hot, Knobs
from autofix.trainer.plan import RATE, Plan, fixed_rate, usual_rate
from autofix.trainer.program import Program
from autofix.trainer.range_test import RATES, read_range
from autofix.trainer.start import Start, Weights
from autofix.trainer.tracing import Tracer

logger = logging.getLogger(__name__)

# Compiled programs kept at once; each holds 15-20 MB.
PROGRAMS = 10
# Values of initial weights that are kept for the next run with the same seed: 64 MB.
MOST_WEIGHTS = 2**24
# Weights up to which a run on few rows is so short that every division of them can be afforded.
SMALL_MODEL = 200_000
# One call into the compiled loop lasts about this long, so that an interrupt is served in time.
CHUNK_SECONDS = 0.5
# Rows of the largest class for each of the smallest one from which on class weights are likely to be tried.
UNEVEN = 3
# Bootstrap draws for the noise of a difference: its own error is then 11 %; and rows they are drawn from.
DRAWS, MOST_RESAMPLED = 40, 2_000


@dataclass(frozen=True)
class Progress:
    """How far a run is: what a pruner decides on.

    Attributes:
        fraction: Share of the planned epochs done, 0..1.
        epoch: Epochs done.
        rank: Score rank on the validation part so far.
    """

    fraction: float
    epoch: float
    rank: float


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
        self._targets = [np.asarray(array) for array in data.flat_y()]
        self._hot = Hot(origin, facts.inputs, weighted=_is_uneven(facts) and origin.is_graph)
        self._origin_key = self._hot.key(self._hot.split(origin)[0])
        size = sum(value.size for value in start.values.values())
        self._splits = data.splits if size <= SMALL_MODEL else data.splits[:1]
        self._memo: dict[tuple[str, int, bool], Outcome] = {}

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
            keep: Asked after each evaluation; False ends the run as pruned.

        Returns:
            What came of it. An error inside ends up in the outcome, never as an exception. A run that was made
            before is not made again.
        """
        began = time.monotonic()
        whole = whole and recipe.fit.get("patience") is None
        known = self._memo.get((recipe.fingerprint(), seed, whole)) if not refit else None
        scored = known is not None and (known.holdout is not None or not holdout)
        if known is not None and scored and (known.trace is not None or not probes):
            return replace(known, patch=patch)
        parts: list[Outcome] = []
        for number, split in enumerate(self._splits[:1] if refit else self._splits):
            part_seed = seed * 1000 + number
            if refit:
                split = replace(split, train=self._every_row(recipe, split))
            elif whole:
                split = replace(split, train=np.setdiff1d(np.union1d(split.train, split.validation), split.holdout))
            try:
                part = self._run_split(
                    recipe, patch, split, seed, part_seed, deadline, probes and number == 0, holdout, keep
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
            self._memo[recipe.fingerprint(), seed, whole] = outcome
        return outcome

    def range_test(self, recipe: Recipe) -> RangeTest:
        """Runs a learning-rate range test on the recipe's compiled program; the weights are reset afterwards."""
        if recipe.has(RATE) and fixed_rate(recipe) is None:  # a schedule would go on ruling
            recipe = recipe.set(RATE, usual_rate(recipe))
        program, knobs = self._program(recipe)
        program.reset(self._weights(recipe, program, 0), knobs, self.feed.batch(recipe).weight)
        rows = self.feed.order(recipe, self.data.splits[0].train, np.random.default_rng(0))
        batch = min(int(recipe.fit["batch_size"]), len(rows))
        steps = len(RATES)
        order = np.resize(rows, steps * batch)
        starts = np.arange(steps) * batch
        losses = []
        for begin in range(0, steps, 25):
            part = slice(begin, begin + 25)
            found, _ = program.run(order, starts[part], starts[part] + batch, 10**6 + 1, RATES[part])
            losses.extend(found.tolist())
            if not np.isfinite(found).all():
                break
        return read_range(RATES, np.asarray(losses), usual_rate(recipe))

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
            self._score(program, split.validation, links),
            seconds=time.monotonic() - began,
            holdout=self._score(program, split.holdout, links),
            weights=program.weights(),
            resampled=self._resampled(program, split.holdout, links),
        )

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
    ) -> Outcome:
        began = time.monotonic()
        program, knobs = self._program(recipe)
        initial = self._weights(recipe, program, seed)
        program.reset(initial, knobs, self.feed.batch(recipe).weight)
        compiling = time.monotonic() - began
        links = self.links(recipe)
        tracer = Tracer(program, self.feed, recipe, split, _activations(recipe)) if probes else None
        if tracer:
            tracer.before()
        plan = Plan(recipe, max(self.feed.epoch_rows, len(split.train)))
        rng = np.random.default_rng(part_seed)
        best: tuple[float, Score | None, Weights | None, float] = (-math.inf, None, None, 0.0)
        status, score, step = Status.DONE, None, 0
        epoch: float = 0
        patience = recipe.fit.get("patience")
        while epoch < plan.epochs:
            epochs = min(plan.stride, plan.epochs - int(epoch))
            order, starts, stops = plan.batches(lambda: self.feed.order(recipe, split.train, rng), epochs)
            before = program.compiling
            broke, done = self._train(program, tracer, order, starts, stops, step, plan, deadline)
            compiling += program.compiling - before
            step += done
            epoch += epochs
            if broke:
                status = broke
                if broke is Status.CUT:
                    epoch += -epochs + done / plan.steps
                break
            score = self._score(program, split.validation, links)
            if tracer:
                tracer.evaluated(epoch, score.rank)
            if score.rank > best[0] and patience is not None:
                best = (score.rank, score, program.weights(), epoch)
            elif patience is not None and epoch - best[3] >= patience:
                break
            if keep and epoch < plan.epochs and not keep(Progress(epoch / plan.epochs, epoch, score.rank)):
                status = Status.PRUNED
                break
        if status in (Status.CUT, Status.DIVERGED):
            score = self._score(program, split.validation, links)
        if patience is not None and best[2] is not None and (score is None or best[0] >= score.rank):
            score = best[1]
            program.restore(best[2])
            status = Status.DONE if status is Status.DIVERGED else status
        trace = None
        if tracer:
            trace = tracer.finish(plan.steps, epoch, plan.epochs, self._reader(program, split, links), initial)
        return Outcome(
            patch,
            seed,
            status,
            score,
            float(epoch),
            time.monotonic() - began,
            max(0.0, time.monotonic() - began - compiling),
            self._score(program, split.holdout, links) if holdout else None,
            trace,
            steps=step,
            engine=program.engine,
            reason=program.reason,
            weights=program.weights() if holdout else None,
            resampled=self._resampled(program, split.holdout, links) if holdout else (),
        )

    def _train(
        self,
        program: Program,
        tracer: Tracer | None,
        order: np.ndarray,
        starts: np.ndarray,
        stops: np.ndarray,
        step: int,
        plan: Plan,
        deadline: float,
    ) -> tuple[Status | None, int]:
        """Trains over the given batches in short calls; returns why it broke off, if it did, and the steps done."""
        done, size = 0, min(20, len(starts))
        while done < len(starts):
            part = slice(done, done + size)
            clock = time.monotonic()
            ahead = plan.epochs * plan.steps - step - done
            losses, norms = program.run(order, starts[part], stops[part], step + done, ahead=ahead)
            took = time.monotonic() - clock
            if tracer:
                tracer.trained(step + done, losses, norms)
            done += len(losses)
            if not np.isfinite(losses).all():
                return Status.DIVERGED, done
            if time.monotonic() > deadline:
                return Status.CUT, done
            if took > 0:
                size = int(np.clip(size * CHUNK_SECONDS / took, 10, 4 * size))
        return None, done

    def _score(self, program: Program, rows: np.ndarray, links: Sequence[Link]) -> Score:
        outputs = program.predict(rows)
        return self.scorer.score([array[rows] for array in self._targets], outputs, links)

    def _every_row(self, recipe: Recipe, split: Split) -> np.ndarray:
        """All rows but those that the user set apart, and those that early stopping needs."""
        own = np.arange(self.data.rows - self.data.given)
        return own if recipe.fit.get("patience") is None else np.setdiff1d(own, split.validation)

    def _resampled(self, program: Program, rows: np.ndarray, links: Sequence[Link]) -> tuple[float, ...]:
        """Returns the holdout's score on bootstrap draws of its rows (Efron 1979), the same draws for every run."""
        if len(rows) > MOST_RESAMPLED:
            rows = rows[np.linspace(0, len(rows) - 1, MOST_RESAMPLED).astype(int)]
        outputs = program.predict(rows)
        scores = []
        for draw in range(DRAWS):
            pick = np.random.default_rng(draw).integers(len(rows), size=len(rows))
            truth = [array[rows[pick]] for array in self._targets]
            scores.append(self.scorer.score(truth, [output[pick] for output in outputs], links).value)
        return tuple(scores)

    def _reader(self, program: Program, split: Split, links: Sequence[Link]) -> Callable[[str], object]:
        from autofix.probes.predictions import read_predictions

        sample = split.train[np.linspace(0, len(split.train) - 1, min(1000, len(split.train))).astype(int)]

        def read(what: str) -> object:
            if what == "train_score":
                return self._score(program, sample, links).value
            rows = split.validation
            truth = [array[rows] for array in self._targets]
            return read_predictions(program.predict(rows), truth, self.facts.targets, links)

        return read

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

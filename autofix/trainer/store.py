"""Compiled programs and drawn weights, kept for the next run that can use them."""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict

import numpy as np

from autofix.frozen import canonical
from autofix.recipe import Recipe
from autofix.trainer.draw import draw
from autofix.trainer.feed import Feed
from autofix.trainer.hot import Hot, Knobs
from autofix.trainer.program import Program
from autofix.trainer.start import Start, Weights

# Compiled programs kept at once; each holds 15-20 MB.
PROGRAMS = 10
# Values of initial weights that are kept for the next run with the same seed: 64 MB.
MOST_WEIGHTS = 2**24


class Store:
    """Hands out what a run needs; safe to ask from several threads.

    Args:
        feed: The data.
        start: Which weights runs start from.
        origin: The user's recipe: its program is needed again for the proof, so it is kept.
        hot: Tells which recipes share a program.
    """

    def __init__(self, feed: Feed, start: Start, origin: Recipe, hot: Hot) -> None:
        self.feed = feed
        self.start = start
        self.traces = 0
        self._hot = hot
        self._origin = self.key(origin)
        self._programs: OrderedDict[str, Program] = OrderedDict()
        self._fresh: OrderedDict[tuple[str, int], Weights] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, recipe: Recipe, seed: int) -> tuple[Program, Knobs, Weights]:
        """Returns the program that runs a recipe, the values it has to be given, and the weights to start from."""
        with self._lock:
            program, knobs = self._program(recipe)
            return program, knobs, self._weights(recipe, program, seed)

    def key(self, recipe: Recipe) -> str:
        """Returns what tells the program that runs a recipe from others."""
        return self._hot.key(self._hot.split(recipe)[0])

    def programs(self) -> tuple[Program, ...]:
        """The compiled programs, the one used last at the end."""
        return tuple(self._programs.values())

    def close(self) -> None:
        """Releases everything."""
        while self._programs:
            self._programs.popitem()[1].close()
        self._fresh.clear()
        gc.collect()

    def _program(self, recipe: Recipe) -> tuple[Program, Knobs]:
        base, knobs = self._hot.split(recipe)
        key = self._hot.key(base)
        program = self._programs.get(key)
        if program is None:
            program = Program(base, self.feed.batch(recipe), self._hot)
            self.traces += 1
            self._programs[key] = program
            while len(self._programs) > PROGRAMS:
                oldest = next(name for name in self._programs if name != self._origin)
                self._programs.pop(oldest).close()
        self._programs.move_to_end(key)
        return program, knobs

    def _weights(self, recipe: Recipe, program: Program, seed: int) -> Weights:
        key = (canonical(recipe.architecture), seed)
        if key not in self._fresh:
            self._fresh[key] = draw(recipe, program.model, program.leaves, seed + 1) or self._built(recipe, seed + 1)
            size = sum(value.size for values in self._fresh.values() for value in values)
            while len(self._fresh) > 1 and size > MOST_WEIGHTS:
                size -= sum(value.size for value in self._fresh.popitem(last=False)[1])
        return self.start.weights(recipe, program.model, seed, self._fresh[key])

    def _built(self, recipe: Recipe, seed: int) -> Weights:
        example = self.feed.batch(recipe).rows(np.arange(1))
        model = recipe.build(seed=seed, compiled=False, example=example)
        return tuple(variable.numpy() for variable in model.weights)

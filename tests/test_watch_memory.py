"""What `Watch` keeps in memory: bounded by construction, and measured."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import keras
import numpy as np
import pytest

import autofix
from autofix.course import MOST_NUMBERS, MOST_READINGS
from autofix.live.curve import MOST, Curve
from autofix.live.record import Record
from autofix.look import Clock, Kernel, Look, Slope
from autofix.probe import take
from autofix.probes import ALL
from autofix.trainer.leaves import ALL_ENTRIES, kernels_of, leaves

L = keras.layers
MEGABYTE = 2**20
PROMISED = 20 * MEGABYTE


def size_of(value: Any, seen: set[int] | None = None) -> int:
    """Bytes that an object holds, everything inside counted once."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, type):
        return 0
    seen.add(id(value))
    size = sys.getsizeof(value) + (value.nbytes if isinstance(value, np.ndarray) and value.base is not None else 0)
    if isinstance(value, Mapping):
        return size + sum(size_of(item, seen) for pair in value.items() for item in pair)
    if isinstance(value, list | tuple | set):
        return size + sum(size_of(item, seen) for item in value)
    inside = [getattr(value, field.name) for field in fields(value)] if is_dataclass(value) else []
    return size + sum(size_of(item, seen) for item in (*inside, *getattr(value, "__dict__", {}).values()))


def large() -> keras.Model:
    """Ten million parameters."""
    keras.utils.set_random_seed(0)
    layers = [L.Dense(3000, "relu"), L.Dense(3000, "relu"), L.Dense(300, "relu")]
    model = keras.Sequential([keras.Input((32,)), *layers, L.Dense(3, "softmax")])
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
    return model


def test_a_curve_is_bounded():
    curve = Curve()
    for loss in range(40 * MOST):
        curve.add(float(loss) + 0.5)
    assert len(curve.entries) < MOST
    assert size_of(curve) < MEGABYTE


@pytest.mark.parametrize(("depth", "looks"), [(1, 3 * MOST_READINGS), (200, MOST_READINGS)])
def test_what_looks_add_up_to_is_bounded(depth, looks):
    record = Record()
    draw = np.random.default_rng(0).normal
    for step in range(looks):
        kernels = {f"layers/dense_{place}": Kernel(draw(size=4).astype("float32"), 4) for place in range(depth)}
        slopes = tuple(Slope(f"{path}/kernel", path, True, draw(size=2)) for path in kernels)
        look = Look(
            step, kernels=kernels, gradients=slopes, rate=0.1 + step, clock=Clock(step * 1.5, step, float(step))
        )
        record.take(record.course.look(look, ALL))
        record.scored(float(step))
    course = record.course
    kept = (record._gradients, course._updates, course._rates, course._paces, record.scores)
    assert all(MOST_READINGS // 4 < len(items) <= MOST_READINGS for items in kept)
    assert len(record._gradients) * depth <= MOST_NUMBERS
    # The start, the look before and the one being taken hold so many entries of all kernels together.
    assert size_of(record) + 3 * 4 * ALL_ENTRIES < PROMISED


def test_kernels_are_sampled():
    model = large()
    kernels = kernels_of(leaves(model))
    assert sum(np.prod(layer.kernel.shape) for layer in model.layers) > 1e7 - 1e5
    assert sum(kernel.entries.nbytes for kernel in kernels.values()) <= 4 * ALL_ENTRIES
    for layer, kernel in zip(model.layers, kernels.values(), strict=True):
        exact = float(np.linalg.norm(layer.kernel.numpy()))
        norm = take(Look(kernels={"a": kernel}), ALL).values["weights"]["a"].norm
        assert norm == pytest.approx(exact, rel=0.03)


def test_memory_of_a_watched_fit():
    """What Python and NumPy hold on top of an unwatched run, and the most they ever held."""
    x = np.random.default_rng(0).normal(size=(512, 32)).astype("float32")
    y = np.arange(512) % 3
    model = large()
    settings = {"batch_size": 32, "epochs": 2, "verbose": 0}
    model.fit(x, y, **settings)  # what TensorFlow and Keras keep of a first run is not ours
    plain = measured(lambda: model.fit(x, y, **settings))
    watch = autofix.Watch(probes="full", log=False)
    watched = measured(lambda: model.fit(x, y, callbacks=[watch], **settings))
    assert watch.trace.gradient_norms
    assert watched[0] - plain[0] < PROMISED
    assert watched[1] - plain[1] < PROMISED


def measured(run: Any) -> tuple[int, int]:
    """Returns bytes held after a run, and at most during it, above what was held before."""
    gc.collect()
    tracemalloc.start()
    try:
        run()
        gc.collect()
        return tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

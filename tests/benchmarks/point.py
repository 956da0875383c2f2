"""One point of the growth benchmark in a process of its own: `python -m tests.benchmarks.point KIND SIZE SEED OUT`."""

from __future__ import annotations

import json
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

MIB = 2**20
# Rows from which a batch has 256 of them.
LARGE = 100_000
# Training runs after which the memory is noted.
MARKS = (20, 200)
# A number of idle draws that no search here reaches.
ENDLESS = 10**9


def peak() -> float:
    """The most memory that was ever resident, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB


def rows(size: int, seed: int) -> tuple[Callable[[], Any], tuple[Any, Any], dict[str, Any]]:
    """A table of 20 features and two classes, and a network that ends in a softmax on one unit."""
    import keras
    import numpy as np

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(size, 20)).astype("float32")
    y = (x[:, 0] * x[:, 1] + x[:, 2] + 0.3 * rng.normal(size=size) > 0).astype("int32")

    def build() -> Any:
        keras.utils.set_random_seed(seed)
        hidden = [keras.layers.Dense(64, activation="relu") for _ in range(2)]
        network = keras.Sequential([keras.Input((20,)), *hidden, keras.layers.Dense(1, activation="softmax")])
        network.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        return network

    return build, (x, y), {"epochs": 10, "batch_size": 256 if size >= LARGE else 32}


def depth(size: int, seed: int) -> tuple[Callable[[], Any], tuple[Any, Any], dict[str, Any]]:
    """Handwritten digits and a tower of sigmoid layers, through which no gradient passes."""
    import keras
    from sklearn.datasets import load_digits

    def build() -> Any:
        keras.utils.set_random_seed(seed)
        hidden = [keras.layers.Dense(64, activation="sigmoid") for _ in range(size)]
        ends = [keras.Input((64,)), keras.layers.Rescaling(1 / 16)], [keras.layers.Dense(10, activation="softmax")]
        network = keras.Sequential([*ends[0], *hidden, *ends[1]])
        network.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return network

    x, y = load_digits(return_X_y=True)
    return build, (x.astype("float32"), y), {"epochs": 15, "batch_size": 32}


def trials(size: int, seed: int) -> tuple[Callable[[], Any], tuple[Any, Any], dict[str, Any]]:
    """Labels drawn by lot: nothing helps, so that every trial is made."""
    import keras
    import numpy as np

    rng = np.random.default_rng(seed)

    def build() -> Any:
        keras.utils.set_random_seed(seed)
        hidden = [keras.layers.Dense(32, activation="relu") for _ in range(2)]
        network = keras.Sequential([keras.Input((20,)), *hidden, keras.layers.Dense(3, activation="softmax")])
        network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return network

    x = rng.normal(size=(600, 20)).astype("float32")
    return build, (x, rng.integers(3, size=600)), {"epochs": 5, "batch_size": 32}


@contextmanager
def searching_on(marks: list[float]) -> Iterator[None]:
    """Switch the search's own patience off, and note the peak of the memory after each training run."""
    from autofix.controller import Controller
    from autofix.hunt import Hunt

    record = Controller.record

    def noting(self: Controller, *arguments: Any) -> None:
        record(self, *arguments)
        marks.append(peak())

    patience = mock.patch("autofix.judge.PATIENCE", ENDLESS)
    near = mock.patch.object(Hunt, "is_near", False)  # a good candidate would end the search
    with patience, near, mock.patch.object(Controller, "record", noting):
        yield


def measure(kind: str, size: int, seed: int) -> dict[str, Any]:
    """Time the failing run, the repair, and the failing run again."""
    import keras
    import tensorflow  # noqa: F401 (what it costs is not the repair's)

    import autofix

    autofix.repair  # noqa: B018 (loaded when first asked for)
    imported = peak()
    build, data, fit = {"rows": rows, "depth": depth, "trials": trials}[kind](size, seed)

    def failing() -> float:
        model = build()
        began = time.perf_counter()
        model.fit(*data, verbose=0, **fit)
        took = time.perf_counter() - began
        keras.backend.clear_session()
        return took

    times = [] if kind == "trials" else [failing()]
    model, marks = build(), []
    began = time.perf_counter()
    if kind == "trials":
        with searching_on(marks):
            result = autofix.repair(model, data, budget=autofix.Budget(trials=size), seed=seed, **fit)
    else:
        result = autofix.repair(model, data, seed=seed, **fit)
    seconds = time.perf_counter() - began
    found = {"repair_s": seconds, "runs": len(result.trials), "run_s": seconds / len(result.trials)}
    found |= {"peak_mib": peak(), "above_import_mib": peak() - imported, "verdict": result.status}
    found |= {f"after_{count}_mib": marks[count - 1] for count in MARKS if count <= len(marks)}
    if times:
        times.append(failing())
        mean = sum(times) / len(times)
        found |= {"fit_s": mean, "ratio": seconds / mean}
    return found


def main(arguments: list[str]) -> int:
    """Measure, and leave the figures as JSON in the file named by the parent."""
    kind, size, seed, out = arguments
    try:
        found = measure(kind, int(size), int(seed))
    except Exception as error:
        traceback.print_exc()
        found = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    Path(out).write_text(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

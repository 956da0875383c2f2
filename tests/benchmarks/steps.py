"""Microseconds of a training step: plain `fit`, `fit` as fast as Keras makes it, the product's engine, the floor."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from typing import Any

from rich.console import Console

from .floor import compiled, multiply_adds
from .table import Bar, Report
from .timing import Spread, interleaved

REPETITIONS, QUICK_REPETITIONS = 11, 2
FIRST_REPETITIONS, QUICK_FIRST_REPETITIONS = 5, 1
FIRST_STEPS = 40
QUICK_SECONDS = 0.05
# How many times faster than plain `fit` a step has to be, and how near the floor.
LEAST_GAIN = {"mlp_6x64": 15.0, "lstm": 3.5, "cnn": 2.0}
LEAST_GAIN_OF_ANY = 1.0
MOST_OVER_FLOOR = {"mlp_large_sgd": 1.5}
# The engine adds about nothing to what TensorFlow's own kernels take, where the step is written out in them.
MOST_OVER_BARE = 1.1
COLUMNS = (
    "model", "fit us", "fit+xla us", "fused us", "engine", "floor us", "bare us", "fit / fused", "steps alone",
    "fit+xla / fused", "fused / floor", "first fit s", "first fused s", "first fit / fused",
)  # fmt: skip
NOTES = (
    "us: microseconds a step over epochs of 96 steps, batch 32, Adam unless said, without tracing; median "
    "[quartiles] over rounds in which all take turns. steps alone: fit / fused without what `fit` pays to begin and "
    "end an epoch.",
    "fit+xla: jit_compile=True, steps_per_execution=32. floor: the products of a step alone, by the faster of "
    "TensorFlow and XLA. bare: the whole step in TensorFlow's operations, without Keras (CNN alone). first: build, "
    "trace and train 40 steps.",
)


def chosen(patterns: Sequence[str]) -> list[Any]:
    """Return the models whose name matches one of the patterns."""
    from .models import MODELS

    return [model for model in MODELS if any(fnmatch(model.name, pattern) for pattern in patterns)]


def run(patterns: Sequence[str], quick: bool, console: Console) -> Report:
    """Time the chosen models."""
    report = Report("Microseconds per training step, batch 32", COLUMNS, notes=list(NOTES))
    for model in chosen(patterns):
        with console.status(f"steps: {model.name}"):
            figures = measure(model, quick)
        report.add(_cells(figures), figures)
        report.bars += _bars(figures)
    return report


def measure(model: Any, quick: bool) -> dict[str, Any]:
    """Time one model; returns spreads by name."""
    import keras

    from .bare import cnn
    from .contenders import EPOCH, Fit, Fused, first_fit, first_fused
    from .models import BATCH

    repetitions = QUICK_REPETITIONS if quick else REPETITIONS
    options = {"seconds": QUICK_SECONDS} if quick else {}
    fit, fused = Fit(model, **options), Fused(model, **options)
    floors = {f"floor {'xla' if xla else 'tf'}": _floor(model, xla) for xla in {False, model.xla}}
    contenders = {
        "fit": fit.seconds,
        "fit_xla": Fit(model, xla=True, **options).seconds,
        "fused": fused.seconds,
        **floors,
    }
    if model.name == "cnn":
        x, y = model.data(EPOCH * BATCH)
        contenders["bare"] = _long(cnn(fused.program.model.get_weights(), x, y))
    times = interleaved(contenders, repetitions)
    engine = fused.program.engine
    fused.close()
    del contenders
    firsts = interleaved(
        {
            "first_fit": lambda: first_fit(model, FIRST_STEPS),
            "first_fused": lambda: first_fused(model, FIRST_STEPS),
        },
        QUICK_FIRST_REPETITIONS if quick else FIRST_REPETITIONS,
        warm_up=0,
    )
    keras.backend.clear_session()
    gc.collect()
    best = min(floors, key=lambda name: Spread.of(times[name]).median)
    floor = times[best]
    return {
        "model": model.name,
        "engine": engine,
        "floor_by": best.removeprefix("floor "),
        "multiply_adds": multiply_adds(model.floor),
        "floor_gflops": 2e-9 * multiply_adds(model.floor) / Spread.of(floor).median,
        **{f"{name}_us": Spread.of([1e6 * t for t in times[name]]) for name in ("fit", "fit_xla", "fused")},
        "floor_us": Spread.of([1e6 * t for t in floor]),
        **(
            {
                "bare_us": Spread.of([1e6 * t for t in times["bare"]]),
                "fused_over_bare": Spread.of_ratio(times["fused"], times["bare"]),
            }
            if "bare" in times
            else {}
        ),
        "fit_over_fused": Spread.of_ratio(times["fit"], times["fused"]),
        "fit_alone_us": Spread.of([1e6 * t for t in fit.alone[-repetitions:]]),
        "alone_over_fused": Spread.of_ratio(fit.alone[-repetitions:], times["fused"]),
        "fit_xla_over_fused": Spread.of_ratio(times["fit_xla"], times["fused"]),
        "fused_over_floor": Spread.of_ratio(times["fused"], floor),
        **{f"{name}_s": Spread.of(values) for name, values in firsts.items()},
        "first_fit_over_fused": Spread.of_ratio(firsts["first_fit"], firsts["first_fused"]),
    }


def _floor(model: Any, xla: bool) -> Callable[[], float]:
    run = compiled(model.floor, xla=xla)

    def seconds(steps: int) -> float:
        began = time.perf_counter()
        run(steps)
        return (time.perf_counter() - began) / steps

    return _long(seconds)


def _long(seconds: Callable[[int], float]) -> Callable[[], float]:
    """Times as many steps of a loop as a measurement lasts."""
    from .contenders import EPOCH, epochs_for

    seconds(EPOCH)
    steps = EPOCH * epochs_for(EPOCH * seconds(EPOCH))
    return lambda: seconds(steps)


def _cells(figures: dict[str, Any]) -> list[str]:
    return [
        figures["model"],
        figures["fit_us"].show(0),
        figures["fit_xla_us"].show(0),
        figures["fused_us"].show(0),
        figures["engine"],
        f"{figures['floor_us'].show(1)} {figures['floor_by']}",
        figures["bare_us"].show(0) if "bare_us" in figures else "",
        figures["fit_over_fused"].show(1),
        figures["alone_over_fused"].show(1),
        figures["fit_xla_over_fused"].show(1),
        figures["fused_over_floor"].show(2),
        figures["first_fit_s"].show(2),
        figures["first_fused_s"].show(2),
        figures["first_fit_over_fused"].show(1),
    ]


def _bars(figures: dict[str, Any]) -> list[Bar]:
    name = figures["model"]
    gain = LEAST_GAIN.get(name, LEAST_GAIN_OF_ANY)
    bars = [Bar(f"{name}: fit / fused", figures["fit_over_fused"].median, ">=", gain)]
    if name in MOST_OVER_FLOOR:
        bars.append(Bar(f"{name}: fused / floor", figures["fused_over_floor"].median, "<=", MOST_OVER_FLOOR[name]))
    if "fused_over_bare" in figures:
        bars.append(Bar(f"{name}: fused / bare", figures["fused_over_bare"].median, "<=", MOST_OVER_BARE))
    bars.append(Bar(f"{name}: first epoch, fit / fused", figures["first_fit_over_fused"].median, ">=", 1.0))
    return bars

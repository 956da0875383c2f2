"""What looking costs: the engine with and without probes, and plain `fit` with and without `autofix.Watch`."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rich.console import Console

from .steps import chosen
from .table import Bar, Report
from .timing import Spread, bootstrap, interleaved

# The most that looking may add to a step.
MOST_OVERHEAD = {"fused": 0.03, "fit": 0.05}
# Programs compiled anew on either side, and measurements on each pair of them.
PAIRS, QUICK_PAIRS = 4, 1
REPETITIONS, QUICK_REPETITIONS = {"fused": 10, "fit": 8}, 2
# A measurement is one run from its first step: probes are dense at first and ever more rare later. It is as long as the
# runs that XLA is compiled for, in seconds and in steps at most.
SECONDS, STEPS = 1.0, 8192
COLUMNS = ("model", "loop", "without us", "with us", "overhead %", "95 % interval", "pairs")
NOTES = (
    "overhead: median of the paired ratios, minus one, of measurements that take turns; several pairs of programs are "
    "compiled anew for each row. interval: bootstrap over programs and measurements.",
    f"fused: runs of {SECONDS:g} s or {STEPS:,} steps from their first step. fit: with `autofix.Watch(data)`.",
)

Timed = Any


def run(patterns: Sequence[str], quick: bool, console: Console) -> Report:
    """Measure the chosen models."""
    report = Report("Cost of probes", COLUMNS, notes=list(NOTES))
    for model in chosen(patterns):
        for loop, pair in (("fused", _fused), ("fit", _fit)):
            name, most = f"{model.name}: overhead in {loop}", MOST_OVERHEAD[loop]
            try:
                with console.status(f"probes: {model.name}, {loop}"):
                    figures = measure(lambda pair=pair, model=model: pair(model), loop, quick)
            except Exception as error:  # one row that cannot be measured takes no other with it
                report.notes.append(f"{name} was not measured. {type(error).__name__}: {error}")
                report.bars.append(Bar(name, None, "<=", most))
                continue
            figures = {"model": model.name, "loop": loop, **figures}
            report.add(_cells(figures), figures)
            report.bars.append(Bar(name, figures["overhead"], "<=", most))
    return report


def measure(pair: Callable[[], tuple[Timed, Timed]], loop: str, quick: bool) -> dict[str, Any]:
    """Time pairs of programs, one without and one with probes."""
    import keras

    groups, plain, probed = [], [], []
    for number in range(QUICK_PAIRS if quick else PAIRS):
        without, watched = pair()
        sides = {"without": without.seconds, "with": watched.seconds}
        # The first of two programs is not always the faster one in memory: take turns in that, too.
        sides = sides if number % 2 == 0 else dict(reversed(sides.items()))
        times = interleaved(sides, QUICK_REPETITIONS if quick else REPETITIONS[loop])
        groups.append([b / a for a, b in zip(times["without"], times["with"], strict=True)])
        plain += times["without"]
        probed += times["with"]
        without.close()
        watched.close()
        del without, watched, sides
        keras.backend.clear_session()
        gc.collect()
    ratios = np.concatenate(groups)
    low, high = bootstrap(groups)
    return {
        "without_us": Spread.of([1e6 * t for t in plain]),
        "with_us": Spread.of([1e6 * t for t in probed]),
        "overhead": float(np.median(ratios)) - 1.0,
        "interval": (low - 1.0, high - 1.0),
        "pairs": len(ratios),
    }


def _fused(model: Any) -> tuple[Timed, Timed]:
    from .contenders import FusedRun

    return FusedRun.both(model, SECONDS, STEPS)


def _fit(model: Any) -> tuple[Timed, Timed]:
    from autofix import Watch

    from .contenders import BATCH, EPOCH, Fit

    # A dataset shows the watch no rows to look at the model on, so it is given some.
    rows = model.data(EPOCH * BATCH)
    without = Fit(model, endless=True, seconds=SECONDS)
    return without, Fit(model, endless=True, seconds=SECONDS, callbacks=lambda: [Watch(rows)])


def _cells(figures: dict[str, Any]) -> list[str]:
    low, high = figures["interval"]
    return [
        figures["model"],
        figures["loop"],
        figures["without_us"].show(1),
        figures["with_us"].show(1),
        f"{100 * figures['overhead']:+.1f}",
        f"{100 * low:+.1f} to {100 * high:+.1f}",
        str(figures["pairs"]),
    ]

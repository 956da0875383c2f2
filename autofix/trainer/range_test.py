"""The learning-rate range test (Smith 2017, arXiv:1506.01186)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from autofix.strategy import RangeTest

# From where nothing moves to where everything breaks, for any optimizer; 100 steps.
RATES = np.geomspace(1e-6, 10.0, 100)
# Weight of the past in the moving average of the losses.
SMOOTHING = 0.8
# Share of the whole fall of the loss at which it has begun to fall.
BEGINS = 0.1
# Steps of the short run that checks a candidate, the last of them counted; and the share of the fall of the loss by
# which another candidate has to be ahead of the usual one.
CHECK_STEPS, COUNTED, CLEARLY = 100, 20, 0.25
# The curve is over where the loss stands this many times above its best, on top of its start's own size.
DIVERGED = 2.0


def tested(losses: Callable[[np.ndarray], np.ndarray], usual: float) -> RangeTest:
    """Makes a range test, and short runs at the rates that it points to.

    Args:
        losses: Trains one step at each of the given rates, from the start; returns the losses, shorter where training
            broke off.
        usual: The optimizer's usual learning rate.
    """
    test = read_range(RATES, losses(RATES), usual)
    if len(test.candidates) < 2:
        return test
    ends = []
    for rate in test.candidates:
        run = losses(np.full(CHECK_STEPS, rate))
        ends.append(float(np.mean(run[-COUNTED:])) if len(run) == CHECK_STEPS else math.nan)
    return verified(test, ends)


def read_range(rates: np.ndarray, losses: np.ndarray, usual: float) -> RangeTest:
    """Finds the rates worth a run.

    No rule reads every curve well, so three are combined. First comes the rate at which the optimizer is usually
    used, moved into the range in which the curve falls if it is outside; then a tenth of the rate at which the
    smoothed loss is lowest; then the steepest fall of the smoothed loss over the logarithm of the rate.

    Args:
        rates: float array [steps], growing.
        losses: float array [steps] or shorter where training broke off.
        usual: The optimizer's usual learning rate.

    Returns:
        The curve up to its divergence and up to three candidates.
    """
    losses = losses[np.isfinite(losses)] if np.isfinite(losses).any() else losses[:0]
    if len(losses) < 10:
        return RangeTest(tuple(rates[: len(losses)]), tuple(losses.tolist()), ())
    smooth = _smoothed(losses)
    start = float(np.median(losses[:10]))
    best = np.minimum.accumulate(smooth)
    over = np.flatnonzero(smooth > best + (DIVERGED - 1.0) * abs(start))
    end = int(over[0]) if len(over) else len(smooth)
    smooth, used = smooth[:end], rates[:end]
    if end < 10 or start - smooth.min() <= 0.02 * abs(start):
        return RangeTest(tuple(used.tolist()), tuple(smooth.tolist()), ())
    lowest = int(np.argmin(smooth))
    slope = np.gradient(smooth, np.log(used))
    steepest = int(np.argmin(slope[: lowest + 1]))
    fallen = smooth <= start - BEGINS * (start - smooth.min())
    begin = used[int(np.argmax(fallen))] / 3.0
    raw = [float(np.clip(usual, min(begin, used[lowest] / 10.0), used[lowest] / 4.0)), used[lowest] / 10.0]
    raw.append(used[steepest])
    candidates: list[float] = []
    for value in raw:
        rounded = float(f"{value:.1g}")
        if all(abs(np.log(rounded / other)) > np.log(1.9) for other in candidates):
            candidates.append(rounded)
    return RangeTest(tuple(used.tolist()), tuple(smooth.tolist()), tuple(candidates))


def verified(test: RangeTest, losses: Sequence[float]) -> RangeTest:
    """Orders the candidates by short runs.

    Args:
        test: A test that was read.
        losses: Loss at the end of a short run at each candidate; NaN where it diverged.

    Returns:
        The same test without the candidates that diverge; the first one gives way to another only if that reaches a
        loss clearly below, because short runs flatter large rates.
    """
    order = [index for index, loss in enumerate(losses) if np.isfinite(loss)]
    if not order:
        return replace(test, candidates=(), checked=())
    fall = max(test.losses[0] - min(losses[index] for index in order), 0.0)
    best = min(order, key=lambda index: losses[index])
    if losses[order[0]] - losses[best] > CLEARLY * fall:
        order.sort(key=lambda index: losses[index])
    return replace(
        test,
        candidates=tuple(test.candidates[index] for index in order),
        checked=tuple(float(losses[index]) for index in order),
    )


def _smoothed(losses: np.ndarray) -> np.ndarray:
    average, out = 0.0, np.empty(len(losses))
    for index, loss in enumerate(losses):
        average = SMOOTHING * average + (1.0 - SMOOTHING) * float(loss)
        out[index] = average / (1.0 - SMOOTHING ** (index + 1))
    return out

"""EXTREME_LEARNING_RATE: a rate far outside the range in which the optimizer works.

What it sees:
    The highest rate of the optimizer or its schedule, against the range in which its family is used; for momentum the
    effective rate, rate / (1 - momentum); for adaptive optimizers also the longest way a weight can go in the run.

Why it stalls a run:
    Too high: steps leave the region in which the gradient says anything; units die, the loss jumps or turns NaN. Too
    low: an adaptive step moves a weight by at most about the rate, so steps x rate bounds the whole run; under the
    resolution of 32-bit floats nothing moves at all.

Likely causes:
    An exponent is wrong: 10 for 1e-1, 1e-10 for 1e-1.
    The rate was taken over from another optimizer: 0.1 suits SGD, not Adam.
    A schedule starts too high, or has decayed before the run begins to learn.
    A warm-up or a finetuning rate was left in place.

What treats it:
    A range test and a rate from its slope; more epochs only where the rate is merely small.

References:
    UMLAUT: above 0.01 or below 1e-7. DeepFD's programs: faults are two to three orders of magnitude off, so the ranges
    here are wide. Adam: Kingma and Ba 2015, section 2.1 (step bounded by the rate). Adadelta's paper uses 1.0, Keras'
    default is 0.001.
"""

from __future__ import annotations

import math
from dataclasses import replace

from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import clip, confirmed, numbers
from autofix.symptoms._program import learning_rate, optimizer, total_steps

# Lowest and highest rate in use, by optimizer. 0.001 is right for Adam within a factor of 50 on most tables and images.
RANGES = {
    "sgd": (1e-4, 2.0),
    "adagrad": (5e-4, 2.0),
    "adadelta": (0.05, 50.0),
    "ftrl": (5e-4, 5.0),
    "lion": (1e-6, 0.01),
    "muon": (1e-4, 0.5),
}
ADAPTIVE = (1e-5, 0.05)
# Optimizers whose step is about the rate, whatever the gradient.
BOUNDED_STEP = frozenset({"adam", "adamw", "nadam", "adamax", "rmsprop", "lion", "lamb"})
# Relative resolution of a 32-bit float times a usual weight of 0.05: smaller steps are rounded away.
RESOLUTION = 6e-8 * 0.05
# Furthest a weight may go in the whole run and still count as not moving: a tenth of a Glorot weight of 64 units.
REACH = 0.01
# Beyond the range: 0.45, and 0.2 for every decade; 0.9 is 200 times off.
LOWEST, PER_DECADE, HIGHEST = 0.45, 0.2, 0.9


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Compares the rate with the range of its optimizer and with the length of the run."""
    return tuple(replace(item, severity=confirmed(item.severity, evidence)) for item in _judge(evidence))


def _judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    name, config = optimizer(evidence.recipe)
    rate = learning_rate(evidence.recipe)
    if rate is None or not name:
        return ()
    label = config.get("name") or name
    if not math.isfinite(rate) or rate <= 0:
        return (_finding(1.0, f"The learning rate of {label} is {rate:g}.", rate, rate, (0.0, 0.0)),)
    low, high = RANGES.get(name, ADAPTIVE)
    momentum = config.get("momentum", 0.0) if name == "sgd" else 0.0
    momentum = float(momentum) if isinstance(momentum, int | float) and 0 <= momentum < 1 else 0.0
    effective = rate / (1 - momentum)
    shown = f"{rate:g}" if not momentum else f"{rate:g} with momentum {momentum:g} (effective {effective:.3g})"
    steps = total_steps(evidence.recipe, max(1, evidence.facts.rows[0]))[1]
    bounds = (low, high)
    if rate <= RESOLUTION:
        text = f"The learning rate of {label} is {shown}: its steps are below the resolution of 32-bit weights."
        return (_finding(0.95, text, rate, effective, bounds),)
    if effective > high:
        severity = clip(LOWEST + PER_DECADE * math.log10(effective / high), LOWEST, HIGHEST)
        text = f"The learning rate of {label} is {shown}; this optimizer is used between {low:g} and {high:g}."
        return (_finding(severity, text, rate, effective, bounds),)
    far = name in BOUNDED_STEP and rate < 10 * low and rate * steps < REACH
    if effective < low or far:
        severity = clip(LOWEST + PER_DECADE * math.log10(max(1.0, low / effective)), LOWEST, HIGHEST)
        text = f"The learning rate of {label} is {shown}; this optimizer is used between {low:g} and {high:g}"
        if far:
            severity = max(severity, 0.8)
            text += f". In all {steps:,} steps together a weight can move by {rate * steps:.2g} at most"
        return (_finding(severity, text + ".", rate, effective, bounds),)
    return ()


def _finding(severity: float, text: str, rate: float, effective: float, bounds: tuple[float, float]) -> Diagnosis:
    values = numbers(learning_rate=rate, effective=effective, low=bounds[0], high=bounds[1])
    return Diagnosis(Symptom.EXTREME_LEARNING_RATE, severity, 0.9, text, numbers=values)

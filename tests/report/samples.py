"""Results made by hand, of every kind that a report has to be right for. No training, no TensorFlow."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from autofix.change import Change, Patch
from autofix.confirm import Measured
from autofix.outcome import Outcome, Status
from autofix.predictions import Predictions
from autofix.result import RepairResult, Verdict
from autofix.strategy import RangeTest
from autofix.symptom import Diagnosis, Symptom
from autofix.trace import LayerReading, Trace
from tests.doubles import outcome, recipe

HOSTILE = '<script>alert("x")</script>'
MATH = r"$\frac{1}{</text><script>alert(1)</script>"
RATE = Change("compile/optimizer/learning_rate", 1e-7, 0.002, "learning_rate", "The loss fell by 0.", effect=0.31)
LAYERS = tuple(
    Change(f"layers/dense_{i}/activation", "sigmoid", "relu", "activation", "Gradients vanish.", effect=0.12)
    for i in range(3)
)
PATCH = Patch((*LAYERS, RATE))
FOUND = (
    Diagnosis(Symptom.VANISHING_GRADIENT, 0.9, 1.0, "The first layer gets 1e-9.", "layers/dense_0", 3),
    Diagnosis(Symptom.SLOW, 0.5, 0.8, "It fell by 0.001 in 40 steps.", causes=("The learning rate is too low.",)),
    Diagnosis(Symptom.UNSCALED_INPUTS, 0.1, 0.8, "Up to 16."),
)
VERSIONS = {"keras-autofix": "0.1", "tensorflow": "2.21.0", "keras": "3.15.1"}


def trace(layers: int = 3, steps: int = 60, *, stuck: bool = False, name: str = "layers/dense_", **more: Any) -> Trace:
    """What the probes might see of a run of so many layers."""
    rng = np.random.default_rng(layers + steps)
    loss = 2.3 + 0.01 * rng.normal(size=steps) if stuck else 2.3 * np.exp(-np.arange(steps) / steps * 4)
    looks = tuple(range(0, steps, max(1, steps // 20)))
    paths = [f"{name}{number}" for number in range(layers)]
    falls = 1e-1 if stuck else 0.9
    norms = {
        path: tuple(float(falls ** (layers - place) * (1 + 0.1 * rng.random())) for _ in looks)
        for place, path in enumerate(paths)
    }
    readings = tuple(
        LayerReading(path, steps, "relu", 0.1, 1.0, 0.5, 0.04 * (place % 9), 0.0, 3.0, 0.1)
        for place, path in enumerate(paths)
    )
    settings: dict[str, Any] = {
        "steps_per_epoch": 6,
        "epochs": steps / 6,
        "loss": tuple(map(float, loss)),
        "epoch_scores": tuple(0.1 if stuck else 0.9 - 0.8 / (1 + epoch) for epoch in range(steps // 6)),
        "scored_epochs": tuple(float(epoch + 1) for epoch in range(steps // 6)),
        "probe_steps": looks,
        "gradient_norms": norms,
        "last": readings,
    }
    return Trace(**{**settings, **more})


def confusion(classes: int, right: float, name: str = "dense") -> Predictions:
    """Predictions of so many classes, this share of which is right."""
    cells = [[0] * classes for _ in range(classes)]
    for true in range(classes):
        cells[true][true] += round(100 * right)
        cells[true][(true + 1) % classes] += 100 - round(100 * right)
    names = tuple(f"class {number}" for number in range(classes))
    return Predictions(name, 100 * classes, classes=names, counts=tuple(map(tuple, cells)))


def pairs(noise: float) -> Predictions:
    """True values, and predictions that are so far off."""
    rng = np.random.default_rng(0)
    true = rng.normal(100, 20, 80)
    said = true + noise * rng.normal(size=80)
    return Predictions("price", 80, pairs=tuple((float(a), float(b)) for a, b in zip(true, said, strict=True)))


def measured(values: tuple[float, ...], patch: Patch, *predictions: Predictions) -> Measured:
    """Scores of a proof."""
    runs = [
        outcome(value, patch, holdout=value, seed=101 + place, predictions=predictions)
        for place, value in enumerate(values)
    ]
    return Measured.of(runs, -1e6)


def parted(found: Measured) -> Measured:
    """The same scores as the means of three outputs: one worse, one as good, one better."""
    runs = []
    for run in found.outcomes:
        assert run.holdout is not None
        value = run.holdout.value
        runs.append(replace(run, holdout=replace(run.holdout, parts=(value - 0.05, value, value + 0.05))))
    return Measured.of(runs, -1e6)


def result(verdict: Verdict = Verdict.REPAIRED, **more: Any) -> RepairResult:
    """A classifier that was repaired, with all that a report shows; `more` replaces fields of the result."""
    before = measured((0.1, 0.1, 0.1), Patch(), confusion(4, 0.25))
    after = measured((0.9131, 0.9282, 0.9433), PATCH, confusion(4, 0.93))
    rates = tuple(10 ** (-6 + 6 * place / 39) for place in range(40))
    settings: dict[str, Any] = {
        "verdict": verdict,
        "model": None,
        "patch": PATCH,
        "diagnosis": FOUND,
        "before": before,
        "after": after,
        "control": None,
        "metric": "balanced_accuracy",
        "trials": (
            outcome(0.1, trace=trace(stuck=True), seconds=0.5, holdout=0.1),
            outcome(0.9, PATCH, trace=trace(), seconds=0.7),
            outcome(0.4, Patch((RATE,)), status=Status.PRUNED, seconds=0.1),
            *before.outcomes,
            *after.outcomes,
        ),
        "study": None,
        "recipe": recipe(),
        "classes": ("a", "b", "c", "d"),
        "range_test": RangeTest(rates, tuple(2.3 - 0.02 * place for place in range(40)), (0.002, 0.01)),
        "notes": ("only 50 rows: scores are averaged over 5 random splits",),
        "seconds": 12.34,
        "traces": 3,
        "versions": VERSIONS,
    }
    return RepairResult(**{**settings, **more})


def unchanged(verdict: Verdict) -> RepairResult:
    """A result without any change."""
    before = measured((0.1, 0.11, 0.12), Patch(), confusion(4, 0.25))
    trials = (outcome(0.1, trace=trace(stuck=True)), *before.outcomes)
    steps = ("Check that rows of x and y belong together.",)
    return result(verdict, patch=Patch(), before=before, after=None, trials=trials, next_steps=steps)


def bare() -> RepairResult:
    """A program that could not be trained at all: nothing was measured."""
    failed = outcome(None, status=Status.FAILED, error="ValueError: shapes do not fit")
    return result(
        Verdict.UNUSABLE, patch=Patch(), before=None, after=None, trials=(failed,), range_test=None, classes=None,
        diagnosis=(), versions={},
    )  # fmt: skip


def kept_weights() -> RepairResult:
    """A trained model whose weights were kept."""
    before = Measured.of([outcome(0.5, holdout=0.5, predictions=(confusion(2, 0.5),))], 0.0)
    after = Measured.of([outcome(1.0, PATCH, holdout=1.0, predictions=(confusion(2, 1.0),))], 0.0)
    trials = (*before.outcomes, *after.outcomes)
    return result(before=before, after=after, retrained=False, trials=trials, range_test=None)


def regression() -> RepairResult:
    """A regression whose loss was NaN, one seed of which fell to the floor of R2."""
    broken = trace(steps=20, stuck=True)
    loss = (*broken.loss[:7], math.nan)
    nan = trace(steps=20, stuck=True, loss=loss, non_finite_step=7, non_finite_origin="layer:layers/dense_1")
    before = measured((-0.02, -1e6, 0.0), Patch(), Predictions("price", 80, finite=False))
    patch = Patch(tuple(Change(c.path, c.before, c.after, c.strategy, c.why, effect=1e6) for c in PATCH))
    after = measured((0.91, 0.93, 0.92), patch, pairs(4.0))
    control = measured((0.4, 0.5, 0.6), Patch())
    trials = (outcome(-1e6, trace=nan), outcome(0.9, patch, trace=trace()), *before.outcomes, *after.outcomes)
    return result(metric="r2", classes=None, before=before, after=after, control=control, patch=patch, trials=trials)


def large() -> RepairResult:
    """30 classes, 40 layers, 200 runs, 40 changes in lines of their own."""
    changes = tuple(
        Change(f"layers/block_{n}/activation", "sigmoid", "relu", "activation", f"Reason {n}. " * 8, effect=0.01 * n)
        for n in range(40)
    )
    patch = Patch(changes)
    before = measured((0.03, 0.03, 0.04), Patch(), confusion(30, 0.03))
    after = measured((0.8, 0.81, 0.79), patch, confusion(30, 0.8))
    deep = trace(40, 6000, stuck=True, name="layers/block_with_a_long_name_")
    candidates = tuple(outcome(0.3 + 0.002 * n, Patch(changes[: 1 + n % 40]), seconds=1.0) for n in range(200))
    repaired = outcome(0.8, patch, trace=trace(40, 6000))
    trials = (outcome(0.03, trace=deep), *candidates, repaired, *before.outcomes, *after.outcomes)
    return result(patch=patch, before=before, after=after, trials=trials, diagnosis=FOUND * 8)


def several_outputs() -> RepairResult:
    """A model of three outputs: classes, labels, a quantity."""
    labels = Predictions("tags", 50, classes=("0", "1"), counts=((30, 5, 5, 10), (20, 10, 10, 10)), is_multilabel=True)
    before = parted(measured((0.1, 0.1, 0.1), Patch(), confusion(3, 0.3, "kind"), labels, pairs(40.0)))
    after = parted(measured((0.8, 0.82, 0.84), PATCH, confusion(3, 0.9, "kind"), labels, pairs(3.0)))
    trials = (outcome(0.1, trace=trace(stuck=True)), outcome(0.9, PATCH, trace=trace()))
    trials = (*trials, *before.outcomes, *after.outcomes)
    return result(metric="balanced_accuracy and r2", classes=None, before=before, after=after, trials=trials)


def hostile() -> RepairResult:
    """Names and texts that are code: of layers, classes, outputs, errors, findings, the metric."""
    change = Change(f"layers/{HOSTILE}/activation", HOSTILE, MATH, "activation", HOSTILE, effect=0.5)
    patch = Patch((change,))
    said = Predictions(HOSTILE, 4, classes=(HOSTILE, MATH), counts=((1, 1), (0, 2)))
    before = measured((0.1, 0.1), Patch(), said, said)
    after = measured((0.9, 0.8), patch, said, said)
    trials: tuple[Outcome, ...] = (
        outcome(0.1, trace=trace(stuck=True, name=MATH)),
        outcome(0.9, patch, trace=trace(name=HOSTILE)),
        outcome(None, patch, status=Status.FAILED, error=HOSTILE),
        *before.outcomes,
        *after.outcomes,
    )
    found = (Diagnosis(Symptom.SLOW, 0.9, 1.0, HOSTILE, HOSTILE, causes=(HOSTILE,)),)
    return result(
        patch=patch, metric=HOSTILE, before=before, after=after, trials=trials, diagnosis=found,
        classes=(HOSTILE, MATH), notes=(HOSTILE,), next_steps=(MATH,), versions={HOSTILE: HOSTILE},
    )  # fmt: skip


SAMPLES = {
    "repaired": result,
    "healthy": lambda: unchanged(Verdict.HEALTHY),
    "unrepaired": lambda: unchanged(Verdict.UNREPAIRED),
    "out_of_budget": lambda: unchanged(Verdict.OUT_OF_BUDGET),
    "unusable": bare,
    "kept_weights": kept_weights,
    "regression": regression,
    "large": large,
    "several_outputs": several_outputs,
    "hostile": hostile,
}

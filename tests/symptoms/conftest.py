"""Recipes, facts and traces written by hand: no TensorFlow anywhere in this folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autofix.facts import DataFacts, Encoding, InputFacts, TargetFacts, TaskKind
from autofix.frozen import FrozenDict
from autofix.recipe import Recipe
from autofix.recipe.document import FIT_DEFAULTS
from autofix.symptom import Diagnosis, Evidence, Rule, Symptom
from autofix.trace import LayerReading, PredictionReading, Trace

Layer = dict[str, Any]


def layer(class_name: str, name: str, **config: Any) -> Layer:
    return {"module": "keras.layers", "class_name": class_name, "config": {"name": name, "trainable": True, **config}}


def initializer(class_name: str, **config: Any) -> Layer:
    return {"module": "keras.initializers", "class_name": class_name, "config": config}


def dense(name: str, units: int, activation: str = "relu", **config: Any) -> Layer:
    defaults = {
        "kernel_initializer": initializer("GlorotUniform"),
        "bias_initializer": initializer("Zeros"),
        "kernel_regularizer": None,
    }
    return layer("Dense", name, units=units, activation=activation, **{**defaults, **config})


def optimizer(class_name: str, learning_rate: Any = 0.001, **config: Any) -> Layer:
    settings = {"name": class_name.lower(), "learning_rate": learning_rate, **config}
    return {"module": "keras.optimizers", "class_name": class_name, "config": settings}


def stack(
    shape: Sequence[int | None],
    *entries: Layer,
    compiled: Mapping[str, Any] | None = None,
    fit: Mapping[str, Any] | None = None,
) -> Recipe:
    """A Sequential model."""
    first = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, *shape], "name": "x"},
    }
    architecture = {"class_name": "Sequential", "config": {"name": "m", "trainable": True, "layers": [first, *entries]}}
    settings = {"optimizer": optimizer("Adam"), "loss": "sparse_categorical_crossentropy", **(compiled or {})}
    return Recipe(FrozenDict(architecture), FrozenDict(settings), FrozenDict({**FIT_DEFAULTS, **(fit or {})}))


def column(
    shape: tuple[int, ...] = (8,), *, mean: float = 0.0, std: float = 1.0, name: str = "x", **more: Any
) -> InputFacts:
    """An input; `feature_mean` and `feature_std` may be given feature by feature."""
    features = shape[-1] if shape else 1
    facts = InputFacts(
        name=name, shape=shape, dtype="float32", minimum=mean - 3 * std, maximum=mean + 3 * std, mean=mean, std=std,
        feature_mean=(mean,) * features, feature_std=(std,) * features, missing=0.0, missing_features=0,
        integral=False, constant=0, distinct=1000,
    )  # fmt: skip
    return replace(facts, **more)


def classes(*counts: int, encoding: Encoding = Encoding.INDEX, name: str = "y") -> TargetFacts:
    kind = TaskKind.BINARY if len(counts) == 2 else TaskKind.MULTICLASS
    return TargetFacts(
        name=name, shape=(), dtype="int64", kind=kind, encoding=encoding, classes=tuple(range(len(counts))),
        counts=counts, minimum=0.0, maximum=len(counts) - 1.0, mean=(), std=(), missing=0.0, reason="by hand",
    )  # fmt: skip


def quantity(
    mean: float | tuple[float, ...] = 0.0, std: float | tuple[float, ...] = 1.0, *, name: str = "y", **more: Any
) -> TargetFacts:
    """A quantity, or several when `mean` and `std` are tuples."""
    means = mean if isinstance(mean, tuple) else (mean,)
    stds = std if isinstance(std, tuple) else (std,)
    facts = TargetFacts(
        name=name, shape=(), dtype="float32", kind=TaskKind.REGRESSION, encoding=Encoding.VALUES, classes=(), counts=(),
        minimum=means[0] - 3 * stds[0], maximum=means[0] + 3 * stds[0], mean=means, std=stds, missing=0.0,
        reason="by hand",
    )  # fmt: skip
    return replace(facts, **more)


def data(*targets: TargetFacts, inputs: Sequence[InputFacts] = (), **more: Any) -> DataFacts:
    """800 training rows; a signal of 0.95 (classes) or 0.8 (quantities), a standard error of 0.02."""
    targets = targets or (classes(400, 400),)
    first = targets[0]
    chance = 0.0 if first.kind is TaskKind.REGRESSION else 1 / max(2, len(first.classes))
    signal = 0.8 if first.kind is TaskKind.REGRESSION else 0.95
    facts = DataFacts(
        rows=(800, 200, 200), inputs=tuple(inputs) or (column(),), targets=targets, sorted_labels=False, duplicates=0.0,
        signal=signal, chance=chance, noise=0.02, notes=(),
    )  # fmt: skip
    return replace(facts, **more)


def plain(**more: Any) -> Recipe:
    """A binary classifier with nothing wrong: 8 features, 32 and 16 ReLU units, a sigmoid."""
    settings = {"loss": "binary_crossentropy", **more.pop("compiled", {})}
    entries = (dense("hidden_1", 32), dense("hidden_2", 16), dense("output", 1, "sigmoid"))
    return stack((8,), *entries, compiled=settings, **more)


def evidence(
    recipe: Recipe | None = None,
    facts: DataFacts | None = None,
    trace: Trace | None = None,
    score: float | None = None,
    **more: Any,
) -> Evidence:
    recipe = plain() if recipe is None else recipe
    facts = data() if facts is None else facts
    shapes = tuple(item.shape for item in facts.inputs)
    outputs = tuple((len(target.classes) if len(target.classes) > 2 else 1,) for target in facts.targets)
    given = {"input_shapes": shapes, "output_shapes": outputs, **more}
    return Evidence(recipe, facts, trace=trace, score=score, **given)


def falling(
    steps: int = 200, *, start: float = 0.7, end: float = 0.1, noise: float = 0.05, speed: float = 5.0, seed: int = 0
) -> tuple[float, ...]:
    """An exponential loss curve with noise that shrinks with the loss."""
    rng = np.random.default_rng(seed)
    clean = end + (start - end) * np.exp(-speed * np.arange(steps) / steps)
    return tuple((clean * (1 + noise * rng.standard_normal(steps))).tolist())


def flat(steps: int = 200, *, level: float = 0.69, noise: float = 0.03, seed: int = 0) -> tuple[float, ...]:
    """A loss that goes nowhere."""
    return tuple((level + noise * np.random.default_rng(seed).standard_normal(steps)).tolist())


def run(loss: Sequence[float], *, steps_per_epoch: int = 20, scores: Sequence[float] = (), **more: Any) -> Trace:
    """A trace of a run that went through `hidden_1`, `hidden_2` and `output` with usual gradients."""
    epochs = len(loss) / steps_per_epoch
    names = ("layers/hidden_1", "layers/hidden_2", "layers/output")
    settings: dict[str, Any] = {
        "steps_per_epoch": steps_per_epoch, "epochs": epochs, "planned_epochs": max(1, round(epochs)),
        "loss": tuple(loss), "epoch_scores": tuple(scores),
        "scored_epochs": tuple(epochs * (index + 1) / len(scores) for index in range(len(scores))),
        "probe_steps": tuple(range(0, len(loss), 10)),
        "gradient_norms": {name: (0.3,) * len(range(0, len(loss), 10)) for name in names},
        "gradient_norm": (0.5,) * len(range(0, len(loss), 10)),
        "weight_change": dict.fromkeys(names, 0.4), "update_ratio": dict.fromkeys(names, 2e-3),
        "learning_rate": 1e-3, "trainable": 900,
    }  # fmt: skip
    return Trace(**{**settings, **more})


def reading(name: str = "hidden_1", activation: str = "relu", *, step: int = 200, **more: Any) -> LayerReading:
    values = {
        "mean": 0.4,
        "std": 0.6,
        "spread": 0.5,
        "dead": 0.1,
        "saturated": 0.1,
        "weight_norm": 5.0,
        "weight_std": 0.2,
    }
    return LayerReading(layer=f"layers/{name}", step=step, activation=activation, **{**values, **more})


def predictions(constant: float = 0.5, recalls: tuple[float, ...] = (), **more: Any) -> PredictionReading:
    values = {"spread": 0.3, "minimum": 0.0, "maximum": 1.0, **more}
    return PredictionReading(constant=constant, recalls=recalls, **values)


@pytest.fixture
def finds() -> Callable[[Rule, Evidence, Symptom], Diagnosis]:
    """The one finding of a symptom, which must be there and sound."""

    def find(judge: Rule, given: Evidence, symptom: Symptom) -> Diagnosis:
        found = [item for item in judge(given) if item.symptom is symptom]
        assert found, f"{symptom.name} was not found"
        assert judge(given) == judge(given)
        for item in found:
            assert 0 < item.severity <= 1
            assert 0 < item.certainty <= 1
            assert item.evidence.endswith((".", "."))
        return found[0]

    return find

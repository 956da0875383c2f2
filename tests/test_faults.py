"""What goes wrong is told: a bad call at once, a bad trial or probe as a note, never a traceback from inside."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar, final

import keras
import numpy as np
import pandas as pd
import pytest

import autofix
from autofix import FixYourCall, FixYourData, FixYourModel
from autofix.change import Change, Patch
from autofix.registry import strategies as registered
from autofix.strategy import Strategy
from autofix.symptom import Symptom
from autofix.trainer import Trainer
from autofix.yardstick import Yardstick
from tests import programs
from tests.programs import QUICK, TINY_RATE, blobs, mlp

L = keras.layers


@pytest.fixture(autouse=True)
def no_full_collection(monkeypatch):
    """Looking through all of TensorFlow's objects after each test takes longer than the test."""
    monkeypatch.setattr("autofix.trainer.store.gc", SimpleNamespace(collect=lambda: 0))


@pytest.fixture(autouse=True)
def seeded():
    """Models draw their weights from the global generators."""
    keras.utils.set_random_seed(3)


FAST: dict[str, Any] = {"epochs": 2, "batch_size": 32, "budget": autofix.Budget(trials=1), "progress": False}


@pytest.fixture
def no_yardstick(monkeypatch):
    monkeypatch.setattr("autofix.yardstick.measure", lambda data, targets, seed: Yardstick(None, 0.33, 0.0))


def table(rows: int = 80, columns: int = 4) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, columns)).astype("float32")


def kinds(rows: int = 80, count: int = 3) -> np.ndarray:
    return np.arange(rows) % count


# ------------------------------------------------------------------------------------------------- a bad call


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"epochs": 0}, ["epochs", "0"]),
        ({"epochs": -3}, ["epochs", "-3"]),
        ({"epochs": 2.5}, ["epochs", "2.5"]),
        ({"epochs": "ten"}, ["epochs", "ten"]),
        ({"batch_size": 0}, ["batch_size", "0"]),
        ({"batch_size": True}, ["batch_size", "True"]),
        ({"budget": "fast"}, ["budget", "fast"]),
        ({"budget": -1}, ["budget", "-1"]),
        ({"budget": 0}, ["budget", "0"]),
        ({"budget": None}, ["budget", "None"]),
        ({"strategies": ["learning_rat"]}, ["learning_rat", "Did you mean 'learning_rate'"]),
        ({"strategies": "learning_rate"}, ["strategies", "['learning_rate']"]),
        ({"strategies": ["epochs", "epochs"]}, ["once", "epochs"]),
        ({"metric": "f1_makro"}, ["metric", "f1_makro", "Did you mean 'f1_macro'"]),
        ({"metric": 3}, ["metric", "3"]),
        ({"weights": "kept"}, ["weights", "kept", "keep"]),
        ({"class_weight": {"a": "heavy"}}, ["class_weight", "heavy"]),
        ({"class_weight": 3.0}, ["class_weight", "3.0"]),
        ({"class_weight": "balanced"}, ["class_weight", "balanced"]),
        ({"shuffle": "no"}, ["shuffle", "no"]),
        ({"target": "high"}, ["target", "high"]),
        ({"seed": -1}, ["seed", "-1"]),
        ({"seed": "one"}, ["seed", "one"]),
        ({"progress": "loud"}, ["progress", "loud"]),
    ],
    ids=str,
)
def test_bad_argument(settings, says, no_yardstick):
    with pytest.raises(FixYourCall) as caught:
        autofix.repair(mlp(), (table(), kinds()), **{**FAST, **settings})
    for word in says:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "settings", [{"epochs": 0}, {"metric": "f1_makro"}, {"weights": "kept"}, {"seed": -1}], ids=str
)
def test_bad_argument_of_diagnose(settings, no_yardstick):
    with pytest.raises(FixYourCall):
        autofix.diagnose(mlp(), (table(), kinds()), progress=False, **settings)


def test_metric_that_does_not_suit_the_task(no_yardstick):
    with pytest.raises(FixYourCall, match="f1_macro"):
        autofix.repair(mlp(1, "linear", "mse"), (table(), table()[:, 0]), metric="f1_macro", **FAST)


def test_metric_that_raises(no_yardstick):
    def broken(true, predicted):
        raise ZeroDivisionError("in my metric")

    with pytest.raises(FixYourCall, match="in my metric"):
        autofix.repair(mlp(), (table(), kinds()), metric=broken, **FAST)


# ------------------------------------------------------------------------------------------------- bad data


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ((table(80), kinds(79)), ["80", "79"]),
        ((table(0), kinds(0)), ["0 rows"]),
        ((np.full((80, 4), "x"), kinds()), ["numbers", "x"]),
        ((pd.DataFrame({"a": ["x"] * 80, "b": 1.0, "c": 1.0, "d": 1.0}), kinds()), ["a", "numbers"]),
        ((table(), kinds(), np.full(80, np.nan)), ["sample_weight"]),
        ((table(), kinds(), np.ones(79)), ["80", "79", "sample_weight"]),
        ((table(), np.full(80, np.nan)), ["NaN"]),
        (([table(), table()], kinds()), ["input"]),
        (None, ["None"]),
        ("data.csv", ["data.csv"]),
        (7, ["7"]),
        ((table(), kinds(), np.ones(80), None), ["tuple of 4"]),
    ],
    ids=[
        "lengths", "empty", "text", "text column", "nan weights", "few weights", "nan targets",
        "two inputs", "none", "a path", "a number", "four parts",
    ],
)  # fmt: skip
def test_bad_data(data, says):
    with pytest.raises(FixYourData) as caught:
        autofix.repair(mlp(), data, **FAST)
    for word in says:
        assert word in str(caught.value)


def test_missing_input_of_two():
    model = programs.two_inputs()[0]
    with pytest.raises(FixYourData, match="left"):
        autofix.repair(model, ({"lift": table(80, 2), "right": table(80, 2)}, kinds()), **FAST)


def test_validation_data_of_another_shape():
    with pytest.raises(FixYourData, match="validation_data"):
        autofix.repair(mlp(), (table(), kinds()), validation_data=(table(80, 3), kinds()), **FAST)


# ------------------------------------------------------------------------------------------------- a bad model


def test_model_that_is_not_compiled():
    with pytest.raises(FixYourModel, match="compile"):
        autofix.repair(keras.Sequential([keras.Input((4,)), L.Dense(3)]), (table(), kinds()), **FAST)


@pytest.mark.parametrize(
    "model",
    [None, "model.keras", 3, lambda: None, lambda: "model"],
    ids=["None", "path", "number", "builds None", "builds text"],
)
def test_something_that_is_no_model(model):
    with pytest.raises(FixYourModel, match="Received"):
        autofix.repair(model, (table(), kinds()), **FAST)


def test_function_that_raises_does_so_in_its_own_words():
    def build():
        raise KeyError("units")

    with pytest.raises(KeyError, match="units"):
        autofix.repair(build, (table(), kinds()), **FAST)


def test_model_that_cannot_be_written_down():
    """Not a graph and without `get_config`: the way out is a function that builds it."""
    model = programs.Closed([L.Dense(8), L.Dense(3, "softmax")])
    model(table()[:2])
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(FixYourModel, match="function"):
        autofix.repair(model, (table(), kinds()), **FAST)


# ------------------------------------------------------------------------- odd but usable, or told to be unusable


class Raising(L.Layer):
    """Builds, and fails as soon as it is called for real."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if training:
            raise RuntimeError("the hamster is out of its wheel")
        return inputs


def test_layer_that_raises_in_training():
    model = keras.Sequential([keras.Input((4,)), Raising(), L.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    result = autofix.repair(model, (table(), kinds()), strategies=["learning_rate", "epochs"], **FAST)
    assert result.status == "unusable"
    assert result.model is model
    assert result.changes == ()
    assert "the hamster is out of its wheel" in str(result)
    assert all("Traceback" not in note for note in result.notes)


def test_loss_that_raises():
    def loss(y_true, y_pred):
        raise RuntimeError("no such column")

    model = mlp(loss=loss)
    result = autofix.repair(model, (table(), kinds()), strategies=["learning_rate"], **FAST)
    assert result.status == "unusable"
    assert "no such column" in str(result)


def absolute(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)


def test_custom_loss():
    x = blobs()[0][0]
    model = mlp(1, "linear", absolute, TINY_RATE)
    result = autofix.repair(
        model, (x, x.sum(axis=1) / 4), validation_data=(x, x.sum(axis=1) / 4), progress=False, **{**QUICK, "epochs": 40}
    )
    assert result.status in ("repaired", "improved")
    assert result.model.loss is absolute or "absolute" in str(result.model.get_compile_config()["loss"])
    assert np.isfinite(result.model.evaluate(x, x.sum(axis=1) / 4, verbose=0))


def test_lambda_layer():
    """Its code is the user's own, in memory: nothing is loaded, so it may be used."""
    model = keras.Sequential(
        [keras.Input((4,)), L.Lambda(lambda x: x * 2.0, output_shape=(4,)), L.Dense(32, "tanh"), L.Dense(3, "softmax")]
    )
    model.compile(keras.optimizers.Adam(TINY_RATE), "sparse_categorical_crossentropy")
    (x, y), apart = blobs()
    result = autofix.repair(model, (x, y), validation_data=apart, progress=False, **QUICK)
    assert result.status in ("repaired", "improved")
    assert result.model.predict(x, verbose=0).shape == (120, 3)


class Scale(L.Layer):
    """A layer without `get_config` for its argument."""

    def __init__(self, factor: np.ndarray) -> None:
        super().__init__()
        self.factor = factor

    def call(self, inputs: Any) -> Any:
        return self.factor * inputs


def test_layer_that_cannot_be_written_down():
    model = keras.Sequential([keras.Input((4,)), Scale(np.ones(4)), L.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(FixYourModel) as caught:
        autofix.repair(model, (table(), kinds()), **FAST)
    assert "get_config" in str(caught.value)


def test_class_with_a_single_row():
    y = kinds(80, 2)
    y[7] = 2
    result = autofix.repair(mlp(), (table(), y), strategies=["learning_rate"], **FAST)
    assert result.status in ("healthy", "unrepaired", "improved", "repaired")
    assert any("single row" in note for note in result.notes)


def test_column_without_a_value():
    """All NaN: nothing can be filled in from, and still it must not end in NaN."""
    (x, y), (xv, yv) = blobs()
    x, xv = x.copy(), xv.copy()
    x[:, 2] = xv[:, 2] = np.nan
    result = autofix.repair(
        mlp(rate=0.02), (x, y), validation_data=(xv, yv), strategies=["missing_values"],
        epochs=25, batch_size=16, budget=autofix.Budget(trials=2), progress=False,
    )  # fmt: skip
    assert result.status in ("repaired", "improved")
    assert np.isfinite(result.model.predict(x, verbose=0)).all()


@pytest.mark.parametrize("shape", [(16,), (4, 4)], ids=str)
def test_flat_or_unchanneled_pictures_for_a_convolution(shape):
    """Exactly one sensible reading: either it is put right or it is told, in any case before Keras raises."""
    rng = np.random.default_rng(0)
    y = np.arange(160) % 2
    x = (rng.normal(size=(160, 4, 4, 1)) + 2.0 * y[:, None, None, None]).astype("float32")
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), L.Conv2D(8, 3, activation="relu"), L.Flatten(), L.Dense(1, "sigmoid")]
    )
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    result = autofix.repair(
        model, (x.reshape(160, *shape), y), epochs=10, batch_size=16, budget=autofix.Budget(trials=2), progress=False
    )
    assert result.status in ("repaired", "healthy")
    assert result.model.predict(x.reshape(160, *shape), verbose=0).shape == (160, 1)


@pytest.mark.parametrize(("wanted", "came"), [((5, 3), (7,)), ((4,), (5,)), ((8, 8, 3), (8, 8))], ids=str)
def test_shape_that_no_reshape_fixes(wanted, came):
    model = keras.Sequential([keras.Input(wanted), L.Flatten(), L.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy")
    x = np.random.default_rng(0).normal(size=(80, *came)).astype("float32")
    try:
        said = ""
        result = autofix.repair(model, (x, kinds(80, 2)), **FAST)
    except FixYourData as error:
        said = str(error)
    else:
        assert result.status == "unusable"
        assert result.model is model
        said = str(result)
    assert str(wanted) in said
    assert str(came) in said


def test_targets_that_fit_no_output():
    """Two columns of quantities for a head of one: Keras would say it in its own words."""
    x = blobs()[0][0]
    result = autofix.repair(
        mlp(1, "linear", "mse"), (x, np.stack([x[:, 0], x[:, 1], x[:, 2]], axis=1)),
        strategies=["learning_rate"], **FAST,
    )  # fmt: skip
    assert result.status in ("unrepaired", "unusable", "improved")
    assert Symptom.HEAD_MISMATCH in {item.symptom for item in result.diagnosis}


# ------------------------------------------------------------------------------------------------- from inside


@final
@dataclass(frozen=True)
class Bad(Strategy):
    name: ClassVar[str] = "bad"
    treats: ClassVar[frozenset[Symptom]] = frozenset(Symptom)

    def guess(self, case):
        raise RuntimeError("this strategy fell over")

    suggest = guess


@final
@dataclass(frozen=True)
class Stale(Strategy):
    name: ClassVar[str] = "bad"
    treats: ClassVar[frozenset[Symptom]] = frozenset(Symptom)

    def guess(self, case):
        return Patch((Change("fit/epochs", -1, 9, "bad", "because"),))

    def suggest(self, trial, case):
        return self.guess(case)


@pytest.mark.parametrize("strategy", [Bad(), Stale()], ids=["raises", "stale"])
def test_strategy_that_fails_is_noted_and_left_out(strategy, monkeypatch, no_yardstick):
    monkeypatch.setattr("autofix.api.registered", lambda names: (strategy, *registered(["learning_rate"])))
    (x, y), apart = blobs()
    settings = {**QUICK, "budget": autofix.Budget(trials=3)}
    result = autofix.repair(mlp(rate=TINY_RATE), (x, y), validation_data=apart, progress=False, **settings)
    assert result.status == "repaired"
    assert {change.strategy for change in result.changes} == {"learning_rate"}
    assert any(note.startswith("strategy bad failed") for note in result.notes)


def raises(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("this probe fell over")


PROBES = {
    "autofix.probes.activations.Activations.measure": "layer outputs",
    "autofix.trainer.tracing.Tracer._penalty": "penalty",
    "autofix.trainer.tracing.Tracer._rate": "learning rate",
    "autofix.probes.predictions.Predictions.measure": "predictions",
    "autofix.probes.weights.Weights.measure": "weights",
}


@pytest.mark.parametrize("places", [list(PROBES)[:1], list(PROBES)], ids=["one", "all"])
def test_probes_that_fail_are_notes(places, monkeypatch, no_yardstick):
    for place in places:
        monkeypatch.setattr(place, raises)
    (x, y), apart = blobs()
    result = autofix.repair(mlp(rate=TINY_RATE), (x, y), validation_data=apart, progress=False, **QUICK)
    assert result.status == "repaired"
    notes = [note for note in result.notes if note.startswith("not measured")]
    for place in places:
        assert any(PROBES[place] in note for note in notes)
    assert len(notes) == len(places)


def test_rule_that_fails_is_a_note(monkeypatch, no_yardstick):
    from autofix import controller

    monkeypatch.setattr(controller, "TRACE", (*controller.TRACE, raises))
    (x, y), apart = blobs()
    result = autofix.repair(mlp(rate=TINY_RATE), (x, y), validation_data=apart, progress=False, **QUICK)
    assert result.status == "repaired"
    assert any(note.startswith("not measured") for note in result.notes)


def interrupting(after: int, plain: Callable[..., Any]) -> Callable[..., Any]:
    """A `Trainer.run` during which Ctrl-C is pressed once."""
    count = iter(range(10**6))

    def run(self: Trainer, *args: Any, **kwargs: Any) -> Any:
        if next(count) == after:
            raise KeyboardInterrupt
        return plain(self, *args, **kwargs)

    return run


@pytest.mark.parametrize("after", [0, 1, 2, 4], ids=["baseline", "search", "minimising", "proof"])
def test_ctrl_c_ends_with_a_result(after, monkeypatch, no_yardstick):
    (x, y), apart = blobs()
    model = mlp(rate=TINY_RATE)
    before = programs.snapshot(model, (x, y))
    monkeypatch.setattr(Trainer, "run", interrupting(after, Trainer.run))
    began = time.monotonic()
    result = autofix.repair(model, (x, y), validation_data=apart, progress=False, **QUICK)
    assert time.monotonic() - began < 20
    assert result.status == "out_of_budget"
    assert result.model is model
    assert result.changes == ()
    assert len(result.trials) <= after  # a run that is known already is not counted again
    assert "interrupted by the user" in result.notes
    assert "interrupted" in str(result)
    assert programs.differences(before, programs.snapshot(model, (x, y))) == []


def test_ctrl_c_is_served_within_two_seconds(monkeypatch, no_yardstick):
    """From the key to the result, in the middle of a long run."""
    import _thread
    import threading

    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.monotonic())
        _thread.interrupt_main()

    (x, y), apart = blobs()
    plain = Trainer.run

    def run(self: Trainer, *args: Any, **kwargs: Any) -> Any:
        if not pressed:
            threading.Timer(1.5, press).start()
        return plain(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "run", run)
    settings = {**QUICK, "epochs": 100_000}
    result = autofix.repair(mlp(rate=TINY_RATE), (x, y), validation_data=apart, progress=False, **settings)
    ended = time.monotonic()
    assert result.status == "out_of_budget"
    assert ended - pressed[0] < 4  # 2 on a machine that does nothing else


def test_ctrl_c_while_reading_the_data_is_not_swallowed(monkeypatch):
    def interrupted(*args: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("autofix.yardstick.measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        autofix.repair(mlp(), (table(), kinds()), **FAST)


def test_diverging_run_is_repaired_not_raised():
    (x, _), apart = blobs()
    model = mlp(1, "linear", "mse")
    model.compile(keras.optimizers.SGD(1e6), "mse")
    result = autofix.repair(
        model, (x, x.sum(axis=1)), validation_data=(apart[0], apart[0].sum(axis=1)), progress=False, **QUICK
    )
    assert Symptom.NON_FINITE_LOSS in {item.symptom for item in result.diagnosis}
    assert result.status in ("repaired", "improved")
    assert np.isfinite(result.model.predict(x, verbose=0)).all()
    assert any(outcome.status.name == "DIVERGED" for outcome in result.trials)
    json.dumps(result.to_dict(), allow_nan=False)

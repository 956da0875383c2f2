"""`repair(watch=...)`: what a `Watch` saw is not run again, unless it does not tell enough."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import autofix
from autofix.errors import FixYourCall
from autofix.live.handover import refusal
from autofix.session import prepare
from autofix.symptom import Symptom
from autofix.trainer import Trainer
from autofix.trainer.start import is_pretrained
from tests import programs
from tests.quality.cases import discover
from tests.test_watch import network

L = keras.layers
# Keras' own use of NumPy 1 where a callback sets the learning rate.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
QUICK = {
    "strategies": ["output_layer", "initializer", "learning_rate"],
    "budget": autofix.Budget(trials=2),
    "progress": False,
}
SAME = "was not made again"


def data(rows=480):
    """Three clusters, and rows of them that are set apart."""
    rng = np.random.default_rng(2)
    y = rng.integers(0, 3, rows)
    x = (rng.normal(size=(rows, 8)) + 3.0 * np.eye(8)[y]).astype("float32")
    return (x[:320], y[:320]), (x[320:], y[320:])


def dead():
    """Born dead: every row gives the same prediction."""
    return network(L.Dense(16, "relu", bias_initializer=keras.initializers.Constant(-50.0), name="hidden"))


@pytest.fixture
def runs(monkeypatch):
    """The runs that the trainer is asked for: whether something is changed, the seed, whether it is for the proof."""
    made = []
    run = Trainer.run

    def counted(self, recipe, patch, **settings):
        proof = settings.get("whole", False) or settings.get("refit", False)
        made.append((bool(patch), settings.get("seed", 0), proof))
        return run(self, recipe, patch, **settings)

    monkeypatch.setattr(Trainer, "run", counted)
    return made


def watched(model, rows, epochs=3, **settings):
    watch = autofix.Watch(log=False)
    model.fit(*rows, epochs=epochs, verbose=0, callbacks=[watch, *settings.pop("callbacks", ())], **settings)
    return watch


def baselines(runs):
    return [made for made in runs if made == (False, 0, False)]


def notes(result):
    return " ".join(result.notes)


def test_a_broken_run_is_not_made_again(runs):
    own, _ = data()
    without = autofix.repair(dead(), own, epochs=8, **QUICK)
    assert len(baselines(runs)) == 1
    runs.clear()
    model = dead()
    watch = watched(model, own, 8)
    before = [value.tobytes() for value in model.get_weights()]
    result = autofix.repair(model, own, watch=watch, **QUICK)
    assert baselines(runs) == []
    assert result.status == without.status == "repaired"
    assert SAME in notes(result)
    assert SAME not in notes(without)
    assert {change.path for change in result.changes} == {change.path for change in without.changes}
    assert Symptom.DEAD_UNITS in {item.symptom for item in result.diagnosis}
    (seen,) = [trial for trial in result.trials if trial.engine == "fit"]
    assert seen.steps == watch.trace.steps
    # The proof is made with fresh seeds all the same, of both programs.
    proof = {(changed, seed) for changed, seed, is_proof in runs if is_proof}
    assert {(False, 101), (True, 101), (False, 102), (True, 102)} <= proof
    assert [value.tobytes() for value in model.get_weights()] == before


def test_a_run_that_diverged_is_not_made_again(runs):
    own, _ = data()
    model = network(L.Dense(16, "relu"), L.BatchNormalization(), optimizer=keras.optimizers.SGD(1e30))
    watch = watched(model, own, 2)
    assert watch.trace.non_finite_step is not None
    result = autofix.repair(model, own, watch=watch, **QUICK)
    assert baselines(runs) == []
    assert result.status == "repaired"
    assert np.isfinite(result.model.predict(own[0], verbose=0)).all()


def test_a_healthy_run_is_left_alone(runs):
    own, apart = data()
    model = network()
    watch = watched(model, own, 8)
    before = [value.tobytes() for value in model.get_weights()]
    result = autofix.repair(model, own, validation_data=apart, watch=watch, **QUICK)
    assert result.status == "healthy"
    assert result.model is model
    assert runs == []
    assert len(result.trials) == 1
    assert SAME in notes(result)
    assert [value.tobytes() for value in model.get_weights()] == before


def test_a_good_score_on_rows_it_was_trained_on_proves_nothing(runs):
    own, _ = data()
    model = network()
    watch = watched(model, own, 8)
    result = autofix.repair(model, own, watch=watch, **QUICK)
    assert result.status == "healthy"
    assert len(baselines(runs)) == 1
    assert "pass `validation_data`" in notes(result)


def test_a_run_that_knows_its_rows_by_heart_is_no_healthy_one():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, 8)).astype("float32"), rng.integers(0, 3, 120)
    model = network(64, 64)
    watch = watched(model, (x, y), 60)
    assert model.evaluate(x, y, verbose=0)[1] > 0.9
    result = autofix.repair(model, (x, y), watch=watch, **{**QUICK, "budget": autofix.Budget(trials=1)})
    assert result.status != "healthy"


def test_settings_of_the_watched_fit_hold():
    own, _ = data()
    model = dead()
    watch = watched(model, own, 2, batch_size=16, class_weight={0: 1.0, 1: 2.0, 2: 1.0})
    result = autofix.repair(model, own, watch=watch, **QUICK)
    assert (result.recipe.fit["epochs"], result.recipe.fit["batch_size"]) == (2, 16)
    assert result.recipe.fit["class_weight"] == {"0": 1.0, "1": 2.0, "2": 1.0}
    assert SAME in notes(result)


def test_the_learning_rate_is_that_of_the_beginning():
    """A callback had lowered it to nothing by the end, which is not what is wrong."""
    own, _ = data()
    model = dead()
    lower = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.01 * 1e-4**epoch)
    watch = watched(model, own, 3, callbacks=[lower])
    assert float(model.optimizer.learning_rate) < 1e-9
    result = autofix.repair(model, own, watch=watch, **QUICK)
    assert result.recipe.get("compile/optimizer/learning_rate") == pytest.approx(0.01)
    assert Symptom.EXTREME_LEARNING_RATE not in {item.symptom for item in result.diagnosis}
    assert SAME in notes(result)


def test_a_contract_fix_keeps_the_weights_of_a_watched_run(runs):
    x, y = programs.iris(2)
    model = programs.mlp(1, "softmax", "binary_crossentropy")
    with pytest.warns(UserWarning, match="softmax"):
        watch = watched(model, (x, y), 60)
    result = autofix.repair(model, (x, y), watch=watch, **QUICK)
    assert result.status == "repaired"
    assert not result.retrained
    assert runs == []


def frozen_and_dead():
    model = dead()
    base = L.Dense(8, "tanh", name="base")
    inputs = keras.Input((8,))
    grown = keras.Model(inputs, model.layers[1](model.layers[0](base(inputs))))
    base.trainable = False
    grown.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    return grown


def test_frozen_layers_keep_their_weights(runs):
    own, _ = data()
    model = frozen_and_dead()
    watch = watched(model, own)
    result = autofix.repair(model, own, watch=watch, **QUICK)
    assert baselines(runs) == []
    assert result.status in ("repaired", "improved")
    for mine, value in zip(
        model.get_layer("base").get_weights(), result.model.get_layer("base").get_weights(), strict=True
    ):
        assert mine.tobytes() == value.tobytes()


def never(model, own):
    return autofix.Watch(), {}


def another(model, own):
    return watched(network(8), own), {}


def trained_on(model, own):
    watch = watched(model, own)
    model.fit(*own, verbose=0)
    return watch, {}


def continued(model, own):
    model.fit(*own, verbose=0)
    return watched(model, own), {}


def pretrained(model, own):
    model.get_layer("head").bias.assign([0.5, 0.1, 0.2])
    return watched(model, own), {}


def longer(model, own):
    return watched(model, own), {"epochs": 4}


def kept(model, own):
    return watched(model, own), {"weights": "keep"}


def interrupted(model, own):
    def stop(batch, logs):
        raise RuntimeError("power cut")

    watch = autofix.Watch(log=False)
    cut = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: stop(batch, logs) if batch > 4 else None
    )
    with pytest.raises(RuntimeError):
        model.fit(*own, verbose=0, callbacks=[watch, cut])
    return watch, {}


@pytest.mark.parametrize(
    ("prepared", "why"),
    [
        (never, "seen no step"),
        (another, "another program"),
        (trained_on, "not as that run left it"),
        (continued, "other weights"),
        (pretrained, "other weights"),
        (longer, "epochs=3"),
        (kept, "other weights"),
        (interrupted, "come to its end"),
    ],
)
def test_a_run_that_tells_too_little_is_refused(prepared, why):
    own, _ = data()
    model = dead()
    watch, asked = prepared(model, own)
    fit = {"epochs": asked.get("epochs", 3)}
    session = prepare(model, own, fit=fit, began=watch.recipe)
    try:
        assert why in refusal(watch, session, fit, asked.get("weights", "auto"))
    finally:
        session.trainer.close()


def test_a_run_that_is_refused_is_made_again(runs):
    own, _ = data()
    only = {"strategies": ["epochs"], "budget": autofix.Budget(trials=1)}
    result = autofix.repair(dead(), own, epochs=2, watch=autofix.Watch(), **{**QUICK, **only})
    assert "the watch has seen no step" in notes(result)
    assert len(baselines(runs)) == 1


def test_a_run_that_was_stopped_and_does_well_is_made_again(runs):
    own, apart = data()
    model = network()
    watch = autofix.Watch(log=False)
    early = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=10.0)
    model.fit(*own, epochs=8, verbose=0, callbacks=[watch, early])
    result = autofix.repair(model, own, validation_data=apart, watch=watch, **QUICK)
    assert "stopped before its end" in notes(result)
    assert len(baselines(runs)) == 1


def test_what_is_no_watch_is_refused():
    own, _ = data()
    model = dead()
    for other in ("watch", autofix.monitor(model, model.optimizer), keras.callbacks.History()):
        with pytest.raises(FixYourCall, match=r"`watch` must be an `autofix\.Watch`"):
            autofix.repair(model, own, watch=other)


@pytest.mark.parametrize("case", discover(["healthy"]), ids=lambda case: case.name)
def test_fresh_models_do_not_look_trained(case):
    script = case.load()
    model = script.model(0)
    assert not is_pretrained(model)


def test_trained_models_look_trained():
    own, _ = data()
    model = network()
    model.fit(*own, verbose=0)
    assert is_pretrained(model)
    for layer in model.layers:
        layer.trainable = False
    assert not is_pretrained(model)

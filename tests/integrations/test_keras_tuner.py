"""KerasTuner: a real search over the space of a diagnosis, and draws against those of Optuna."""

from __future__ import annotations

import logging

import keras
import numpy as np
import optuna
import pytest

import autofix
from autofix.errors import FixYourCall
from autofix.integrations.keras_tuner import Drawing, hypermodel
from autofix.registry import strategies
from autofix.testing import checks, small_case
from tests.programs import TINY_RATE, blobs, differences, mlp, run, snapshot

keras_tuner = pytest.importorskip("keras_tuner")


# What Keras and KerasTuner themselves warn of, under NumPy 2 and Python 3.10 and later.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:keras_tuner")
@pytest.mark.slow
def test_a_search_repairs(tmp_path):
    (x, y), apart = blobs()
    model = mlp(rate=TINY_RATE)
    model.compile(keras.optimizers.Adam(TINY_RATE), "sparse_categorical_crossentropy", metrics=["accuracy"])
    before = snapshot(model)
    found = [item for item in run("tiny_rate").result.diagnosis if "learning_rate" in item.symptom.code]
    space = hypermodel(
        model, (x, y), validation_data=apart, epochs=5, batch_size=8, diagnosis=found, strategies=["learning_rate"]
    )
    tuner = keras_tuner.RandomSearch(
        space, objective="val_accuracy", max_trials=2, seed=0, directory=tmp_path, project_name="it"
    )
    tuner.search(x, y, validation_data=apart, verbose=0)
    best = tuner.get_best_hyperparameters()[0]
    assert tuner.oracle.get_best_trials()[0].score > 0.8
    patch = space.patch(best)
    assert [change.path for change in patch] == ["compile/optimizer/learning_rate"]
    assert patch.apply(autofix.Recipe.of(model)).build().optimizer.learning_rate > TINY_RATE
    # The tuner itself draws from the global generators.
    assert set(differences(before, snapshot(model))) <= {"python random", "numpy random"}


def test_the_remedies_are_those_of_the_diagnosis():
    (x, y), _ = blobs()
    findings = run("tiny_rate").result.diagnosis
    space = hypermodel(mlp(rate=TINY_RATE), (x, y), epochs=15, diagnosis=findings)
    hp = keras_tuner.HyperParameters()
    model = space.build(hp)
    offered = {name.removesuffix(".use") for name in hp.values if name.endswith(".use")}
    treat = {name for item in findings if item.severity > 0.4 for name in item.strategies}
    assert offered == treat & {strategy.name for strategy in strategies()}
    assert model.compiled
    # The first trial is the textbook: every remedy as it is guessed.
    assert set(hp.values.values()) == {"guess"}
    assert {change.strategy for change in space.patch(hp)} >= {"learning_rate"}


def test_every_strategy_draws_from_hyperparameters_what_it_draws_from_optuna():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    optuna.logging.set_verbosity(logging.WARNING)
    for name in ("sigmoid_mlp", "cnn", "regression"):
        for strategy in strategies():
            *_, case = checks.asked(strategy, small_case(name).case)
            trial, hp = study.ask(), keras_tuner.HyperParameters()
            wanted = strategy.suggest(trial, case)
            strategy.suggest(Drawing(hp), case)  # declares the parameters
            assert set(hp.values) <= set(trial.params)
            for key, value in trial.params.items():
                kind = next((item for item in hp.space if item.name == key), None)
                if kind is not None:
                    hp.values[key] = str(value) if type(kind).__name__ == "Choice" else value
            drawn = strategy.suggest(Drawing(hp), case)
            assert [change.path for change in drawn] == [change.path for change in wanted], strategy.name


def test_numbers_are_drawn_within_their_bounds():
    hp = keras_tuner.HyperParameters()
    drawing = Drawing(hp)
    assert drawing.suggest_float("a", 2.0, 2.0) == 2.0
    assert drawing.suggest_int("b", 3, 3) == 3
    assert 1 <= drawing.suggest_int("c", 1, 64, log=True) <= 64
    assert drawing.suggest_int("c", 16, 64, log=True) == 16  # narrower in a later case
    assert drawing.suggest_float("d", 1e-4, 1e-1, log=True) == pytest.approx(1e-4)
    assert drawing.suggest_categorical("e", [None, 1, "x"]) is None


def test_settings_of_fit_follow_the_patch():
    (x, y), _ = blobs()
    rare = np.where(y == 2, 0, y)[np.r_[:40, np.flatnonzero(y == 1)[:8]]]
    space = hypermodel(mlp(2), (x[: len(rare)], rare), epochs=4, diagnosis=[], strategies=["epochs", "class_weight"])
    hp = keras_tuner.HyperParameters()
    hp.Fixed("epochs.use", "off")

    class Model:
        def fit(self, *args, **kwargs):
            return kwargs

    assert space.fit(hp, Model())["epochs"] == 4
    assert space.fit(hp, Model(), epochs=2, verbose=0)["epochs"] == 2


def test_nothing_wrong_is_nothing_to_search():
    (x, y), _ = blobs()
    with pytest.raises(FixYourCall, match="Name the strategies"):
        hypermodel(mlp(), (x, y), epochs=2, diagnosis=[])

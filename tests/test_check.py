"""`check`: finds what shows before training, trains nothing, and is quiet about healthy programs."""

from __future__ import annotations

import json
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import autofix
from autofix.contract.losses import CUSTOM, KNOWN_LOSSES
from autofix.errors import FixYourCall, FixYourModel
from autofix.findings import NOTE, Findings
from autofix.given import read_model
from autofix.preflight import imagined
from autofix.symptom import Diagnosis, Symptom
from autofix.symptoms import PREFLIGHT
from tests import programs
from tests.quality.cases import discover

L = keras.layers
CASES = {case.name: case for case in discover(["broken", "healthy"])}
HEALTHY = [case.name for case in discover(["healthy"])]
# What of the gallery shows before training: in the model and its data, and in the model alone.
FAULTS = {
    "adam_lr_10": Symptom.EXTREME_LEARNING_RATE,
    "adam_lr_1e_10": Symptom.EXTREME_LEARNING_RATE,
    "adam_lr_1e_6": Symptom.EXTREME_LEARNING_RATE,
    "all_layers_frozen": Symptom.FROZEN_LAYERS,
    "batch_larger_than_data": Symptom.BATCH_TOO_LARGE,
    "double_softmax": Symptom.HEAD_MISMATCH,
    "dropout_too_strong": Symptom.STRONG_REGULARIZATION,
    "dying_relu_biases": Symptom.BAD_INITIALIZATION,
    "exploding_rnn": Symptom.BAD_INITIALIZATION,
    "flat_images_for_cnn": Symptom.INPUT_SHAPE,
    "init_too_large": Symptom.BAD_INITIALIZATION,
    "init_too_small": Symptom.BAD_INITIALIZATION,
    "l2_too_strong": Symptom.STRONG_REGULARIZATION,
    "labels_from_one": Symptom.LABEL_ENCODING,
    "missing_softmax": Symptom.LOSS_MISMATCH,
    "mixed_feature_scales": Symptom.UNSCALED_INPUTS,
    "mse_on_softmax": Symptom.LOSS_MISMATCH,
    "nan_in_inputs": Symptom.MISSING_VALUES,
    "one_unit_for_four_classes": Symptom.HEAD_MISMATCH,
    "saturated_tanh": Symptom.BAD_INITIALIZATION,
    "sigmoid_for_regression": Symptom.OUTPUT_RANGE,
    "softmax_one_unit": Symptom.HEAD_MISMATCH,
    "softmax_one_unit_trained": Symptom.HEAD_MISMATCH,
    "underfit_xor": Symptom.BOTTLENECK,
    "unscaled_regression": Symptom.UNSCALED_TARGETS,
    "zeros_initializer": Symptom.BAD_INITIALIZATION,
}
OF_DATA = {
    "batch_larger_than_data", "flat_images_for_cnn", "labels_from_one", "mixed_feature_scales", "mse_on_softmax",
    "nan_in_inputs", "one_unit_for_four_classes", "sigmoid_for_regression", "unscaled_regression",
}  # fmt: skip


def forbidden(*arguments, **settings):
    raise AssertionError("a check must not train")


def check(*arguments, **settings):
    """A check that takes no step, compiles no function, fits no reference learner and makes no trainer."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("train_step", "fit", "make_train_function", "predict", "evaluate"):
            patch.setattr(keras.Model, name, forbidden)
        patch.setattr(tf, "GradientTape", forbidden)
        patch.setattr("autofix.yardstick.measure", forbidden)
        patch.setattr("autofix.trainer.runner.Trainer.__init__", forbidden)
        return autofix.check(*arguments, **settings)


def program(name):
    script = CASES[name].load()
    data, _ = script.data(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one of the models comes trained, and Keras has its doubts about it
        model = script.model(0)
    return model, data, {key: script.fit[key] for key in ("epochs", "batch_size") if key in script.fit}


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_programs_pass(name):
    model, data, fit = program(name)
    found = check(model, data, **fit)
    assert not found, found
    assert found.ok
    assert list(found) == []
    alone = check(model)
    assert not alone, alone


@pytest.mark.parametrize("name", FAULTS)
def test_faults_that_show_before_training_are_found(name):
    model, data, fit = program(name)
    found = check(model, data, **fit)
    assert FAULTS[name] in {item.symptom for item in found}
    assert not found.ok
    alone = {item.symptom for item in check(model, epochs=fit["epochs"])}
    assert (FAULTS[name] in alone) is (name not in OF_DATA)


def test_nothing_that_came_is_changed():
    model, data, fit = program("tabular_mlp")
    before = [value.tobytes() for value in (*model.get_weights(), *data)]
    layers = [dict(layer.__dict__) for layer in model.layers]
    autofix.check(model, data, **fit)
    autofix.check(model)
    assert [value.tobytes() for value in (*model.get_weights(), *data)] == before
    assert [layer.__dict__.keys() for layer in model.layers] == [layer.keys() for layer in layers]
    assert int(model.optimizer.iterations) == 0


def small(loss, units=3, activation="softmax", **more):
    model = keras.Sequential([keras.Input((4,)), L.Dense(8, "relu"), L.Dense(units, activation)])
    model.compile("adam", loss, **more)
    return model


@pytest.mark.parametrize(
    ("loss", "units", "activation"),
    [
        ("sparse_categorical_crossentropy", 3, "softmax"),
        ("categorical_crossentropy", 3, "softmax"),
        ("categorical_focal_crossentropy", 3, "softmax"),
        ("kl_divergence", 3, "softmax"),
        ("binary_crossentropy", 1, "sigmoid"),
        ("binary_crossentropy", 5, "sigmoid"),
        (keras.losses.BinaryCrossentropy(from_logits=True), 1, None),
        (keras.losses.SparseCategoricalCrossentropy(from_logits=True), 4, None),
        ("hinge", 1, "tanh"),
        ("hinge", 1, None),
        ("mse", 1, None),
        ("mae", 2, "sigmoid"),
        ("mse", 3, "tanh"),
        ("poisson", 1, "exponential"),
        ("mean_squared_logarithmic_error", 1, "softplus"),
        (lambda true, predicted: keras.ops.mean(keras.ops.abs(true - predicted)), 3, "softmax"),
    ],
)
def test_a_model_alone_that_fits_its_loss_passes(loss, units, activation):
    found = check(small(loss, units, activation))
    assert not found, found
    assert found.notes == ()
    assert any("no" in what and "given" in what for what in found.unchecked)


@pytest.mark.parametrize(
    ("loss", "units", "activation", "symptom"),
    [
        ("binary_crossentropy", 1, "softmax", Symptom.HEAD_MISMATCH),
        ("categorical_crossentropy", 1, "sigmoid", Symptom.HEAD_MISMATCH),
        ("sparse_categorical_crossentropy", 1, "sigmoid", Symptom.LOSS_MISMATCH),
        ("sparse_categorical_crossentropy", 3, None, Symptom.LOSS_MISMATCH),
        (keras.losses.SparseCategoricalCrossentropy(from_logits=True), 3, "softmax", Symptom.LOSS_MISMATCH),
        (keras.losses.BinaryCrossentropy(from_logits=True), 1, "sigmoid", Symptom.LOSS_MISMATCH),
        ("hinge", 1, "sigmoid", Symptom.LOSS_MISMATCH),
    ],
)
def test_a_model_alone_that_contradicts_its_loss_does_not(loss, units, activation, symptom):
    assert symptom in {item.symptom for item in check(small(loss, units, activation))}


def test_every_loss_has_targets_that_are_imagined_for_it():
    for loss in KNOWN_LOSSES:
        for units, activation in ((1, "sigmoid"), (3, "softmax"), (3, None)):
            _, recipe, hints = read_model(small(loss, units, activation), {}, 0)
            facts = imagined(recipe, hints)
            assert len(facts.targets) == 1
            assert facts.targets[0].missing == 0.0


def test_models_of_several_outputs_positions_and_no_layers():
    inputs = keras.Input((6, 4))
    hidden = L.LSTM(8, return_sequences=True)(inputs)
    outputs = {"tag": L.Dense(5, "softmax", name="tag")(hidden), "sum": L.Dense(1, name="sum")(L.LSTM(4)(hidden))}
    model = keras.Model(inputs, outputs)
    model.compile("adam", {"tag": "sparse_categorical_crossentropy", "sum": "mse"})
    assert check(model).ok

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = L.Dense(2)

        def call(self, inputs):
            return self.head(inputs)

    own = Own()
    own.compile("adam", "mse")
    found = check(own)
    assert found.ok
    assert any("subclassed" in what for what in found.unchecked)
    data = np.zeros((40, 3), "float32"), np.random.default_rng(0).normal(size=(40, 2))
    assert check(compiled(Own), data).unchecked[-1:] == found.unchecked[-1:]
    deferred = keras.Sequential([L.Dense(8, "relu"), L.Dense(1, "softmax")])
    deferred.compile("adam", "binary_crossentropy")
    with pytest.raises(FixYourModel, match="`data`"):
        check(deferred)
    assert Symptom.HEAD_MISMATCH in {item.symptom for item in check(deferred, programs.iris(2))}
    assert not deferred.built


def compiled(kind):
    def build():
        model = kind()
        model.compile("adam", "mse")
        return model

    return build


def test_text_says_what_why_and_what_was_not_looked_at():
    found = check(programs.mlp(1, "softmax", "binary_crossentropy"), programs.iris(2))
    text = str(found)
    assert text.startswith("1 thing is wrong")
    assert Symptom.HEAD_MISMATCH.value in text
    assert f"likely causes: {found[0].causes[0].split()[0]}" in text
    assert "treated by: output_layer, loss" in text
    assert "Not looked at: what shows only in a training run" in text
    assert repr(found) == "<Findings: head_mismatch>"
    assert json.loads(json.dumps(found.to_dict()))["ok"] is False
    fine = check(small("mse", 1, None))
    assert str(fine).startswith("Nothing is wrong that shows before training.\n")
    assert repr(fine) == "<Findings: none>"


def test_notes_are_no_findings():
    low, high = (Diagnosis(Symptom.SLOW, severity, 1.0, "") for severity in (NOTE, NOTE + 0.01))
    found = Findings.of((low, high), ())
    assert found.found == (high,)
    assert found[0:1] == (high,)
    assert found.notes == (low,)
    assert Findings.of((low,), ()).ok


def test_a_rule_that_fails_is_told(monkeypatch):
    def judge(evidence):
        raise RuntimeError("no")

    monkeypatch.setattr("autofix.preflight.PREFLIGHT", (*PREFLIGHT, judge))
    found = check(small("mse", 1, None))
    assert found.ok
    assert any("RuntimeError" in what for what in found.unchecked)


def test_a_function_that_builds_the_model():
    assert check(lambda: small("sparse_categorical_crossentropy"), programs.iris(3)).ok


def test_keras_remarks_are_not_passed_on():
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        autofix.check(programs.mlp(1, "softmax", "binary_crossentropy"), programs.iris(2))
    assert heard == []


def test_arguments_are_checked():
    with pytest.raises(FixYourCall, match="`epochs`"):
        autofix.check(small("mse"), epochs=0)
    with pytest.raises(FixYourModel, match="compiled"):
        autofix.check(keras.Sequential([keras.Input((2,)), L.Dense(1)]))
    assert CUSTOM not in KNOWN_LOSSES


def test_the_cause_that_was_seen_is_named_first():
    model, data, fit = program("dying_relu_biases")
    assert check(model, data, **fit)[0].causes[0].startswith("Biases were given")
    model, data, fit = program("zeros_initializer")
    assert check(model, data, **fit)[0].causes[0].startswith("Kernels were set")

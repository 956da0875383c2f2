from __future__ import annotations

import pytest

from autofix.symptoms.extreme_learning_rate import judge
from tests.symptoms.conftest import evidence, optimizer, plain


def seen(name, rate, *, epochs=10, **config):
    return judge(evidence(plain(compiled={"optimizer": optimizer(name, rate, **config)}, fit={"epochs": epochs})))


@pytest.mark.parametrize(
    ("name", "rate", "config"),
    [
        ("Adam", 1e-3, {}),
        ("Adam", 3e-5, {"epochs": 20}),
        ("Adam", 0.05, {}),
        ("RMSprop", 1e-4, {"epochs": 20}),
        ("SGD", 0.01, {}),
        ("SGD", 0.1, {"momentum": 0.9}),
        ("SGD", 1e-3, {"momentum": 0.9}),
        ("Adadelta", 1.0, {}),
        ("Adagrad", 0.01, {}),
        ("Lion", 1e-4, {"epochs": 20}),
    ],
)
def test_rates_in_use_are_fine(name, rate, config) -> None:
    assert seen(name, rate, **config) == ()


@pytest.mark.parametrize(
    ("name", "rate", "config", "least"),
    [
        ("Adam", 10.0, {}, 0.9),
        ("Adam", 0.5, {}, 0.6),
        ("Adam", 1e-6, {}, 0.8),
        ("Adam", 1e-6, {"epochs": 10_000}, 0.6),
        ("Adam", 1e-10, {}, 0.95),
        ("Adam", 0.0, {}, 1.0),
        ("Adam", -1e-3, {}, 1.0),
        ("Adam", float("nan"), {}, 1.0),
        ("SGD", 1e-6, {}, 0.8),
        ("SGD", 50.0, {}, 0.7),
        ("SGD", 1.0, {"momentum": 0.99}, 0.7),
        ("Adadelta", 1e-3, {}, 0.7),
    ],
)
def test_rates_far_outside_are_found(name, rate, config, least) -> None:
    (found,) = seen(name, rate, **config)
    assert found.severity >= least


def test_momentum_makes_a_small_rate_larger() -> None:
    assert seen("SGD", 5e-5, momentum=0.9) == ()
    assert seen("SGD", 5e-5) != ()


def test_a_schedule_is_judged_by_its_highest_rate() -> None:
    decay = {"class_name": "ExponentialDecay", "config": {"initial_learning_rate": 1e-3, "decay_rate": 0.9}}
    pieces = {"class_name": "PiecewiseConstantDecay", "config": {"boundaries": [10], "values": [5.0, 1e-3]}}
    warm = {"class_name": "CosineDecay", "config": {"initial_learning_rate": 0.0, "warmup_target": 1e-3}}
    unknown = {"class_name": "Mine", "config": {}}
    assert seen("Adam", decay) == ()
    assert seen("Adam", warm) == ()
    assert seen("Adam", unknown) == ()
    assert seen("Adam", pieces) != ()


def test_an_optimizer_by_name_has_its_default_rate() -> None:
    assert judge(evidence(plain(compiled={"optimizer": "adam"}))) == ()
    assert judge(evidence(plain(compiled={"optimizer": "sgd"}))) == ()


def test_a_loss_scale_wrapper_is_opened() -> None:
    wrapped = {"class_name": "LossScaleOptimizer", "config": {"inner_optimizer": optimizer("Adam", 10.0)}}
    (found,) = judge(evidence(plain(compiled={"optimizer": wrapped})))
    assert found.numbers["learning_rate"] == 10.0


def test_the_whole_way_of_a_weight_is_told() -> None:
    (found,) = seen("Adam", 1e-6)
    assert "250 steps" in found.evidence
    assert "0.00025" in found.evidence


@pytest.mark.parametrize(
    ("rate", "low", "high"), [(0.1, 0.45, 0.55), (0.5, 0.6, 0.7), (5.0, 0.8, 0.9), (1e6, 0.9, 0.9)]
)
def test_severity_follows_the_decades_up_to_a_bound(rate, low, high) -> None:
    (found,) = seen("Adam", rate)
    assert low <= found.severity <= high


@pytest.mark.parametrize(("rate", "least"), [(5e-9, 0.0), (2e-9, 0.95)])
def test_float_resolution_is_where_steps_are_lost(rate, least) -> None:
    (found,) = seen("Adam", rate)
    assert (found.severity == 0.95) is (least == 0.95)

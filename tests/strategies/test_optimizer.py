import keras
import numpy as np
import optuna
import pytest

from autofix.facts import TaskKind
from autofix.frozen import thaw
from autofix.testing import case_for, small_case
from autofix_strategies import _optimizers
from autofix_strategies.optimizer import CHOICES, Optimizer


def case_with(optimizer):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer, "mse")
    return case_for(model, np.ones((4, 3)), np.ones((4, 1)), kinds=[TaskKind.REGRESSION])


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adagrad", "Adadelta", "Ftrl"])
def test_first_generation_becomes_adam(name):
    case = case_with(getattr(keras.optimizers, name)(0.1, clipnorm=2.0))
    (change,) = Optimizer().guess(case)
    assert change.path == "compile/optimizer"
    model = Optimizer().guess(case).apply(case.recipe).build()
    assert type(model.optimizer) is keras.optimizers.Adam
    assert model.optimizer.clipnorm == 2.0
    assert float(model.optimizer.learning_rate) == pytest.approx(0.001)


@pytest.mark.parametrize("name", ["Adam", "AdamW", "Nadam", "Adamax", "Lion"])
def test_adam_and_its_relatives_stay(name):
    assert not Optimizer().guess(case_with(getattr(keras.optimizers, name)()))


@pytest.mark.parametrize(
    ("key", "value", "sound"), [("beta_1", 0.9999, 0.9), ("beta_2", 0.1, 0.999), ("epsilon", 1.0, 1e-7)]
)
def test_absurd_parameters_go_back(key, value, sound):
    (change,) = Optimizer().guess(case_with(keras.optimizers.Adam(**{key: value})))
    assert (change.path, change.after) == (f"compile/optimizer/{key}", sound)


def test_custom_optimizers_stay():
    @keras.saving.register_keras_serializable("tests")
    class Mine(keras.optimizers.SGD):
        pass

    assert not Optimizer().guess(case_with(Mine()))


def test_optimizer_inside_a_loss_scale():
    (change,) = Optimizer().guess(small_case("gated").case)
    assert change.path == "compile/optimizer/inner_optimizer"


@pytest.mark.parametrize("name", CHOICES)
def test_written_down_as_keras_does(name):
    ours = thaw(_optimizers.serialized(name, keep={}))
    keras_own = keras.saving.serialize_keras_object(getattr(keras.optimizers, name)())
    assert set(ours["config"]) == set(keras_own["config"])
    different = {key for key, value in keras_own["config"].items() if ours["config"][key] != value}
    assert different <= {"name", "learning_rate", "momentum", "nesterov"}  # SGD comes with momentum


@pytest.mark.parametrize("name", CHOICES)
def test_suggest_builds(name):
    case = case_with(keras.optimizers.Adam())
    patch = Optimizer().suggest(optuna.trial.FixedTrial({"optimizer.name": name}), case)
    assert bool(patch) == (name != "Adam")
    assert type(patch.apply(case.recipe).build().optimizer).__name__ == name

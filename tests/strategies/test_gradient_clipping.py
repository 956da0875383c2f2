import keras
import numpy as np
import pytest

from autofix.facts import TaskKind
from autofix.testing import case_for, small_case
from autofix.trace import Trace
from autofix_strategies.gradient_clipping import GradientClipping

INF, NAN = float("inf"), float("nan")


def guessed(norms=(), **clipping):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(**clipping), "mse")
    trace = Trace(gradient_norm=tuple(norms)) if norms else None
    case = case_for(model, np.ones((4, 3)), np.ones(4), kinds=[TaskKind.REGRESSION], trace=trace)
    patch = GradientClipping().guess(case)
    patch.apply(case.recipe).build()
    return {change.path.removeprefix("compile/optimizer/"): change.after for change in patch}


@pytest.mark.parametrize(
    ("norms", "bound"),
    [
        ((), 1.0),
        (tuple(np.linspace(0, 5, 101)), 4.5),
        ((2.0, 2.0, INF, NAN), 2.0),
        ((NAN, INF), 1.0),
        ((1e12, 1e13), 1.0),
        ((1e-9,), 1.0),
    ],
)
def test_percentile_of_what_was_measured(norms, bound):
    assert guessed(norms) == {"global_clipnorm": pytest.approx(bound, rel=0.05)}


@pytest.mark.parametrize("key", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_the_way_of_clipping_is_kept(key):
    assert guessed(**{key: 100.0}) == {key: 1.0}
    assert guessed(**{key: 1.2}) == {}
    assert guessed(**{key: 0.1}) == {}


def test_inside_a_loss_scale():
    (change,) = GradientClipping().guess(small_case("gated").case)
    assert change.path == "compile/optimizer/inner_optimizer/global_clipnorm"

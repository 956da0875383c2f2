from __future__ import annotations

from autofix.symptoms.frozen_layers import judge
from tests.symptoms.conftest import dense, evidence, layer, plain, stack


def test_a_frozen_base_under_a_head_that_learns_is_transfer_learning() -> None:
    recipe = stack((8,), dense("base", 32, trainable=False), dense("output", 1, "sigmoid"))
    assert judge(evidence(recipe)) == ()


def test_a_frozen_head_would_improve() -> None:
    (found,) = judge(evidence(stack((8,), dense("base", 32), dense("output", 1, "sigmoid", trainable=False))))
    assert found.layer == "layers/output"
    assert 0.5 <= found.severity < 0.7


def test_a_model_frozen_as_a_whole_is_found_whatever_its_layers_say() -> None:
    recipe = plain()
    document = {**recipe.architecture, "config": {**recipe.architecture["config"], "trainable": False}}
    frozen = type(recipe)(type(recipe.fit)(document), recipe.compile)
    (found,) = judge(evidence(frozen))
    assert found.severity == 1.0


def test_a_layer_of_ones_own_may_hold_what_learns() -> None:
    recipe = stack((8,), dense("base", 32, trainable=False), layer("Mine", "own"))
    own = type(recipe)(recipe.architecture, recipe.compile, objects={"package>Mine": object})
    assert judge(evidence(own)) == ()
    assert judge(evidence(recipe))[0].severity == 1.0


def test_a_wrapped_layer_counts() -> None:
    inner = {"class_name": "LSTM", "config": {"name": "forward", "units": 4, "kernel_initializer": "glorot_uniform"}}
    recipe = stack((9, 3), layer("Bidirectional", "both", layer=inner), dense("output", 1, "sigmoid", trainable=False))
    (found,) = judge(evidence(recipe))
    assert found.severity < 0.7


def test_a_model_without_weights_is_not_judged() -> None:
    assert judge(evidence(stack((8,), layer("Flatten", "flat")))) == ()

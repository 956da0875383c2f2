import keras
import numpy as np
import optuna

from autofix_strategies.trainable import Trainable

L = keras.layers


def program(frozen, head_frozen=False, base_nested=True):
    body = [L.Dense(6, "relu", name="one"), L.BatchNormalization(name="bn")]
    base = keras.Sequential([keras.Input((4,)), *body], name="base") if base_nested else None
    model = keras.Sequential([keras.Input((4,)), *([base] if base else body), L.Dense(1, "sigmoid", name="head")])
    for layer in body if frozen else ():
        layer.trainable = False
    if frozen and base is not None:
        base.trainable = False
    model.get_layer("head").trainable = not head_frozen
    model.compile("sgd", "binary_crossentropy")
    return model


def test_lets_everything_learn_when_nothing_does(case, patched, table):
    x = table()
    found = case(program(True, head_frozen=True, base_nested=False), x, (x[:, 0] > 0).astype(int))
    patch = Trainable().guess(found)
    assert len({change.why for change in patch}) == 1
    assert len(patch.lines) == 1
    _, model = patched(patch, found, x)
    assert len(model.trainable_weights) >= 4


def test_a_base_stays_frozen_under_a_head_that_learns_again(case, patched, table):
    x = table()
    found = case(program(True, head_frozen=True), x, (x[:, 0] > 0).astype(int))
    patch = Trainable().guess(found)
    assert [change.path for change in patch] == ["layers/head/trainable"]
    _, model = patched(patch, found, x)
    assert len(model.trainable_weights) == 2


def test_transfer_learning_is_left_alone_but_for_the_search(case, patched, table):
    x = table()
    found = case(program(True), x, (x[:, 0] > 0).astype(int))
    assert not Trainable().guess(found)
    assert not Trainable().suggest(optuna.trial.FixedTrial({"trainable.layers": "own"}), found)
    patch = Trainable().suggest(optuna.trial.FixedTrial({"trainable.layers": "all"}), found)
    _, model = patched(patch, found, x)
    assert any("one" in weight.path for weight in model.trainable_weights)


def test_a_frozen_model_and_a_frozen_wrapper(case, patched):
    x = np.random.default_rng(0).normal(size=(20, 5, 3)).astype("float32")
    model = keras.Sequential([keras.Input((5, 3)), L.Bidirectional(L.LSTM(3), name="both"), L.Dense(1, name="head")])
    model.trainable = False
    model.compile("sgd", "mse")
    found = case(model, x, np.zeros(20), accuracy=False)
    _, fixed = patched(Trainable().guess(found), found, x)
    assert len(fixed.trainable_weights) == len(fixed.weights)


def test_nothing_frozen_nothing_done(case, table):
    x = table()
    found = case(program(False), x, (x[:, 0] > 0).astype(int))
    assert not Trainable().guess(found)
    assert not Trainable().suggest(optuna.trial.FixedTrial({}), found)

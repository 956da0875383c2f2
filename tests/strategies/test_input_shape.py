import keras
import numpy as np
import pytest

from autofix_strategies.input_shape import InputShape

L = keras.layers


def compiled(shape, *pieces):
    model = keras.Sequential([keras.Input(shape, name="x"), *pieces, L.Dense(1)])
    model.compile("sgd", "mse")
    return model


def convolution(shape):
    return compiled(shape, L.Conv2D(2, 3), L.Flatten())


@pytest.mark.parametrize(
    ("given", "model", "layer"),
    [
        ((64,), convolution((8, 8, 1)), "Reshape"),
        ((8, 8, 1), compiled((64,), L.Dense(3)), "Flatten"),
        ((8, 8), compiled((64,), L.Dense(3)), "Flatten"),
        ((3, 8, 6), convolution((8, 6, 3)), "Permute"),
        ((8, 6, 3), convolution((3, 8, 6)), "Permute"),
        ((12,), compiled((6, 2), L.LSTM(2)), "Reshape"),
        ((6, 1), compiled((1, 6), L.LSTM(2)), "Reshape"),
    ],
)
def test_one_reading_is_taken(case, patched, given, model, layer):
    x = np.random.default_rng(0).normal(size=(12, *given)).astype("float32")
    found = case(model, x, np.zeros(12), accuracy=False)
    patch = InputShape().guess(found)
    assert [change.key for change in patch] == ["batch_shape", "after"]
    assert patch.changes[1].after[0]["class_name"] == layer
    _, fixed = patched(patch, found, x)
    if layer == "Permute":
        inside = keras.Model(fixed.inputs[0], fixed.layers[0].output)(x)
        axes = (0, 2, 3, 1) if given[0] == 3 else (0, 3, 1, 2)
        np.testing.assert_array_equal(inside, x.transpose(axes))


def test_rows_in_the_shape_go(case, patched):
    x = np.random.default_rng(0).normal(size=(40, 5)).astype("float32")
    found = case(compiled((40, 5), L.Dense(3)), x, np.zeros(40), accuracy=False)
    patch = InputShape().guess(found)
    assert [change.path for change in patch] == ["layers/x/batch_shape"]
    patched(patch, found, x)


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        ((8, 8, 1), (8, 8, 1)), ((8, 8), (8, 8, 1)), ((5, 3), (None, 3)), ((60,), (8, 8, 1)), ((6, 4), (4, 6)),
        ((7,), (6,)), ((2, 3, 4), (6, 4)),
    ],
)  # fmt: skip
def test_shapes_that_fit_or_could_mean_anything_stay(case, given, shape):
    pieces = {3: [L.Conv2D(2, 2), L.Flatten()], 2: [L.GlobalAveragePooling1D()]}.get(len(shape), [])
    x = np.zeros((12, *given), "float32")
    assert not InputShape().guess(case(compiled(shape, *pieces), x, np.zeros(12), accuracy=False))

import numpy as np
import pytest

from autofix_strategies.targets import Targets

SCE = "sparse_categorical_crossentropy"


@pytest.mark.parametrize(
    ("labels", "units", "activation", "loss"),
    [
        ((1, 2, 3), 3, "softmax", SCE),
        ((0, 4, 9), 3, "softmax", SCE),
        (("cat", "dog", "eel"), 3, "softmax", SCE),
        ((0.0, 0.5, 1.0), 3, "softmax", SCE),
        ((1, 2), 1, "sigmoid", "binary_crossentropy"),
        ((-1, 1), 1, "sigmoid", "binary_crossentropy"),
        (("no", "yes"), 1, "sigmoid", "binary_crossentropy"),
    ],
)
def test_feeds_the_index_of_each_label(mlp, case, patched, broken, table, labels, units, activation, loss):
    x = table()
    y = np.asarray(labels)[np.arange(60) % len(labels)]
    found = case(mlp(units, activation, loss), x, y)
    patch = Targets().guess(found)
    assert [change.path for change in patch] == ["transforms/labels"]
    recipe, model = patched(patch, found, x)
    (target,) = found.facts.targets
    assert recipe.get("transforms/labels") == {target.name: labels}
    assert not broken(found, recipe)
    assert np.isfinite(model.evaluate(x, np.arange(60) % len(labels), verbose=0))
    assert not Targets().guess(found.at(recipe))


@pytest.mark.parametrize(
    ("labels", "units", "activation", "loss"),
    [
        ((0, 1, 2), 3, "softmax", SCE),
        ((1, 2, 3), 4, "softmax", SCE),
        ((-1, 1), 1, "tanh", "hinge"),
        ((False, True), 1, "sigmoid", "binary_crossentropy"),
    ],
)
def test_leaves_labels_that_fit(mlp, case, table, labels, units, activation, loss):
    y = np.asarray(labels)[np.arange(60) % len(labels)]
    assert not Targets().guess(case(mlp(units, activation, loss), table(), y))


def test_has_nothing_to_do_with_quantities(mlp, case, table):
    x = table()
    assert not Targets().guess(case(mlp(1, None, "mse"), x, 1000 * x[:, 0], accuracy=False))

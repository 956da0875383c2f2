"""The pytest plugin: its checks here, its fixtures and settings in runs of pytest of their own."""

from __future__ import annotations

import tomllib
from pathlib import Path

import keras
import numpy as np
import pytest

from autofix.integrations import pytest as plugin

pytest_plugins = "pytester"

ROOT = Path(__file__).parents[2]
rng = np.random.default_rng(0)
X = rng.normal(size=(200, 4)).astype("float32")
Y = (X[:, 0] + X[:, 1] > 0).astype("int64")
BROKEN = np.where(X > 2, np.nan, X)
CHECKS = plugin.HealthChecks(0.7)
FAILED = pytest.fail.Exception

# A run that takes no training: what `diagnose` finds is planted.
PLANTED = """
import autofix
import pytest
from autofix.symptom import Diagnosis, Symptom


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    found = [Diagnosis(Symptom.SLOW, 0.8, 1.0, "Planted."), Diagnosis(Symptom.PLATEAU, 0.5, 1.0, "Noted.")]
    # Not by `setattr`, which would look up the real one first, and so import TensorFlow.
    monkeypatch.setitem(vars(autofix), "diagnose", lambda model, data, **settings: found)


def test_stuck(assert_healthy):
    assert_healthy("model", "data", epochs=5)


def test_strict(assert_healthy):
    assert_healthy("model", "data", ignore=["slow"], severity=0.5)


def test_lenient(assert_healthy):
    assert_healthy("model", "data", severity=0.9)


def test_ignored(assert_healthy):
    assert_healthy("model", "data", ignore=["slow"])
"""


def build(rate=0.05):
    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(16, "relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((4,)), *hidden, keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
    return model


def fit(model, watch, x=X, epochs=15):
    model.fit(x, Y, epochs=epochs, batch_size=16, verbose=0, callbacks=[watch])


def test_a_healthy_run_passes():
    CHECKS.assert_healthy(build(), (X, Y), epochs=15)


def test_a_stuck_run_fails_in_words():
    with pytest.raises(FAILED) as failure:
        CHECKS.assert_healthy(build(1e-9), (X, Y), epochs=2)
    assert "extreme_learning_rate, severity" in str(failure.value)
    assert "treated by: " in str(failure.value)


def test_a_watched_run_passes():
    with CHECKS.training_watch() as watch:
        fit(build(), watch)
    assert watch.trace.steps == 15 * 13


def test_a_watched_run_that_is_stuck_fails():
    with pytest.raises(FAILED, match="The loss became NaN or infinite"), CHECKS.training_watch() as watch:
        fit(build(), watch, BROKEN, epochs=1)


def test_a_run_that_nobody_watched_fails():
    with pytest.raises(FAILED, match="Pass the watch on"), CHECKS.training_watch():
        pass


def test_an_error_in_the_block_is_kept_and_told_what_was_found():
    def own():
        with CHECKS.training_watch() as watch:
            fit(build(), watch, BROKEN, epochs=1)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as error:
        own()
    assert "The loss became NaN" in error.value.__notes__[0]


@pytest.mark.parametrize(
    ("settings", "message"), [({"ignore": ["sloow"]}, "Did you mean 'slow'"), ({"severity": 7}, "from 0 to 1")]
)
def test_wrong_arguments_are_refused_before_any_training(settings, message):
    with pytest.raises(ValueError, match=message):
        CHECKS.assert_healthy(None, None, **settings)
    with pytest.raises(ValueError, match=message), CHECKS.training_watch(**settings):
        pass


@pytest.fixture
def path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'strategies'}")


def plain(pytester, *options):
    """Runs pytest with the plugin, and without others that cost time."""
    others = [word for name in ("hypothesispytest", "cacheprovider", "autofix") for word in ("-p", f"no:{name}")]
    return pytester.runpytest_subprocess("-p", "autofix.integrations.pytest", *others, *options)


def test_fixtures_and_settings(pytester, path):
    pytester.makepyfile(PLANTED)
    result = plain(pytester)
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        ["the training run is not healthy", "- The loss falls far more slowly than it could. Planted.",
         "  symptom slow, severity 0.80, certainty 1.00", "More: autofix explain slow.*"]
    )  # fmt: skip
    pytester.makeini("[pytest]\nautofix_severity = 0.4\nautofix_ignore = slow plateau\n")
    plain(pytester).assert_outcomes(passed=4)
    pytester.makeini("[pytest]\nautofix_severity = high\n")
    wrong = plain(pytester)
    wrong.assert_outcomes(errors=4)
    wrong.stdout.fnmatch_lines(["*a severity must be a number from 0 to 1. Received: 'high'*"])


def test_it_costs_nothing_where_it_is_not_used(pytester, path):
    pytester.makepyfile(
        """
        import sys

        def test_nothing():
            assert not {"tensorflow", "keras", "optuna", "pandas", "sklearn", "numpy"} & set(sys.modules)
            assert "autofix.integrations.pytest" in sys.modules
        """
    )
    plain(pytester).assert_outcomes(passed=1)


def test_it_is_an_entry_point():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["pytest11"] == {"autofix": "autofix.integrations.pytest"}
    # Our own tests must not load it: an installed copy would stand for the sources under test.
    assert project["tool"]["pytest"]["ini_options"]["addopts"][:2] == ["-p", "no:autofix"]

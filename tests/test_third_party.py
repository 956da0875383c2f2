"""A strategy of somebody else's, in a package of its own: installed, found, explained, tested and used."""

from __future__ import annotations

import shutil
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from unittest import mock

import keras
import pytest

import autofix
from autofix import registry, testing
from tests.programs import blobs

PACKAGE = Path(__file__).parent / "third_party" / "keras_autofix_warmup"
L = keras.layers


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory):
    """What an installer makes of the package: its sources and what its pyproject.toml declares, on the path."""
    site = tmp_path_factory.mktemp("site")
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    for source in (PACKAGE / "src").iterdir():
        shutil.copytree(source, site / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    lines = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        registry._treatments.cache_clear()
        yield site
    registry._treatments.cache_clear()
    sys.modules.pop("keras_autofix_warmup", None)


def warmup() -> autofix.Strategy:
    return registry.strategies(["warmup"])[0]


def test_it_is_found(installed):
    assert metadata.version("keras-autofix-warmup") == "1.0"
    assert Path(sys.modules[type(warmup()).__module__].__file__).is_relative_to(installed)
    assert [strategy.name for strategy in registry.strategies()].count("warmup") == 1
    assert "warmup" in registry.treating(autofix.Symptom.OSCILLATION)


def test_it_is_explained():
    text = str(autofix.explain("warmup"))
    assert "rise over the first steps" in text
    assert "The rate is a schedule already." in text


@pytest.mark.parametrize("case", testing.CASES)
def test_it_keeps_the_contract(case):
    testing.check_strategy(warmup(), testing.small_case(case))


def test_its_search_space_fits_one_study():
    testing.check_space(warmup(), testing.small_cases())


def test_it_is_used_by_a_repair():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), *(L.Dense(32, "tanh") for _ in range(3)), L.Dense(3, "softmax")])
    model.compile(keras.optimizers.Adam(0.3), "sparse_categorical_crossentropy")
    data, apart = blobs()
    settings = {"epochs": 25, "batch_size": 16, "budget": autofix.Budget(trials=1), "strategies": ["warmup"]}
    with mock.patch("autofix.trainer.store.gc"):
        result = autofix.repair(model, data, validation_data=apart, progress=False, **settings)
    assert result.status in ("repaired", "improved"), str(result)
    assert [change.strategy for change in result.changes] == ["warmup"]
    rate = result.model.optimizer.get_config()["learning_rate"]
    assert rate["class_name"] == "CosineDecay"
    assert rate["config"]["warmup_target"] == pytest.approx(0.3)
    assert result.after.mean > result.before.mean + 0.1

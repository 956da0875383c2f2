from __future__ import annotations

import pytest

from autofix.symptoms.unscaled_targets import judge
from tests.symptoms.conftest import data, dense, evidence, layer, quantity, stack


def seen(target, *behind, activation="linear"):
    recipe = stack((8,), dense("hidden", 32), dense("output", 1, activation), *behind, compiled={"loss": "mse"})
    return judge(evidence(recipe, data(target)))


@pytest.mark.parametrize("target", [quantity(), quantity(1.5, 0.8), quantity(0.0, 0.3), quantity(5.0, 0.0)])
def test_usual_targets_are_fine(target) -> None:
    assert seen(target) == ()


@pytest.mark.parametrize(
    ("target", "least", "most"),
    [
        (quantity(14.5, 5.0), 0.3, 0.45),
        (quantity(150.0, 40.0), 0.5, 0.6),
        (quantity(2e5, 1e5), 0.65, 0.65),
        (quantity(0.0, 1e-4), 0.5, 0.65),
    ],
)
def test_severity_follows_the_distance(target, least, most) -> None:
    (found,) = seen(target)
    assert least <= found.severity <= most
    assert found.layer == "layers/output"


def test_a_rescaling_behind_the_head_exempts() -> None:
    assert seen(quantity(150.0, 40.0), layer("Rescaling", "units", scale=40.0, offset=150.0)) == ()
    recipe = stack((8,), dense("output", 1, "linear"), compiled={"loss": "mse"})
    scaled = recipe.set("layers/output/after", [layer("Rescaling", "units", scale=40.0, offset=150.0)])
    assert judge(evidence(scaled, data(quantity(150.0, 40.0)))) == ()


def test_a_bounded_head_is_another_fault() -> None:
    assert seen(quantity(150.0, 40.0), activation="sigmoid") == ()


def test_columns_of_unlike_size_drown_each_other() -> None:
    (found,) = seen(quantity(mean=(0.0, 0.0), std=(2.0, 0.05), shape=(2,)))
    assert "another column" in found.evidence


def test_classes_are_not_judged() -> None:
    assert judge(evidence()) == ()


@pytest.mark.parametrize(
    ("std", "many"), [(0.03, 0), (0.01, 1), (2.5, 0), (4.0, 1), ((1.0, 0.15), 0), ((1.0, 0.07), 1)]
)
def test_the_bounds_are_a_matter_of_numbers(std, many) -> None:
    mean = (0.0, 0.0) if isinstance(std, tuple) else 0.0
    assert len(seen(quantity(mean, std))) == many

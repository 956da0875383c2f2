from __future__ import annotations

import pytest

from autofix.symptoms.vanishing_gradient import judge
from tests.symptoms.conftest import evidence, falling, flat, reading, run

NAMES = ("layers/hidden_1", "layers/hidden_2", "layers/output")
STILL = {"layers/hidden_1": 1e-8, "layers/output": 1e-3}
MOVING = {"layers/hidden_1": 1e-3, "layers/output": 1e-3}
ALIKE = dict.fromkeys(NAMES, 0.4)


def seen(*norms, update=STILL, change=ALIKE, score=0.5, loss=None, **more):
    series = {name: (norm,) * 20 for name, norm in zip(NAMES, norms, strict=False)}
    trace = run(loss or flat(), gradient_norms=series, update_ratio=update, weight_change=change, **more)
    return judge(evidence(trace=trace, score=score))


@pytest.mark.parametrize(
    "norms", [(0.3, 0.3, 0.3), (0.01, 0.1, 0.3), (1e-3, 0.01, 0.1), (1e-9, 1e-9, 1e-9), (0.0, 0.0, 0.0), (1e-8, 0.3)]
)
def test_usual_ratios_and_shallow_nets_are_fine(norms) -> None:
    assert seen(*norms) == ()


def test_a_first_layer_that_stands_still_is_a_stall() -> None:
    (found,) = seen(1e-6, 1e-3, 0.3)
    assert found.layer == "layers/hidden_1"
    assert found.severity >= 0.8
    assert "3 layers" in found.evidence


def test_movement_is_judged_where_updates_were_not_measured() -> None:
    still = {"layers/hidden_1": 1e-5, "layers/output": 0.5}
    assert seen(1e-6, 1e-3, 0.3, update={}, change=still, score=None) != ()
    assert seen(1e-6, 1e-3, 0.3, update={}, change=ALIKE, score=None) == ()


def test_adam_hides_the_ratio_so_the_score_decides() -> None:
    assert seen(1e-6, 1e-3, 0.3, update=MOVING, score=0.55)[0].severity >= 0.7
    assert seen(1e-6, 1e-3, 0.3, update=MOVING, score=0.94, loss=falling()) == ()


def test_dead_layers_explain_it_better() -> None:
    (found,) = seen(1e-6, 1e-3, 0.3, last=(reading("hidden_2", dead=1.0),))
    assert found.certainty < 0.7


def test_a_thousandth_is_where_it_begins() -> None:
    assert seen(1e-4, 1e-2, 0.2) != ()
    assert seen(3e-4, 1e-2, 0.2) == ()


@pytest.mark.parametrize(
    ("update", "change", "many"), [(5e-6, 0.4, 1), (2e-5, 0.4, 0), (None, 0.003, 1), (None, 0.006, 0)]
)
def test_standing_still_is_a_matter_of_numbers(update, change, many) -> None:
    updates = {} if update is None else {"layers/hidden_1": update}
    changes = {"layers/hidden_1": change, "layers/output": 0.4}
    assert len(seen(1e-6, 1e-3, 0.3, update=updates, change=changes, score=None)) == many


def came_back(score):
    series = {name: (early,) * 3 + (0.3,) * 17 for name, early in zip(NAMES, (1e-6, 1e-3, 0.3), strict=True)}
    trace = run(falling(), gradient_norms=series, gradient_norm=(0.5,) * 20, update_ratio=MOVING, weight_change=ALIKE)
    return judge(evidence(trace=trace, score=score))


@pytest.mark.parametrize(("score", "many"), [(0.7, 1), (0.94, 0), (None, 0)])
def test_a_gradient_that_came_back_is_told_where_the_score_is_short(score, many) -> None:
    found = came_back(score)
    assert len(found) == many
    assert all(item.severity == 0.6 and "At first" in item.evidence for item in found)

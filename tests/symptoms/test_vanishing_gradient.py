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

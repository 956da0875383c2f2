from __future__ import annotations

import pytest

from autofix.facts import TaskKind
from autofix.symptoms.bottleneck import judge
from tests.symptoms.conftest import classes, column, data, dense, evidence, layer, quantity, stack


def seen(*widths, inputs=8, outputs=1, facts=None):
    hidden = [dense(f"hidden_{index}", width) for index, width in enumerate(widths)]
    return judge(evidence(stack((inputs,), *hidden, dense("output", outputs, "softmax")), facts))


@pytest.mark.parametrize(
    ("widths", "inputs", "outputs"),
    [((32, 16), 8, 1), ((4,), 8, 1), ((8,), 8, 10), ((), 8, 10), ((1,), 1, 1), ((3,), 2, 1)],
)
def test_usual_widths_are_fine(widths, inputs, outputs) -> None:
    assert seen(*widths, inputs=inputs, outputs=outputs) == ()


@pytest.mark.parametrize(
    ("widths", "inputs", "outputs", "severity"),
    [((1,), 8, 1, 0.55), ((2,), 2, 1, 0.45), ((32, 3), 8, 10, 0.45), ((32, 8), 8, 100, 0.35)],
)
def test_narrow_layers_are_found(widths, inputs, outputs, severity) -> None:
    (found,) = seen(*widths, inputs=inputs, outputs=outputs)
    assert found.severity == severity
    assert found.layer == f"layers/hidden_{len(widths) - 1}"


def test_an_autoencoder_is_meant_to_be_narrow() -> None:
    target = quantity((0.0,) * 8, (1.0,) * 8, shape=(8,))
    assert target.kind is TaskKind.REGRESSION
    assert seen(2, outputs=8, facts=data(target, inputs=[column((8,))])) == ()


def test_a_narrow_gate_beside_the_way_is_fine() -> None:
    recipe = stack((8,), dense("hidden", 32), dense("gate", 1, "sigmoid"), layer("Multiply", "by"), dense("output", 3))
    assert judge(evidence(recipe, data(classes(300, 300, 200)))) == ()


def test_a_run_that_failed_makes_it_surer() -> None:
    recipe = stack((8,), dense("hidden", 1), dense("output", 1, "sigmoid"))
    (before,), (after,) = judge(evidence(recipe)), judge(evidence(recipe, score=0.5))
    assert (before.severity, before.certainty, after.certainty) == (0.55, 0.6, 0.8)
    assert after.severity > 0.7
    assert judge(evidence(recipe, score=0.95))[0].severity == 0.4

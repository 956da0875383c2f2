from __future__ import annotations

import pytest

from autofix.symptoms.dead_units import judge
from tests.symptoms.conftest import dense, evidence, falling, flat, layer, optimizer, plain, reading, run, stack


def seen(*last, first=(), score=0.5, loss=None, recipe=None):
    return judge(evidence(recipe, trace=run(loss or flat(), last=last, first=first), score=score))


@pytest.mark.parametrize("dead", [0.0, 0.2, 0.45, float("nan")])
def test_some_dead_units_are_usual(dead) -> None:
    assert seen(reading(dead=dead)) == ()


def test_severity_follows_the_share() -> None:
    found = [seen(reading(dead=dead))[0].severity for dead in (0.5, 0.7, 0.9, 1.0)]
    assert found == sorted(found)
    assert found[0] <= 0.4
    assert found[2] >= 0.7
    assert found[3] == 0.95


def test_each_layer_is_told_and_whether_it_was_born_dead() -> None:
    first = (reading(dead=0.9, step=0), reading("hidden_2", dead=0.1, step=0))
    found = seen(reading(dead=1.0), reading("hidden_2", dead=1.0), first=first)
    assert [item.since_step for item in found] == [0, 200]
    assert "90% were before training" in found[0].evidence


def test_other_activations_may_have_zero_columns() -> None:
    assert seen(reading(activation="linear", dead=0.8)) == ()
    assert seen(reading(activation="linear", dead=1.0)) != ()


def test_nan_is_not_zero() -> None:
    assert seen(reading(dead=1.0, finite=False)) == ()


def test_a_padded_embedding_is_no_dead_layer() -> None:
    words = layer("Embedding", "hidden_1", input_dim=10, output_dim=4)
    recipe = stack((8,), words, dense("output", 1, "sigmoid"))
    assert seen(reading(activation="linear", dead=1.0), recipe=recipe) == ()


def test_a_run_that_learned_gets_a_note() -> None:
    (found,) = seen(reading(dead=0.9), score=0.95, loss=falling())
    assert found.severity <= 0.4


@pytest.mark.parametrize(
    ("recipe", "certainty"),
    [
        (plain(), 0.9),
        (plain(compiled={"optimizer": optimizer("Adam", 1.0)}), 0.6),
        (plain(compiled={"optimizer": optimizer("Adam", 0.001)}), 0.9),
        (stack((8,), dense("hidden_1", 2), dense("output", 1, "sigmoid")), 0.6),
    ],
    ids=["alone", "far too fast", "usual rate", "two units"],
)
def test_what_killed_them_is_surer_than_that_they_are_dead(recipe, certainty) -> None:
    (found,) = seen(reading(dead=1.0), recipe=recipe)
    assert (found.severity, found.certainty) == (0.95, certainty)

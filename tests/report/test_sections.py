"""What the sections of the page decide: scales, notes, and what stands side by side."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from autofix.change import Change, Patch
from autofix.report import document
from autofix.report.html import charts
from autofix.report.html.chart import Series
from autofix.report.html.sections.answers import predictions
from autofix.report.html.sections.trace import curves
from autofix.report.words import value_text
from tests.doubles import outcome
from tests.report.samples import RATE, confusion, measured, result, trace


@pytest.mark.parametrize(
    ("path", "is_other"),
    [
        ("compile/loss", True),
        ("compile/loss_weights/price", True),
        ("fit/class_weight", True),
        ("layers/dense/kernel_regularizer", True),
        ("layers/loss/activation", False),
        ("layers/input_layer/after", False),
        ("compile/optimizer/learning_rate", False),
    ],
)
def test_losses_on_two_scales_are_told_where_the_loss_was_changed(path, is_other):
    patch = Patch((Change(path, None, 1, "loss", "Why."),))
    runs = (outcome(0.1, trace=trace(stuck=True)), outcome(0.9, patch, trace=trace()))
    section = curves(document.of(result(patch=patch, trials=runs)))
    assert ("not on one scale" in section.figures[0].chart.note) == is_other


def test_a_loss_of_zero_leaves_the_scale_logarithmic():
    def drawn(*losses):
        points = [[step, loss] for step, loss in enumerate(losses)]
        return charts.curves("c", "Loss", [Series("after", "after", points)], x="training step", y="loss")

    chart = drawn(1e9, 1.0, 0.0, 1e-6)
    assert chart.wide.frame.y[2]
    assert chart.note == "0 is drawn at the lower edge."
    assert drawn(1e9, 1.0).note == ""
    assert not drawn(1.0, 0.0, -1e3).wide.frame.y[2]
    assert not drawn(1.0, 0.5).wide.frame.y[2]
    assert not drawn(0.0, 0.0).wide.frame.y[2]


@pytest.mark.parametrize(("classes", "is_wide"), [(3, False), (10, True)])
def test_tables_stand_side_by_side_where_both_have_room(classes, is_wide):
    after = measured((0.9, 0.9, 0.9), Patch((RATE,)), numbered(classes))
    section = predictions(document.of(result(after=after, before=after)))
    (output,) = section.data["outputs"]
    assert output["wide"] is is_wide


def numbered(classes: int):
    """Classes called by their numbers, counted over three seeds: columns of three digits."""
    found = confusion(classes, 0.9)
    return replace(found, classes=tuple(map(str, range(classes))))


@pytest.mark.parametrize(("layers", "most"), [(2, 4), (24, 7)])
def test_labels_of_a_scale_have_room(layers, most):
    rows = [f"layer {number}" for number in range(layers)]
    values = [[10.0**place for place in range(-6, 6)] for _ in rows]
    chart = charts.heat_map("h", "Norms", rows, list(range(3000, 3012)), values, (-6, 6))
    shown = re.findall(r">10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]*<|>1<|>100<", chart.wide.svg)
    assert 2 <= len(shown) <= most


def test_a_scale_is_told_where_it_is_a_number():
    def layer(name, scale):
        return {"module": "keras.layers", "class_name": name, "config": {"scale": scale}, "registered_name": None}

    assert value_text([layer("Rescaling", 0.0625)]) == "Rescaling(scale=0.0625)"
    assert value_text([layer("Rescaling", [1.0, 2.0])]) == "Rescaling()"
    assert value_text([layer("BatchNormalization", True)]) == "BatchNormalization()"

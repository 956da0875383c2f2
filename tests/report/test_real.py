"""A real repair, as its report tells it: what is shown was measured."""

from __future__ import annotations

import numpy as np
import pytest

from autofix.report import document
from tests import programs


@pytest.fixture(scope="module")
def result():
    return programs.run("tiny_rate").result


def test_predictions_are_those_that_were_scored(result):
    for measured in (result.before, result.after):
        for value, run in zip(measured.values, measured.outcomes, strict=True):
            (seen,) = run.predictions
            recalls = [row[place] / sum(row) for place, row in enumerate(seen.counts)]
            assert np.mean(recalls) == pytest.approx(value)


def test_both_runs_were_looked_at(result):
    made = document.of(result)
    for name in ("before", "after"):
        run = made["runs"][name]
        assert run["loss"]
        assert run["gradients"]["norms"][0][0] > 0
        assert run["units"]
    assert made["runs"]["after"]["loss"][-1][1] < made["runs"]["before"]["loss"][-1][1]


def test_report_of_it(result, tmp_path):
    text = result.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert f'id="after-mean" value="{result.after.mean}"' in text
    for key in ("curves", "predictions", "range-test", "gradients"):
        assert f'<section id="{key}"' in text

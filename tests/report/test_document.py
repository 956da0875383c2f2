"""The document behind a report: bounded, finite, and the same from a result as from a run folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import optuna
import pytest

from autofix.confirm import Measured
from autofix.errors import FixYourCall
from autofix.outcome import Outcome
from autofix.report import document, importance
from autofix.report.words import count_text, effect_text, metric_text, seconds_text, value_text
from autofix.result import RepairResult
from tests.doubles import outcome
from tests.report.samples import SAMPLES, trace


@dataclass
class Folder:
    """What a run folder gives back of a result."""

    result: RepairResult

    def _part(self, *names: str) -> dict[str, Any]:
        plain = json.loads(json.dumps(document.finite(self.result.to_dict())))
        return {name: plain[name] for name in plain if name in names or not names}

    def result_document(self) -> dict[str, Any]:
        gone = ("changes", "diagnosis", "recipe")
        return {**{k: v for k, v in self._part().items() if k not in gone}, "trials": len(self.result.trials)}

    def diagnosis_document(self) -> dict[str, Any]:
        return self._part("status", "diagnosis")

    def changes_document(self) -> dict[str, Any]:
        return self._part("status", "changes", "recipe")

    def patch(self) -> Any:
        return self.result.patch

    def trials(self) -> list[Outcome]:
        return [replace(trial, weights=None) for trial in self.result.trials]


@pytest.mark.parametrize("name", SAMPLES)
def test_folder_and_result_tell_the_same(reports, name):
    assert document.of_run(Folder(reports[name].result)) == json.loads(json.dumps(reports[name].document))


def test_result_read_back_finds_the_runs_of_its_proof(reports):
    made = reports["repaired"].result
    bare = replace(
        made,
        before=Measured(made.before.mean, made.before.spread, made.before.values),
        after=Measured(made.after.mean, made.after.spread, made.after.values),
    )
    assert document.of(bare) == reports["repaired"].document


def test_folder_without_a_result():
    class Empty:
        def result_document(self) -> dict[str, Any]:
            return {}

    with pytest.raises(FixYourCall, match="start it again"):
        document.of_run(Empty())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SAMPLES)
def test_plain_finite_and_small(reports, name):
    assert len(json.dumps(reports[name].document, allow_nan=False)) < 1_000_000


def test_long_runs_are_thinned(reports):
    run = reports["large"].document["runs"]["before"]
    assert len(run["loss"]) == document.MOST_POINTS
    assert run["loss"][-1][0] == run["steps"] == 6000
    assert len(run["scores"]) == document.MOST_POINTS
    assert len(run["gradients"]["steps"]) <= document.MOST_STEPS
    assert len(run["gradients"]["layers"]) == 40
    deep = document._run(outcome(0.5, trace=trace(200, 10)))
    assert deep is not None
    assert len(deep["gradients"]["layers"]) == document.MOST_LAYERS
    assert deep["gradients"]["layers"][-1] == "layers/dense_199"
    assert deep["gradients"]["all_layers"] == 200


def test_thinned_loss_is_the_mean_of_its_stretch():
    points = document._thinned([float(number) for number in range(1000)])
    assert points[0] == [5, 2.0]
    assert sum(value for _, value in points) / len(points) == pytest.approx(499.5)
    assert document._thinned([1.0, float("nan"), 3.0]) == [[1, 1.0], [2, None], [3, 3.0]]


def test_scores_of_one_division_alone():
    assert document._in_order((1.0, 2.0, 1.0, 2.0), (0.1, 0.2, 0.8, 0.9)) == [[1.0, 0.1], [2.0, 0.2]]


def test_counts_are_added_up_over_seeds(reports):
    (after,) = reports["repaired"].document["predictions"]["after"]
    assert after["seeds"] == 3
    assert after["rows"] == 1200
    recalls = [row[place] / sum(row) for place, row in enumerate(after["counts"])]
    assert recalls == pytest.approx([0.93] * 4)


def test_importances_name_what_matters():
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    assert importance.of(study) == {}

    def score(trial: optuna.Trial) -> float:
        rate = trial.suggest_categorical("learning_rate.use", ["off", "guess"])
        trial.suggest_categorical("shuffle.use", ["off", "guess"])
        return (0.9 if rate == "guess" else 0.1) if trial.number else -1e6

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study.optimize(score, n_trials=30)
    found = importance.of(study)
    assert next(iter(found)) == "learning_rate"
    assert found["learning_rate"] > 0.8


def test_words():
    assert effect_text(None, "r2") == ""
    assert effect_text(0.31, "r2") == "without it: r2 falls by 0.310"
    assert effect_text(-0.02, "r2") == "without it: r2 rises by 0.020, but the fault remains"
    for none in (0.0, 0.0009, -0.005):
        assert effect_text(none, "r2") == "without it: r2 stays the same, but the fault remains"
    assert effect_text(1e6, "r2") == "without it: the run does not train"
    inner = [{"class_name": name, "config": {}} for name in ("InputLayer", "Normalization", "Dropout")]
    assert value_text([{"class_name": "Functional", "config": {"layers": inner}}]) == "Normalization() + Dropout()"
    assert metric_text("balanced_accuracy") == "balanced accuracy"
    assert [count_text(one, "run") for one in (0, 1, 1200)] == ["0 runs", "1 run", "1,200 runs"]
    assert metric_text("balanced_accuracy and r2") == "balanced accuracy and R\N{SUPERSCRIPT TWO}"
    assert effect_text(0.2, "accuracy and r2") == "without it: accuracy and r2 fall by 0.200"
    assert effect_text(0.0, "accuracy and r2").startswith("without it: accuracy and r2 stay the same")
    assert metric_text("r2") == "R\N{SUPERSCRIPT TWO}"
    assert [seconds_text(one) for one in (1.23, 75, 4000)] == ["1.2 s", "1 min 15 s", "1 h 06 min"]

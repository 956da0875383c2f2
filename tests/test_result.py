"""What a repair hands back, made by hand: the dictionary, the files and the change log."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import autofix
from autofix.change import Change, Patch
from autofix.confirm import Measured
from autofix.outcome import Status
from autofix.recipe import Recipe
from autofix.report.change_log import markdown
from autofix.report.text import WIDTH
from autofix.report.words import value_text
from autofix.result import RepairResult, Verdict
from autofix.symptom import Diagnosis, Symptom
from autofix.symptoms import complete
from autofix.trace import Trace
from tests.doubles import outcome, recipe

RATE = Change("compile/optimizer/learning_rate", 1e-7, 0.002, "learning_rate", "The loss fell by 0.", effect=0.31)
LAYERS = tuple(
    Change(f"layers/dense_{i}/activation", "sigmoid", "relu", "activation", "Gradients vanish.", effect=0.12)
    for i in range(3)
)


def scores(*values: float) -> Measured:
    return Measured.of([outcome(value, holdout=value, seed=101 + i) for i, value in enumerate(values)], 0.0)


class Saves:
    """A model that can be saved."""

    def save(self, path: Any) -> None:
        path.write_text("model")


def result(verdict: Verdict = Verdict.REPAIRED, **more: Any) -> RepairResult:
    settings: dict[str, Any] = {
        "verdict": verdict,
        "model": Saves(),
        "patch": Patch((*LAYERS, RATE)),
        "diagnosis": (
            Diagnosis(Symptom.VANISHING_GRADIENT, 0.9, 1.0, "The first layer gets 1e-9.", "layers/dense_0"),
            Diagnosis(Symptom.SLOW, 0.5, 0.8, "It fell by 0.001 in 40 steps."),
            Diagnosis(Symptom.UNSCALED_INPUTS, 0.1, 0.8, "Up to 16."),
        ),
        "before": scores(0.2, 0.21, 0.19),
        "after": scores(0.9, 0.92, 0.94),
        "control": None,
        "metric": "balanced_accuracy",
        "trials": (outcome(0.2), outcome(0.9, Patch((RATE,)))),
        "study": None,
        "recipe": recipe(),
        "classes": ("no", "yes"),
        "notes": ("only 50 rows: scores are averaged over 5 random splits",),
        "seconds": 12.34,
        "traces": 3,
    }
    return RepairResult(**{**settings, **more})


def text(**more: Any) -> str:
    return str(result(**more))


def test_status_is_the_verdict_in_lower_case():
    assert {verdict.name.lower() for verdict in Verdict} == {
        "healthy", "repaired", "improved", "unrepaired", "unusable", "out_of_budget",
    }  # fmt: skip
    for verdict in Verdict:
        assert result(verdict).status == verdict.name.lower()
        assert verdict.value.endswith(".")


def test_result_is_frozen():
    with pytest.raises(AttributeError):
        result().verdict = Verdict.HEALTHY


def test_changes_are_those_of_the_patch():
    assert result().changes == (*LAYERS, RATE)


def test_dictionary_goes_through_json():
    made = result(control=scores(0.3, 0.3, 0.3))
    document = json.loads(json.dumps(made.to_dict(), allow_nan=False))
    assert document["status"] == "repaired"
    assert document["before"] == {
        "mean": pytest.approx(0.2),
        "spread": pytest.approx(0.01),
        "values": [0.2, 0.21, 0.19],
    }
    assert document["control"]["mean"] == pytest.approx(0.3)
    assert Patch.from_dict({"changes": document["changes"]}) == made.patch
    assert document["diagnosis"][0]["symptom"] == "vanishing_gradient"
    assert document["classes"] == ["no", "yes"]
    assert [trial["score"]["value"] for trial in document["trials"]] == [0.2, 0.9]
    assert autofix.Recipe.from_dict(document["recipe"]) == made.recipe


def test_dictionary_of_a_run_that_never_finished():
    document = json.loads(json.dumps(result(before=None, after=None, classes=None).to_dict(), allow_nan=False))
    assert (document["before"], document["after"], document["classes"]) == (None, None, None)


def test_dictionary_of_a_trial_that_failed():
    failed = outcome(None, status=Status.FAILED, error="ValueError: it broke")
    (trial,) = json.loads(json.dumps(result(trials=(failed,)).to_dict(), allow_nan=False))["trials"]
    assert (trial["score"], trial["status"], trial["error"]) == (None, "failed", "ValueError: it broke")


def test_change_log_has_all_that_a_person_wants():
    said = text()
    lines = said.splitlines()
    assert lines[0] == "REPAIRED  The run is repaired."
    for part in (
        "balanced_accuracy on rows the search never saw, 3 seeds",
        "0.200 ± 0.010",
        "0.920 ± 0.020",
        "layers/dense_0/activation and 2 more: sigmoid -> relu",
        "compile/optimizer/learning_rate: 1e-07 -> 0.002",
        "why: Gradients vanish.",
        "without it: balanced_accuracy falls by 0.310   [learning_rate]",
        "The gradients vanish on their way to the first layers. The first layer gets 1e-9. [layers/dense_0]",
        "Note: only 50 rows",
        "2 training runs, 3 compiled programs, 12.3 s.",
    ):
        assert part in " ".join(said.split()) or part in said
    assert "Up to 16." not in said  # a lesser finding is counted, not told
    assert "(1 lesser finding in `result.diagnosis`)" in said
    assert "trained as long" not in said


def test_lines_are_numbered_and_not_too_long():
    wordy = replace(RATE, why="A very long reason. " * 30)
    lines = text(patch=Patch((*LAYERS, wordy))).splitlines()
    assert [line.strip()[:2] for line in lines if line.strip()[:2] in ("1.", "2.", "3.")] == ["1.", "2."]
    assert max(map(len, lines)) <= WIDTH + 20


def test_control_is_told_where_there_is_one():
    assert "trained as long   0.300 ± 0.000" in text(control=scores(0.3, 0.3, 0.3))


def test_kept_weights_are_told():
    assert "the trained weights were kept" in text(retrained=False)
    assert "the trained weights were kept" not in text(retrained=True)


def test_single_run_is_not_called_seeds():
    said = text(before=scores(0.5), after=None)
    assert "1 run" in said
    assert "±" not in said


@pytest.mark.parametrize("verdict", [Verdict.HEALTHY, Verdict.UNREPAIRED, Verdict.UNUSABLE, Verdict.OUT_OF_BUDGET])
def test_nothing_changed_nothing_claimed(verdict):
    said = text(verdict=verdict, patch=Patch(), after=None, next_steps=("Look at the labels.",))
    assert said.startswith(verdict.name)
    assert "What was changed" not in said
    assert "after  " not in said
    assert "What to look at next" in said
    assert "Look at the labels." in said


def test_no_findings_no_heading():
    assert "What was wrong" not in text(diagnosis=())


def test_likely_causes_are_told_where_no_change_does_away_with_them():
    found = complete(Diagnosis(Symptom.SLOW, 0.5, 0.8, "It fell by 0.001 in 40 steps."))
    open_end = str(result(Verdict.UNREPAIRED, patch=Patch(), diagnosis=(found,)))
    assert f"likely causes: {found.causes[0]}" in open_end
    assert "likely causes" not in str(result(diagnosis=(found,)))
    (told,) = result(diagnosis=(found,)).to_dict()["diagnosis"]
    assert told["causes"] == list(found.causes)
    assert told["strategies"] == list(found.strategies)


def test_many_findings_are_counted():
    many = tuple(Diagnosis(Symptom.SLOW, 0.9, 1.0, f"Number {i}.") for i in range(20))
    said = text(diagnosis=many)
    assert "Number 3." in said
    assert "Number 15." not in said
    assert "lesser findings" in said


def test_effect_that_was_not_measured_is_not_told():
    said = text(patch=Patch((replace(RATE, effect=None),)))
    assert "without it" not in said
    assert "[learning_rate]" in said


def test_files(tmp_path):
    made = result()
    folder = made.save(tmp_path / "new" / "place")
    assert folder == tmp_path / "new" / "place"
    assert sorted(item.name for item in folder.iterdir()) == [
        "change_log.json", "change_log.md", "diagnosis.json", "history.csv", "metrics.json", "patch.yaml",
        "repaired.keras",
    ]  # fmt: skip
    assert (folder / "change_log.md").read_text() == markdown(made)
    assert Patch.from_yaml((folder / "patch.yaml").read_text()) == made.patch
    metrics = json.loads((folder / "metrics.json").read_text())
    assert (metrics["status"], metrics["trials"], metrics["after"]["mean"]) == ("repaired", 2, made.after.mean)
    changes = json.loads((folder / "change_log.json").read_text())
    assert [item["path"] for item in changes["changes"]] == [change.path for change in made.patch]
    assert Recipe.from_dict(changes["recipe"]) == made.recipe
    diagnosis = json.loads((folder / "diagnosis.json").read_text())
    assert [item["symptom"] for item in diagnosis["diagnosis"]] == ["vanishing_gradient", "slow", "unscaled_inputs"]
    assert (folder / "history.csv").read_text() == "seed,role,epoch,score,loss\n"


def test_model_is_saved_only_if_it_was_changed(tmp_path):
    result().save(tmp_path)
    result(Verdict.HEALTHY, patch=Patch()).save(tmp_path)
    assert not (tmp_path / "repaired.keras").exists()


def test_change_log_in_markdown_tells_all():
    said = markdown(result(next_steps=("More <data>.",), control=scores(0.3)))
    for part in (
        "# REPAIRED: The run is repaired.",
        "| before | 0.200 ± 0.010 | 3 |",
        "| trained as long | 0.300 | 1 |",
        "1. `layers/dense_0/activation`, `layers/dense_1/activation`, `layers/dense_2/activation`: `sigmoid` -> `relu`",
        "   - without it: balanced_accuracy falls by 0.120",
        "2. `compile/optimizer/learning_rate`: `1e-07` -> `0.002` (learning_rate)",
        "   - why: The loss fell by 0.",
        "- More &lt;data&gt;.",
        "- only 50 rows: scores are averaged over 5 random splits",
        "2 training runs, 12.3 s.",
    ):
        assert part in said


def test_curves_have_one_row_a_score(tmp_path):
    trace = Trace(steps_per_epoch=2, loss=(4.0, 2.0, 1.0, 0.0), epoch_scores=(0.3, 0.6), scored_epochs=(1.0, 2.0))
    plain = Trace(steps_per_epoch=2, loss=(4.0, 2.0, float("nan")))
    trials = (outcome(None, trace=plain), outcome(0.6, Patch((RATE,)), seed=3, trace=trace))
    folder = result(patch=Patch((RATE,)), trials=trials).save(tmp_path)
    assert (folder / "history.csv").read_text().splitlines()[1:] == [
        "0,before,1.0,,3.0",
        "0,before,2.0,,nan",
        "3,after,1.0,0.3,3.0",
        "3,after,2.0,0.6,0.5",
    ]


def test_files_are_replaced_whole_or_not_at_all(tmp_path):
    class Broken:
        def save(self, path: Any) -> None:
            raise OSError("disk full")

    result().save(tmp_path)
    (tmp_path / "mine.txt").write_text("mine")
    before = {item.name: item.read_bytes() for item in tmp_path.iterdir()}
    with pytest.raises(OSError, match="disk full"):
        result(model=Broken(), metric="other").save(tmp_path)
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == before
    result(metric="other").save(tmp_path)
    assert json.loads((tmp_path / "metrics.json").read_text())["metric"] == "other"
    assert (tmp_path / "mine.txt").read_text() == "mine"


ADAM = {"module": "keras.optimizers", "class_name": "Adam", "config": {"learning_rate": 0.01, "beta_1": 0.9}}
LAYERS_BEHIND = [
    {"class_name": "BatchNormalization", "config": {}},
    {"class_name": "Dropout", "config": {"rate": 0.5}},
]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.00012345678, "0.0001235"),
        (1.0, "1"),
        (None, "None"),
        ((), "nothing"),
        ("relu", "relu"),
        (True, "True"),
        (ADAM, "Adam(learning_rate=0.01)"),
        ({"module": "builtins", "class_name": "function", "config": "my_loss"}, "my_loss"),
        (LAYERS_BEHIND, "BatchNormalization() + Dropout(rate=0.5)"),
        ({"dense": [1, 2, 3]}, "{'dense': [1, 2, 3]}"),
        (list(range(100)), repr(list(range(100)))[:59] + "…"),
    ],
    ids=str,
)  # fmt: skip
def test_values_are_shown_as_a_person_would_write_them(value, shown):
    assert value_text(value) == shown

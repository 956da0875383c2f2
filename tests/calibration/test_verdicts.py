"""Judging without training: stored evidence, which runs count, recall, false alarms, what was named first."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autofix.frozen import FrozenDict
from autofix.symptoms import PREFLIGHT, TRACE, diagnose
from tests.symptoms import conftest as by_hand

from . import evidence
from .__main__ import main
from .plan import Job
from .runner import missing
from .store import Store
from .summary import Summary, in_order
from .verdict import Finding, Verdict, of

TWIN = Job("", "regression_one", 0)


def run_of_a_fault() -> Any:
    """A run at a rate far too high, NaN included."""
    recipe = by_hand.plain(compiled={"optimizer": by_hand.optimizer("Adam", 10.0)})
    trace = by_hand.run(
        (*by_hand.flat(20), float("nan")), first=(by_hand.reading(step=0),), last=(by_hand.reading(dead=1.0),),
        predictions=(by_hand.predictions(1.0, (1.0, 0.0)),),
    )  # fmt: skip
    return by_hand.evidence(recipe, by_hand.data(), trace, 0.5)


def test_kept_evidence_is_judged_like_the_run_itself() -> None:
    given = run_of_a_fault()
    kept = evidence.from_dict(json.loads(json.dumps(evidence.to_dict(given))))
    assert kept.facts == given.facts
    assert kept.trace is not None
    assert kept.trace.first == given.trace.first
    rules = (*PREFLIGHT, *TRACE)
    found, _ = diagnose(given, rules)
    assert len(found) >= 3
    assert [item.to_dict() for item in diagnose(kept, rules)[0]] == [item.to_dict() for item in found]


def test_the_layout_is_that_of_what_rules_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    before = evidence.layout()
    monkeypatch.setattr(evidence, "KEPT", evidence.KEPT[:-1])
    assert evidence.layout() != before


def finding(symptom: str, severity: float) -> Finding:
    return Finding(symptom, severity, 0.9, None, None, FrozenDict())


def verdict(job: Job, holdout: float | None, *findings: Finding, **more: Any) -> Verdict:
    given = {"score": holdout, "chance": 0.0, "signal": 0.8, "noise": 0.02, "stuck": False, **more}
    return Verdict(job, "DONE", holdout=holdout, findings=findings, **given)


def summary(*broken: Verdict) -> Summary:
    return in_order([verdict(TWIN, 0.9), *broken])


RATE = Job("rate_x1000", "regression_one", 0)


def test_a_cause_behind_its_consequences_is_named_first() -> None:
    found = verdict(RATE, 0.0, finding("plateau", 0.9), finding("extreme_learning_rate", 0.9), finding("slow", 0.6))
    assert found.first() == "extreme_learning_rate"
    (row,) = summary(found).rows
    assert (row.counted, row.named, row.narrowly, row.strictly) == (1, 1, 1, 0)


def test_any_cause_of_the_list_will_do_the_first_is_the_narrowest() -> None:
    done = summary(verdict(RATE, 0.0, finding("exploding_gradient", 0.9), finding("extreme_learning_rate", 0.9)))
    assert (done.named, done.narrowly, done.strictly) == (1.0, 0.0, 1.0)


def test_without_a_cause_the_first_consequence_is_what_was_named() -> None:
    assert verdict(RATE, 0.0, finding("plateau", 0.9), finding("slow", 0.6)).first() == "plateau"
    assert verdict(RATE, 0.0).first() is None


def test_a_note_is_not_found() -> None:
    noted = summary(verdict(RATE, 0.0, finding("extreme_learning_rate", 0.4)))
    assert noted.line("extreme_learning_rate").recall == 0.0
    told = summary(verdict(RATE, 0.0, finding("extreme_learning_rate", 0.45)))
    assert told.line("extreme_learning_rate").recall == 1.0


@pytest.mark.parametrize(("holdout", "counts"), [(None, 1), (0.0, 1), (-50.0, 1), (0.7, 1), (0.75, 0), (0.95, 0)])
def test_a_run_counts_by_what_it_lost_against_its_twin(holdout: float | None, counts: int) -> None:
    done = summary(verdict(RATE, holdout, finding("extreme_learning_rate", 0.9)))
    assert len(done.counted) == counts
    assert done.line("extreme_learning_rate").runs == counts


def test_a_loss_within_noise_is_none() -> None:
    twin = verdict(TWIN, 0.9, noise=0.2)
    broken = verdict(RATE, 0.6)
    assert in_order([twin, broken]).lost(broken) == 0.0


def test_without_a_healthy_twin_nothing_was_lost() -> None:
    broken = verdict(RATE, 0.0)
    assert in_order([broken]).lost(broken) == 0.0
    assert in_order([verdict(TWIN, 0.3), broken]).lost(broken) == 0.0


def test_a_fault_of_the_contract_counts_whatever_the_score() -> None:
    done = summary(verdict(Job("sigmoid_for_quantity", "regression_one", 0), 0.9, finding("output_range", 0.5)))
    assert done.line("output_range").recall == 1.0


def test_false_alarms_are_counted_on_healthy_runs_alone() -> None:
    alarmed = verdict(Job("", "digits_mlp", 0), 0.8, finding("slow", 0.6), finding("overfitting", 0.3), stuck=True)
    ill = verdict(Job("", "digits_mlp", 1), 0.2, finding("plateau", 0.9), stuck=True)
    done = summary(alarmed, ill)
    assert (len(done.healthy), len(done.unsound), len(done.alarmed), len(done.stuck)) == (2, 1, 1, 1)
    assert (done.line("slow").alarms, done.line("overfitting").alarms, done.line("overfitting").notes) == (1, 0, 1)
    assert done.line("plateau").alarms == 0


def test_a_symptom_that_autofix_does_not_have_is_no_miss() -> None:
    (row,) = summary(verdict(Job("rows_against_rows", "regression_one", 0), 0.0)).rows
    assert row.counted == 1
    line = replace(summary().line("plateau"), symptom="unheard_of", known=False, noted=False)
    assert line.recall is None


def row_of(given: Any, job: Job) -> dict[str, Any]:
    return {
        "fingerprint": job.program().fingerprint(), "layout": evidence.layout(), "status": "DONE", "error": None,
        "score": given.score, "holdout": given.score, "share": 1.0, "splits": 1, "seconds": 1.0,
        "evidence": evidence.to_dict(given),
    }  # fmt: skip


def test_a_stored_run_is_judged() -> None:
    judged = of(RATE, row_of(run_of_a_fault(), RATE))
    assert judged.stuck
    assert judged.first() is not None
    assert judged.has("extreme_learning_rate")
    assert of(RATE, {"evidence": None, "status": "refused", "error": "no", "seconds": 1.0}).first() is None


def test_finished_runs_are_not_made_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert missing([RATE, TWIN], store) == [RATE, TWIN]
    store.put(RATE, row_of(run_of_a_fault(), RATE))
    assert missing([RATE, TWIN], store) == [TWIN]
    store.put(RATE, row_of(run_of_a_fault(), RATE) | {"fingerprint": "of another program"})
    assert missing([RATE, TWIN], store) == [RATE, TWIN]
    store.path(RATE).write_bytes(b"torn")
    assert store.get(RATE) is None


def test_the_command_judges_again_what_a_folder_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(tmp_path)
    store.put(RATE, row_of(run_of_a_fault(), RATE))
    store.put(TWIN, row_of(replace(run_of_a_fault(), score=0.93), TWIN))
    assert main(["--rejudge", "--out", str(tmp_path), "--verbose"]) == 1
    assert "recall of extreme_learning_rate: 1 (>= 0.9) holds" in capsys.readouterr().out
    written = json.loads((tmp_path / "findings.json").read_text())
    assert {run["job"]["mutation"]: run["lost"] for run in written["runs"]} == {"": 0.0, "rate_x1000": 1.0}
    assert main(["--rejudge", "--out", str(tmp_path / "empty")]) == 2


def test_names_that_match_nothing_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--kinds", "digit_mlp"]) == 2
    assert "nothing matches" in capsys.readouterr().err


def test_where_a_note_is_all_there_should_be_a_note_counts() -> None:
    broken = verdict(Job("leaked_target", "regression_one", 0), 0.99, finding("leakage", 0.3))
    beside = verdict(Job("", "digits_mlp", 0), 0.9, finding("leakage", 0.3))
    done = summary(broken, beside)
    line = done.line("leakage")
    assert (line.found, line.first, line.noted, line.alarms, line.notes) == (1, 1, True, 0, 1)
    assert broken.first() is None

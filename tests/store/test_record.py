"""A run folder under way: who may write it, how it ends, and what happens when it cannot be written."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autofix import files
from autofix.budget import Budget, Clock
from autofix.change import Patch
from autofix.errors import FixYourCall, Stopped, TryLater, one_line
from autofix.result import Verdict
from autofix.store import record as module
from autofix.store.folder import RunFolder
from autofix.store.inputs import Inputs, code_of, settings_of
from autofix.store.record import Record
from tests.doubles import FakeTrainer, patch
from tests.doubles import recipe as numbers
from tests.test_result import result

ROOT = Path(__file__).resolve().parents[2]
INPUTS = Inputs(
    {"program": "p", "weights": "w", "data": "d"},
    settings_of(
        metric="auto",
        target=None,
        budget=Budget(runs=10),
        strategies=["a", "b"],
        weights="auto",
        watched=False,
        seed=7,
    ),
    {"keras": "3.15"},
)


def begun(path: Any) -> Record:
    return Record(RunFolder.at(path), INPUTS)


def document(path: Any) -> dict[str, Any]:
    return RunFolder.at(path).run_document()


def full(*args: Any, **more: Any) -> Any:
    raise OSError(28, "No space left on device")


def test_folder_says_what_was_begun(tmp_path):
    begun(tmp_path / "deep" / "run")
    found = document(tmp_path / "deep" / "run")
    assert (found["state"], found["pid"], found["seed"], found["exit"]) == ("running", os.getpid(), 7, None)
    assert found["fingerprints"] == INPUTS.fingerprints
    assert found["versions"] == {"keras": "3.15"}
    assert found["study"].startswith("run-")


def test_folder_that_nobody_began_says_nothing(tmp_path):
    folder = RunFolder.at(tmp_path / "none")
    assert folder.state() is None
    assert (folder.run_document(), folder.result_document(), folder.history(), folder.trials()) == ({}, {}, [], [])
    assert (folder.patch(), folder.change_log(), folder.before_and_after()) == (Patch(), "", (None, None))
    assert not folder.path.exists()


def test_folder_goes_on_with_the_same_inputs(tmp_path):
    first = begun(tmp_path)
    before = document(tmp_path)
    again = begun(tmp_path)
    assert document(tmp_path)["id"] == before["id"]
    assert document(tmp_path)["started"] == before["started"]
    assert len(document(tmp_path)["resumed"]) == 1
    assert again.shelf.study.study_name == first.shelf.study.study_name


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"fingerprints": {**INPUTS.fingerprints, "data": "x"}}, "the data"),
        ({"fingerprints": {**INPUTS.fingerprints, "program": "x"}}, "the model or how it is fitted"),
        ({"fingerprints": {**INPUTS.fingerprints, "weights": "x"}}, "set_random_seed"),
        ({"settings": {**INPUTS.settings, "seed": 8}}, r"seed \(was 7, is 8\)"),
        ({"settings": {**INPUTS.settings, "strategies": ["a"]}}, "strategies"),
        ({"versions": {"keras": "3.16"}}, r"keras \(was '3.15', is '3.16'\)"),
    ],
)
def test_folder_belongs_to_one_repair(tmp_path, other, says):
    begun(tmp_path)
    before = (tmp_path / "run.json").read_bytes()
    with pytest.raises(FixYourCall, match=f"{says}.*Choose another folder, or delete"):
        Record(RunFolder.at(tmp_path), replace(INPUTS, **other))
    assert (tmp_path / "run.json").read_bytes() == before


@pytest.mark.parametrize("content", ["", "garbage", "[1]", "[" * 100_000])
def test_run_file_that_is_corrupt_is_refused(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(FixYourCall, match=r"`run\.json`"):
        begun(tmp_path)
    assert (tmp_path / "run.json").read_text() == content


def test_second_process_is_told_who_writes_and_a_killed_one_counts_as_interrupted(tmp_path):
    program = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from autofix.store.folder import RunFolder
folder = RunFolder.at({str(tmp_path)!r})
with folder.held():
    import os
    folder.write_run({{"state": "running", "pid": os.getpid()}})
    print("held", flush=True)
    time.sleep(600)
"""
    folder = RunFolder.at(tmp_path)
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        assert folder.state() == "running"
        with pytest.raises(TryLater, match=f"process {child.pid} is writing"), folder.held():
            pass
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    assert folder.state() == "interrupted"
    with folder.held():
        assert folder.is_held()
    assert not folder.is_held()


@pytest.mark.parametrize("path", ["/proc/nowhere/run", "/dev/null/run"])
def test_folder_that_cannot_be_written_is_refused(path):
    with pytest.raises(FixYourCall, match="`out` must be a folder that can be written"), RunFolder.at(path).held():
        pass


def test_full_disk_at_the_beginning_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "flush", full)
    with pytest.raises(FixYourCall, match="No space left"):
        begun(tmp_path)
    assert not any(tmp_path.glob("*.json"))


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (KeyboardInterrupt(), "interrupted", 130),
        (SystemExit(143), "interrupted", 143),
        (Stopped(143), "interrupted", 143),
        (Stopped(130), "interrupted", 130),
        (ValueError("boom"), "failed", 4),
        (OSError(errno.ENOSPC, "boom"), "failed", 75),
    ],
)
def test_folder_says_how_it_ended_badly(tmp_path, error, state, code):
    record = begun(tmp_path)
    with pytest.raises(type(error)), record.running(Clock(Budget())):
        raise error
    found = document(tmp_path)
    assert (found["state"], found["exit"], found["ended"] is not None) == (state, code, True)
    assert found["error"] == (one_line(error) if state == "failed" else None)
    assert RunFolder.at(tmp_path).state() == state
    begun(tmp_path)
    assert document(tmp_path)["state"] == "running"


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.HEALTHY, 0),
        (Verdict.REPAIRED, 0),
        (Verdict.IMPROVED, 0),
        (Verdict.UNREPAIRED, 3),
        (Verdict.OUT_OF_BUDGET, 3),
        (Verdict.UNUSABLE, 4),
    ],
)
def test_folder_says_how_it_ended_well(tmp_path, verdict, code):
    made = begun(tmp_path).finish(result(verdict), interrupted=False)
    assert made.notes == result(verdict).notes
    found = document(tmp_path)
    assert (found["state"], found["exit"], found["seconds"]) == ("finished", code, 12.34)


def test_a_repair_that_stays_below_the_score_asked_for_says_what_the_command_says(tmp_path):
    for target, code in ((None, 0), (0.0, 0), (0.9999, 3)):
        inputs = replace(INPUTS, settings={**INPUTS.settings, "target": target})
        folder = RunFolder.at(tmp_path / str(target))
        made = replace(result(), patch=patch("a"))
        assert Record(folder, inputs).finish(made, interrupted=False).exit_with(target) == code
        assert folder.run_document()["exit"] == code


def test_interrupted_result_is_written_and_goes_on(tmp_path):
    begun(tmp_path).finish(result(), interrupted=True)
    assert (document(tmp_path)["state"], document(tmp_path)["exit"]) == ("interrupted", 130)
    assert RunFolder.at(tmp_path).result_document()["status"] == "repaired"


def test_time_that_is_spent_is_noted_while_it_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BEAT", 0.01)
    record = begun(tmp_path)
    with record.running(Clock(Budget(), began=time.monotonic() - 50.0)):
        until = time.monotonic() + 60.0
        while document(tmp_path)["seconds"] < 50.0 and time.monotonic() < until:
            time.sleep(0.01)
    assert document(tmp_path)["seconds"] >= 50.0
    assert begun(tmp_path).spent >= 50.0


def test_full_disk_meanwhile_costs_nothing_but_what_was_to_be_kept(tmp_path, monkeypatch):
    record = begun(tmp_path)
    clock = Clock(Budget())
    trainer = FakeTrainer(lambda found: 0.5)
    trainer.rung = 1.0  # type: ignore[attr-defined]
    recorded = record.trainer(trainer, clock)
    recorded.run(numbers(a=1), patch("a"))
    with monkeypatch.context() as patched:
        patched.setattr(files, "flush", full)
        assert recorded.run(numbers(a=2), patch("a")).score.value == 0.5
        assert recorded.run(numbers(a=3), patch("a")).score.value == 0.5
    recorded.run(numbers(a=4), patch("a"))
    assert len(record.trouble) == 1
    assert "No space left" in record.trouble[0]
    assert len(RunFolder.at(tmp_path).trials()) == 2
    assert not any(tmp_path.rglob(".writing-*"))
    made = record.finish(result(), interrupted=False)
    assert made.notes[-1] == record.trouble[0]


def test_drafts_of_a_killed_process_are_deleted(tmp_path):
    begun(tmp_path)
    for place in (tmp_path, tmp_path / "trials"):
        (place / ".writing-abc").mkdir(parents=True)
        (place / ".writing-abc" / "half.json").write_text("{")
    for name in ("00000-0123456789abcdef.json", "00000-0123456789abcdef.npz", "00001-0123456789abcdef.npz"):
        (tmp_path / "trials" / name).touch()
    begun(tmp_path)
    assert not any(tmp_path.rglob(".writing-*"))
    # Weights whose answer was not written any more are nobody's.
    assert {item.stem[:5] for item in (tmp_path / "trials").glob("*.npz")} == {"00000"}


def test_full_disk_at_the_end_leaves_the_result_in_memory(tmp_path, monkeypatch):
    record = begun(tmp_path)
    before = {item.name for item in tmp_path.iterdir()}
    with monkeypatch.context() as patched:
        patched.setattr(files, "flush", full)
        made = record.finish(result(), interrupted=False)
    assert made.verdict is Verdict.REPAIRED
    assert "the result could not be written" in made.notes[-1]
    assert {item.name for item in tmp_path.iterdir()} == before
    assert document(tmp_path)["state"] == "running"
    assert RunFolder.at(tmp_path).state() == "interrupted"


def test_password_of_a_database_is_not_written(tmp_path):
    url = f"sqlite://user:secret@/{tmp_path / 'study.db'}"
    with pytest.raises((FixYourCall, TryLater)):
        Record(RunFolder.at(tmp_path / "run"), INPUTS, url)
    written = "".join(path.read_text() for path in (tmp_path / "run").glob("*.json"))
    assert "secret" not in written
    assert document(tmp_path / "run")["storage"].startswith("sqlite://user:***@/")


def test_source_of_functions_counts():
    assert code_of(full) == code_of(full)
    assert code_of(full) != code_of(begun)
    assert code_of(len) != code_of(sum)


def test_traces_of_before_and_after_are_there_for_a_report(tmp_path):
    record = begun(tmp_path)
    trainer = FakeTrainer(lambda found: 0.1 + 0.2 * found["a"])
    trainer.rung = 1.0  # type: ignore[attr-defined]
    recorded = record.trainer(trainer, Clock(Budget()))
    recorded.run(numbers(), Patch(), probes=True)
    recorded.run(numbers(a=1, b=1), patch("a", "b"), probes=True)
    recorded.run(numbers(a=1), patch("a"))
    record.finish(replace(result(), patch=patch("a"), trials=tuple(RunFolder.at(tmp_path).trials())), interrupted=False)
    folder = RunFolder.at(tmp_path)
    before, after = folder.before_and_after()
    assert (before.patch, after.patch) == (Patch(), patch("a", "b"))
    assert after.trace.epoch_scores[-1] == after.score.value
    assert [(row["role"], row["epoch"]) for row in folder.history()] == []

"""A job that was done before with the very same files is answered from its run folder, without TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autofix.answered import answered, note
from autofix.exits import Exit
from autofix.files import write_json
from autofix.job import Job
from autofix.store.folder import RunFolder


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """One that is finished in its folder."""
    (tmp_path / "model.keras").write_bytes(b"a model")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    out = tmp_path / "run"
    write_json(out / "run.json", {"state": "finished"})
    write_json(out / "metrics.json", {"status": "healthy"})
    made = Job(str(tmp_path / "model.keras"), str(tmp_path / "table.csv"), str(out), target_column="b")
    note(made, Exit.NO_REPAIR)
    return made


def test_the_same_job_is_answered(job):
    assert answered(job) is Exit.NO_REPAIR
    assert answered(replace(job, jobs=4, storage="sqlite:///x.db")) is Exit.NO_REPAIR  # how, not what


@pytest.mark.parametrize("change", [{"epochs": 3}, {"seed": 1}, {"target_column": "a"}, {"budget": "3x"}], ids=str)
def test_another_job_is_not(job, change: dict[str, Any]):
    assert answered(replace(job, **change)) is None


@pytest.mark.parametrize("name", ["model.keras", "table.csv"])
def test_files_count_by_what_is_in_them(job, name):
    path = Path(job.out).parent / name
    before = path.read_bytes()
    path.write_bytes(before + b"1,3\n")
    assert answered(job) is None
    path.write_bytes(before)
    assert answered(job) is Exit.NO_REPAIR


def test_what_is_not_finished_or_not_whole_is_not_answered(job):
    folder = RunFolder.at(job.out)
    write_json(folder / "run.json", {"state": "interrupted"})
    assert answered(job) is None
    write_json(folder / "run.json", {"state": "finished"})
    (folder / "metrics.json").unlink()
    assert answered(job) is None


def test_code_may_change_without_its_file(job, tmp_path):
    (tmp_path / "mine.py").write_text("def load_data(): ...\n")
    (Path(job.out) / "job.json").unlink()
    coded = replace(job, data=f"{tmp_path / 'mine.py'}:load_data")
    note(coded, Exit.DONE)
    assert not (Path(job.out) / "job.json").exists()
    assert answered(coded) is None

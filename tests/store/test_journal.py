"""A journal that several processes write: whoever dies at whatever moment, the others go on."""

from __future__ import annotations

import signal
import subprocess
import sys

import optuna
import pytest

from autofix.errors import FixYourCall
from autofix.store import journal

WAY_OUT = "Rename it."
# Takes the lock, writes half a record, and waits to be killed.
DIES_WRITING = """
import sys, time
from pathlib import Path
from autofix.store.journal import _Journal
path = Path(sys.argv[1])
with _Journal(path, shared=True)._alone():
    with path.open("ab") as file:
        file.write(b'{"op_code":4,"study_')
    print("half", flush=True)
    time.sleep(600)
"""


def shared(path):
    return journal.opened(path, way_out=WAY_OUT, shared=True)


def names(path):
    return [study.study_name for study in shared(path).get_all_studies()]


def create(storage, name):
    storage.create_new_study([optuna.study.StudyDirection.MAXIMIZE], study_name=name)


def test_a_writer_that_is_killed_in_the_middle_of_a_record_costs_the_others_nothing(tmp_path):
    path = tmp_path / "sweep.journal"
    one = shared(path)
    create(one, "before")
    other = subprocess.Popen([sys.executable, "-c", DIES_WRITING, str(path)], stdout=subprocess.PIPE)
    assert other.stdout is not None
    assert other.stdout.readline() == b"half\n"
    other.send_signal(signal.SIGKILL)
    other.wait()
    other.stdout.close()
    create(one, "after")
    assert names(path) == ["before", "after"]
    assert (tmp_path / "sweep.journal.torn").read_bytes() == b'{"op_code":4,"study_\n'


def test_a_record_under_way_is_not_taken_for_one_that_nobody_finished(tmp_path, monkeypatch):
    path = tmp_path / "sweep.journal"
    create(shared(path), "one")
    whole = path.read_bytes()
    writer = journal._Journal(path, shared=True)
    monkeypatch.setattr(journal, "LONGEST_WAIT", 0.05)
    with writer._alone():
        path.write_bytes(whole[:-9])
        with pytest.raises(TimeoutError):
            shared(path)
        assert path.read_bytes() == whole[:-9]
        path.write_bytes(whole)
    assert names(path) == ["one"]


def test_a_full_disk_leaves_whole_lines_to_those_who_share_it(tmp_path, monkeypatch):
    path = tmp_path / "sweep.journal"
    one = shared(path)
    create(one, "before")
    whole = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(journal.os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            create(one, "during")
    assert path.read_bytes() == whole
    create(one, "after")
    assert names(path) == ["before", "after"]


def test_a_path_is_that_of_the_beginning(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one = shared(tmp_path.relative_to(tmp_path) / "sweep.journal")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    create(one, "one")
    assert names(tmp_path / "sweep.journal") == ["one"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_corrupt_journal_is_refused_with_the_way_out(tmp_path):
    path = tmp_path / "sweep.journal"
    create(shared(path), "one")
    content = path.read_bytes() + b"garbage\n"
    path.write_bytes(content)
    with pytest.raises(FixYourCall, match=r"one record a line. Received: .*sweep.journal, line 2 is none. Rename it"):
        shared(path)
    assert path.read_bytes() == content

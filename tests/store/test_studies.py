"""The journal: torn, cut, corrupt, or on a disk that is full."""

from __future__ import annotations

import json
from typing import Any

import optuna
import pytest

from autofix.errors import FixYourCall, TryLater
from autofix.store import journal
from autofix.store.studies import Shelf, in_database, in_journal, in_memory


def trial(number: int, value: float = 0.5) -> optuna.trial.FrozenTrial:
    distributions: Any = {
        "a.use": optuna.distributions.CategoricalDistribution(["off", "guess", "search"]),
        "a.value": optuna.distributions.FloatDistribution(1e-5, 1.0, log=True),
    }
    return optuna.trial.create_trial(
        params={"a.use": "search", "a.value": 0.1 / (number + 1)},
        distributions=distributions,
        value=value,
        user_attrs={"patch": {"changes": []}, "asked": "draw"},
        intermediate_values={0: 0.1, 1: float("nan")},
    )


def filled(path: Any, count: int = 3) -> list[dict[str, Any]]:
    shelf = Shelf(in_journal(path, "study"))
    for number in range(count):
        shelf.add(trial(number))
    return params(path)


def params(path: Any) -> list[dict[str, Any]]:
    return [item.params for item in in_journal(path, "study").trials]


def test_trials_come_back_in_their_order(tmp_path):
    path = tmp_path / "optuna.journal"
    assert [found["a.value"] for found in filled(path)] == [0.1, 0.05, 0.1 / 3]
    study = in_journal(path, "study")
    assert study.trials[0].user_attrs == {"patch": {"changes": []}, "asked": "draw"}
    assert study.direction is optuna.study.StudyDirection.MAXIMIZE


def test_trial_is_one_record_and_reading_writes_none(tmp_path):
    path = tmp_path / "optuna.journal"
    filled(path)
    before = path.read_bytes()
    assert before.count(b"\n") == 1 + 3
    params(path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["optuna.journal"]


def test_journal_opens_in_optuna_itself(tmp_path):
    """As `optuna-dashboard` opens it."""
    path = tmp_path / "optuna.journal"
    filled(path)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    (summary,) = optuna.study.get_all_study_summaries(storage)
    assert (summary.study_name, summary.n_trials) == ("study", 3)


def test_journal_cut_at_any_byte_of_its_last_two_records_loses_those_alone(tmp_path):
    path, torn = tmp_path / "optuna.journal", tmp_path / "optuna.journal.torn"
    expected = filled(path)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    start, last = len(b"".join(lines[:-2])), len(lines[-1])
    for end in range(start, len(whole) + 1):
        path.write_bytes(whole[:end])
        torn.unlink(missing_ok=True)
        kept = 1 + (end >= len(whole) - last) + (end == len(whole))
        assert params(path) == expected[:kept]
        rest = whole[:end].rpartition(b"\n")[2]
        assert (torn.read_bytes() if rest else b"\n") == rest + b"\n"
        assert torn.exists() == bool(rest)
    path.write_bytes(whole[:-5])
    shelf = Shelf(in_journal(path, "study"))
    shelf.add(trial(2))
    assert params(path) == expected


def test_empty_journal_is_begun_anew(tmp_path):
    path = tmp_path / "optuna.journal"
    filled(path)
    path.write_bytes(path.read_bytes()[:20])
    assert params(path) == []
    assert len(filled(path)) == 3


@pytest.mark.parametrize(
    ("line", "content"),
    [(1, b"garbage"), (2, b'{"op_code": 4'), (2, b"\xff\xfe"), (2, b"[1]"), (1, b""), (2, b'{"op_code": 99}')],
)
def test_journal_that_is_corrupt_in_the_middle_is_refused_and_left_as_it_is(tmp_path, line, content):
    path = tmp_path / "optuna.journal"
    filled(path)
    lines = path.read_bytes().split(b"\n")
    lines[line] = content
    path.write_bytes(b"\n".join(lines) + b"torn")
    before = path.read_bytes()
    with pytest.raises(FixYourCall, match=r"one record a line.*Rename that file"):
        in_journal(path, "study")
    if content != b'{"op_code": 99}':
        assert path.read_bytes() == before


def test_full_disk_leaves_whole_lines_and_the_trial_is_written_with_the_next_one(tmp_path, monkeypatch):
    path, troubles = tmp_path / "optuna.journal", []
    shelf = Shelf(in_journal(path, "study"), troubles.append)
    shelf.add(trial(0))
    before = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(journal.os, "fsync", full)
        shelf.add(trial(1))
    assert path.read_bytes() == before
    assert "No space left" in str(troubles)
    shelf.add(trial(2))
    assert [found["a.value"] for found in params(path)] == [0.1, 0.05, 0.1 / 3]


def test_a_trial_whose_answer_got_lost_is_one_trial(tmp_path, monkeypatch, caplog):
    shelf = Shelf(in_database(f"sqlite:///{tmp_path / 'study.db'}", "one"))
    write = shelf.study.add_trial

    def written_and_cut_off(written):
        write(written)
        raise ConnectionResetError("postgresql://me:secret@host/db went away")

    shelf.add(trial(0))
    with monkeypatch.context() as patched:
        patched.setattr(shelf.study, "add_trial", written_and_cut_off)
        shelf.add(trial(1))
    assert "could not be written down" in caplog.text
    assert "secret" not in caplog.text
    shelf.add(trial(2))
    assert [item.params for item in shelf.trials] == [trial(number).params for number in range(3)]


def test_trials_in_a_database_come_back(tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    shelf = Shelf(in_database(url, "one"))
    shelf.add(trial(0))
    in_database(url, "other")
    assert [item.params for item in Shelf(in_database(url, "one")).trials] == [trial(0).params]


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        ("nonsense://user:secret@host/db", FixYourCall, "URL of a database"),
        ("sqlite:////nowhere/at/all.db", TryLater, "must answer"),
        ("postgresql://user:secret@127.0.0.1:9/db", TryLater, "must answer"),
        ("oracle://user:secret@host/db", FixYourCall, "driver"),
    ],
)
def test_database_that_does_not_answer_is_named_without_its_password(url, error, says):
    with pytest.raises(error, match=says) as caught:
        in_database(url, "study")
    chain = [caught.value, caught.value.__cause__]
    assert "secret" not in "".join(map(str, chain))
    assert caught.value.__suppress_context__


def test_study_in_memory_depends_on_no_file(tmp_path):
    path = tmp_path / "optuna.journal"
    expected = filled(path)
    study = in_memory(in_journal(path, "study").trials)
    path.unlink()
    assert [item.params for item in study.trials] == expected
    assert json.dumps(study.best_value) == "0.5"

"""One retraining after the other, with trainings that take no time."""

from __future__ import annotations

import errno
import json
import sys
from pathlib import Path

import pytest

from autofix.errors import FixYourCall
from autofix.exits import Exit
from autofix.retraining import history
from autofix.retraining.lock import held
from autofix.retraining.models import Models
from autofix.retraining.running import Ended, Interrupted, roll_back
from autofix.retraining.work import Work
from tests.retraining.fakes import FIT, answer, data, pipeline, run, standing


@pytest.fixture
def first(tmp_path):
    """A pipeline whose first version serves."""
    settings = pipeline(tmp_path)
    run(settings, answer(0.8))
    return settings


def models(settings) -> Models:
    return Models(Path(settings.models))


def told(settings) -> list[str]:
    return [record["status"] for record in history.read(models(settings).history)]


def test_the_first_model_is_promoted(tmp_path):
    settings = pipeline(tmp_path)
    line, [asked] = run(settings, answer(0.8))
    assert (line["status"], line["exit_code"], line["version"], line["current"]) == ("promoted", 0, 1, 1)
    assert line["scores"] == {"challenger": 0.8, "champion": None, "chance": 0.5}
    assert asked.champion is None
    assert asked.model == settings.model
    version = models(settings).folder(1)
    assert sorted(item.name for item in version.iterdir()) == ["BLESSED", "data.json", "model.keras", "run.json"]
    assert (version / "BLESSED").read_text() == line["reason"] + "\n"
    assert json.loads((version / "run.json").read_text())["fit"] == FIT
    assert not list(models(settings).work.iterdir())


def test_a_better_one_takes_its_place(first, tmp_path):
    data(tmp_path, 4)
    line, [asked] = run(first, answer(0.9, champion=0.8))
    assert (line["status"], line["version"], line["current"], line["champion"]) == ("promoted", 2, 2, 1)
    assert line["test"]["p_value"] == 0.001
    assert asked.champion == asked.model == str(models(first).folder(1) / "model.keras")
    assert asked.profile is not None
    assert told(first) == ["promoted", "promoted"]


def test_one_that_is_merely_equal_does_not(first, tmp_path):
    data(tmp_path, 4)
    line, _ = run(first, answer(0.8, champion=0.8, p_value=0.5))
    assert (line["status"], line["exit_code"], line["version"], line["current"]) == ("kept", 0, 2, 1)
    assert (models(first).folder(2) / "NOT_BLESSED").read_text() == line["reason"] + "\n"
    assert models(first).current() == 1


@pytest.mark.parametrize(
    "bad",
    [
        answer(0.9, champion=0.8, challenger=standing(0.0, finite=False)),
        answer(0.9, champion=0.8, challenger=standing(0.9, constant=True)),
        answer(0.9, champion=0.8, challenger=standing(0.51)),
        answer(0.9, champion=0.8, p_value=0.5, verdict="improved"),
        answer(champion=0.8, verdict="unrepaired", sentence="No change helped.", challenger=None, contest=None),
    ],
    ids=["nan", "collapsed", "guessing", "improved", "unrepaired"],
)
def test_one_that_is_not_acceptable_never_does(first, tmp_path, bad):
    data(tmp_path, 4)
    line, _ = run(first, bad)
    assert (line["status"], line["exit_code"], line["current"]) == ("no_repair", 3, 1)
    assert models(first).current() == 1
    assert (line["version"] is None) == (bad.challenger is None)
    again, asked = run(first)
    assert (again["repeated"], again["exit_code"], asked) == (True, 3, [])


def test_known_data_trains_nothing(first, tmp_path):
    before = told(first)
    line, asked = run(first)
    assert (line["status"], line["exit_code"], line["repeated"], asked) == ("promoted", 0, True, [])
    assert told(first) == before
    # The same bytes under another name are the same data; the same pipeline elsewhere is the same pipeline.
    (tmp_path / "data.npy").rename(tmp_path / "other.npy")
    (tmp_path / "pipeline.yaml").write_text("models: models\nmodel: model.py:build\ndata: other.npy\nkeep: 3\n")
    from autofix import config
    from autofix.retraining.config import Pipeline

    assert run(config.read(tmp_path / "pipeline.yaml", Pipeline))[0]["repeated"]


def test_other_settings_another_model_or_force_train_again(first, tmp_path):
    for settings in (pipeline(tmp_path, compare="{alpha: 0.01}"), first):
        if settings is first:
            (tmp_path / "model.py").write_text("def build(): return 1\n")
        line, asked = run(settings, answer(0.8, champion=0.8, p_value=0.5))
        assert (line["status"], len(asked)) == ("kept", 1)
    line, asked = run(first, answer(0.8, champion=0.8, p_value=0.5), force=True)
    assert (line["repeated"], len(asked)) == (False, 1)


def test_data_that_comes_back_is_known_as_long_as_the_champion_is_the_same(first, tmp_path):
    data(tmp_path, 4)
    run(first, answer(0.8, champion=0.8, p_value=0.5))
    data(tmp_path, 3)
    line, asked = run(first)
    assert (line["repeated"], line["status"], asked) == (True, "promoted", [])
    data(tmp_path, 5)
    run(first, answer(0.9, champion=0.8))
    data(tmp_path, 4)  # was held against a champion that is none any more
    line, asked = run(first, answer(0.9, champion=0.9, p_value=0.5))
    assert (line["repeated"], len(asked)) == (False, 1)


def test_data_that_only_code_tells_is_asked_for(tmp_path):
    settings = pipeline(tmp_path, data="model.py:load")
    known, _ = run(settings, answer(0.8, fingerprint="abc"))
    assert known["source"] is None
    line, [asked] = run(settings, answer(0.8, fingerprint="abc"))
    assert (line["repeated"], line["status"], line["version"]) == (True, "promoted", 1)
    assert asked.known == ("abc",)
    assert not list(models(settings).work.iterdir())
    line, _ = run(settings, answer(0.9, champion=0.8, fingerprint="abd"))
    assert (line["repeated"], line["version"]) == (False, 2)


def test_what_a_repair_changed_in_fit_is_used_until_the_pipeline_says_otherwise(tmp_path):
    settings = pipeline(tmp_path, repair="{epochs: 10, batch_size: 16, budget: 30s}")
    run(settings, answer(0.8, fit={**FIT, "epochs": 60, "batch_size": 16}))
    data(tmp_path, 4)
    _, [asked] = run(settings, answer(0.9, champion=0.8, fit={**FIT, "epochs": 60, "batch_size": 16}))
    assert (asked.fit["epochs"], asked.fit["batch_size"]) == (60, 16)
    assert asked.settings == {"budget": "30s"}
    changed = pipeline(tmp_path, 5, repair="{epochs: 10, batch_size: 64}")
    _, [asked] = run(changed, answer(0.9, champion=0.9, p_value=0.5))
    assert (asked.fit["epochs"], asked.fit["batch_size"]) == (60, 64)
    from_model = pipeline(tmp_path, 6, repair="{epochs: 10}", train="model")
    _, [asked] = run(from_model, answer(0.9, champion=0.9, p_value=0.5))
    assert (asked.fit, asked.model) == ({"epochs": 10}, from_model.model)
    assert asked.champion == str(models(settings).folder(2) / "model.keras")


def test_versions_are_kept_up_to_a_number_and_numbers_never_come_again(tmp_path):
    settings = pipeline(tmp_path, keep=2)
    run(settings, answer(0.8))
    for rows in range(4, 8):
        data(tmp_path, rows)
        run(settings, answer(0.8, champion=0.8, p_value=0.5))
    assert models(settings).versions == (1, 5)
    models(settings).prune(1)
    data(tmp_path, 9)
    line, _ = run(settings, answer(0.9, champion=0.8))
    assert line["version"] == 6
    assert models(settings).versions == (1, 6)


def test_a_roll_back_stays_one(first, tmp_path):
    data(tmp_path, 4)
    run(first, answer(0.9, champion=0.8))
    line = roll_back(first, 1, say=print)
    assert (line["status"], line["exit_code"], line["current"]) == ("rolled_back", 0, 1)
    assert models(first).current() == 1
    again, asked = run(first)  # the schedule must not promote what was taken back
    assert (again["repeated"], again["current"], asked) == (True, 1, [])
    with pytest.raises(FixYourCall, match=r"blessed versions \[1, 2\]"):
        roll_back(first, 7, say=print)
    (models(first).root / "current").unlink()
    (models(first).root / "current").symlink_to("versions/0009")
    assert roll_back(first, 2, say=print)["current"] == 2


def test_a_second_one_at_the_same_time_is_sent_away(first):
    with held(models(first).root):
        for line in (run(first, answer(0.9))[0], roll_back(first, 1, say=print)):
            assert (line["status"], line["exit_code"]) == ("locked", 75)
            assert "held by process" in line["reason"]
    assert told(first) == ["promoted"]


@pytest.mark.parametrize("code", [Exit.INTERRUPTED, Exit.TERMINATED])
def test_an_interrupted_one_goes_on(first, tmp_path, code):
    data(tmp_path, 4)
    with pytest.raises(Interrupted) as stop:
        run(first, Ended(code))
    assert stop.value.code is code
    [folder] = models(first).work.iterdir()
    (folder / "run").mkdir()
    data(tmp_path, 4)
    line, _ = run(first, answer(0.9, champion=0.8))
    assert line["status"] == "promoted"


def test_work_for_other_data_is_dropped(first, tmp_path):
    data(tmp_path, 4)
    with pytest.raises(Interrupted):
        run(first, Ended(Exit.TERMINATED))
    [old] = models(first).work.iterdir()
    data(tmp_path, 5)
    with pytest.raises(Interrupted):
        run(first, Ended(Exit.TERMINATED))
    [new] = models(first).work.iterdir()
    assert old != new


@pytest.mark.parametrize(
    ("came", "status", "code", "words"),
    [
        (Ended(Exit.UNUSABLE, "a process that was killed by SIGKILL"), "unusable", 4, "SIGKILL"),
        (Ended(Exit.DONE), "unusable", 4, "no answer"),
        (answer(error="`x` must be numbers", exit_code=4, challenger=None), "unusable", 4, "must be numbers"),
        (answer(error="no column", exit_code=2, challenger=None), "usage", 2, "no column"),
        (answer(error="no space left", exit_code=75, challenger=None), "failed", 75, "no space"),
    ],
)
def test_what_ends_without_an_answer_is_told_and_tried_again(first, tmp_path, came, status, code, words):
    data(tmp_path, 4)
    for _ in range(2):
        line, asked = run(first, came)
        assert (line["status"], line["exit_code"], len(asked)) == (status, code, 1)
        assert words in line["reason"]
    assert models(first).current() == 1
    line, _ = run(first, answer(0.9, champion=0.8))
    assert line["status"] == "promoted"


def test_missing_data_or_a_missing_model_is_told(first, tmp_path):
    (tmp_path / "model.py").unlink()
    data(tmp_path, 4)
    line, _ = run(first, answer(0.9, champion=0.8))  # the champion's program is trained: the first model is not needed
    assert line["status"] == "promoted"
    (tmp_path / "data.npy").unlink()
    line, asked = run(first)
    assert (line["status"], line["exit_code"], asked) == ("usage", 2, [])
    assert "data.npy" in line["reason"]


@pytest.mark.parametrize(
    ("came", "events"),
    [
        (answer(0.9, champion=0.8), ["promoted"]),
        (answer(0.8, champion=0.8, p_value=0.5), ["kept"]),
        (answer(0.9, champion=0.8, drift={"found": True, "features": {"age": 0.5}}), ["drift", "promoted"]),
        (answer(0.9, champion=0.8, drift={"found": False, "features": {}}), ["promoted"]),
        (answer(0.9, champion=0.8, challenger=standing(0.5)), ["failed"]),
        (Ended(Exit.UNUSABLE, "it died"), ["failed"]),
    ],
)
def test_hooks_hear_of_it_once(tmp_path, came, events):
    code = f"import json, sys; open({str(tmp_path / 'heard')!r}, 'a').write(sys.stdin.read() + chr(10))"
    hooks = f"[{{command: [{json.dumps(sys.executable)}, -c, {json.dumps(code)}]}}]"
    run(pipeline(tmp_path), answer(0.8))
    settings = pipeline(tmp_path, 4, hooks=hooks)
    run(settings, came)
    heard = [json.loads(text) for text in (tmp_path / "heard").read_text().splitlines()]
    assert [event["event"] for event in heard] == events
    assert all(event["models"] == str(tmp_path / "models") for event in heard)
    if not isinstance(came, Ended):
        run(settings)
        assert len((tmp_path / "heard").read_text().splitlines()) == len(events)


def test_hooks_hear_of_a_full_disk_that_takes_no_line(tmp_path, monkeypatch):
    code = f"import sys; open({str(tmp_path / 'heard')!r}, 'a').write(sys.stdin.read())"
    settings = pipeline(tmp_path, hooks=f"[{{command: [{json.dumps(sys.executable)}, -c, {json.dumps(code)}]}}]")

    def full(*_given):
        raise OSError(errno.ENOSPC, "No space left on device", "/data/models")

    monkeypatch.setattr(Work, "write", full)
    monkeypatch.setattr(history, "append", full)
    line, _ = run(settings)
    assert (line["status"], line["exit_code"]) == ("failed", 75)
    assert "Free some space" in line["reason"]
    assert json.loads((tmp_path / "heard").read_text())["event"] == "failed"


def test_a_hook_that_fails_is_noted_and_changes_nothing(tmp_path):
    said: list[str] = []
    line, _ = run(pipeline(tmp_path, hooks="[{command: /no/such/program}]"), answer(0.8), say=said.append)
    assert (line["status"], line["exit_code"]) == ("promoted", 0)
    assert "cannot be started" in line["notes"][0]
    assert "cannot be started" in said[0]
    records = history.read(tmp_path / "models" / "history.jsonl")
    assert records[-1]["of"] == records[0]["id"]
    assert run(pipeline(tmp_path))[0]["repeated"]


def test_the_last_line_always_has_the_same_keys(first, tmp_path):
    keys = {"status", "exit_code", "promoted", "repeated", "reason", "version", "current", "champion", "verdict",
            "metric", "scores", "test", "drift", "fingerprint", "notes", "models", "seconds"}  # fmt: skip
    data(tmp_path, 4)
    for came in (answer(0.8, champion=0.8, p_value=0.5), Ended(Exit.UNUSABLE, "it died")):
        line, _ = run(first, came, force=True)
        assert keys <= line.keys()
        assert json.loads(json.dumps(line, allow_nan=False)) == line

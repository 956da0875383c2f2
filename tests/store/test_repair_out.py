"""A real repair in a folder: killed on its way, gone on with, finished, and asked for again."""

from __future__ import annotations

import json
import shutil
from typing import Any

import keras
import numpy as np
import pytest

import autofix
from autofix.change import Patch
from autofix.errors import FixYourCall
from autofix.result import RepairResult
from autofix.store.folder import RunFolder
from autofix.store.ledger import Ledger
from autofix.trainer import Trainer

FILES = {
    "change_log.json", "change_log.md", "diagnosis.json", "history.csv", "metrics.json", "optuna.journal", "patch.yaml",
    "repaired.keras", "run.json", "run.lock", "trials",
}  # fmt: skip
SETTINGS: dict[str, Any] = {"epochs": 12, "batch_size": 16, "budget": autofix.Budget(trials=6)}


class Killed(BaseException):
    """Ends the process, as far as the code under test can tell."""


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(240) % 2).astype("int32")
    return (rng.normal(size=(240, 4)) + 1.5 * (2 * y[:, None] - 1)).astype("float32"), y


def model(rate: float = 1e-7) -> keras.Model:
    net = keras.Sequential(
        [
            keras.Input((4,), name="in"),
            keras.layers.Dense(8, "relu", name="hidden"),
            keras.layers.Dense(1, "sigmoid", name="out"),
        ],
        name="net",
    )
    net.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
    return net


def seeded(rate: float = 1e-7) -> keras.Model:
    keras.utils.set_random_seed(5)
    return model(rate)


@pytest.fixture(scope="module")
def story(tmp_path_factory) -> dict[str, Any]:
    """What was made in three lives of one repair, and what the second call got."""
    out = tmp_path_factory.mktemp("runs") / "one"
    made: list[str] = []
    patch = pytest.MonkeyPatch()
    run, add = Trainer.run, Ledger.add

    def counted(self: Trainer, recipe: Any, *args: Any, **more: Any) -> Any:
        made.append(recipe.fingerprint())
        return run(self, recipe, *args, **more)

    def mortal(self: Ledger, *args: Any, **more: Any) -> Any:
        entry = add(self, *args, **more)
        if entry.number in (2, 5):
            raise Killed
        return entry

    patch.setattr(Trainer, "run", counted)
    states = []
    with patch.context() as mortality:
        mortality.setattr(Ledger, "add", mortal)
        for _ in range(2):
            with pytest.raises(Killed):
                autofix.repair(seeded(), data(), out=out, **SETTINGS)
            states.append(RunFolder.at(out).state())
    first = autofix.repair(seeded(), data(), out=out, **SETTINGS)
    count = len(made)
    users = seeded()
    again = autofix.repair(users, data(), out=out, **SETTINGS)
    patch.undo()
    whole = autofix.repair(seeded(), data(), **SETTINGS)
    return {
        "out": out,
        "states": states,
        "first": first,
        "again": again,
        "made": made[:count],
        "more": len(made) - count,
        "whole": whole,
        "users": users,
    }


def text(result: RepairResult) -> str:
    return str(result).rpartition("\n")[0]


def test_killed_repair_can_be_gone_on_with(story):
    assert story["states"] == ["interrupted", "interrupted"]
    assert story["first"].status == "repaired"
    assert RunFolder.at(story["out"]).state() == "finished"
    assert {item.name for item in story["out"].iterdir()} == FILES


def test_a_corrupt_journal_spoils_no_finished_result(story, tmp_path, caplog):
    out = tmp_path / "copy"
    shutil.copytree(story["out"], out)
    journal = out / "optuna.journal"
    journal.write_bytes(b"garbage\n" + journal.read_bytes())
    again = autofix.repair(seeded(), data(), out=out, **SETTINGS)
    assert text(again) == text(story["first"])
    assert again.study is None
    assert "line 1 is none" in caplog.text
    assert journal.read_bytes().startswith(b"garbage")
    assert RunFolder.at(out).state() == "finished"


def test_it_ends_as_if_nothing_had_happened(story):
    first, whole = story["first"], story["whole"]
    assert first.patch.to_dict() == whole.patch.to_dict()
    assert (first.before, first.after, first.control) == (whole.before, whole.after, whole.control)
    assert text(first) == text(whole)
    assert [trial.params for trial in first.study.trials] == [trial.params for trial in whole.study.trials]
    assert len(first.trials) == len(whole.trials)


def test_no_run_is_made_twice(story):
    entries = [entry for entry in RunFolder.at(story["out"]).ledger if entry.asked["what"] == "run"]
    assert len(story["made"]) == len(entries)


def test_finished_repair_answers_at_once_and_alike(story):
    first, again = story["first"], story["again"]
    assert story["more"] == 0
    assert str(again).splitlines()[:-1] == str(first).splitlines()[:-1]
    assert again.to_dict()["diagnosis"] == first.to_dict()["diagnosis"]
    for name in (
        "verdict",
        "patch",
        "before",
        "after",
        "control",
        "notes",
        "next_steps",
        "classes",
        "recipe",
        "seconds",
    ):
        assert getattr(again, name) == getattr(first, name)
    assert again.range_test == first.range_test
    assert [trial.params for trial in again.study.trials] == [trial.params for trial in first.study.trials]


def test_its_model_is_the_repaired_one(story):
    x, y = data()
    predicted = story["again"].model.predict(x, verbose=0)
    assert np.array_equal(predicted, story["first"].model.predict(x, verbose=0))
    assert np.mean((predicted[:, 0] > 0.5) == y) > 0.9
    assert story["again"].model.optimizer.learning_rate > 1e-5
    loaded = keras.models.load_model(story["out"] / "repaired.keras")
    assert np.array_equal(predicted, loaded.predict(x, verbose=0))


def test_files_say_what_the_result_says(story):
    folder, first = RunFolder.at(story["out"]), story["first"]
    assert folder.patch() == first.patch
    assert folder.result_document()["status"] == "repaired"
    assert folder.result_document()["after"]["mean"] == first.after.mean
    assert folder.changes_document()["changes"] == json.loads(json.dumps([c.to_dict() for c in first.patch]))
    assert folder.run_document()["exit"] == 0
    assert "REPAIRED" in folder.change_log()
    roles = [row["role"] for row in folder.history()]
    assert set(roles) == {"before", "after"}
    before, after = folder.before_and_after()
    assert before.patch == Patch()
    assert before.trace.loss
    assert after.trace.gradient_norms


def test_weights_are_kept_of_the_proof_and_of_what_is_handed_over_alone(story):
    kept = {int(path.name[:5]) for path in (story["out"] / "trials").glob("*.npz")}
    entries = [entry for entry in RunFolder.at(story["out"]).ledger if entry.number in kept]
    assert 1 <= len(entries) <= 3
    assert all(entry.asked["holdout"] for entry in entries)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seed": 1}, "seed"),
        ({"budget": 60}, "budget"),
        ({"epochs": 13}, "how it is fitted"),
        ({"data": (data()[0] + 1, data()[1])}, "the data"),
        ({"model": lambda: seeded(1e-6)}, "the model"),
        ({"model": lambda: model()}, "set_random_seed"),
    ],
)
def test_finished_folder_is_of_one_repair(story, change, says):
    given = {"model": seeded, "data": data(), **SETTINGS, **change}
    before = {item: item.stat().st_mtime_ns for item in story["out"].iterdir()}
    build = given.pop("model")
    with pytest.raises(FixYourCall, match=f"{says}.*Choose another folder"):
        autofix.repair(build(), given.pop("data"), out=story["out"], **given)
    assert {item: item.stat().st_mtime_ns for item in story["out"].iterdir()} == before


def test_file_that_was_deleted_is_made_again_without_training(story):
    folder = RunFolder.at(story["out"])
    (folder / "repaired.keras").unlink()
    (folder / "metrics.json").unlink()
    entries = len(folder.ledger)
    found = autofix.repair(seeded(), data(), out=story["out"], **SETTINGS)
    assert text(found) == text(story["first"])
    assert len(folder.ledger) == entries
    assert (folder / "repaired.keras").exists()


def test_healthy_model_is_handed_back_itself(tmp_path):
    for _ in range(2):
        mine = seeded(0.01)
        found = autofix.repair(mine, data(), out=tmp_path / "run", **SETTINGS)
        assert found.status == "healthy"
        assert found.model is mine
    assert not (tmp_path / "run" / "repaired.keras").exists()


@pytest.mark.parametrize(
    ("places", "says"),
    [
        ({"out": 3}, "`out` must be the path of a folder"),
        ({"out": ""}, "`out` must be the path of a folder"),
        ({"storage": "study.db"}, "`storage` must be the URL"),
    ],
)
def test_places_are_checked(places, says):
    with pytest.raises(FixYourCall, match=says):
        autofix.repair(model(), data(), **places)

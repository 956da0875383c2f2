"""The folder of models: versions, the pointer, and what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autofix.errors import FixYourCall
from autofix.retraining.models import BLESSED, MODEL, NOT_BLESSED, Models


def add(models: Models, version: int, marker: str = BLESSED) -> None:
    draft = models.root / "draft"
    draft.mkdir(parents=True)
    (draft / MODEL).write_text(f"model {version}")
    (draft / marker).write_text("because")
    models.add(draft, version)


@pytest.fixture
def models(tmp_path):
    found = Models(tmp_path / "models")
    for version in (1, 2, 3):
        add(found, version)
    return found


def test_a_new_folder_has_nothing(tmp_path):
    models = Models(tmp_path / "models")
    models.settle()
    assert models.current() is None
    assert models.versions == ()
    assert models.prune(1) == []


def test_the_pointer_moves(models):
    for version in (1, 3, 2):
        models.point(version)
        assert models.current() == version
        assert (models.root / "current" / MODEL).read_text() == f"model {version}"
        told = json.loads((models.root / "current.json").read_text())
        assert (models.root / told["path"]).read_text() == f"model {version}"


def test_the_link_survives_a_move_of_the_folder(models):
    models.point(2)
    moved = models.root.rename(models.root.parent / "elsewhere")
    assert (moved / "current" / MODEL).read_text() == "model 2"
    assert Models(moved).current() == 2


def test_without_symbolic_links_the_file_tells(models, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    models.point(1)
    models.point(3)
    assert not (models.root / "current").exists()
    assert models.current() == 3
    models.settle()
    assert models.current() == 3


def test_a_link_set_by_hand_rules(models):
    models.point(1)
    (models.root / "current").unlink()
    (models.root / "current").symlink_to("versions/0002")
    assert models.current() == 2
    models.settle()
    assert json.loads((models.root / "current.json").read_text())["version"] == 2


def test_a_pointer_to_nothing_says_what_there_is(models):
    models.point(1)
    add(models, 4, NOT_BLESSED)
    (models.folder(1) / MODEL).unlink()
    with pytest.raises(FixYourCall, match=r"one of \[1, 2, 3\]"):
        models.current()
    (models.root / "current").unlink()
    (models.root / "current").symlink_to("/somewhere/else")
    with pytest.raises(FixYourCall, match="Received: None"):
        models.current()


def test_pruning_keeps_the_newest_and_the_one_that_serves(models):
    models.point(1)
    assert models.prune(5) == []
    assert models.prune(2) == [2]
    assert models.versions == (1, 3)
    assert models.prune(1, protected=3) == []
    assert models.prune(1) == [3]
    assert models.prune(1) == []
    assert models.current() == 1


def test_what_a_crash_left_is_removed(models):
    models.point(1)
    (models.folder(2)).rename(models.root / "versions" / ".gone-0002")
    (models.root / ".writing-x").mkdir()
    (models.root / ".current").symlink_to("versions/0003")
    models.settle()
    assert models.versions == (1, 3)
    assert sorted(item.name for item in models.root.iterdir()) == ["current", "current.json", "versions"]
    assert sorted(item.name for item in (models.root / "versions").iterdir()) == ["0001", "0003"]


def test_documents_that_are_not_there_are_empty(models):
    assert models.document(1, "run.json") == {}
    (models.folder(1) / "run.json").write_text("torn {")
    assert models.document(1, "run.json") == {}
    (models.folder(1) / "run.json").write_text('{"fit": {}}')
    assert models.document(1, "run.json") == {"fit": {}}

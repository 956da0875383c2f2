"""optuna-dashboard: the notes are there for its own functions, and over its HTTP interface."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import optuna
import pytest

from autofix import files
from autofix.errors import FixYourCall
from autofix.integrations import optuna_dashboard
from autofix.store import folder as names
from tests.integrations.folders import written
from tests.programs import run

# Keras reads the variables that it saves through an interface of which NumPy 2 warns.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def result():
    return run("tiny_rate").result


@pytest.fixture
def folder(result, tmp_path):
    """A run folder whose change log is longer than a piece of a note, and a trial of which failed."""
    written(result, tmp_path)
    files.write_text(tmp_path / names.CHANGE_LOG, f"# REPAIRED\n\n{result}\n\n" + "More to say. " * 400)
    failed = {"status": "failed", "error": "OOM: too large"}
    study = optuna.load_study(study_name="digits", storage=journal(tmp_path))
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL, user_attrs=failed))
    return tmp_path


def journal(folder):
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(folder / names.JOURNAL)))


def get(app, path):
    """What the dashboard answers, as its web page gets it."""
    status = []
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.multithread": False,
        "wsgi.multiprocess": False, "wsgi.run_once": True,
    }  # fmt: skip
    body = b"".join(app(environ, lambda code, headers, info=None: status.append(code)))
    assert status == ["200 OK"], body
    return json.loads(body)


def test_notes_are_seen_in_the_dashboard(folder, result):
    from optuna_dashboard import wsgi

    optuna_dashboard.annotate(folder)
    app = wsgi(journal(folder))
    studies = get(app, "/api/studies")["study_summaries"]
    assert [study["study_name"] for study in studies] == ["digits"]
    detail = get(app, f"/api/studies/{studies[0]['study_id']}")
    note = detail["note"]["body"]
    assert note == (folder / names.CHANGE_LOG).read_text()
    assert len(note) > 2 * optuna_dashboard.PIECE
    assert detail["note"]["version"] == 1
    notes = [trial["note"]["body"] for trial in detail["trials"]]
    assert "- `compile/optimizer/learning_rate`: 1e-07 → " in notes[0]
    assert notes[-1] == "Trial 1: failed, score none\n- the program as it came\n\n**error**: OOM: too large"


def test_a_shorter_note_takes_the_place_of_a_longer_one(folder):
    from optuna_dashboard import get_note

    study = optuna_dashboard.annotate(folder)
    files.write_text(folder / names.CHANGE_LOG, "Short.")
    assert optuna_dashboard.annotate(folder).study_name == "digits"
    assert get_note(study) == "Short."
    assert study._storage.get_study_system_attrs(study._study_id)["dashboard:note_ver"] == 2


def test_the_study_of_a_result(result):
    from optuna_dashboard import get_note

    assert optuna_dashboard.annotate(result) is result.study
    assert get_note(result.study).startswith("# REPAIRED: The run is repaired.")
    assert "## What was changed" in get_note(result.study)


def test_a_repair_without_a_search_has_no_study(folder):
    with pytest.raises(FixYourCall, match="searched"):
        optuna_dashboard.annotate(run("healthy").result)
    (folder / names.JOURNAL).unlink()
    with pytest.raises(FixYourCall, match="searched"):
        optuna_dashboard.annotate(folder)


def test_neither_tensorflow_nor_the_dashboard_is_needed():
    code = (
        "import sys; import autofix.integrations.optuna_dashboard; "
        "print([name for name in ('tensorflow', 'keras', 'optuna_dashboard') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"

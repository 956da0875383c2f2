"""What commands do when all is well: results on standard output, files in the run folder."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from autofix.job import Job
from tests.cli.hostile import CANARY

# Keras', when it reads variables with this numpy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    """A table that the small model can learn from, once it is scaled: four columns, two classes in words."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(160, 4)) * [1, 100, 10_000, 1]
    label = np.where(x[:, 0] + x[:, 1] / 100 > 0, "good", "bad")
    lines = [
        "a,b,c,d,label",
        *(",".join([*(f"{value:.3f}" for value in row), name]) for row, name in zip(x, label, strict=True)),
    ]
    path = tmp_path_factory.mktemp("table") / "table.csv"
    path.write_text("\n".join(lines))
    return path


def train(models: Path, table: Path) -> list[str]:
    return [str(models / "plain.keras"), "--data", str(table), "--target", "label", "--epochs", "4"]


@pytest.fixture
def repaired(command, models, table):
    """A run folder, and what the command said that made it."""
    return command("repair", *train(models, table), "--budget", "10m", "--out", "runs/x", "--format", "json")


def test_repair_then_status_report_and_apply(repaired, command, models, table, tmp_path):
    assert repaired.exit_code == 0, repaired.output
    document = json.loads(repaired.stdout)
    assert document["status"] == "repaired"
    assert any(change["strategy"] == "input_scaling" for change in document["changes"])
    names = {item.name for item in Path("runs/x").iterdir()}
    assert names >= {"repaired.keras", "patch.yaml", "change_log.md", "metrics.json", "encoding.json", "run.json"}
    assert json.loads(Path("runs/x/encoding.json").read_text())["targets"][0]["classes"] == ["bad", "good"]

    again = command("repair", *train(models, table), "--budget", "10m", "--out", "runs/x", "--format", "json")
    assert json.loads(again.stdout) == document
    other = command("repair", *train(models, table), "--budget", "11m", "--out", "runs/x")
    assert other.exit_code == 2
    assert "other inputs" in other.stderr

    told = command("status", "runs", "--format", "yaml")
    (row,) = yaml.safe_load(told.stdout)["runs"]
    assert (row["run"], row["state"], row["result"]) == ("runs/x", "finished", "repaired")
    assert "repaired" in command("status", "runs/x").stdout

    text = command("report", "runs/x").stdout
    assert text.startswith("REPAIRED")
    assert "repaired.keras" in text
    page = command("report", "runs/x", "--format", "html")
    metrics = json.loads(Path("runs/x/metrics.json").read_text())
    assert f'id="before-mean" value="{metrics["before"]["mean"]}"' in page.stdout
    assert page.stdout.rstrip().endswith("</html>")
    markdown = command("report", "runs/x", "--format", "markdown", "-o", "log.md")
    assert not markdown.stdout
    assert Path("log.md").read_text().startswith("#")
    for name, begins in (("page.HTML", "<!DOCTYPE html>"), ("log.md", "#"), ("log.txt", "{"), ("log.yml", "status:")):
        assert command("report", "runs/x", "-o", name, environment={"AUTOFIX_FORMAT": "json"}).exit_code == 0
        assert Path(name).read_text().startswith(begins)
    command("report", "runs/x", "-o", "other.html", "--format", "table")
    assert Path("other.html").read_text() == text

    model = str(models / "plain.keras")
    applied = command("apply", "runs/x", model, "-o", "fixed.keras", "--format", "json")
    assert applied.exit_code == 0, applied.output
    said = json.loads(applied.stdout)
    assert said["weights_kept"] == said["weights"] > 0
    Path("autofix.yaml").write_text(f"data: {table}\ntarget: label\n")  # for all commands, needed here or not
    again = command("apply", "runs/x", model, "-o", "again.keras", "--format", "json")
    assert json.loads(again.stdout)["retrained"] is False
    trained = command("apply", "runs/x/change_log.json", *train(models, table), "-o", "t.keras", "--retrain")
    assert trained.exit_code == 0, trained.output
    assert "on rows held out" in trained.stdout
    assert Path("fixed.keras").is_file()
    assert Path("t.keras").is_file()


@pytest.mark.parametrize(("asked", "code"), [(None, 0), (0.8, 0), (0.95, 3)])
def test_a_score_that_was_asked_for_and_not_reached_is_no_repair(asked, code, monkeypatch, tmp_path):
    from autofix import executing
    from tests.test_result import result, scores

    monkeypatch.setattr(executing, "_repaired", lambda job, folder, tell: result(after=scores(0.9)))
    job = Job("m.keras", "d.npz", str(tmp_path / "x"), target=asked)
    assert executing.execute(job, tell=lambda phase, outcome=None, clock=None: None) == code


def test_a_crash_of_the_users_code_is_told_and_leaves_nothing(monkeypatch, tmp_path):
    from autofix import executing
    from autofix.errors import FixTheCrash

    def crash(job, folder, tell):
        (folder / "run.lock").parent.mkdir(parents=True)
        (folder / "run.lock").touch()
        raise ZeroDivisionError("in a callback")

    monkeypatch.setattr(executing, "_repaired", crash)
    job = Job("m.keras", "d.npz", str(tmp_path / "runs" / "x"))
    with pytest.raises(FixTheCrash, match="in a callback") as told:
        executing.execute(job, tell=lambda phase, outcome=None, clock=None: None)
    assert "Traceback" in told.value.traceback
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_to_be_tried_again(command, models, monkeypatch):
    from autofix import executing

    def full(job, folder, tell):
        raise OSError(errno.ENOSPC, "No space left on device", "/data/x")

    monkeypatch.setattr(executing, "_repaired", full)
    result = command("repair", str(models / "plain.keras"), "--data", str(models / "data.npz"))
    assert result.exit_code == 75
    assert "Free some space" in result.stderr


def test_a_database_that_does_not_answer_is_to_be_tried_again_and_keeps_its_password(command, models, tmp_path):
    result = command(
        "repair",
        *(str(models / "plain.keras"), "--data", str(models / "data.npz"), "--out", "x", "-vv"),
        *("--storage", "postgresql://me:s3cret@localhost:1/name"),
    )
    assert result.exit_code == 75
    assert "me:***@localhost" in result.stderr
    assert "s3cret" not in result.output
    assert not [item for item in tmp_path.rglob("*") if item.is_file() and b"s3cret" in item.read_bytes()]


def test_check_and_diagnose_find_the_scale(command, models, table):
    arguments = train(models, table)
    result = command("diagnose", *arguments, "--format", "json")
    assert result.exit_code == 3, result.output
    assert "unscaled_inputs" in {item["symptom"] for item in json.loads(result.stdout)["findings"]}
    result = command("check", *arguments)
    assert result.exit_code == 3, result.output
    assert "unscaled_inputs" in result.stdout


def test_check_of_a_model_alone(command, models):
    result = command("check", str(models / "plain.keras"))
    assert result.exit_code == 0
    assert "Nothing is wrong" in result.stdout


def test_lambda_layers_run_when_they_are_allowed_to(command, models, tmp_path):
    for name in ("lambda.keras", "lambda.h5"):
        result = command("check", str(models / name), "--allow-unsafe")
        assert result.exit_code == 0, result.output
        assert (tmp_path / CANARY).exists()
        (tmp_path / CANARY).unlink()


def test_a_model_in_hdf5_and_data_by_name(command, models):
    result = command("check", str(models / "plain.h5"), "--data", "sklearn:iris")
    assert result.exit_code == 3  # three classes for two units
    assert "head_mismatch" in result.stdout


def test_the_state_of_a_sweep_is_that_of_its_runs(command, tmp_path):
    for seed in (0, 1):
        folder = tmp_path / "sweep" / "cells" / "m" / "d" / "all" / f"seed-{seed}"
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text(json.dumps({"status": "repaired"}))
    told = command("status", "sweep", "--format", "json")
    assert [row["run"] for row in json.loads(told.stdout)["runs"]] == [
        f"sweep/cells/m/d/all/seed-{seed}" for seed in (0, 1)
    ]


def test_progress_and_logs_go_to_standard_error(command, models):
    result = command("check", str(models / "plain.keras"), "-v", "--format", "json")
    assert json.loads(result.stdout)["ok"] is True
    assert "TensorFlow" in result.stderr
    assert "TensorFlow" not in command("check", str(models / "plain.keras")).stderr


def test_what_the_users_code_prints_is_no_result_and_it_runs_once(command, models, tmp_path):
    text = "import pathlib\nprint('hello', file=pathlib.Path('run').open('a'))\n"
    text += "def load_data():\n    print('loading')\n    return [[0.5] * 4] * 9, [0] * 9\n"
    (tmp_path / "own.py").write_text(
        text + "def build():\n    import keras\n    return keras.models.load_model('m.keras')\n"
    )
    shutil.copy(models / "plain.keras", tmp_path / "m.keras")
    result = command("check", "own.py:build", "--data", "own.py:load_data", "--format", "json")
    assert "findings" in json.loads(result.stdout)
    assert (tmp_path / "run").read_text() == "hello\n"


@pytest.mark.parametrize(
    "words",
    [
        "repair {m} --data none.csv",
        "repair none.keras --data {d}",
        "repair own.py:build --data {d}",
        "diagnose {m} --data {d} --validation-data none.csv",
        "check none.keras",
        "apply none {m} -o o.keras",
    ],
)
def test_what_is_not_there_is_named_before_tensorflow_is_loaded(command, models, monkeypatch, words):
    monkeypatch.setattr("autofix.supervisor.supervise", None)
    result = command(*words.format(m=models / "plain.keras", d=models / "data.npz").split())
    assert result.exit_code == 2, result.exc_info
    assert "Check the path" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "config", "told"),
    [
        (["--nope", "pipeline.yaml"], "", "--nope"),
        ([], "", "PIPELINE"),
        (["pipeline.yaml"], "epoch: 3", "Did you mean 'epochs'"),
        (["pipeline.yaml"], "", "cannot be read"),
        (["model.keras"], "", "this is not YAML"),
    ],
)
def test_the_last_line_of_retrain_is_json_whatever_is_wrong(command, tmp_path, arguments, config, told):
    (tmp_path / "autofix.yaml").write_text(config)
    (tmp_path / "model.keras").write_text("a: [")
    result = command("retrain", *arguments)
    assert result.exit_code == 2
    line = json.loads(result.stdout)
    assert (line["status"], line["exit_code"], line["promoted"]) == ("usage", 2, False)
    assert told in line["reason"]
    assert told in result.stderr


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, "-m", "autofix", *arguments],
        capture_output=True,
        text=True,
        timeout=170,
        cwd=folder,
        env=environment,
    )


def test_a_repair_from_the_shell(models, table, tmp_path):
    shutil.copy(models / "plain.keras", tmp_path / "model.keras")
    shutil.copy(table, tmp_path / "table.csv")
    (tmp_path / "autofix.yaml").write_text("epochs: 4\nbudget: 10m\ntarget: label\n")
    done = run("repair", "model.keras", "--data", "table.csv", "--format", "json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "repaired"
    assert not done.stderr
    assert (tmp_path / "runs" / "model" / "repaired.keras").is_file()


@pytest.mark.slow
def test_what_is_wrong_ends_alike_from_the_shell(models, table, tmp_path):
    shutil.copy(models / "lambda.keras", tmp_path / "model.keras")
    shutil.copy(table, tmp_path / "table.csv")
    refused = run("repair", "model.keras", "--data", "table.csv", "--target", "label", folder=tmp_path)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert refused.stderr.startswith("Error: 'model.keras' holds a Lambda layer")
    missing = run("repair", "none.keras", "--data", "table.csv", "--target", "label", folder=tmp_path)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / CANARY).exists()

"""The examples of schedulers: their commands are run as they are, in a folder whose data is known by then."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml

from autofix import config
from autofix.exits import Exit
from autofix.retraining.config import Pipeline
from tests.retraining.fakes import answer, run

EXAMPLES = Path(__file__).parents[2] / "examples" / "scheduling"


def last(text: str) -> dict:
    return json.loads(text.splitlines()[-1])


def keeps_its_champion(folder: Path) -> None:
    """Lets other data come, on which a challenger is merely as good; its training is played."""
    rows = (folder / "churn.csv").read_text().splitlines()
    (folder / "churn.csv").write_text("\n".join(rows[:-10]) + "\n")
    settings = config.read(folder / "pipeline.yaml", Pipeline)
    run(settings, answer(0.9, champion=0.9, p_value=0.5, fingerprint="other"))


def test_the_command_promotes_a_first_version(trained):
    assert trained.first.returncode == 0, trained.first.stderr
    assert len(trained.first.stdout.splitlines()) == 1
    line = last(trained.first.stdout)
    assert (line["status"], line["version"], line["verdict"]) == ("promoted", 1, "healthy")
    assert line["scores"]["challenger"] > 0.7
    assert "PROMOTED" in trained.first.stderr
    assert "imported: []" in trained.first.stderr  # all of it is left to the processes below
    names = {item.name for item in (trained.folder / "models" / "current").iterdir()}
    assert names == {
        "BLESSED", "model.keras", "patch.yaml", "metrics.json", "run.json", "data.json", "encoding.json"
    }  # fmt: skip


def test_cron(churn):
    lines = (churn.folder / "crontab").read_text().splitlines()
    [job] = [line for line in lines if re.match(r"[\d*]", line)]
    fields = job.split(maxsplit=5)
    assert all(re.fullmatch(r"[\d*/,-]+", field) for field in fields[:5])
    done = churn.run(fields[5].replace("/srv/churn", str(churn.folder)))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert last((churn.folder / "retrain.jsonl").read_text())["repeated"]
    assert "the data is known" in (churn.folder / "retrain.log").read_text()


@pytest.mark.skipif(shutil.which("jq") is None, reason="the workflow needs jq, which is on GitHub's machines")
def test_github_actions(churn):
    workflow = yaml.load((churn.folder / "github-actions.yml").read_text(), Loader=yaml.BaseLoader)  # noqa: S506 (text alone; `on` is no boolean)
    assert workflow["concurrency"]["cancel-in-progress"] == "false"
    assert workflow["on"]["schedule"] == [{"cron": "17 3 * * *"}]
    steps = {step.get("name", step.get("uses")): step for step in workflow["jobs"]["retrain"]["steps"]}
    files = {"GITHUB_STEP_SUMMARY": str(churn.folder / "summary"), "GITHUB_OUTPUT": str(churn.folder / "output")}
    # A cache that one step restores and saves is not saved where the job fails: versions and history would be lost.
    assert steps["Keep"]["if"] == "always()"
    assert steps["Keep"]["with"]["key"] == steps["actions/cache/restore@v4"]["with"]["key"]
    assert steps["Retrain"]["shell"] == "bash"  # so that a failure left of the pipe is one
    done = churn.run(steps["Retrain"]["run"], **files)
    assert done.returncode == 0, done.stderr
    assert (churn.folder / "output").read_text() == "promoted=true\n"
    assert last((churn.folder / "summary").read_text())["current"] == 1
    assert steps["Retrain"]["id"] in steps["Deploy"]["if"]
    assert churn.run(steps["Deploy"]["run"]).stdout == "deploy versions/0001\n"
    (churn.folder / "churn.csv").unlink()
    assert churn.run(steps["Retrain"]["run"], **files).returncode == Exit.USAGE


def test_kubernetes(churn):
    document = yaml.safe_load((churn.folder / "kubernetes-cronjob.yaml").read_text())
    assert (document["apiVersion"], document["kind"]) == ("batch/v1", "CronJob")
    spec = document["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    job = spec["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never"  # what podFailurePolicy asks for
    [container] = pod["containers"]
    rule = job["podFailurePolicy"]["rules"][0]["onExitCodes"]
    assert rule["containerName"] == container["name"]
    # Those that another attempt does not change, and none of those that it may.
    assert sorted(rule["values"]) == [Exit.USAGE, Exit.NO_REPAIR, Exit.UNUSABLE]
    assert job["backoffLimit"] > 0
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    done = churn.run(" ".join(container["command"]).replace("/srv/churn", str(churn.folder)))
    assert done.returncode == 0, done.stderr
    assert last(done.stdout)["repeated"]


def test_the_loop_runs_two_rounds(churn):
    done = churn.run("python loop.py pipeline.yaml --every 0.1 --rounds 2")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("promoted: healthy and above guessing") for line in lines)


def test_the_loop_survives_a_command_that_was_killed(monkeypatch):
    retrain = runpy.run_path(str(EXAMPLES / "loop.py"))["retrain"]
    monkeypatch.setattr(subprocess, "run", lambda *words, **how: subprocess.CompletedProcess(words, -9, stdout=""))
    line = retrain("pipeline.yaml")
    assert line["exit_code"] == Exit.TRY_LATER
    assert "-9" in line["reason"]


def test_exit_codes_of_the_command(churn):
    assert churn.run("autofix retrain pipeline.yaml --exit-code-healthy 99").returncode == 0  # a deployment is due
    keeps_its_champion(churn.folder)
    for options, code in (("", 0), ("--exit-code-healthy 99", 99)):
        done = churn.run(f"autofix retrain pipeline.yaml {options}")
        assert done.returncode == code
        assert (last(done.stdout)["status"], last(done.stdout)["exit_code"]) == ("kept", code)
    for command, code, words in (
        ("autofix retrain nothing.yaml", 2, "cannot be read"),
        ("autofix retrain pipeline.yaml --rollback 9", 2, "blessed versions [1]"),
        ("echo 'kep: 3' >> pipeline.yaml; autofix retrain pipeline.yaml", 2, "Did you mean 'keep'?"),
    ):
        done = churn.run(command)
        assert done.returncode == code
        assert words in last(done.stdout)["reason"]
        assert {"version", "current", "scores", "fingerprint", "models"} <= last(done.stdout).keys()
        assert words in done.stderr


RUN_DAG = """
import json, sys
sys.path.insert(0, sys.argv[1])
from airflow_dag import dag
run = dag.test()
print("STATES", json.dumps({one.task_id: str(one.state) for one in run.get_task_instances()}))
"""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_airflow_deploys_a_new_champion_and_skips_otherwise(churn, tmp_path):
    """A real Airflow in an environment of its own; AUTOFIX_TEST_AIRFLOW names one that is there already."""
    home = Path(os.environ.get("AUTOFIX_TEST_AIRFLOW", tmp_path / "airflow-venv"))
    if not home.exists():
        venv.create(home, with_pip=True)
        packages = ["apache-airflow-core>=3", "apache-airflow-providers-standard"]
        subprocess.run([home / "bin" / "pip", "install", "-q", *packages], check=True, timeout=1500)
    airflow = {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "CHURN_FOLDER": str(churn.folder),
    }
    (tmp_path / "dags").mkdir()
    shutil.copy(EXAMPLES / "airflow_dag.py", tmp_path / "dags")
    (tmp_path / "run_dag.py").write_text(RUN_DAG)
    assert churn.run(f"{home}/bin/airflow db migrate", **airflow).returncode == 0
    listed = churn.run(f"{home}/bin/airflow dags list-import-errors", **airflow)
    assert "No data found" in listed.stdout, listed.stdout

    def states() -> dict[str, str]:
        done = churn.run(f"{home}/bin/python {tmp_path}/run_dag.py {tmp_path}/dags", **airflow)
        assert "STATES" in done.stdout, done.stdout + done.stderr
        return json.loads(done.stdout.rsplit("STATES", 1)[1])

    assert states() == {"retrain": "success", "deploy": "success"}
    assert last((churn.folder / "deployed.json").read_text())["current"] == 1
    (churn.folder / "deployed.json").unlink()
    keeps_its_champion(churn.folder)
    assert states() == {"retrain": "skipped", "deploy": "skipped"}
    assert not (churn.folder / "deployed.json").exists()


def test_this_is_the_python_that_runs_the_examples(churn):
    assert churn.run("python -c 'import sys; print(sys.executable)'").stdout.strip() == sys.executable

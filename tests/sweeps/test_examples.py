"""What the page about sweeps and the launchers say is true of the commands."""

from __future__ import annotations

import json
import os
import re
import runpy
import shlex
import stat
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from autofix.cli import main
from autofix.config import read, schema
from autofix.sweeps.config import Sweep
from autofix.sweeps.terms import MOST_DEATHS, TERMS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
LAUNCHERS = ROOT / "examples" / "launchers"


def parsed(arguments: list[str]) -> dict[str, Any]:
    """Reads the arguments of `autofix ...` as the command line does, without running anything."""
    command = main.get_command(click.Context(main), arguments[0])
    assert command is not None, arguments
    if isinstance(command, click.Group):
        return {}
    environment = {"AUTOFIX_STORAGE": "postgresql://me@host/autofix"}
    context = command.make_context(arguments[0], arguments[1:], default_map={"storage": environment["AUTOFIX_STORAGE"]})
    return context.params


def commands(text: str) -> list[list[str]]:
    lines = [line.split(" #")[0].split(">")[0] for line in text.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("autofix ")]


@pytest.mark.parametrize("arguments", commands("\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.S))), ids=" ".join)
def test_commands_of_the_page_are_commands(arguments):
    parsed(arguments)


def test_the_file_of_the_page_is_a_sweep(tmp_path):
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    (tmp_path / "sweep.yaml").write_text(text)
    assert len(read(tmp_path / "sweep.yaml", Sweep).models) == 2


def test_the_table_of_settings_is_whole():
    documented = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.M))
    document = json.loads(schema("sweep"))
    assert documented >= set(document["properties"])
    for part in ("Repair", "DataEntry", "ModelEntry", "StrategySet"):
        for name in document["$defs"][part]["properties"]:
            assert f"`{name}`" in PAGE, name


def test_the_times_of_the_page_are_those_of_the_code():
    assert f"every {TERMS.renew:.0f} seconds" in PAGE
    assert f"stood still for {TERMS.dead:.0f} seconds" in PAGE
    assert TERMS.patience == 600
    assert "for ten minutes" in PAGE
    assert MOST_DEATHS == 3
    assert "After three workers" in PAGE


def test_links_of_the_page_lead_somewhere():
    for target in re.findall(r"\]\((\.\./[^)]*)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target


def test_the_kubernetes_job_starts_workers():
    job = yaml.safe_load((LAUNCHERS / "kubernetes.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "Job")
    assert job["spec"]["completionMode"] == "Indexed"
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    command = container["command"] + container["args"]
    assert command[0] == "autofix"
    assert parsed(command[1:])["wait"] == 600
    # Failure policies need pods that are not restarted in place.
    assert pod["restartPolicy"] == "Never"
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert container["env"][0]["name"] == "AUTOFIX_STORAGE"
    assert "postgresql://" not in json.dumps(job)


def slurm(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the script where `autofix` says what it was called with."""
    fake = folder / "autofix"
    fake.write_text('#!/bin/bash\nprintf "%s\\n" "$@"\necho "threads=$OMP_NUM_THREADS storage=$AUTOFIX_STORAGE $PWD"\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    given = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder), **environment}
    script = LAUNCHERS / "slurm.sh"
    return subprocess.run(["bash", script], env=given, capture_output=True, text=True, timeout=60, check=False)


def test_the_slurm_script_starts_a_worker(tmp_path):
    assert subprocess.run(["bash", "-n", LAUNCHERS / "slurm.sh"], check=False).returncode == 0
    told = slurm(
        tmp_path,
        AUTOFIX_STORAGE="postgresql://me@host/autofix",
        SLURM_ARRAY_TASK_ID="3",
        SLURM_CPUS_PER_TASK="2",
        SLURM_SUBMIT_DIR=str(tmp_path),
    )
    assert told.returncode == 0, told.stderr
    *arguments, last = told.stdout.splitlines()
    assert parsed(arguments)["out"] == "runs/digits-3"
    assert last == f"threads=2 storage=postgresql://me@host/autofix {tmp_path}"


def test_the_slurm_script_takes_the_storage_from_a_file_and_says_if_there_is_none(tmp_path):
    told = slurm(tmp_path)
    assert told.returncode != 0
    assert "AUTOFIX_STORAGE" in told.stderr
    (tmp_path / ".autofix-storage").write_text("postgresql://me@host/file\n")
    assert "storage=postgresql://me@host/file" in slurm(tmp_path).stdout


class Cluster:
    """What the launcher asks of a Dask client."""

    def scheduler_info(self) -> dict[str, Any]:
        return {"workers": {"tcp://a:1": {}, "tcp://b:2": {}}}

    def submit(self, function: Any, *arguments: Any, workers: list[str], pure: bool, allow_other_workers: bool) -> Any:
        assert not pure
        assert not allow_other_workers
        assert len(workers) == 1
        return function, arguments

    def gather(self, tasks: Any) -> list[int]:
        return [function(*arguments) for function, arguments in tasks]


def test_the_dask_launcher_starts_a_worker_on_each_machine(monkeypatch):
    started = []

    def run(command: list[str], *, env: dict[str, str], check: bool) -> Any:
        started.append(command)
        assert env["AUTOFIX_STORAGE"] == "postgresql://me:secret@host/autofix"
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    launch = runpy.run_path(str(LAUNCHERS / "with_dask.py"))["launch"]
    assert launch(Cluster(), "digits", "postgresql://me:secret@host/autofix", "sweep") == [0, 0]
    assert len(started) == 2
    assert started[0][1:3] == ["-m", "autofix"]
    assert parsed(started[0][3:])["folder"] == "sweep"
    assert "secret" not in " ".join(started[0])


def test_the_dask_launcher_on_a_cluster():
    distributed = pytest.importorskip("dask.distributed")
    launch = runpy.run_path(str(LAUNCHERS / "with_dask.py"))["launch"]
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        # No such database: what is shown is that the workers are started and their codes come back.
        assert launch(distributed.Client(cluster), "digits", "nosuchdb://host/x") == [2, 2]

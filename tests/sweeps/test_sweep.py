"""The commands `sweep` and `worker`, with repairs that only pretend."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from autofix.cli import main
from autofix.exits import Exit
from autofix.files import write_json
from autofix.supervisor import Ended
from autofix.sweeps import terms
from autofix.sweeps.summary import _in_short
from tests.sweeps.standin import QUICK

CONFIG = """\
out: out
models: [m.keras, "models.py:build"]
data: [d.npz]
strategies: [all, [learning_rate, activation]]
seeds: [0, 1]
repair: {epochs: 3}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a sweep of 8 cells, in which nothing is trained."""
    (tmp_path / "m.keras").write_bytes(b"a model")
    (tmp_path / "d.npz").write_bytes(b"rows")
    (tmp_path / "models.py").write_text("def build(): ...\n")
    (tmp_path / "sweep.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("autofix.sweeps.sweeping.TERMS", QUICK)
    for function in ("begin", "join"):
        found = getattr(__import__("autofix.sweeps.sweeping", fromlist=[function]), function)
        monkeypatch.setitem(found.__kwdefaults__, "terms", QUICK)
    return tmp_path


@pytest.fixture
def repairs(monkeypatch):
    """What stands for the supervisor: does jobs by a function of the job, and keeps them."""
    return Pretended(monkeypatch)


class Pretended:
    def __init__(self, monkeypatch: Any) -> None:
        self.jobs: list[Any] = []
        self.play = lambda job: (Exit.DONE, "repaired")
        monkeypatch.setattr("autofix.supervisor.supervise", self)

    def __call__(self, jobs: Any, *, slots: int, say: Any, on_end: Any) -> None:
        for job in jobs:
            self.jobs.append(job)
            code, status = self.play(job)
            document = {} if status is None else {"status": status, "metric": "r2", "seconds": 2.5}
            if status in ("repaired", "improved"):
                document |= {"before": {"mean": 0.25}, "after": {"mean": 0.75}}
                (Path(job.out)).mkdir(parents=True, exist_ok=True)
                write_json(Path(job.out) / "change_log.json", {"changes": CHANGES})
                (Path(job.out) / "patch.yaml").write_text("changes: [loss]\n")
                (Path(job.out) / "change_log.md").write_text("# What was changed\n")
            if document:
                write_json(Path(job.out) / "metrics.json", document)
            on_end(job, Ended(code, document, None if document else "it died"))


CHANGES = [{"path": f"layers/{name}/activation", "before": "sigmoid", "after": "relu"} for name in ("a", "b")]


def run(*arguments: str, env: dict[str, str] | None = None) -> Result:
    result = CliRunner().invoke(main, list(arguments), env=env)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


def test_every_model_on_every_data_set_with_every_set_and_seed(project, repairs):
    told = run("sweep", "sweep.yaml", "--format", "json")
    assert told.exit_code == 0, told.stderr
    summary = json.loads(told.stdout)
    assert summary == json.loads((project / "out" / "summary.json").read_text())
    assert (summary["cells"], summary["done"], summary["verdicts"]) == (8, 8, {"repaired": 8})
    row = summary["rows"][0]
    assert (row["model"], row["data"], row["strategies"], row["seed"]) == ("m", "d", "all", 0)
    assert (row["before"], row["after"], row["changes"]) == (0.25, 0.75, "activation: sigmoid -> relu (2 times)")
    table = list(csv.DictReader(io.StringIO((project / "out" / "summary.csv").read_text())))
    assert [row["status"] for row in table] == ["repaired"] * 8
    assert {job.out for job in repairs.jobs} == {
        f"out/cells/{model}/d/{strategies}/seed-{seed}"
        for model in ("m", "build")
        for strategies in ("all", "learning_rate+activation")
        for seed in (0, 1)
    }
    assert {job.epochs for job in repairs.jobs} == {3}


def test_changes_in_short_name_whole_objects_by_their_class():
    sgd, adam = (
        {"module": "keras.optimizers", "class_name": name, "config": {"learning_rate": 0.5}} for name in ("SGD", "Adam")
    )
    change = {"path": "compile/optimizer", "before": sgd, "after": adam}
    assert _in_short([change]) == "optimizer: SGD(learning_rate=0.5) -> Adam(learning_rate=0.5)"


def test_table_and_yaml_say_the_same(project, repairs):
    table = run("sweep", "sweep.yaml").stdout
    columns = ["model", "data", "strategies", "seed", "before", "after", "seconds", "status", "changes"]
    assert table.splitlines()[0].split() == columns
    assert len(table.splitlines()) == 9
    assert "0.250  0.750" in table
    assert yaml.safe_load(run("sweep", "sweep.yaml", "--format", "yaml").stdout)["done"] == 8


def test_finished_cells_are_not_done_again_and_new_seeds_are(project, repairs):
    run("sweep", "sweep.yaml")
    assert run("sweep", "sweep.yaml").exit_code == 0
    assert len(repairs.jobs) == 8
    (project / "sweep.yaml").write_text(CONFIG.replace("[0, 1]", "[0, 1, 2]"))
    told = run("sweep", "sweep.yaml", "--format", "json")
    assert "8 done already" in told.stderr
    assert json.loads(told.stdout)["done"] == 12
    assert len(repairs.jobs) == 12


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda path: (path / "sweep.yaml").write_text(CONFIG.replace("epochs: 3", "epochs: 4")), "another `epochs`"),
        (lambda path: (path / "m.keras").write_bytes(b"another model"), "content of the model or the data"),
    ],
)
def test_what_is_no_longer_the_same_sweep_is_refused(project, repairs, change, what):
    run("sweep", "sweep.yaml")
    change(project)
    told = run("sweep", "sweep.yaml")
    assert told.exit_code == Exit.USAGE
    assert what in told.stderr
    assert "Pass another `--out`" in told.stderr


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ({}, Exit.DONE),
        ({0: (Exit.NO_REPAIR, "unrepaired")}, Exit.NO_REPAIR),
        ({0: (Exit.NO_REPAIR, "unrepaired"), 1: (Exit.UNUSABLE, "failed")}, Exit.UNUSABLE),
        ({0: (Exit.UNUSABLE, "failed"), 1: (Exit.TERMINATED, "interrupted")}, Exit.TERMINATED),
        ({0: (Exit.INTERRUPTED, "interrupted")}, Exit.INTERRUPTED),
        ({0: (Exit.USAGE, "failed")}, Exit.UNUSABLE),
    ],
)
def test_the_exit_code_is_that_of_the_worst(project, repairs, ends, code):
    repairs.play = lambda job: ends.get(job.seed, (Exit.DONE, "healthy"))
    assert run("sweep", "sweep.yaml").exit_code == code
    repairs.play = lambda job: (Exit.DONE, "healthy")
    again = run("sweep", "sweep.yaml", "--format", "json")
    assert json.loads(again.stdout)["done"] == 8
    # What ended without a result is done now; what ended with one, good or bad, is not done again.
    kept = {end[0] for end in ends.values()} - {Exit.TERMINATED, Exit.INTERRUPTED}
    assert again.exit_code == (Exit.UNUSABLE if kept & {Exit.UNUSABLE, Exit.USAGE} else max(kept, default=Exit.DONE))


def test_a_lock_that_is_held_is_tried_again(project, repairs):
    held = ["m"]
    repairs.play = lambda job: (Exit.TRY_LATER, "failed") if held and held.pop() else (Exit.DONE, "healthy")
    assert run("sweep", "sweep.yaml").exit_code == 0
    assert len(repairs.jobs) == 9


def test_a_full_disk_ends_the_sweep_for_now(project, repairs):
    repairs.play = lambda job: (Exit.TRY_LATER, "failed")
    told = run("sweep", "sweep.yaml", "--format", "json")
    assert told.exit_code == Exit.TRY_LATER
    assert json.loads(told.stdout)["done"] == 0


def test_a_machine_on_which_nothing_works_does_not_burn_the_cells(project, repairs):
    repairs.play = lambda job: (Exit.UNUSABLE, None)
    told = run("sweep", "sweep.yaml", "--format", "json")
    assert told.exit_code == Exit.UNUSABLE
    assert json.loads(told.stdout)["done"] == 0
    assert len(repairs.jobs) == terms.MOST_DEATHS
    repairs.play = lambda job: (Exit.DONE, "healthy")
    assert run("sweep", "sweep.yaml").exit_code == 0


def test_a_cell_whose_process_always_dies_is_given_up_and_the_others_are_done(project, repairs):
    repairs.play = lambda job: (
        (Exit.UNUSABLE, None) if job.out.endswith("build/d/all/seed-0") else (Exit.DONE, "healthy")
    )
    told = run("sweep", "sweep.yaml", "--format", "json")
    summary = json.loads(told.stdout)
    assert (told.exit_code, summary["done"]) == (Exit.UNUSABLE, 8)
    assert [row["error"] for row in summary["rows"] if row["exit"]] == [
        f"{terms.MOST_DEATHS} workers died of it, perhaps for want of memory. Run it alone with `autofix repair`."
    ]


def test_one_model_with_each_strategy_alone_and_all_together(project, repairs):
    told = run("sweep", "m.keras", "--data", "d.npz", "--strategies", "learning_rate,activation", "--format", "json")
    assert told.exit_code == 0, told.stderr
    assert [row["strategies"] for row in json.loads(told.stdout)["rows"]] == [
        "learning_rate",
        "activation",
        "learning_rate+activation",
    ]
    assert repairs.jobs[0].strategies == ("learning_rate",)
    assert (project / "runs" / "m-sweep" / "summary.json").exists()


def test_one_model_with_all_strategies(project, repairs):
    told = run(
        "sweep", "m.keras", "--data", "d.npz", "--target", "y", "--seeds", "3,4", "--out", "o", "--budget", "30s"
    )
    assert told.exit_code == 0, told.stderr
    assert [(job.seed, job.strategies, job.target_column, job.budget) for job in repairs.jobs] == [
        (3, None, "y", "30s"),
        (4, None, "y", "30s"),
    ]


def test_an_option_beats_the_environment_beats_the_file(project, repairs):
    run("sweep", "sweep.yaml", "--out", "a", env={"AUTOFIX_EPOCHS": "5"})
    run("sweep", "sweep.yaml", "--out", "b", "--epochs", "6", env={"AUTOFIX_EPOCHS": "5"})
    assert [{job.epochs for job in repairs.jobs if job.out.startswith(f"{out}/")} for out in "ab"] == [{5}, {6}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.yaml"], "cannot be read"),
        (["m.keras"], "--data is missing"),
        (["gone.keras", "--data", "d.npz"], "there is no file or folder 'gone.keras'"),
        (["sweep.yaml", "--data", "d.npz"], "--data is for a MODEL"),
        (["sweep.yaml", "--strategies", "lerning_rate"], "Did you mean 'learning_rate'"),
        (["sweep.yaml", "--seeds", "a"], "no seeds"),
        (["sweep.yaml", "--storage", "nosuchdb://me:secret@host/x"], "nosuchdb://me:***@host/x"),
    ],
)
def test_wrong_usage_is_told_without_passwords(project, repairs, arguments, message):
    told = run("sweep", *arguments)
    assert told.exit_code == Exit.USAGE
    assert message in told.stderr
    assert "secret" not in told.output
    assert not repairs.jobs
    assert not told.stdout


def test_a_file_with_faults_tells_all_of_them_with_their_places(project, repairs):
    (project / "sweep.yaml").write_text(CONFIG.replace("m.keras", "n.keras") + "sedes: 3\n")
    told = run("sweep", "sweep.yaml")
    assert told.exit_code == Exit.USAGE
    assert "sweep.yaml:2:10: `models[0]`: there is no file" in told.stderr
    assert "sweep.yaml:7:1: there is no setting `sedes`. Did you mean 'seeds'?" in told.stderr


JOURNAL = "out/sweep.journal"


@pytest.fixture
def begun(project, repairs):
    """A sweep that was begun and stopped at once."""
    repairs.play = lambda job: (Exit.TERMINATED, "interrupted")
    assert run("sweep", "sweep.yaml").exit_code == Exit.TERMINATED
    repairs.play = lambda job: (Exit.DONE, "repaired")
    repairs.jobs.clear()
    return project


def worker(*arguments: str) -> Result:
    return run("worker", "--storage", JOURNAL, "--study", "out", "--wait", "0s", "--out", "elsewhere", *arguments)


def test_a_worker_does_what_is_left_and_its_results_come_home(begun, repairs):
    told = worker("--allow-code")
    assert told.exit_code == 0, told.stderr
    assert len(repairs.jobs) == 8
    assert all(job.out.startswith("elsewhere/cells/") for job in repairs.jobs)
    summary = json.loads(run("sweep", "sweep.yaml", "--format", "json").stdout)
    assert summary["done"] == 8
    home = begun / "out/cells/m/d/all/seed-0"
    assert (home / "patch.yaml").read_text() == "changes: [loss]\n"
    assert (home / "change_log.md").read_text() == "# What was changed\n"
    assert json.loads((home / "metrics.json").read_text())["after"]["mean"] == 0.75


def test_a_worker_runs_no_code_that_its_user_did_not_allow(begun, repairs):
    told = worker()
    assert "names code to run: 'models.py:build'" in told.stderr
    assert "Pass --allow-code" in told.stderr
    assert {Path(job.model).name for job in repairs.jobs} == {"m.keras"}
    assert len(repairs.jobs) == 4


def test_a_worker_reads_nothing_outside_of_its_folder(begun, repairs):
    (begun / "inner").mkdir()
    told = worker("--folder", "inner", "--allow-code")
    assert told.exit_code == Exit.USAGE
    assert "there is no 'm.keras' in 'inner'" in told.stderr
    study = (begun / JOURNAL).read_text()
    (begun / JOURNAL).write_text(study.replace('"model":"m.keras"', '"model":"/etc/passwd"'))
    told = worker("--allow-code")
    assert "names a file outside of" in told.stderr
    assert not [job for job in repairs.jobs if "passwd" in job.model]


def test_a_worker_writes_nothing_outside_of_its_folder(begun, repairs):
    study = (begun / JOURNAL).read_text()
    (begun / JOURNAL).write_text(study.replace('"data":"d","strategies"', '"data":"../../x","strategies"'))
    told = worker("--allow-code")
    assert told.exit_code == Exit.USAGE
    assert "names a folder that could be anywhere" in told.stderr


def test_a_worker_notices_files_that_differ(begun, repairs):
    (begun / "d.npz").write_bytes(b"other rows")
    told = worker("--allow-code")
    assert told.exit_code == Exit.USAGE
    assert "not the same as where the sweep was begun" in told.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--storage", "none.journal", "--study", "x", "--wait", "0s"], "there is no sweep in none.journal"),
        (["--storage", JOURNAL, "--study", "x", "--wait", "0s"], "the sweep 'x' has not begun"),
        (["--storage", JOURNAL, "--study", "../x", "--wait", "0s"], "must be the name of a sweep"),
        (["--storage", JOURNAL, "--study", "out", "--wait", "soon"], "'soon' is no duration"),
        (["--study", "out"], "--storage"),
    ],
)
def test_a_worker_without_a_sweep_says_so(begun, repairs, arguments, message):
    told = run("worker", *arguments)
    assert told.exit_code == Exit.USAGE
    assert message in told.stderr


def test_a_torn_last_line_of_the_journal_costs_nothing(begun, repairs):
    with (begun / JOURNAL).open("ab") as journal:
        journal.write(b'{"op_code": 8, "tri')
    assert run("sweep", "sweep.yaml").exit_code == 0
    assert len(repairs.jobs) == 8

"""What a storage costs the workers of a sweep: ``python -m tests.sweeps.load``.

Workers are processes that do cells by sleeping, on a PostgreSQL server that is started for it. With ``--repairs`` the
cells are real repairs, done by `autofix worker` processes, and what is compared is how many an hour are done.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from autofix.sweeps.board import DONE
from autofix.sweeps.cell import Cell
from autofix.sweeps.patience import Patience
from autofix.sweeps.running import Runner
from autofix.sweeps.storage import join
from autofix.sweeps.terms import TERMS
from tests.sweeps.server import postgresql
from tests.sweeps.standin import board, cells, sleeping

HEADER = "workers  cells  seconds  cells/s  efficiency  in storage  calls/cell  CPU ms/cell  transactions/s  server CPU"
MODELS = """\
import keras


def build():
    hidden = [keras.layers.Dense(32, "sigmoid") for _ in range(5)]
    model = keras.Sequential([keras.Input((64,)), *hidden, keras.layers.Dense(10, "softmax")])
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
    return model
"""
SWEEP = """\
out: out
models: ["models.py:build"]
data: ["sklearn:digits"]
seeds: [{seeds}]
repair: {{epochs: 10, budget: 30m}}
"""


@click.command()
@click.option("--workers", default="1,4,16,64", show_default=True, help="Numbers of workers.")
@click.option("--seconds", default=10.0, show_default=True, help="Seconds that a cell takes.")
@click.option("--rounds", default=4, show_default=True, help="Cells for each worker.")
@click.option("--repairs", type=int, help="Compare 1 and 4 workers on so many real repairs instead.")
def main(workers: str, seconds: float, rounds: int, repairs: int | None) -> None:
    """Measure what the storage of a sweep costs."""
    with postgresql() as server:
        if repairs is not None:
            for count in (1, 4):
                print(_real(server, count, repairs), flush=True)
            return
        print(HEADER)
        for count in map(int, workers.split(",")):
            print(_simulated(server, count, seconds, rounds), flush=True)


def _simulated(server: Any, count: int, seconds: float, rounds: int) -> str:
    address = _fresh(server)
    with tempfile.TemporaryDirectory() as folder:
        one = board(address, "load", TERMS)
        plan = cells(count * rounds, Path(folder))
        one.create(plan)
        one.storage.remove_session()
        context = multiprocessing.get_context("fork")
        started, told = context.Barrier(count + 1), context.SimpleQueue()
        processes = [context.Process(target=_work, args=(address, plan, seconds, started, told)) for _ in range(count)]
        for process in processes:
            process.start()
        started.wait()
        began, before = time.time(), _server_state(server)
        lost = [told.get() for _ in processes]
        for process in processes:
            process.join()
        after = _server_state(server)
        trials = [trial for trial in board(address, "load", TERMS)._trials() if trial.state in DONE]
    assert len(trials) == len(plan)
    took = max(trial.datetime_complete.timestamp() for trial in trials if trial.datetime_complete) - began
    asleep, waiting = len(plan) * seconds, sum(spent for spent, _, _ in lost)
    return (
        f"{count:7}  {len(plan):5}  {took:7.1f}  {len(plan) / took:7.2f}  {asleep / (took * count):10.1%}  "
        f"{waiting / (waiting + asleep):10.2%}  {sum(calls for _, calls, _ in lost) / len(plan):10.1f}  "
        f"{sum(cpu for _, _, cpu in lost) / len(plan) * 1000:11.0f}  "
        f"{(after[0] - before[0]) / took:14.1f}  {(after[1] - before[1]) / took:10.1%}"
    )


def _work(address: str, plan: tuple[Cell, ...], seconds: float, started: Any, told: Any) -> None:
    one = board_of(address)
    here = {cell.name: cell for cell in plan}
    one.attributes()
    started.wait()
    cpu = time.process_time()
    # From here on alone: what opening the storage costs is paid once.
    one.patience = Patience(TERMS, TERMS.patience, address)
    Runner(one, sleeping(seconds), lambda: here, 1, _silent, _silent).run()
    told.put((one.patience.spent, one.patience.calls, time.process_time() - cpu))


def board_of(address: str) -> Any:
    """The board of a worker that joins."""
    from autofix.sweeps.board import Board

    return Board(join(address, TERMS, wait=60.0), "load", Patience(TERMS, TERMS.patience, address), TERMS)


def _silent(line: str) -> None:
    """Nobody reads along."""


def _server_state(server: Any) -> tuple[int, float]:
    """Transactions so far, and CPU seconds of the server and all its processes."""
    import psutil

    time.sleep(1.1)  # the server publishes its counters once a second
    text = server.psql("SELECT 'n=' || sum(xact_commit) FROM pg_stat_database")
    root = psutil.Process(server.get_pid())
    times = root.cpu_times()
    seconds = times.user + times.system + times.children_user + times.children_system
    for child in root.children():
        with contextlib.suppress(psutil.Error):
            seconds += child.cpu_times().user + child.cpu_times().system
    return int(text.partition("n=")[2].split()[0]), seconds


def _fresh(server: Any) -> str:
    name = f"load{uuid.uuid4().hex}"
    server.psql(f"CREATE DATABASE {name}")
    return str(server.get_uri(database=name))


def _real(server: Any, count: int, repairs: int) -> str:
    address = _fresh(server)
    with tempfile.TemporaryDirectory() as folder, _project(Path(folder), repairs):
        command = [sys.executable, "-m", "autofix", "worker", "--study", "out", "--allow-code", "--wait", "5m"]
        environment = {**os.environ, "AUTOFIX_STORAGE": address, "OMP_NUM_THREADS": "1"}
        began = time.monotonic()
        # The one that begins the sweep works too.
        processes = [
            subprocess.Popen([sys.executable, "-m", "autofix", "sweep", "sweep.yaml"], cwd=folder, env=environment)
        ]
        processes += [
            subprocess.Popen([*command, "--out", f"worker-{number}"], cwd=folder, env=environment)
            for number in range(1, count)
        ]
        codes = [process.wait() for process in processes]
        took = time.monotonic() - began
    load = os.getloadavg()[0]
    return (
        f"{count} workers: {repairs} repairs in {took:.0f} s, {repairs * 3600 / took:.0f} an hour; "
        f"{os.cpu_count()} cores, load {load:.1f}; exit codes {codes}"
    )


@contextlib.contextmanager
def _project(folder: Path, repairs: int) -> Iterator[None]:
    (folder / "models.py").write_text(MODELS)
    (folder / "sweep.yaml").write_text(SWEEP.format(seeds=", ".join(map(str, range(repairs)))))
    yield


if __name__ == "__main__":
    main()

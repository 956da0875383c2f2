"""A worker that has to leave, or whose signs of life meet with trouble."""

from __future__ import annotations

import threading
from dataclasses import replace

from optuna.storages import JournalStorage
from sqlalchemy.exc import OperationalError, ProgrammingError

from autofix.exits import Exit
from autofix.supervisor import Ended
from autofix.sweeps import running, sweeping
from autofix.sweeps.config import DataEntry, ModelEntry, Sweep
from autofix.sweeps.keeping import Keeper
from autofix.sweeps.running import Runner
from tests.sweeps.standin import QUICK, board, cells


def away(*arguments, **named):
    raise OperationalError("UPDATE", {}, Exception("the server closed the connection"))


def test_a_worker_that_is_told_to_leave_waits_for_no_storage_that_is_away(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "LEAVING", 0.1)
    one = board(str(tmp_path / "sweep.journal"), "s", replace(QUICK, patience=3600.0))
    plan = {cell.name: cell for cell in cells(1, tmp_path)}
    one.create(tuple(plan.values()))

    def stopped(jobs, *, slots, say, on_end):
        for job in jobs:
            monkeypatch.setattr(one.storage, "set_trial_state_values", away)
            on_end(job, Ended(Exit.TERMINATED, {}))

    assert Runner(one, stopped, lambda: plan, 1, print, print).run() is Exit.TERMINATED


def test_a_sweep_that_is_told_to_leave_ends_as_told_though_the_storage_is_away(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "LEAVING", 0.1)
    (tmp_path / "m.keras").write_bytes(b"a model")
    sweep = Sweep(
        out=str(tmp_path / "out"),
        models=(ModelEntry(source=str(tmp_path / "m.keras")),),
        data=(DataEntry(source="sklearn:iris"),),
    )

    def stopped(jobs, *, slots, say, on_end):
        for job in jobs:
            for call in ("set_trial_state_values", "get_all_trials"):
                monkeypatch.setattr(JournalStorage, call, away)
            on_end(job, Ended(Exit.TERMINATED, {}))

    said: list[str] = []
    terms = replace(QUICK, patience=3600.0)
    swept = sweeping.begin(sweep, base=tmp_path, supervise=stopped, say=said.append, terms=terms)
    assert swept.exit is Exit.TERMINATED
    assert "does not answer" in said[-1]
    assert not (tmp_path / "out" / "summary.json").exists()


def test_signs_of_life_go_on_after_trouble_of_any_kind(tmp_path):
    one = board(str(tmp_path / "sweep.journal"), "s", replace(QUICK, renew=0.01))
    one.create(cells(1, tmp_path))
    again, calls = threading.Event(), []

    def renew(claims):
        calls.append(claims)
        if len(calls) == 1:
            raise ProgrammingError("UPDATE", {}, Exception("permission denied"))
        again.set()
        return []

    one.renew = renew
    keeper = Keeper(one, print)
    with keeper.alive():
        keeper.hold("a claim")
        assert again.wait(60.0)

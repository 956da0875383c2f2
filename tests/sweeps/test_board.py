"""The study that workers share: every cell is done once, whoever dies at whatever moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace

import pytest
from optuna.trial import TrialState

from autofix.errors import FixYourCall
from autofix.exits import Exit
from autofix.sweeps.board import CELL, DONE, OPEN
from autofix.sweeps.ending import Ending
from autofix.sweeps.lease import Lease, Watch, birth, home, is_gone
from autofix.sweeps.terms import MOST_DEATHS
from tests.sweeps.standin import QUICK, board, cells

ENDING = Ending(int(Exit.DONE), {"status": "repaired", "after": {"mean": 0.9}}, patch="changes: []\n")
# Workers that follow each other in one thread.
LIVES = 40
# Nobody's signs of life are waited for.
AT_ONCE = replace(QUICK, dead=0.0)


def away(one):
    """The board of a worker on another machine: its process cannot be seen from here."""
    one.lease = replace(one.lease, home="elsewhere")
    return one


def forked(work) -> int:
    """Returns the process that does the work."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    finally:
        os._exit(0)


def done(one) -> Counter[str]:
    return Counter(trial.user_attrs[CELL] for trial in one._trials() if trial.state in DONE)


def test_each_cell_is_handed_out_once_and_its_ending_comes_back(address, tmp_path):
    one = board(address, "s")
    plan = cells(3, tmp_path)
    one.create(plan)
    claims = [one.claim() for _ in plan]
    assert {claim.cell for claim in claims} == {cell.name for cell in plan}
    assert one.claim() is None
    assert all(one.finish(claim, ENDING) for claim in claims)
    endings = one.endings()
    assert list(endings) == [cell.name for cell in plan]
    assert all(ending.patch == "changes: []\n" and ending.score == 0.9 for ending in endings.values())


def test_creating_again_adds_what_is_new_and_nothing_else(address, tmp_path):
    one = board(address, "s")
    one.create(cells(2, tmp_path))
    one.finish(one.claim(), ENDING)
    board(address, "s").create(cells(3, tmp_path))
    assert len(one._trials()) == 3
    assert sum(ending is not None for ending in one.endings().values()) == 1


def test_another_sweep_of_the_same_name_is_refused_with_what_differs(address, tmp_path):
    plan = cells(2, tmp_path)
    board(address, "s").create(plan)
    changed = tuple(replace(cell, job=replace(cell.job, epochs=3)) for cell in plan)
    with pytest.raises(FixYourCall, match="another `epochs` for model/data/all/seed-0"):
        board(address, "s").create(changed)
    with pytest.raises(FixYourCall, match="content of the model or the data"):
        board(address, "s").create(tuple(replace(cell, inputs="else") for cell in plan))


def test_a_worker_that_was_taken_for_dead_is_refused(address, tmp_path):
    late, other = away(board(address, "s")), board(address, "s", AT_ONCE)
    late.create(cells(1, tmp_path))
    lost = late.claim()
    assert other.reap() == [lost.cell]
    again = other.claim()
    assert late.renew([lost]) == [lost]
    assert not late.finish(lost, replace(ENDING, error="late"))
    assert other.finish(again, ENDING)
    assert other.endings()[lost.cell].error is None
    assert done(other) == {lost.cell: 1}


def test_the_living_are_let_live(address, tmp_path):
    one, other = away(board(address, "s")), board(address, "s", replace(QUICK, dead=3600.0))
    one.create(cells(1, tmp_path))
    claim = one.claim()
    assert other.reap() == []
    one.renew([claim])
    assert other.reap() == []
    assert one.finish(claim, ENDING)


def test_processes_of_this_machine_that_are_gone_are_not_waited_for(address, tmp_path):
    one = board(address, "s", replace(QUICK, dead=3600.0))
    one.create(cells(1, tmp_path))
    code = (
        "import os, sys\nfrom tests.sweeps.standin import board\nassert board(sys.argv[1], 's').claim()\nos._exit(9)\n"
    )
    died = subprocess.run([sys.executable, "-c", code, address], check=False, timeout=120)
    assert died.returncode == 9
    assert len(one.reap()) == 1
    assert one.claim() is not None


@pytest.mark.parametrize("ending", [ENDING, replace(ENDING, metrics={"status": "unusable"})])
def test_a_worker_that_dies_between_its_result_and_the_end_of_its_trial_has_done_its_cell(address, tmp_path, ending):
    one, late = board(address, "s", AT_ONCE), away(board(address, "s"))
    one.create(cells(1, tmp_path))
    claim = late.claim()
    late._close = lambda trial, ending: None  # and it dies
    late.finish(claim, ending)
    assert one.reap() == []
    assert one.claim() is None
    assert one.endings()[claim.cell].metrics == ending.metrics
    del late._close  # or was merely slow
    assert late.finish(claim, ending)
    assert done(one) == {claim.cell: 1}


def test_a_cell_that_kills_its_workers_is_given_up(address, tmp_path):
    one = board(address, "s")
    one.create(cells(1, tmp_path))
    for _ in range(MOST_DEATHS):
        assert away(board(address, "s")).claim() is not None
        assert len(board(address, "s", AT_ONCE).reap()) == 1
    assert one.claim() is None
    (ending,) = one.endings().values()
    assert ending.exit == Exit.UNUSABLE
    assert f"{MOST_DEATHS} workers died" in ending.error


def test_giving_back_costs_a_cell_nothing(address, tmp_path):
    one = board(address, "s")
    one.create(cells(1, tmp_path))
    for _ in range(MOST_DEATHS + 1):
        claim = one.claim()
        one.give_back(claim)
    assert claim.deaths == 0
    assert one.claim() is not None


def test_a_cell_that_was_lost_between_failing_and_putting_up_is_missed(address, tmp_path):
    one = board(address, "s")
    plan = cells(1, tmp_path)
    one.create(plan)
    one._fail(one.claim().trial)  # and the one who did it dies
    assert one.claim() is None
    one.put_up([plan[0].name])
    one.put_up([plan[0].name])
    assert one.claim() is not None
    assert one.claim() is None


def test_of_two_trials_of_a_cell_one_is_done(address, tmp_path):
    one = board(address, "s")
    (cell,) = cells(1, tmp_path)
    one.create([cell])
    one._put_up(cell.name, 0)  # somebody else missed it at the same moment
    claim = one.claim()
    assert one.claim() is None
    one.finish(claim, ENDING)
    assert one.claim() is None
    assert done(one) == {cell.name: 1}


def test_an_ending_without_a_score_is_an_ending(address, tmp_path):
    one = board(address, "s")
    one.create(cells(1, tmp_path))
    nothing = Ending(int(Exit.UNUSABLE), {"after": {"mean": float("nan")}}, "no rows")
    assert one.finish(one.claim(), nothing)
    (ending,) = one.endings().values()
    assert (ending.exit, ending.score, ending.error) == (Exit.UNUSABLE, None, "no rows")


def test_an_answer_that_got_lost_is_no_loss(address, tmp_path):
    one = board(address, "s")
    one.create(cells(1, tmp_path))
    claim = one.claim()
    assert one.finish(claim, ENDING)
    assert one.finish(claim, ENDING)  # told twice, since the first answer never came
    assert done(one) == {claim.cell: 1}


@pytest.mark.parametrize("seed", [0, 1])
def test_workers_that_die_anywhere_leave_every_cell_done_once(address, tmp_path, seed):
    """Workers that stop between any two calls to the storage, and reapers that take the living for dead."""
    plan = cells(8, tmp_path)
    board(address, "s").create(plan)
    shared = board(address, "s").storage
    lock, told = threading.Lock(), Counter()

    def work(number: int) -> None:
        draw = random.Random(f"{seed}-{number}")
        one = replace(board(address, "s"), storage=shared)
        for _ in range(LIVES):
            one.lease = replace(Lease.new(), home="")
            one._watch = Watch(0.0 if draw.random() < 0.2 else 3600.0)
            steps = [one.reap, lambda: one.put_up(cell.name for cell in plan)]
            draw.shuffle(steps)
            for step in steps[: draw.randrange(3)]:
                step()
            claim = one.claim()
            if claim is None:
                continue
            if draw.random() < 0.3:
                if draw.random() < 0.5:
                    one._fail(claim.trial)
                continue  # dies
            if one.finish(claim, ENDING):
                with lock:
                    told[claim.cell] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = board(address, "s", AT_ONCE)
    while any(ending is None for ending in last.endings().values()):
        last.reap()
        last.put_up(cell.name for cell in plan)
        claim = last.claim()
        if claim is not None and last.finish(claim, ENDING):
            told[claim.cell] += 1
    assert done(last) == {cell.name: 1 for cell in plan}
    # Cells that were given up are done by nobody.
    assert all(count == 1 for count in told.values())
    assert not [trial for trial in last._trials() if trial.state is TrialState.RUNNING]
    assert {trial.state for trial in last._trials()} - set(OPEN) <= {*DONE, TrialState.FAIL}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")
def test_workers_killed_while_they_write_one_journal_leave_every_cell_done_once(tmp_path):
    """Real processes, which do nothing but claim and finish: each is in the middle of a record most of the time."""
    address, draw = str(tmp_path / "sweep.journal"), random.Random(0)
    plan = cells(150, tmp_path)
    board(address, "s").create(plan)

    def work() -> None:
        one = board(address, "s")
        while (claim := one.claim()) is not None:
            one.finish(claim, ENDING)

    for _ in range(10):
        workers = [forked(work) for _ in range(3)]
        time.sleep(draw.uniform(0.02, 0.12))
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    before = done(board(address, "s"))
    assert sum(before.values()) > 0
    last = board(address, "s", AT_ONCE)
    while any(ending is None for ending in last.endings().values()):
        last.reap()
        last.put_up(cell.name for cell in plan)
        while (claim := last.claim()) is not None:
            last.finish(claim, ENDING)
    assert done(last) == {cell.name: 1 for cell in plan}
    assert set(before) <= set(done(last))


def test_a_lease_is_dead_by_the_own_clock_alone():
    now = 0.0
    watch = Watch(10.0, lambda: now)
    beats = {"holder": "a", "count": 1}
    assert watch.lost([(1, beats), (2, None)]) == []
    now = 9.0
    assert watch.lost([(1, {**beats, "count": 2}), (2, None)]) == []
    now = 10.0
    assert watch.lost([(1, {**beats, "count": 2}), (2, None)]) == [2]
    now = 19.0
    assert watch.lost([(1, {**beats, "count": 2})]) == [1]


def test_a_number_of_a_process_that_is_used_again_is_another_process():
    mine = Lease.new().to_dict()
    assert not is_gone(mine)
    assert is_gone({**mine, "born": "1"})
    assert not is_gone({**mine, "home": "elsewhere", "born": "1"})
    assert not is_gone(None)
    assert home()
    assert birth(os.getpid())
    assert birth(2**22 + 1) is None

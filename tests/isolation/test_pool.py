"""Slots: what ends one ends one request, and is told in words."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from autofix.errors import FixTheCrash, FixYourCall
from autofix.isolation import pool as pools
from autofix.isolation import slot as slots
from autofix.isolation.arrays import LARGE, packed
from autofix.isolation.host import Host
from autofix.isolation.pool import LIKE_FAILURES, MOST_PROGRAMS, Pool
from autofix.isolation.slot import SlotEnded
from autofix.isolation.worker import Request, RunFailed
from tests.isolation import fakes
from tests.isolation.processes import alive, below, gone

# An interpreter for every child takes seconds each.
WAYS = [pytest.param(True, id="forked"), pytest.param(False, id="spawned", marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=WAYS)
def host(request) -> Iterator[Host]:
    one = Host.start(preload=fakes.QUICK, forks=request.param)
    one.await_ready()
    everything = below(os.getpid())
    assert one.process.pid in everything
    yield one
    everything = below(os.getpid())
    one.close()
    assert gone(everything) == []
    assert not one.client.folder.exists()


@pytest.fixture
def make(host) -> Iterator[Any]:
    made = []

    def pool(jobs: int = 1, trainer: Any = fakes.Trainer, setting_up: Any = fakes.nothing) -> Pool:
        made.append(Pool(lambda: host.client, packed(setting_up), packed(trainer, host.client.folder), jobs))
        return made[-1]

    yield pool
    for one in made:
        one.close()
    assert gone([pid for pid in below(os.getpid()) if pid != host.process.pid]) == []


def ask(pool: Pool, method: str, *positional: Any, seconds: float = math.inf, **more: Any) -> Any:
    answer = pool.ask(packed(Request(method, positional)), deadline=-math.inf, grace=seconds, **more)
    if answer.error is not None:
        raise answer.error
    return answer.value


def test_answers_and_what_goes_wrong_without_ending_a_slot(make):
    pool = make()
    assert ask(pool, "add", 1, 2) == 3
    first = ask(pool, "process")
    assert first != os.getpid()
    with pytest.raises(RunFailed, match="ZeroDivisionError: of all things"):
        ask(pool, "fail")
    with pytest.raises(FixYourCall, match="`metric` must return one number"):
        ask(pool, "refuse")
    with pytest.raises(RunFailed, match="MemoryError"):
        ask(pool, "fill")
    assert ask(pool, "process") == first
    answer = pool.ask(packed(Request("raised", (), rung=0.5)), deadline=0.0, grace=math.inf)
    assert (answer.value, answer.rung) == (0.25, 0.25)


def test_ends_are_told_in_words_and_the_slot_is_replaced(make):
    pool = make()
    first = ask(pool, "process")
    with pytest.raises(SlotEnded, match=r"the process that trained was killed by SIGKILL, as the kernel does where m"):
        ask(pool, "kill", signal.SIGKILL)
    second = ask(pool, "process")
    assert second != first
    with pytest.raises(SlotEnded, match=r"ended with exit status 7. Its last words: this is the end"):
        ask(pool, "leave", 7)
    with pytest.raises(SlotEnded, match=r"(?s)was killed by SIGSEGV.*fakes.py"):
        ask(pool, "kill", signal.SIGSEGV)
    with pytest.raises(SlotEnded, match=r"exit status 1\. .*pickle"):
        ask(pool, "unsendable")
    assert ask(pool, "add", 2, 2) == 4
    assert gone([first, second]) == []


@pytest.mark.parametrize("how", ["hang", "deaf"])
def test_hung_slot_is_ended_and_says_where(make, how, monkeypatch):
    monkeypatch.setattr(slots, "WRITING", 0.3)
    pool = make()
    pool.open()
    with pytest.raises(SlotEnded, match=rf"took longer than \d+ s and was stopped.*fakes.py.*in {how}"):
        ask(pool, how, seconds=0.5)
    assert ask(pool, "add", 1, 1) == 2


def test_killed_from_outside_is_tried_once_more(make, tmp_path):
    pool = make()
    marker = tmp_path / "begun"
    assert ask(pool, "kill_once", str(marker)) == 2
    with pytest.raises(SlotEnded, match="SIGKILL"):
        ask(pool, "kill", signal.SIGKILL)


def test_grace_begins_with_the_request_not_with_the_deadline(make):
    answer = make().ask(packed(Request("sleep", (0.3,))), deadline=time.monotonic() - 100, grace=60.0)
    assert answer.error is None


def test_like_ends_in_a_row_are_enough(make):
    pool = make()
    for _ in range(LIKE_FAILURES - 1):
        with pytest.raises(SlotEnded):
            ask(pool, "leave", 7)
    assert ask(pool, "add", 1, 1) == 2
    for _ in range(LIKE_FAILURES - 1):
        with pytest.raises(SlotEnded):
            ask(pool, "leave", 7)
    with pytest.raises(SlotEnded):
        ask(pool, "leave", 8)
    for _ in range(LIKE_FAILURES - 1):
        with pytest.raises(SlotEnded):
            ask(pool, "leave", 7)
    with pytest.raises(FixTheCrash, match=f"{LIKE_FAILURES} processes in a row, of which each ended with exit") as told:
        ask(pool, "leave", 7)
    assert told.value.traceback == "this is the end"


@pytest.mark.parametrize("is_seen", [True, False], ids=["seen before", "seen when asked"])
def test_slot_that_dies_idle_is_replaced_in_silence(make, is_seen, monkeypatch):
    if not is_seen:
        monkeypatch.setattr(Pool, "_bury", lambda self: None)
    pool = make()
    first = ask(pool, "process")
    os.kill(first, signal.SIGKILL)
    assert gone([first]) == []
    assert ask(pool, "process") != first
    assert pool._alike == 0


def test_no_slot_stands_where_the_trainer_cannot_be_made(make):
    with pytest.raises(SlotEnded, match="no such module on the other side"):
        make(setting_up=fakes.broken).open()


def test_at_most_so_many_at_a_time(make):
    pool, seen = make(jobs=2), []
    threads = [threading.Thread(target=lambda: seen.append(ask(pool, "sleep", 0.2))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 6
    assert len(set(seen)) == 2


def test_slot_that_has_the_program_goes_first(make):
    pool, held = make(jobs=2), {}

    def hold(program: str) -> None:
        held[program] = ask(pool, "sleep", 1.0, program=program)

    threads = [threading.Thread(target=hold, args=(program,)) for program in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert held["a"] != held["b"]
    assert [ask(pool, "process", program=program) for program in "abba"] == [held[name] for name in "abba"]


def test_slot_that_has_grown_is_recycled(make, monkeypatch):
    monkeypatch.setattr(pools, "MOST_PROGRAMS", 3)
    assert MOST_PROGRAMS > 3
    pool = make()
    seen = [ask(pool, "compile") for _ in range(7)]
    assert seen == [seen[0]] * 3 + [seen[3]] * 3 + [seen[6]]
    assert len(set(seen)) == 3
    assert pool.traces == 7


def test_stop_ends_what_runs_and_refuses_what_waits(make, tmp_path):
    pool, errors, marker = make(jobs=1), [], tmp_path / "hangs"

    def held() -> None:
        try:
            ask(pool, "hang", str(marker))
        except RunFailed as error:
            errors.append(str(error))

    threads = [threading.Thread(target=held) for _ in range(3)]
    for thread in threads:
        thread.start()
    while not marker.exists():
        time.sleep(0.01)
    pool.stop()
    for thread in threads:
        thread.join()
    assert errors == ["stopped before it began"] * 3
    pool.resume()
    assert ask(pool, "add", 1, 1) == 2


def test_interrupt_ends_the_slot_that_works_for_nobody(make):
    pool = make()
    working = ask(pool, "process")
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        ask(pool, "hang")
    assert gone([working]) == []
    assert ask(pool, "add", 1, 1) == 2


def test_large_arrays_are_mapped_small_and_strange_ones_sent(make, host):
    large = np.ones(LARGE // 8)
    assert ask(make(trainer=partial(fakes.Trainer, large)), "is_mapped") == (True, len(large))
    assert ask(make(trainer=partial(fakes.Trainer, np.ones(3))), "is_mapped") == (False, 3.0)
    strange = np.array([1.0] * 10, object)
    assert ask(make(trainer=partial(fakes.Trainer, strange)), "is_mapped") == (False, 10.0)
    (file,) = host.client.folder.glob("*.npy")
    assert host.client.folder.stat().st_mode & 0o077 == 0
    file.unlink()


def test_client_that_is_gone_takes_its_slots_with_it(make, host):
    pool = make()
    slot = ask(pool, "process")
    assert alive([slot]) == [slot]
    pool.close()
    assert gone([slot]) == []

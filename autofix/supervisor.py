"""Does repairs in processes below this one, and starts again what dies. No TensorFlow.

The supervisor starts one server, which imports TensorFlow and forks: a conductor for each job, and for each conductor
the slots that train. A crash of a slot ends one run; of a conductor, nothing: its run folder resumes; of the
supervisor, everything below it at once.
"""

from __future__ import annotations

import contextlib
import json
import operator
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autofix.exits import Exit
from autofix.isolation.child import INTERRUPT
from autofix.isolation.client import Child, ServerGone
from autofix.isolation.ending import Deaths, in_words
from autofix.isolation.host import LONGEST_IMPORT, PRELOAD, Host, last_lines
from autofix.isolation.listening import listening
from autofix.isolation.wire import Wire
from autofix.job import Job

EXECUTE = "autofix.executing:execute"
CONDUCT = "autofix.conductor:conduct"
# Ends of one kind in a row, with no run finished between them, after which another start would end the same way.
LIKE_FAILURES = 3
# Seconds that a conductor gets to write down where it is; what it has finished is on the disk in any case.
STOPPING = 15.0
# Seconds between looks at the clock.
EVERY = 0.5
# What stops everything, and the exit code that says so. A terminal that closes counts as a request to end.
SIGNALS = {
    signal.SIGINT: Exit.INTERRUPTED,
    signal.SIGTERM: Exit.TERMINATED,
    signal.SIGHUP: Exit.TERMINATED,
}


@dataclass(frozen=True)
class Ended:
    """How a job ended.

    Attributes:
        exit: The exit code that it earned.
        document: What the run folder's `metrics.json` holds; empty where there is none.
        error: Why there is no result; None where there is one, or where the job was stopped and can be resumed.
        died: Whether it has none because processes died, rather than because of what the job says.
    """

    exit: Exit
    document: dict[str, Any]
    error: str | None = None
    died: bool = False


def supervise(
    jobs: Iterable[Job],
    *,
    slots: int = 1,
    say: Callable[[str], None],
    on_end: Callable[[Job, Ended], None] = lambda job, ended: None,
    execute: str = EXECUTE,
    preload: Sequence[str] = PRELOAD,
) -> list[Ended]:
    """Does jobs, each in a process of its own.

    SIGINT and SIGTERM stop all of them in an orderly way, so that every run folder can be resumed; a second signal
    ends everything at once, and what has been finished is still there.

    Args:
        jobs: What to do. The next one is asked for when there is a slot for it, so that it may be chosen late.
        slots: Jobs that are done at the same time; each trains `job.jobs` candidates at a time.
        say: Told, in a line, of what is going on.
        on_end: Told of each job that ended.
        execute: The function that does a job, as "module:name"; it takes the job and `tell`, a `Narrator`.
        preload: Modules that the server imports.

    Returns:
        How each job ended, in the order of `jobs`.
    """
    with listening(tuple(SIGNALS)) as (signals, wake):
        alone = operator.length_hint(jobs, 2) == 1
        supervisor = _Supervisor(iter(jobs), alone, slots, say, on_end, execute, tuple(preload), signals)
        supervisor.run(wake)
    return [supervisor.ended[number] for number in range(len(supervisor.jobs))]


@dataclass
class _Conductor:
    """A conductor under way."""

    number: int
    child: Child
    wire: Wire


@dataclass
class _Supervisor:
    source: Iterator[Job]
    alone: bool
    slots: int
    say: Callable[[str], None]
    on_end: Callable[[Job, Ended], None]
    execute: str
    preload: tuple[str, ...]
    signals: list[int]
    ended: dict[int, Ended] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.jobs: list[Job] = []
        self.waiting: deque[int] = deque()
        self.deaths: list[Deaths] = []
        self.has_more = True
        self.running: list[_Conductor] = []
        self.selector = selectors.DefaultSelector()
        self.host: Host | None = None
        self.is_ready = False
        self.failed_starts = 0
        self.ready_by = self.stop_by = float("inf")

    def run(self, wake: socket.socket | None) -> None:
        """Goes on until every job has ended, or a signal says to stop."""
        if wake is not None:
            self.selector.register(wake, selectors.EVENT_READ)
        try:
            self.ask()
            while self.has_more or len(self.ended) < len(self.jobs):
                if self.signals and self.stop():
                    break
                self.start()
                for key, _ in self.selector.select(EVERY):
                    self.hear(key)
        finally:
            self.selector.close()
            for conductor in self.running:
                conductor.wire.close()
            if self.host is not None:
                if self.signals:  # at once; the kernel ends what still runs
                    self.host.kill()
                self.host.close()
        for number in range(len(self.jobs)):
            if number not in self.ended:
                self.end(number, self.stopped())

    def start(self) -> None:
        """Starts what is missing: the server, or conductors for jobs that wait."""
        if self.signals:
            return
        if self.host is None:
            self.say("importing TensorFlow")
            self.host, self.is_ready = Host.start(preload=self.preload), False
            self.ready_by = time.monotonic() + LONGEST_IMPORT
            self.selector.register(self.host.client.wire, selectors.EVENT_READ)
        if not self.is_ready and time.monotonic() > self.ready_by:
            self.host.process.kill()  # its connection closes, which tells the rest
        while self.is_ready and len(self.running) < self.slots and (self.waiting or self.ask()):
            number = self.waiting.popleft()
            try:
                child = self.host.client.start(CONDUCT, slot=False)
                wire = Wire(child.connection)
                wire.send({"job": self.jobs[number].to_dict(), "execute": self.execute})
            except (ServerGone, OSError):
                self.waiting.appendleft(number)
                return
            self.running.append(_Conductor(number, child, wire))
            self.selector.register(wire, selectors.EVENT_READ, self.running[-1])

    def ask(self) -> bool:
        """Asks for the next job; returns whether there is one."""
        job = next(self.source, None) if self.has_more else None
        self.has_more = job is not None
        if job is not None:
            self.waiting.append(len(self.jobs))
            self.jobs.append(job)
            self.deaths.append(Deaths())
        return self.has_more

    def hear(self, key: selectors.SelectorKey) -> None:
        """Takes in whatever has come."""
        if self.host is not None and key.fileobj is self.host.client.wire:
            self.hear_server(self.host)
        elif key.data is None:
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.recv(64)  # a signal came; the loop looks
        elif key.data in self.running:
            self.hear_conductor(key.data)

    def hear_server(self, host: Host) -> None:
        """The server says once that it is ready; else its connection stays silent until it ends."""
        with contextlib.suppress(EOFError):
            host.client.wire.receive()
            self.is_ready, self.failed_starts = True, 0
            return
        words = host.last_words()
        self.selector.unregister(host.client.wire)
        host.kill()
        host.close()
        self.host = None
        for conductor in list(self.running):
            self.lose(conductor, "ended with its server, which " + in_words(host.process.returncode), words)
        if self.is_ready:
            return
        self.failed_starts += 1
        if self.failed_starts >= LIKE_FAILURES:
            error = (
                f"TensorFlow must be importable, within {LONGEST_IMPORT:.0f} s. Received: a process that "
                f"{in_words(host.process.returncode)} while it imported {', '.join(self.preload)}. Import them in a "
                f"script of your own to see the same. Its last words: {words or 'none'}"
            )
            while self.waiting or self.ask():
                self.end(self.waiting.popleft(), Ended(Exit.UNUSABLE, {}, error, died=True))

    def hear_conductor(self, conductor: _Conductor) -> None:
        """A line of progress, the end of the job, or the end of the conductor."""
        while True:
            try:
                message, _ = conductor.wire.receive()
            except EOFError:
                status = None if self.host is None else self.host.client.end(conductor.child)
                self.lose(conductor, in_words(status), last_lines(conductor.child.written))
                return
            if "ended" in message:
                self.let_go(conductor)
                if self.host is not None:
                    self.host.client.end(conductor.child)
                self.end(conductor.number, self.earned(conductor.number, message))
                return
            self.deaths[conductor.number].got_to(message["runs"])
            self.say(self.named(conductor.number, message["say"]))
            if not conductor.wire.has_more:
                return

    def earned(self, number: int, message: dict[str, Any]) -> Ended:
        """Returns how a job ended that came to its end by itself."""
        code = message["ended"]
        if code is None or (self.signals and code in SIGNALS.values()):
            return self.stopped(number)
        return Ended(Exit(code), _document(self.jobs[number]), message["error"], message["died"])

    def lose(self, conductor: _Conductor, how: str, last: str) -> None:
        """Lets a job wait for another conductor, unless one after the other ended the same way."""
        number = conductor.number
        self.let_go(conductor)
        if self.signals:
            self.end(number, self.stopped(number))
            return
        deaths = self.deaths[number]
        if deaths.another(how) < LIKE_FAILURES:
            self.say(self.named(number, f"the process of this repair {how}; it goes on where it was"))
            self.waiting.appendleft(number)
            return
        error = (
            f"a repair must be able to run. Received: a process that {how}, {deaths.count} times in a row. Run the "
            f"model's `fit` on the data in a script of your own to see the same. Its last words: {last or 'none'}"
        )
        self.end(number, Ended(Exit.UNUSABLE, _document(self.jobs[number]), error, died=True))

    def let_go(self, conductor: _Conductor) -> None:
        """Forgets a conductor."""
        self.running.remove(conductor)
        self.selector.unregister(conductor.wire)
        conductor.wire.close()

    def stop(self) -> bool:
        """Asks everything below to end; returns whether to wait no longer."""
        if self.stop_by == float("inf"):
            self.stop_by = time.monotonic() + STOPPING
            self.say("stopping; what is finished is kept")
            asks = INTERRUPT if self.signals[0] == signal.SIGINT else signal.SIGTERM
            for conductor in self.running:
                with contextlib.suppress(ServerGone):
                    if self.host is not None:
                        self.host.client.signal(conductor.child, asks)
        return len(self.signals) > 1 or not self.running or time.monotonic() > self.stop_by

    def stopped(self, number: int | None = None) -> Ended:
        """Returns how a job ended that a signal stopped."""
        code = SIGNALS[signal.Signals(self.signals[0])] if self.signals else Exit.TERMINATED
        return Ended(code, {} if number is None else _document(self.jobs[number]))

    def end(self, number: int, ended: Ended) -> None:
        """Takes in that a job ended."""
        self.ended[number] = ended
        self.on_end(self.jobs[number], ended)

    def named(self, number: int, text: str) -> str:
        """Says which job a line is about, where there are several."""
        return text if self.alone else f"{self.jobs[number].out}: {text}"


def _document(job: Job) -> dict[str, Any]:
    """Returns what the run folder says of the result."""
    try:
        found = json.loads((Path(job.out) / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}

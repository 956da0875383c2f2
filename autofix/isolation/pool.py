"""The slots of one repair: handed out, replaced when they die, recycled when they have grown. No TensorFlow."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from autofix.errors import FixTheCrash
from autofix.isolation.child import WHERE
from autofix.isolation.client import Child, Client, ServerGone
from autofix.isolation.ending import in_words
from autofix.isolation.host import last_lines
from autofix.isolation.worker import Answer, RunFailed

SERVE = "autofix.isolation.worker:serve"
# A slot leaks 14-18 MB with each program that it compiles, so that this many cost it some 700 MB.
MOST_PROGRAMS = 40
# Slots that end alike one after the other, with no run finished between, after which the next would too. Each is some
# other candidate: a single one that kills its process is no reason to stop.
LIKE_FAILURES = 5
# Times that a request is made whose slot was killed from outside. Where memory runs out, the kernel picks the largest
# process, which need not be the one that asked for more; a request that is killed again has itself to blame.
ATTEMPTS = 2
# Seconds that a slot gets to write down where it hangs.
WRITING = 1.0
# Seconds of one wait: the system's own calls take no more than a few weeks.
LONGEST_WAIT = 3600.0
# Seconds that a new slot may take until its trainer stands: it imports the user's modules and maps the data.
LONGEST_START = 600.0


class SlotEnded(RunFailed):
    """A slot ended instead of answering.

    Args:
        how: In words: "was killed by SIGKILL".
        last: What it wrote last.
        is_outer: Whether somebody else ended it: the kernel, a person, or its server by ending.
    """

    def __init__(self, how: str, last: str, *, is_outer: bool = False) -> None:
        super().__init__(f"the process that trained {how}{_quoted(last)}")
        self.how = how
        self.last = last
        self.is_outer = is_outer


@dataclass(eq=False)
class Slot:
    """One child.

    Attributes:
        child: The process.
        link: Our end of the connection.
        client: Asks its server about it.
        is_ready: Whether its trainer stands.
        programs: What it has compiled.
        traces: Training functions it has compiled.
        wrote: Bytes that it had written when it was last asked for something.
    """

    child: Child
    link: Connection
    client: Client
    is_ready: bool = False
    programs: set[str] = field(default_factory=set)
    traces: int = 0
    wrote: int = 0

    def receive(self, until: float) -> Answer:
        """Waits for an answer.

        Args:
            until: `time.monotonic()` at which the slot is ended, in seconds.

        Raises:
            SlotEnded: If it was ended.
            EOFError: If it ended by itself.
        """
        began = time.monotonic()
        while not self.link.poll(max(0.0, min(until - time.monotonic(), LONGEST_WAIT))):
            if time.monotonic() >= until:
                with contextlib.suppress(ServerGone):
                    self.client.signal(self.child, WHERE)
                    time.sleep(WRITING)
                self.end()
                raise SlotEnded(f"took longer than {until - began:.0f} s and was stopped", self.last_words())
        answer: Answer = self.link.recv()
        return answer

    def note_where(self) -> None:
        """Notes how much it has written, so that its last words are those of what it is asked for now."""
        with contextlib.suppress(OSError):
            self.wrote = self.child.written.stat().st_size

    def ended(self) -> SlotEnded:
        """Returns the error that says how it ended."""
        status = self.end()
        return SlotEnded(in_words(status), self.last_words(), is_outer=status in (None, -signal.SIGKILL))

    def last_words(self) -> str:
        """Returns the end of what the slot wrote since it was last asked for something."""
        return last_lines(self.child.written, self.wrote)

    def end(self) -> int | None:
        """Ends the slot; returns its exit status, see `Client.end`."""
        self.link.close()
        return self.client.end(self.child)


class Pool:
    """Slots that answer requests, at most so many at a time; safe to use from several threads.

    Args:
        clients: Returns a client of a server that runs.
        setting_up: First message to a slot, packed: a function that sets the process up.
        making: Second message, packed: a function that returns the trainer.
        jobs: Slots at a time.
    """

    def __init__(self, clients: Callable[[], Client], setting_up: bytes, making: bytes, jobs: int) -> None:
        self._clients = clients
        self._messages = (setting_up, making)
        self._jobs = jobs
        self._free: list[Slot] = []
        self._busy: set[Slot] = set()
        self._starting = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._how, self._alike, self._last = "", 0, ""
        self.traces = 0

    def ask(self, request: bytes, *, program: str | None = None, deadline: float, grace: float) -> Answer:
        """Returns a slot's answer to a request; waits for a free slot first.

        Args:
            request: What to do: a `Request`, packed.
            program: Name of the compiled program that it needs; a slot that has it goes first.
            deadline: `time.monotonic()` at which the answer should be there, in seconds.
            grace: Seconds after the deadline, or after the request was sent if that is later, at which a slot that has
                not answered is ended.

        Raises:
            SlotEnded: If the slot ended instead.
            FixTheCrash: If one slot after the other ended in the same way.
        """
        slot, answer = self._worked(request, program, deadline, grace)
        if program is not None:
            slot.programs.add(program)
        with self._changed:
            self._alike = 0
            self.traces += answer.traces - slot.traces
        slot.traces = answer.traces
        if slot.traces >= MOST_PROGRAMS:
            self._drop(slot)
        else:
            self._give_back(slot)
        return answer

    def open(self) -> None:
        """Starts a slot and waits for its trainer.

        Raises:
            SlotEnded: If it ended instead.
        """
        slot = self._take(None)
        try:
            self._make_ready(slot)
        except BaseException:
            self._drop(slot)
            raise
        self._give_back(slot)

    def stop(self) -> None:
        """Ends every run under way; requests that wait for a slot are refused until `resume`."""
        with self._changed:
            self._stopping = True
            busy = list(self._busy)
            self._changed.notify_all()
        for slot in busy:
            with contextlib.suppress(ServerGone):
                slot.client.signal(slot.child, signal.SIGKILL)

    def resume(self) -> None:
        """Takes requests again after `stop`."""
        with self._changed:
            self._stopping = False

    def close(self) -> None:
        """Ends all slots."""
        self.stop()
        with self._changed:
            free, self._free = self._free, []
        for slot in free:
            slot.end()

    def _worked(self, request: bytes, program: str | None, deadline: float, grace: float) -> tuple[Slot, Answer]:
        """Returns an answer and the slot that gave it, which still counts as busy."""
        killed = 0
        for _ in range(LIKE_FAILURES):
            slot = self._take(program)
            try:
                return slot, self._answered(slot, request, deadline, grace)
            except ConnectionError:  # it ended before it read the request, which is not to blame
                self._drop(slot)
            except SlotEnded as ended:
                self._drop(slot)
                self._count(ended)
                killed += 1
                if not ended.is_outer or killed == ATTEMPTS:
                    raise
            except BaseException:
                self._drop(slot)
                raise
        raise RunFailed("no process that trains lived for long enough to begin")

    def _answered(self, slot: Slot, request: bytes, deadline: float, grace: float) -> Answer:
        with _told(slot):
            self._make_ready(slot)
        slot.note_where()
        try:
            slot.link.send_bytes(request)
            return slot.receive(max(deadline, time.monotonic()) + grace)
        except EOFError as error:
            raise slot.ended() from error

    def _make_ready(self, slot: Slot) -> None:
        if slot.is_ready:
            return
        with _told(slot):
            for message in self._messages:
                slot.link.send_bytes(message)
            slot.receive(time.monotonic() + LONGEST_START)
        slot.is_ready = True

    def _take(self, program: str | None) -> Slot:
        """Returns the free slot that has the program, any other free one, or a new one."""
        with self._changed:
            while True:
                if self._stopping:
                    raise RunFailed("stopped before it began")
                self._bury()
                if self._free:
                    slot = max(self._free, key=lambda one: (program in one.programs, -len(one.programs)))
                    self._free.remove(slot)
                    self._busy.add(slot)
                    return slot
                if len(self._busy) + self._starting < self._jobs:
                    break
                self._changed.wait()
            self._starting += 1
        try:
            client = self._clients()
            child = client.start(SERVE, slot=True)
            slot = Slot(child, Connection(child.connection.detach()), client)
        except ServerGone as error:
            ended = SlotEnded("could not be started", str(error))
            self._count(ended)
            raise ended from error
        finally:
            with self._changed:
                self._starting -= 1
                self._changed.notify()
        if not self._put_to_work(slot):
            slot.end()
            raise RunFailed("stopped before it began")
        return slot

    def _put_to_work(self, slot: Slot) -> bool:
        """Counts a new slot as busy, unless everything was stopped while it started."""
        with self._changed:
            if not self._stopping:
                self._busy.add(slot)
            return not self._stopping

    def _bury(self) -> None:
        """Forgets free slots that ended while they had nothing to do: no run is to blame."""
        for slot in [one for one in self._free if one.link.poll(0)]:
            self._free.remove(slot)
            slot.end()

    def _give_back(self, slot: Slot) -> None:
        with self._changed:
            self._busy.discard(slot)
            self._free.append(slot)
            self._changed.notify()

    def _drop(self, slot: Slot) -> None:
        slot.end()
        with self._changed:
            self._busy.discard(slot)
            self._changed.notify()

    def _count(self, ended: SlotEnded) -> None:
        with self._changed:
            if self._stopping:
                return
            self._alike = self._alike + 1 if ended.how == self._how else 1
            self._how, alike = ended.how, self._alike
        if alike >= LIKE_FAILURES:
            raise FixTheCrash(
                f"training must leave its process alive. Received: {alike} processes in a row, of which each "
                f"{ended.how}. Train the model with `fit` in a script of your own to see the same; where memory runs "
                f"out, use fewer jobs or smaller batches{_quoted(ended.last)}",
                ended.last,
            ) from ended


@contextlib.contextmanager
def _told(slot: Slot) -> Iterator[None]:
    """Says of a slot that ends meanwhile how it ended."""
    try:
        yield
    except (EOFError, OSError) as error:
        raise slot.ended() from error


def _quoted(last: str) -> str:
    """Returns the lines of a process' last words that matter most, as part of a message."""
    lines = [line.strip() for line in last.splitlines() if line.strip()]
    # What Python writes when it is hit by a signal: a list of frames a thread, the innermost first.
    threads = [number for number, line in enumerate(lines) if line.endswith("(most recent call first):")]
    framed = [number for number in threads if lines[number + 1 : number + 2] and "File" in lines[number + 1]]
    lines = lines[framed[-1] + 1 :][:3] if framed else lines[-3:]
    return f". Its last words: {' | '.join(lines)[-400:]}" if lines else ""

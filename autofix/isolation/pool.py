"""The slots of one repair: handed out, replaced when they die, recycled when they have grown. No TensorFlow."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from autofix.errors import FixTheCrash
from autofix.isolation.client import Client, ServerGone
from autofix.isolation.slot import Slot, SlotEnded, quoted, told
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
# Seconds that a new slot may take until its trainer stands: it imports the user's modules and maps the data.
LONGEST_START = 600.0


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
        self._how, self._alike = "", 0
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
        with told(slot):
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
                f"out, use fewer jobs or smaller batches{quoted(ended.last)}",
                ended.last,
            ) from ended

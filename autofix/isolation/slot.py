"""One slot, as the process that asks it sees it. No TensorFlow."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from autofix.isolation.child import WHERE
from autofix.isolation.client import Child, Client, ServerGone
from autofix.isolation.ending import in_words
from autofix.isolation.host import last_lines
from autofix.isolation.worker import Answer, RunFailed

# Seconds that a slot gets to write down where it hangs.
WRITING = 1.0
# Seconds of one wait: the system's own calls take no more than a few weeks.
LONGEST_WAIT = 3600.0


class SlotEnded(RunFailed):
    """A slot ended instead of answering.

    Args:
        how: In words: "was killed by SIGKILL".
        last: What it wrote last.
        is_outer: Whether somebody else ended it: the kernel, a person, or its server by ending.
    """

    def __init__(self, how: str, last: str, *, is_outer: bool = False) -> None:
        super().__init__(f"the process that trained {how}{quoted(last)}")
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


@contextlib.contextmanager
def told(slot: Slot) -> Iterator[None]:
    """Says of a slot that ends meanwhile how it ended."""
    try:
        yield
    except (EOFError, OSError) as error:
        raise slot.ended() from error


def quoted(last: str) -> str:
    """Returns the lines of a process' last words that matter most, as part of a message."""
    lines = [line.strip() for line in last.splitlines() if line.strip()]
    # What Python writes when it is hit by a signal: a list of frames a thread, the innermost first.
    threads = [number for number, line in enumerate(lines) if line.endswith("(most recent call first):")]
    framed = [number for number in threads if lines[number + 1 : number + 2] and "File" in lines[number + 1]]
    lines = lines[framed[-1] + 1 :][:3] if framed else lines[-3:]
    return f". Its last words: {' | '.join(lines)[-400:]}" if lines else ""

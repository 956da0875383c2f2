"""What is told while a repair works, on stderr or in a notebook: phase, run, best score, time left of the budget."""

from __future__ import annotations

import html
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from autofix.budget import Clock
from autofix.outcome import Outcome

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# Times a second that a terminal is drawn anew.
REFRESH = 4
# Cells of the bar that shows how much of the budget is spent.
BAR = 16


class Narrator(Protocol):
    """Told what is going on."""

    def __call__(self, phase: str | None, outcome: Outcome | None = None, clock: Clock | None = None) -> None:
        """Takes in a new phase, or a finished run (`phase` is None then)."""


@dataclass
class Line:
    """What a repair is at, in one line.

    Attributes:
        phase: What is being done.
        runs: Training runs made so far.
        best: Best score so far; None before the first.
        clock: Counts the budget down; None before the first run.
    """

    phase: str = ""
    runs: int = 0
    best: float | None = None
    clock: Clock | None = None

    def take(self, phase: str | None, outcome: Outcome | None, clock: Clock | None) -> None:
        """Takes in what a narrator is told."""
        self.phase = self.phase if phase is None else phase
        self.clock = self.clock if clock is None else clock
        if outcome is not None:
            self.runs += 1
            if outcome.score is not None:
                value = outcome.score.value
                self.best = value if self.best is None else max(self.best, value)

    def after(self, phase: str | None, outcome: Outcome | None = None, clock: Clock | None = None) -> str:
        """Takes in what a narrator is told, and returns the line that is true now."""
        self.take(phase, outcome, clock)
        return ", ".join(self.parts)

    @property
    def parts(self) -> tuple[str, ...]:
        """Phase, runs, best score and time left, as far as they are known."""
        said = [self.phase]
        if self.runs:
            said.append(f"run {self.runs}")
        if self.best is not None:
            said.append(f"best {self.best:.4f}")
        if self.has_deadline and self.clock is not None:
            said.append(f"{_duration(self.clock.left)} left of {_duration(self.total)}")
        return tuple(said)

    @property
    def has_deadline(self) -> bool:
        """Whether there is an end to count down to."""
        return self.clock is not None and self.clock.deadline < float("inf")

    @property
    def total(self) -> float:
        """Seconds of the whole budget."""
        return max(1.0, self.clock.deadline - self.clock.began) if self.clock is not None else 1.0

    @property
    def spent(self) -> float:
        """Share of the budget that is spent, 0..1."""
        return min(1.0, self.clock.spent / self.total) if self.clock is not None else 0.0


@contextmanager
def narrator(progress: bool | Literal["auto"] | Narrator) -> Iterator[Narrator]:
    """Yields a narrator: a line that is kept up to date in a terminal or a notebook, one line a phase elsewhere.

    Args:
        progress: True, False, "auto" for whether somebody looks (in a terminal or a notebook), or the narrator to use.
    """
    if callable(progress):
        yield progress
        return
    in_notebook = _in_notebook()
    looks = in_notebook or sys.stderr.isatty()
    if not (looks if progress == "auto" else progress):
        yield lambda phase, outcome=None, clock=None: None
    elif in_notebook:
        with _notebook() as tell:
            yield tell
    else:
        from rich.console import Console

        console = Console(stderr=True)
        if console.is_terminal and not console.is_dumb_terminal and not os.environ.get("NO_COLOR"):
            with _live(console) as tell:
                yield tell
        else:
            yield _lines(lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True))


@contextmanager
def _live(console: Console) -> Iterator[Narrator]:
    """A line that a terminal shows for as long as the block runs; its clock goes on while a long run does."""
    from rich.live import Live
    from rich.spinner import Spinner

    line = Line()
    spinner = Spinner("dots", style="cyan")

    def drawn() -> Any:
        spinner.update(text=_coloured(line))
        return spinner

    # Transient: what counts is the result; standard output belongs to whoever called.
    with Live(
        console=console, get_renderable=drawn, refresh_per_second=REFRESH, transient=True,
        redirect_stdout=False, redirect_stderr=False,
    ):  # fmt: skip
        yield lambda phase, outcome=None, clock=None: line.take(phase, outcome, clock)


def _coloured(line: Line) -> Text:
    from rich.text import Text

    said = Text.assemble(("autofix  ", "bold"), line.phase, no_wrap=True, overflow="ellipsis")
    for part in line.parts[1:]:
        said.append("  ·  ", "dim")
        said.append(part, "bold green" if part.startswith("best") else "")
    if line.has_deadline:
        done = round(BAR * line.spent)
        said.append("  ")
        said.append("━" * done, "cyan")
        said.append("━" * (BAR - done), "dim")
    return said


def _lines(say: Callable[[str], None]) -> Narrator:
    """One line whenever a phase begins: a log is not flooded by one a run."""
    line = Line()

    def tell(phase: str | None, outcome: Outcome | None = None, clock: Clock | None = None) -> None:
        begins = phase is not None and phase != line.phase
        said = line.after(phase, outcome, clock)
        if begins:
            say(f"autofix: {said}")

    return tell


@contextmanager
def _notebook() -> Iterator[Narrator]:
    """One output that is replaced, by the notebook's own means: no widgets to install."""
    from IPython.display import HTML, display

    line = Line()
    handle = display(HTML("autofix"), display_id=True)

    def tell(phase: str | None, outcome: Outcome | None = None, clock: Clock | None = None) -> None:
        line.take(phase, outcome, clock)
        said = " · ".join(html.escape(part) for part in line.parts)
        bar = f' <progress value="{line.spent:.3f}" max="1" aria-label="budget spent"></progress>'
        handle.update(HTML(f"<strong>autofix</strong> {said}{bar if line.has_deadline else ''}"))

    try:
        yield tell
    finally:
        handle.update(HTML(f"<strong>autofix</strong> {' · '.join(('ended', *line.parts[1:3]))}"))


def _in_notebook() -> bool:
    """Whether a Jupyter kernel runs this; IPython in a terminal is a terminal."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return type(get_ipython()).__name__ == "ZMQInteractiveShell"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

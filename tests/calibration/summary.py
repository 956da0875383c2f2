"""All verdicts together: which runs count, recall and false alarms per symptom, what was named first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from .mutation import Mutation
from .mutations import MUTATIONS
from .plan import Job
from .verdict import KNOWN, Finding, Verdict

# Share of what the yardstick models gain over chance that a healthy run must gain. Below the nine tenths that
# `autofix.judge` asks for, so that its own mistakes can be seen.
SOUND = 0.8
# Standard errors of a score beyond which a broken run is worse than its twin.
ERRORS = 2.0
# The bars.
LEAST_RECALL, MOST_ALARMS, LEAST_NAMED = 0.9, 0.01, 0.85
HEALTHY_RUNS, HEALTHY_KINDS = 200, 8
# A note is all that these are meant to be. That a healthy run has converged is no false alarm.
BY_DESIGN = frozenset(code for item in MUTATIONS.values() if item.noted for code in item.brings) - {"converged"}
ALL_SYMPTOMS = tuple(sorted(KNOWN | {code for item in MUTATIONS.values() for code in item.brings}))


@dataclass(frozen=True)
class Line:
    """One symptom over all runs.

    Attributes:
        symptom: Its code.
        runs: Broken runs that bring it and count.
        found: Of these, runs in which it was found.
        first: Of these, runs in which it was named first.
        alarms: Healthy runs in which it was found.
        notes: Healthy runs in which it was a note.
        known: Whether autofix has this symptom.
        noted: Whether it is a note by design, so that a note on a healthy run is a false alarm.
    """

    symptom: str
    runs: int
    found: int
    first: int
    alarms: int
    notes: int
    known: bool
    noted: bool

    @property
    def recall(self) -> float | None:
        """Share of the broken runs in which it was found; None without any."""
        return self.found / self.runs if self.runs else None

    @property
    def first_share(self) -> float | None:
        """Share of the broken runs in which it was named first; None without any."""
        return self.first / self.runs if self.runs else None


@dataclass(frozen=True)
class Row:
    """One mutation over all its runs.

    Attributes:
        mutation: Its name.
        counted: Runs that broke as they should.
        left_out: Runs that did not, by name, with the share of the twin's gain that they lost.
        named: Runs in which one of the mutation's causes was named first.
        narrowly: Runs in which it was the narrowest of them.
        strictly: Runs in which the very first finding, consequences included, was one of its causes.
        first: What was named first, and how often; "nothing" where nothing was.
        missed: Runs in which a symptom that it brings was not found, by symptom.
        available: Whether autofix has a symptom that names the cause.
    """

    mutation: str
    counted: int
    left_out: Mapping[str, float]
    named: int
    narrowly: int
    strictly: int
    first: Mapping[str, int]
    missed: Mapping[str, tuple[str, ...]]
    available: bool


@dataclass(frozen=True)
class Summary:
    """All runs, against the bars."""

    verdicts: tuple[Verdict, ...]

    @cached_property
    def by_job(self) -> Mapping[Job, Verdict]:
        """Verdicts by run."""
        return {item.job: item for item in self.verdicts}

    @cached_property
    def healthy(self) -> tuple[Verdict, ...]:
        """Healthy runs that count."""
        return tuple(item for item in self.verdicts if not item.job.mutation and _is_sound(item))

    @property
    def unsound(self) -> tuple[Verdict, ...]:
        """Healthy programs whose runs are not healthy: the kind is at fault, not a rule."""
        return tuple(item for item in self.verdicts if not item.job.mutation and not _is_sound(item))

    @property
    def alarmed(self) -> tuple[Verdict, ...]:
        """Healthy runs with a finding above a note."""
        return tuple(item for item in self.healthy if item.found)

    @property
    def stuck(self) -> tuple[Verdict, ...]:
        """Healthy runs that `autofix.judge` would not leave alone."""
        return tuple(item for item in self.healthy if item.stuck)

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """Runs in which a rule could not be applied."""
        return tuple(item for item in self.verdicts if item.failed)

    def lost(self, broken: Verdict) -> float:
        """Share of its twin's gain over chance that a broken run lost; 0 where that is within noise."""
        twin = self.by_job.get(broken.job.twin)
        if twin is None or twin.holdout is None or not _is_sound(twin):
            return 0.0
        gain = twin.holdout - twin.chance
        gap = twin.holdout - (twin.chance if broken.holdout is None else max(broken.holdout, twin.chance))
        return gap / gain if gain > 0 and gap > ERRORS * twin.noise else 0.0

    @cached_property
    def counted(self) -> tuple[Verdict, ...]:
        """Broken runs that count."""
        return tuple(item for item in self.verdicts if item.job.mutation and self._counts(item))

    def _counts(self, item: Verdict) -> bool:
        least = MUTATIONS[item.job.mutation].loses
        return least is None or self.lost(item) >= least

    def line(self, symptom: str) -> Line:
        """Sums up a symptom."""
        runs = [item for item in self.counted if symptom in MUTATIONS[item.job.mutation].brings]
        return Line(
            symptom,
            len(runs),
            sum(item.has(symptom, noted=_noted(item)) for item in runs),
            sum(item.first(noted=_noted(item)) == symptom for item in runs),
            sum(item.has(symptom) for item in self.healthy),
            sum(item.has(symptom, noted=True) and not item.has(symptom) for item in self.healthy),
            symptom in KNOWN,
            symptom in BY_DESIGN,
        )

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """One line a symptom."""
        return tuple(self.line(symptom) for symptom in ALL_SYMPTOMS)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """One row a mutation that was run."""
        names = dict.fromkeys(item.job.mutation for item in self.verdicts if item.job.mutation)
        return tuple(self._row(MUTATIONS[name]) for name in names)

    def _row(self, mutation: Mutation) -> Row:
        runs = [item for item in self.counted if item.job.mutation == mutation.name]
        others = [item for item in self.verdicts if item.job.mutation == mutation.name and item not in runs]
        missed = {
            symptom: tuple(item.job.name for item in runs if not item.has(symptom, noted=mutation.noted))
            for symptom in mutation.brings
        }
        return Row(
            mutation.name,
            len(runs),
            {item.job.name: round(self.lost(item), 3) for item in others},
            sum(item.first(noted=mutation.noted) in mutation.causes for item in runs),
            sum(item.first(noted=mutation.noted) in mutation.causes[:1] for item in runs),
            sum(any(found.symptom in mutation.causes for found in _told(item)[:1]) for item in runs),
            dict(Counter(item.first(noted=mutation.noted) or "nothing" for item in runs).most_common()),
            {symptom: names for symptom, names in missed.items() if names},
            bool(mutation.causes) and mutation.brings[0] in KNOWN,
        )

    def _share(self, count: Callable[[Row], int]) -> float | None:
        """Share of the broken runs, over mutations with a cause that autofix knows."""
        rows = [row for row in self.rows if row.available]
        runs = sum(row.counted for row in rows)
        return sum(map(count, rows)) / runs if runs else None

    @property
    def named(self) -> float | None:
        """Share of the broken runs whose cause is named first."""
        return self._share(lambda row: row.named)

    @property
    def narrowly(self) -> float | None:
        """Share of the broken runs in which the narrowest name of the cause is named first."""
        return self._share(lambda row: row.narrowly)

    @property
    def strictly(self) -> float | None:
        """Share of the broken runs whose cause is the very first finding, consequences included."""
        return self._share(lambda row: row.strictly)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, the findings of every run included."""
        return {
            "healthy": len(self.healthy),
            "unsound": [item.job.name for item in self.unsound],
            "alarmed": [item.job.name for item in self.alarmed],
            "stuck": [item.job.name for item in self.stuck],
            "named_first": self.named,
            "named_narrowly_first": self.narrowly,
            "named_strictly_first": self.strictly,
            "symptoms": [asdict(line) | {"recall": line.recall} for line in self.lines],
            "mutations": [asdict(row) for row in self.rows],
            "runs": [
                asdict(item) | {"lost": self.lost(item), "first": item.first(noted=_noted(item))}
                for item in self.verdicts
            ],
        }


def _is_sound(item: Verdict) -> bool:
    if item.holdout is None or item.signal is None:
        return False
    return item.holdout >= item.chance + SOUND * (item.signal - item.chance)


def _noted(item: Verdict) -> bool:
    return bool(item.job.mutation) and MUTATIONS[item.job.mutation].noted


def _told(item: Verdict) -> tuple[Finding, ...]:
    return item.findings if _noted(item) else item.found


def in_order(verdicts: Sequence[Verdict]) -> Summary:
    """Sums up verdicts in the order of mutations, kinds and seeds."""
    places = {name: index for index, name in enumerate(("", *MUTATIONS))}
    return Summary(tuple(sorted(verdicts, key=lambda item: (places[item.job.mutation], item.job))))

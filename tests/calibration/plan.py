"""Which runs are made: healthy ones over kinds and seeds, broken ones, and the healthy twin of each of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

from .kinds import KINDS
from .mutations import MUTATIONS
from .program import Program


@dataclass(frozen=True, order=True)
class Job:
    """One run.

    Attributes:
        mutation: Name of the mutation; "" for a healthy run.
        kind: Name of the healthy kind.
        seed: Seed of the program.
    """

    mutation: str
    kind: str
    seed: int

    @property
    def name(self) -> str:
        """A name that does for a file."""
        return f"{self.mutation or 'healthy'}@{self.kind}@{self.seed}"

    @classmethod
    def named(cls, name: str) -> Job:
        """Reads a name."""
        mutation, kind, seed = name.split("@")
        return cls("" if mutation == "healthy" else mutation, kind, int(seed))

    @property
    def twin(self) -> Job:
        """The healthy run that it was made of; itself where it is one."""
        return Job("", self.kind, self.seed)

    @property
    def exists(self) -> bool:
        """Whether there is such a kind, and the mutation applies to it; a folder may hold runs of older ones."""
        if self.kind not in KINDS:
            return False
        return not self.mutation or (self.mutation in MUTATIONS and self.kind in MUTATIONS[self.mutation].kinds)

    def program(self) -> Program:
        """Returns the program, the fault inside."""
        healthy = KINDS[self.kind](self.seed)
        return MUTATIONS[self.mutation].change(healthy) if self.mutation else healthy


def chosen(names: Iterable[str], patterns: Sequence[str]) -> tuple[str, ...]:
    """Returns the names that match one of the patterns, in their order."""
    return tuple(name for name in names if any(fnmatch(name, pattern) for pattern in patterns))


def plan(
    kinds: Sequence[str], mutations: Sequence[str], seeds: Sequence[int], *, healthy: int, kinds_each: int
) -> tuple[Job, ...]:
    """Returns the runs to make, twins first.

    Args:
        kinds: Names of healthy kinds that may be used.
        mutations: Names of mutations.
        seeds: Seeds of the broken runs.
        healthy: Healthy runs to make, spread evenly over the kinds; twins count among them.
        kinds_each: Kinds that a mutation is tried on, at most.
    """
    broken = [
        Job(name, kind, seed)
        for name in mutations
        for kind in [kind for kind in MUTATIONS[name].kinds if kind in kinds][:kinds_each]
        for seed in seeds
    ]
    sound = [Job("", kinds[index % len(kinds)], index // len(kinds)) for index in range(healthy if kinds else 0)]
    return tuple(dict.fromkeys([*sound, *(job.twin for job in broken), *broken]))

"""`Findings`: what `autofix.check` hands back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, overload

from autofix.symptom import Diagnosis

# Severity up to which a finding is a note (see `autofix.symptoms`). The healthy runs of the gallery stay below 0.3.
NOTE = 0.4


@dataclass(frozen=True, repr=False)
class Findings(Sequence[Diagnosis]):
    """Findings that matter, the surest and most severe first: a sequence that is empty, hence false, where all is well.

    Attributes:
        found: The findings that matter; what the sequence consists of.
        notes: Lesser ones, which a run may have and learn all the same.
        unchecked: What was not looked at, as sentences.

    Example:
        >>> found = autofix.check(model, (x, y))
        >>> assert not found, found
    """

    found: tuple[Diagnosis, ...]
    notes: tuple[Diagnosis, ...] = ()
    unchecked: tuple[str, ...] = ()

    @classmethod
    def of(cls, findings: Iterable[Diagnosis], unchecked: Iterable[str]) -> Findings:
        """Parts findings that matter from notes."""
        findings = tuple(findings)
        matter = tuple(item for item in findings if item.severity > NOTE)
        return cls(matter, tuple(item for item in findings if item.severity <= NOTE), tuple(unchecked))

    @property
    def ok(self) -> bool:
        """Whether nothing was found that matters."""
        return not self.found

    def __len__(self) -> int:
        return len(self.found)

    @overload
    def __getitem__(self, index: int) -> Diagnosis: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Diagnosis, ...]: ...

    def __getitem__(self, index: int | slice) -> Diagnosis | tuple[Diagnosis, ...]:
        return self.found[index]

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON-ready data."""
        return {
            "ok": self.ok,
            "findings": [item.to_dict() for item in self.found],
            "notes": [item.to_dict() for item in self.notes],
            "unchecked": list(self.unchecked),
        }

    def __repr__(self) -> str:
        # What a failing assertion shows.
        return f"<Findings: {', '.join(item.symptom.code for item in self.found) or 'none'}>"

    def __str__(self) -> str:
        from autofix.report.text import findings

        return findings(self)

"""What the rules say of one stored run. Nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autofix import judge
from autofix.change import Patch
from autofix.facts import DataFacts
from autofix.outcome import Outcome, Status
from autofix.scoring import Score
from autofix.symptom import Diagnosis, Symptom
from autofix.symptoms import PREFLIGHT, TRACE, diagnose

from .evidence import from_dict
from .plan import Job

# The largest severity of a note (see `autofix.symptoms`).
NOTE = 0.4
# What follows from a cause. It names a fault only where nothing else was put into the program.
CONSEQUENCES = frozenset(
    {"weights_unchanged", "plateau", "late_plateau", "slow", "collapsed_predictions", "underfitting", "overfitting",
     "still_improving", "converged", "imbalance_ignored", "non_finite_loss", "divergence", "oscillation"}
)  # fmt: skip
KNOWN = frozenset(symptom.code for symptom in Symptom)


@dataclass(frozen=True)
class _Scorer:
    """The default metric, as `autofix.judge` asks for it."""

    metric: str = "auto"
    perfect: float = 1.0


@dataclass(frozen=True)
class _Session:
    """The part of a session that says whether a run is healthy."""

    facts: DataFacts
    scorer: _Scorer = field(default_factory=_Scorer)


@dataclass(frozen=True)
class Finding:
    """A finding without its sentence."""

    symptom: str
    severity: float
    certainty: float
    layer: str | None
    since_step: int | None
    numbers: Mapping[str, Any]

    @classmethod
    def of(cls, found: Diagnosis) -> Finding:
        """Takes what a summary needs."""
        plain = found.to_dict()
        return cls(
            plain["symptom"],
            plain["severity"],
            plain["certainty"],
            plain["layer"],
            plain["since_step"],
            plain["numbers"],
        )

    @property
    def counts(self) -> bool:
        """Whether it is more than a note."""
        return self.severity > NOTE


@dataclass(frozen=True)
class Verdict:
    """One run, judged.

    Attributes:
        job: The run.
        status: How it ended.
        score: Score on the validation part; None where there is none.
        holdout: Score on rows that no rule looks at.
        chance: Score of a constant prediction.
        signal: Score of the yardstick models.
        noise: Standard error of a score.
        findings: What the rules say, in their order.
        stuck: Whether `autofix.judge` would not leave the run alone.
        failed: Rules that could not be applied.
        error: Exception of the run.
        seconds: What the run took, set-up included.
    """

    job: Job
    status: str
    score: float | None = None
    holdout: float | None = None
    chance: float = 0.0
    signal: float | None = None
    noise: float = 0.0
    findings: tuple[Finding, ...] = ()
    stuck: bool = True
    failed: tuple[str, ...] = ()
    error: str | None = None
    seconds: float = 0.0

    @property
    def found(self) -> tuple[Finding, ...]:
        """Findings above a note."""
        return tuple(item for item in self.findings if item.counts)

    def first(self, *, noted: bool = False) -> str | None:
        """Returns the symptom that is named first, among notes too where a note is all that there should be."""
        found = self.findings if noted else self.found
        cause = next((item for item in found if item.symptom not in CONSEQUENCES), None)
        named = cause or next(iter(found), None)
        return named.symptom if named else None

    def has(self, symptom: str, *, noted: bool = False) -> bool:
        """Whether a symptom was found, as a note too if that is enough."""
        return any(item.symptom == symptom and (item.counts or noted) for item in self.findings)

    def severity(self, symptom: str) -> float:
        """The highest severity of a symptom; 0 where it was not found."""
        return max((item.severity for item in self.findings if item.symptom == symptom), default=0.0)


def of(job: Job, row: Mapping[str, Any]) -> Verdict:
    """Judges a stored run.

    Raises:
        TypeError: If rules are given more to look at than was kept; the run has to be made again.
    """
    if row["evidence"] is None:
        return Verdict(job, row["status"], error=row["error"], seconds=row["seconds"])
    evidence = from_dict(row["evidence"])
    found, failed = diagnose(evidence, (*PREFLIGHT, *TRACE))
    score = None if row["score"] is None else Score(row["score"], 0.0, (row["score"],))
    outcome = Outcome(Patch(), job.seed, Status[row["status"]], score)
    facts = evidence.facts
    session: Any = _Session(facts)
    return Verdict(
        job, row["status"], row["score"], row["holdout"], facts.chance, facts.signal, facts.noise,
        tuple(map(Finding.of, found)), not judge.is_healthy(session, outcome, found), failed, row["error"],
        row["seconds"],
    )  # fmt: skip

"""The search for a repair: guesses that follow from the diagnosis, draws, and leaving out what is not needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from autofix import judge
from autofix.budget import Clock
from autofix.change import Patch
from autofix.compose import Composer
from autofix.minimise import cheapest, minimise
from autofix.outcome import Outcome, Status
from autofix.progress import Narrator
from autofix.search import Search
from autofix.session import Session
from autofix.shelf import Shelf
from autofix.strategy import Strategy
from autofix.symptom import Diagnosis
from autofix.symptoms import PREFLIGHT, TRACE
from autofix.symptoms import diagnose as judge_rules

# Share of the budget that is kept free for minimising and proving, at most.
RESERVE_SHARE = 0.6
# Seeds that time is kept free for: more than the proof begins with, for runs that work with some seeds only.
PROVING_SEEDS = 5
# Candidates that are trained for longer, and by how much, when none was good enough so far (successive halving).
PROMOTED, RUNGS = 3, 3
# How often the best candidate's own run is judged for what is still wrong with it.
DEEPEST = 3


@dataclass
class Hunt:
    """Looks for the smallest patch that repairs; may be asked again when a proof did not hold.

    Attributes:
        session: Model, data and what is known before training.
        strategies: Remedies to choose from.
        clock: Counts the budget down.
        tell: Told of the progress.
        record: Takes in every run.
        notes: Where to leave what the user should know.
        seed: Seed of the search.
        target: Score that is good enough; None leaves it to the data.
        slots: Candidates that are trained at the same time.
        shelf: Keeps the trials of the search; None to forget them with the process.
        baseline: The run as it came, once it was made.
        cut: Whether the time was up before the search had tried what it would have tried.
    """

    session: Session
    strategies: Sequence[Strategy]
    clock: Clock
    tell: Narrator
    record: Callable[[Outcome], None]
    notes: list[str]
    seed: int
    target: float | None
    slots: int = 1
    shelf: Shelf | None = None
    baseline: Outcome | None = None
    cut: bool = field(default=False, init=False)
    composer: Composer = field(init=False)
    search: Search = field(init=False)

    def __post_init__(self) -> None:
        session = self.session
        self.composer = Composer(session.case, self.strategies, session.trainer.range_test)
        self.search = Search(
            session.trainer,
            self.composer,
            self.seed,
            self.settles,
            self.reserve,
            most_trials=self.clock.budget.trials,
            on_trial=self.record,
            now=self.clock.now,
            slots=self.slots,
            shelf=self.shelf,
        )

    def know(self, findings: Sequence[Diagnosis], baseline: Outcome | None) -> None:
        """Takes in what is wrong, and the run as it came."""
        self.baseline = baseline
        trace = baseline.trace if baseline else None
        self.composer.case = replace(self.session.case, diagnoses=tuple(findings), trace=trace)
        if baseline is not None:
            self.search.know(baseline)

    def mend(self) -> bool:
        """Tries the fixes that follow from program and data alone; returns whether they are enough.

        They are where the mended run, had it come that way, would have been called healthy.
        """
        search = self.search
        search.guesses([judge.contract_plan(self.strategies)], self.clock.deadline)
        best = search.best
        if search.settled is None and best is not None and best.patch:
            findings, _ = judge_rules(self.session.evidence(best), (*PREFLIGHT, *TRACE))
            search.settled = best if judge.is_healthy(self.session, best, findings) else None
        return search.settled is not None

    def seek(self) -> None:
        """Searches candidates: guesses that follow from the diagnosis first, then draws. Goes on where it was."""
        search = self.search
        self.tell("trying first guesses")
        deadline = self.clock.deadline
        first, rest = judge.plans(self.composer.case, self.strategies)
        search.guesses(judge.without_costly(first), deadline)
        if not self.is_near:
            search.guesses(first, deadline)
        self.deepen(deadline)
        search.guesses(judge.without_costly(rest) if self.is_near else rest, deadline)
        self.deepen(deadline)
        while self.session.trainer.rung < 1.0 and search.settled is None and self.clock.left > 0.0:
            self.session.trainer.rung = min(1.0, RUNGS * self.session.trainer.rung)
            self.tell("training the best candidates for longer")
            search.promote(PROMOTED, deadline)
            self.deepen(deadline)
        self.tell("searching")
        if not self.is_near or self.target is not None:
            search.draws(deadline, judge.PATIENCE)
        kept = self.reserve(search.best) if search.best is not None else 0.0
        self.cut = search.settled is None and self.clock.left <= kept

    @property
    def is_near(self) -> bool:
        """Whether the best candidate so far is known to be good enough: only what costs little is worth a try then."""
        best = self.search.best
        if best is None or best.score is None or not judge.comparable(self.session) or judge.hopeless(self.session):
            return False
        return judge.good_enough(self.session, best.score.value)

    def settles(self, outcome: Outcome) -> bool:
        """Whether nothing better than a candidate needs to be looked for."""
        findings, _ = judge_rules(self.session.evidence(outcome), TRACE) if outcome.trace else ((), ())
        return judge.settles(self.session, outcome, findings, self.target)

    def resume(self, proven: float) -> bool:
        """Takes in the score that the proof gave to what the search promised; returns whether there is more to try."""
        settled = self.search.settled
        if settled is None or self.clock.left <= self.reserve(settled):
            return False
        self.search.demote(settled.patch, proven)
        return True

    def affordable(self, best: Outcome | None, done: Sequence[Outcome]) -> Outcome | None:
        """The best candidate; where the time left is too short to minimise and prove it, the best that it does for.

        A patch that is good enough, small and proven is worth more than a better one that is neither.
        """
        if best is None or self.proving(best) + self.minimising(best) <= self.clock.left:
            return best
        fitting = [
            outcome
            for outcome in done
            if outcome.status is Status.DONE and outcome.share == best.share and outcome.score is not None
            if outcome.patch and judge.good_enough(self.session, outcome.score.value)
            if self.proving(outcome) + self.minimising(outcome) <= self.clock.left
        ]
        return max(fitting, key=lambda outcome: outcome.rank, default=best)

    def reserve(self, best: Outcome) -> float:
        """Seconds to keep free for minimising and proving a candidate."""
        proving = self.proving(best)
        minimising = min(self.minimising(best), proving + 2 * best.seconds)
        return min(proving + minimising, RESERVE_SHARE * self.budget_seconds)

    def minimising(self, best: Outcome) -> float:
        """Seconds that leaving out each line of a candidate takes."""
        return len(best.patch.lines) * best.seconds

    def proving(self, best: Outcome) -> float:
        """Seconds that the proof of a candidate takes: with the control, if it trains longer than the user does."""
        longer = any(change.path == "fit/epochs" for change in best.patch)
        return PROVING_SEEDS * (best.again * (2 if longer else 1) + self.baseline_again)

    @property
    def budget_seconds(self) -> float:
        """Seconds of the whole budget."""
        return self.clock.deadline - self.clock.began

    def deepen(self, deadline: float) -> None:
        """Judges the best candidate's own run: once one fault is gone, the next one shows."""
        for _ in range(DEEPEST):
            best = self.search.best
            if best is None or best.trace is None or self.search.settled is not None:
                return
            found, _ = judge_rules(self.session.evidence(best), TRACE)
            case = replace(self.composer.case, diagnoses=found, trace=best.trace)
            plans = judge.deeper_plans(case, self.strategies, best.patch)
            used = {change.strategy for change in best.patch}
            self.search.guesses(judge.without_costly(plans, used) if self.is_near else plans, deadline)
            if self.search.best is best:
                return

    def shrink(self) -> list[Patch]:
        """Minimises the best candidate; returns patches worth proving, the first one first."""
        floor = judge.floor(self.session)
        if self.baseline is not None and self.baseline.score is not None:
            floor = max(floor, self.baseline.rank)
        done = list(self.search.outcomes.values())
        best = self.affordable(self.search.settled or self.search.best, done)
        if best is None or best.rank <= floor or not best.patch:
            return []
        tolerance = judge.tolerance(self.session, best.rank - floor)
        small = cheapest(done, tolerance, {s.name for s in self.strategies if s.is_contract}) or best
        self.tell("leaving out what is not needed")
        minimal = minimise(
            small.patch,
            self.session.trainer,
            self.composer,
            known=small.rank,
            tolerance=tolerance,
            deadline=self.clock.deadline - min(self.proving(small), RESERVE_SHARE * self.budget_seconds),
            floor=floor,
            on_trial=self.record,
            now=self.clock.now,
            slots=self.slots,
        )
        if not minimal.complete:
            self.notes.append("the time was up before every line of the patch could be left out in turn")
        return [patch for patch in dict.fromkeys((minimal.patch, best.patch)) if patch]

    @property
    def baseline_again(self) -> float:
        """Seconds that running the program as it came takes once it is compiled; a guess before it was run."""
        if self.baseline is not None:
            return self.baseline.again
        return max((outcome.again for outcome in self.search.outcomes.values()), default=0.0)

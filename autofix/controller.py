"""The whole path on one page: read, look, diagnose, search, minimise, confirm."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from autofix import judge
from autofix.budget import Clock
from autofix.change import Patch
from autofix.compose import GUESS, Composer
from autofix.confirm import Measured, beats
from autofix.contract import violations
from autofix.hunt import Hunt
from autofix.live import handover
from autofix.outcome import Outcome, Status
from autofix.progress import Narrator
from autofix.proof import Prover
from autofix.recipe import Recipe
from autofix.result import RepairResult, Verdict
from autofix.session import Session
from autofix.shelf import Shelf
from autofix.strategy import Strategy
from autofix.symptom import Diagnosis
from autofix.symptoms import PREFLIGHT, TRACE
from autofix.symptoms import diagnose as judge_rules
from autofix.versions import versions

logger = logging.getLogger(__name__)


@dataclass
class Controller:
    """One repair under way; each method is one phase, in the order in which `run` calls them.

    Attributes:
        session: Model, data and what is known before training.
        strategies: Remedies to choose from.
        clock: Counts the budget down.
        tell: Told of the progress.
        seed: Seed of the search.
        target: Score that is good enough; None leaves it to the data.
        findings: What is wrong.
        baseline: The run as it came.
        watched: Saw that run already; None where nobody did.
        slots: Candidates that are trained at the same time.
        shelf: Keeps the trials of the search; None to forget them with the process.
        interrupted: Whether the user ended it before its end.
    """

    session: Session
    strategies: Sequence[Strategy]
    clock: Clock
    tell: Narrator
    seed: int
    target: float | None
    findings: tuple[Diagnosis, ...] = ()
    baseline: Outcome | None = None
    watched: handover.Watched | None = None
    slots: int = 1
    shelf: Shelf | None = None
    interrupted: bool = False

    def __post_init__(self) -> None:
        self.trials: list[Outcome] = []
        self.notes: list[str] = list(self.session.facts.notes)
        self.set_up = 0.0
        self.hunt = Hunt(
            self.session,
            self.strategies,
            self.clock,
            self.tell,
            self.record,
            self.notes,
            self.seed,
            self.target,
            self.slots,
            self.shelf,
        )

    def run(self) -> RepairResult:
        """Goes through all phases; an interrupt ends with what is proven, never with an exception."""
        try:
            return self.phases()
        except KeyboardInterrupt:
            self.interrupted = True
            self.notes.append("interrupted by the user")
            return self.result(Verdict.OUT_OF_BUDGET, Patch())

    def phases(self) -> RepairResult:
        """The whole path: each step runs only if the one before did not settle the matter."""
        kept = self.keep_weights()
        if kept is not None:
            return kept
        prover = Prover(self.session, self.clock, self.tell, self.record, self.notes)
        self.preflight()
        if self.mend(prover):
            return self.judged(prover)
        self.look()
        if judge.is_healthy(self.session, self.baseline, self.findings):
            return self.result(Verdict.HEALTHY, Patch())
        self.hunt.know(self.findings, self.baseline)
        while True:
            self.hunt.seek()
            prover.prove(self.hunt.shrink())
            if prover.is_over or not self.hunt.resume(prover.reached):
                return self.judged(prover)

    def keep_weights(self) -> RepairResult | None:
        """A model that comes trained: is it fine, or is there a contract fix that its weights survive?"""
        if not self.session.trained:
            return None
        self.preflight()
        patch = self.contract_patch()
        if self.watched is not None and not patch:  # what was seen of its training tells more than its score
            return None
        trainer, recipe = self.session.trainer, self.session.recipe
        self.tell("scoring the model as it came")
        given = tuple(trainer.start.values.values())
        try:
            before = trainer.score_weights(recipe, Patch(), given)
        except Exception as error:  # a model that cannot even predict goes the long way
            logger.debug("the given weights cannot be scored: %s", error)
            return None
        self.record(before)
        if patch:
            try:
                after = trainer.score_weights(patch.apply(recipe), patch, given)
            except Exception as error:  # the fix changes shapes: these weights do not survive it
                logger.debug("the weights do not survive the contract fix: %s", error)
                return None
            self.record(after)
            floor = judge.floor(self.session)
            was, now = Measured.of([before], floor), Measured.of([after], floor)
            if beats(now, was, judge.least_gain(self.session, was), floor) and judge.good_enough(
                self.session, now.mean
            ):
                return self.result(Verdict.REPAIRED, patch, was, now, model=after, retrained=False)
            return None
        if before.score is not None and judge.good_enough(self.session, before.score.value):
            return self.result(Verdict.HEALTHY, Patch(), Measured.of([before], judge.floor(self.session)))
        return None

    def preflight(self) -> None:
        """Judges what is known without training."""
        found, failed = judge_rules(self.session.evidence(), PREFLIGHT)
        self.findings = found
        self.notes += [f"not measured: {name}" for name in failed]

    def mend(self, prover: Prover) -> bool:
        """Repairs output, loss and labels that cannot train, before any training; returns whether that was enough."""
        case = self.session.case
        cannot = any(found.fatal for found in violations(case.recipe, case.facts, case.output_shapes))
        patch = self.contract_patch() if cannot else Patch()
        if not patch:
            return False
        self.tell("mending what cannot train")
        self.clock.one_run_takes(self.choose_rung(patch.apply(case.recipe)))
        self.hunt.know(self.findings, None)
        if not self.hunt.mend():
            return False
        prover.prove(self.hunt.shrink())
        return prover.is_over or not self.hunt.resume(prover.reached)

    def look(self) -> None:
        """Runs the program as it is, with probes, and judges what they saw."""
        self.preflight()
        self.tell("running the program as it came")
        deadline = self.clock.share(0.4) if self.clock.left < float("inf") else float("inf")
        seconds = self.choose_rung(self.session.recipe)
        if not self.take_over(seconds):
            self.judge_baseline(deadline, full=False)
        assert self.baseline is not None
        if self.baseline.share < 1.0 and not judge.is_stuck(self.session, self.baseline, self.findings):
            self.judge_baseline(deadline, full=True)
        trace = self.baseline.trace
        self.notes += [f"not measured: {what}" for what in (trace.unseen if trace else ())]

    def take_over(self, seconds: float) -> bool:
        """Lets the run that a `Watch` saw stand for the run as it came, which takes `seconds`, if it tells as much."""
        if self.watched is None:
            return False
        taken = handover.take_over(self.watched, self.session, again=seconds - self.set_up)
        self.notes.append(taken.note)
        if taken.run is None:
            return False
        self.baseline, self.findings = taken.run, taken.findings
        self.record(taken.run)
        self.clock.one_run_takes(seconds)
        return True

    def choose_rung(self, recipe: Recipe) -> float:
        """Decides whether the search can make every run in full; a program that cannot be run decides nothing.

        Returns:
            Seconds that a first run of the recipe takes, compiling included.
        """
        began, run = self.clock.now(), 0.0
        try:
            run = self.session.trainer.choose_rung(recipe)
        except Exception as error:
            logger.debug("no steps could be timed: %s", error)
        self.set_up = self.clock.now() - began
        return self.set_up + run

    def judge_baseline(self, deadline: float, *, full: bool) -> None:
        """Runs the program as it came, in full or as far as the search goes at first, and judges the run."""
        trainer, recipe = self.session.trainer, self.session.recipe
        run = trainer.run(recipe, Patch(), deadline=deadline, probes=True, holdout=True, full=full)
        self.baseline = run
        self.record(run)
        self.time(run)
        self.findings, failed = judge_rules(self.session.evidence(run), (*PREFLIGHT, *TRACE))
        self.notes += [f"not measured: {name}" for name in failed]

    def time(self, run: Outcome) -> None:
        """Sets a budget in multiples of one run by a run as long as the user's; a crash counts until one trains."""
        planned = float(self.session.recipe.fit["epochs"])
        done = run.epochs if run.epochs > 0 and run.share == 1.0 else planned
        compiling = max(0.0, run.seconds - run.again * run.share)
        self.clock.one_run_takes(self.set_up + compiling + run.again * planned / done)

    def judged(self, prover: Prover) -> RepairResult:
        """Returns what the proofs come to."""
        proof = prover.best
        if proof is not None:
            near = judge.good_enough(self.session, proof.after.mean)
            verdict = Verdict.REPAIRED if near else Verdict.IMPROVED
            model = prover.model(proof)
            self.interrupted = prover.interrupted
            return self.result(verdict, proof.patch, proof.before, proof.after, proof.control, model=model)
        before = prover.baseline()
        if before is None or prover.undecided:
            return self.result(Verdict.OUT_OF_BUDGET, Patch(), before)
        if judge.is_fine(self.session, before.mean, self.findings):
            return self.result(Verdict.HEALTHY, Patch(), before)
        if all(trial.status is Status.FAILED for trial in self.trials):
            return self.result(Verdict.UNUSABLE, Patch(), before)
        if self.hunt.cut and not judge.hopeless(self.session):
            return self.result(Verdict.OUT_OF_BUDGET, Patch(), before)
        return self.result(Verdict.UNREPAIRED, Patch(), before)

    def contract_patch(self) -> Patch:
        """Returns the changes that follow from program and data alone."""
        case = replace(self.session.case, diagnoses=self.findings)
        contract = [strategy for strategy in self.strategies if strategy.is_contract]
        return Composer(case, contract).patch({strategy.name: GUESS for strategy in contract})

    def record(self, outcome: Outcome) -> None:
        """Takes in a finished run; one that was only looked up again is not counted twice."""
        if any(trial.seconds == outcome.seconds and trial.score == outcome.score for trial in self.trials):
            return
        crashed = self.baseline is not None and self.baseline.status is Status.FAILED
        if crashed and outcome.status is Status.DONE and all(trial.status is Status.FAILED for trial in self.trials):
            self.time(outcome)
        self.trials.append(outcome)
        self.tell(None, outcome, self.clock)

    def result(
        self,
        verdict: Verdict,
        patch: Patch,
        before: Measured | None = None,
        after: Measured | None = None,
        control: Measured | None = None,
        *,
        model: Outcome | None = None,
        retrained: bool = True,
    ) -> RepairResult:
        """Returns the result; without a trained `model` the user's own model is handed back."""
        session = self.session
        recipe = patch.apply(session.recipe)
        built = session.model if model is None else session.trainer.build(model, recipe)
        if before is None and self.baseline is not None and verdict is Verdict.HEALTHY:
            before = Measured.of([self.baseline], judge.floor(session))
        targets = session.facts.targets
        failed = self.hunt.composer.failed
        self.notes += [f"strategy {name} failed and was left out ({error})" for name, error in failed.items()]
        if verdict is Verdict.UNUSABLE and self.baseline is not None and self.baseline.error:
            self.notes.append(f"the run as it came ends with {self.baseline.error}")
        return RepairResult(
            verdict=verdict,
            model=built,
            patch=patch.made_for(session.recipe),
            diagnosis=self.findings,
            before=before,
            after=after,
            control=control,
            metric=session.scorer.name,
            trials=tuple(self.trials),
            study=self.hunt.search.study if self.hunt.search.outcomes else None,
            recipe=session.recipe,
            classes=targets[0].classes or None if len(targets) == 1 else None,
            range_test=self.hunt.composer.range_of(recipe),
            notes=tuple(dict.fromkeys(self.notes)),
            next_steps=judge.next_steps(session, verdict, self.findings),
            seconds=self.clock.spent,
            traces=session.trainer.traces,
            retrained=retrained,
            versions=versions(),
        )

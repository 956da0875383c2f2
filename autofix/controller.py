"""The whole path on one page: read, look, diagnose, search, minimise, confirm."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from autofix import confirm, judge
from autofix.budget import Budget, Clock
from autofix.change import Patch
from autofix.compose import GUESS, Composer
from autofix.confirm import Measured, beats, measure
from autofix.errors import FixYourCall, FixYourData, FixYourModel
from autofix.minimise import cheapest, minimise
from autofix.outcome import Outcome, Status
from autofix.progress import Narrator, narrator
from autofix.registry import strategies as registered
from autofix.result import RepairResult, Verdict
from autofix.search import Search
from autofix.session import Session, prepare
from autofix.strategy import Case, Strategy
from autofix.symptom import Diagnosis, Evidence
from autofix.symptoms import PREFLIGHT, TRACE, diagnose as judge_rules

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

# Share of the budget that is kept free for minimising and proving, at most.
RESERVE_SHARE = 0.6
# How often the best candidate's own run is judged for what is still wrong with it.
DEEPEST = 3


def repair(
    model: keras.Model | Callable[[], keras.Model],
    data: Any,
    *,
    validation_data: Any = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    class_weight: Mapping[Any, float] | None = None,
    metric: str | Callable[..., float] = "auto",
    target: float | None = None,
    budget: Budget | str | float = "10x",
    strategies: Sequence[str] | None = None,
    weights: Literal["auto", "keep", "reset"] = "auto",
    seed: int = 0,
    progress: bool | Literal["auto"] = "auto",
) -> RepairResult:
    """Finds out why a run is stuck, searches remedies, and returns a patched, retrained model with the proof.

    Neither `model` nor `data` is changed.

    Args:
        model: A compiled `keras.Model`, or a function without arguments that builds one.
        data: `(x, y)`, `(x, y, sample_weight)`, a `tf.data.Dataset`, a `keras.utils.PyDataset`, or `x` alone for an
            autoencoder. x and y may be arrays, DataFrames, or lists or dicts of arrays.
        validation_data: The same, set apart by you. Without it, rows of `data` are held out.
        epochs: Epochs that you train for; 10 if left out.
        batch_size: Rows in a batch; what the dataset is batched with, else 32.
        class_weight: Weight per class, as in `fit`.
        metric: "auto" (balanced accuracy, or R2 for regression), the name of a scikit-learn scorer, or a function
            `(y_true, y_pred) -> float`, higher is better.
        target: A score that is good enough; the search stops at the first candidate that reaches it.
        budget: Seconds, a duration such as "30m", multiples of one run of the model such as "10x" (at least 10
            seconds), or a `Budget`.
        strategies: Names of the strategies to use; all of them if left out.
        weights: "auto" keeps frozen and pretrained weights and starts everything else fresh; "keep" starts from the
            weights the model came with; "reset" starts everything but frozen layers fresh.
        seed: Seed of splits, initial weights, data order and search.
        progress: Whether to report on stderr; "auto" does so in a terminal.

    Returns:
        A `RepairResult`: `result.model`, `result.changes`, and `print(result)` for the change log.

    Raises:
        FixYourCall: If an argument is wrong.
        FixYourData: If the data cannot be read.
        FixYourModel: If the model is not compiled or cannot be read.

    Example:
        >>> result = autofix.repair(model, (x_train, y_train), epochs=20)
        >>> print(result)
        >>> result.model.predict(x_test)
    """
    clock = Clock(Budget.of(budget))
    chosen = registered(strategies)
    fit = _fit_settings(epochs, batch_size, class_weight)
    with narrator(progress) as tell:
        tell("reading model and data")
        session = prepare(
            model, data, validation_data=validation_data, fit=fit, metric=metric, weights=weights, seed=seed
        )
        work = _Repair(session, chosen, clock, tell, seed, target)
        try:
            return work.run()
        finally:
            session.trainer.close()


def diagnose(
    model: keras.Model | Callable[[], keras.Model],
    data: Any,
    *,
    validation_data: Any = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    class_weight: Mapping[Any, float] | None = None,
    metric: str | Callable[..., float] = "auto",
    weights: Literal["auto", "keep", "reset"] = "auto",
    seed: int = 0,
    progress: bool | Literal["auto"] = "auto",
) -> list[Diagnosis]:
    """Trains the run once, as it is, and says what is wrong with it. Arguments as in `repair`.

    Returns:
        The findings, the most certain and severe first; empty when there are none.
    """
    fit = _fit_settings(epochs, batch_size, class_weight)
    with narrator(progress) as tell:
        session = prepare(
            model, data, validation_data=validation_data, fit=fit, metric=metric, weights=weights, seed=seed
        )
        work = _Repair(session, (), Clock(Budget()), tell, seed, None)
        try:
            work.look()
            return list(work.findings)
        finally:
            session.trainer.close()


def _fit_settings(epochs: int | None, batch_size: int | None, class_weight: Mapping[Any, float] | None) -> dict[str, Any]:
    fit: dict[str, Any] = {}
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if value is not None:
            if isinstance(value, bool) or int(value) != value or value < 1:
                raise FixYourCall(f"`{name}` must be a whole number of at least 1. Received: {name}={value!r}.")
            fit[name] = int(value)
    if class_weight is not None:
        fit["class_weight"] = {str(key): float(value) for key, value in class_weight.items()}
    return fit


@dataclass
class _Repair:
    """One repair under way; each method is one phase."""

    session: Session
    strategies: Sequence[Strategy]
    clock: Clock
    tell: Narrator
    seed: int
    target: float | None
    findings: tuple[Diagnosis, ...] = ()
    baseline: Outcome | None = None
    search: Search | None = None
    composer: Composer | None = None

    def __post_init__(self) -> None:
        self.trials: list[Outcome] = []
        self.notes: list[str] = list(self.session.facts.notes)

    def run(self) -> RepairResult:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self.phases()
        except KeyboardInterrupt:
            self.notes.append("interrupted by the user")
            return self.result(Verdict.OUT_OF_BUDGET, Patch())

    def phases(self) -> RepairResult:
        kept = self.keep_weights()
        if kept is not None:
            return kept
        self.look()
        if judge.is_healthy(self.session, self.baseline, self.findings):
            return self.result(Verdict.HEALTHY, Patch())
        self.seek()
        return self.prove(self.shrink())

    def keep_weights(self) -> RepairResult | None:
        """A model that comes trained: is it fine, or is there a contract fix that its weights survive?"""
        if not self.session.trained:
            return None
        self.preflight()
        trainer, recipe = self.session.trainer, self.session.recipe
        self.tell("scoring the model as it came")
        given = tuple(trainer.start.values.values())
        try:
            before = trainer.score_weights(recipe, Patch(), given)
        except Exception as error:  # a model that cannot even predict goes the long way
            logger.debug("the given weights cannot be scored: %s", error)
            return None
        self.record(before)
        patch = self.contract_patch()
        if patch:
            try:
                after = trainer.score_weights(patch.apply(recipe), patch, given)
            except Exception as error:  # the fix changes shapes: these weights do not survive it
                logger.debug("the weights do not survive the contract fix: %s", error)
                return None
            self.record(after)
            floor = judge.floor(self.session)
            was, now = Measured.of([before], floor), Measured.of([after], floor)
            noise, least = judge.holdout_noise(self.session), judge.least_gain(self.session, was)
            if beats(now, was, noise, least, floor) and judge.good_enough(self.session, now.mean):
                return self.result(Verdict.REPAIRED, patch, was, now, model=after, retrained=False)
            return None
        if before.score is not None and judge.good_enough(self.session, before.score.value):
            return self.result(Verdict.HEALTHY, Patch(), Measured.of([before], judge.floor(self.session)))
        return None

    def preflight(self) -> None:
        """Judges what is known without training."""
        found, failed = judge_rules(self.evidence(), PREFLIGHT)
        self.findings = found
        self.notes += [f"not measured: {name}" for name in failed]

    def look(self) -> None:
        """Runs the program as it is, with probes, and judges what they saw."""
        self.preflight()
        self.tell("running the program as it came")
        deadline = self.clock.share(0.4) if self.clock.left < float("inf") else float("inf")
        self.baseline = self.session.trainer.run(
            self.session.recipe, Patch(), deadline=deadline, probes=True
        )
        self.record(self.baseline)
        planned = max(1.0, float(self.session.recipe.fit["epochs"]))
        self.clock.one_run_takes(self.baseline.seconds * planned / max(self.baseline.epochs, 0.1))
        found, failed = judge_rules(self.evidence(self.baseline), (*PREFLIGHT, *TRACE))
        self.findings = found
        self.notes += [f"not measured: {name}" for name in failed]
        trace = self.baseline.trace
        self.notes += [f"not measured: {what}" for what in (trace.unseen if trace else ())]

    def seek(self) -> None:
        """Searches candidates: guesses that follow from the diagnosis first, then draws."""
        session = self.session
        case = replace(session.case, diagnoses=self.findings, trace=self.baseline.trace if self.baseline else None)
        self.composer = Composer(case, self.strategies, session.trainer.range_test)
        enough = judge.good_rank(session, self.target)
        self.search = Search(
            session.trainer,
            self.composer,
            self.seed,
            enough,
            self.reserve,
            most_trials=self.clock.budget.trials,
            on_trial=self.record,
        )
        if self.baseline is not None:
            self.search.know(self.baseline)
        self.tell("trying first guesses")
        deadline = self.clock.deadline
        first, rest = judge.plans(case, self.strategies)
        self.search.guesses(first, deadline)
        self.deepen(deadline)
        self.search.guesses(rest, deadline)
        self.deepen(deadline)
        self.tell("searching")
        self.search.draws(deadline)

    def reserve(self, best: Outcome) -> float:
        """Seconds to keep free for minimising and proving a candidate."""
        proving = len(confirm.SEEDS) * (best.again + self.baseline_again)
        minimising = len(best.patch.lines) * best.seconds
        return min(proving + min(minimising, proving + 2 * best.seconds), RESERVE_SHARE * self.budget_seconds)

    @property
    def budget_seconds(self) -> float:
        return self.clock.deadline - self.clock.began

    def deepen(self, deadline: float) -> None:
        """Judges the best candidate's own run: once one fault is gone, the next one shows."""
        assert self.search is not None and self.composer is not None
        for _ in range(DEEPEST):
            best = self.search.best
            if best is None or best.trace is None or best.rank >= self.search.good_enough:
                return
            found, _ = judge_rules(self.evidence(best), TRACE)
            case = replace(self.composer.case, diagnoses=found, trace=best.trace)
            self.search.guesses(judge.deeper_plans(case, self.strategies, best.patch), deadline)
            if self.search.best is best:
                return

    def shrink(self) -> list[Patch]:
        """Minimises the best candidate; returns patches worth proving, the first one first."""
        assert self.search is not None and self.composer is not None
        floor = judge.floor(self.session)
        if self.baseline is not None and self.baseline.score is not None:
            floor = max(floor, self.baseline.rank)
        done = list(self.search.outcomes.values())
        best = self.search.best
        if best is None or best.rank <= floor or not best.patch:
            return []
        tolerance = judge.tolerance(self.session, best.rank - floor)
        small = cheapest(done, tolerance) or best
        self.tell("leaving out what is not needed")
        minimal = minimise(
            small.patch,
            self.session.trainer,
            self.composer,
            tolerance=tolerance,
            deadline=self.clock.deadline - len(confirm.SEEDS) * (small.again + self.baseline_again),
            floor=floor,
            on_trial=self.record,
        )
        if not minimal.complete:
            self.notes.append("the time was up before every line of the patch could be left out in turn")
        return [minimal.patch] + ([best.patch] if best.patch != minimal.patch else [])

    def prove(self, patches: Sequence[Patch]) -> RepairResult:
        """Trains with fresh seeds, against the program as it came and against the same trained as long."""
        session, trainer = self.session, self.session.trainer
        floor = judge.floor(session)
        self.tell("proving it on rows the search never saw")
        origin, before = session.recipe, None
        for patch in patches:
            recipe = patch.apply(origin)
            contenders = [(origin, Patch()), (recipe, patch)]
            longer = _longer(origin, recipe) and not all(change.path.startswith("fit/") for change in patch)
            if longer:
                contenders.append((_as_long(origin, recipe), Patch()))
            found = measure(
                contenders,
                trainer,
                floor=floor,
                deadline=self.clock.deadline,
                on_trial=self.record,
                decided=lambda found: self.gains(found) or found[1].mean <= found[0].mean,
            )
            if found is None and before is None:
                return self.result(Verdict.OUT_OF_BUDGET, Patch())
            if found is None:
                break
            before, after, control = found[0], found[1], found[2] if longer else None
            if self.gains(found):
                verdict = Verdict.REPAIRED if judge.good_enough(session, after.mean) else Verdict.IMPROVED
                chosen = max(after.outcomes, key=lambda outcome: outcome.rank)
                return self.result(verdict, patch, before, after, control, model=chosen)
        if before is None:
            found = measure([(origin, Patch())], trainer, floor=floor, deadline=self.clock.deadline, on_trial=self.record)
            before = found[0] if found else None
        if judge.is_healthy(session, self.baseline, ()) and not judge.hopeless(session, before):
            return self.result(Verdict.HEALTHY, Patch(), before)
        if self.baseline is not None and self.baseline.status is Status.FAILED and not self.any_trained():
            return self.result(Verdict.UNUSABLE, Patch(), before)
        return self.result(Verdict.UNREPAIRED, Patch(), before)

    def gains(self, found: Sequence[Measured]) -> bool:
        """Whether the patched program beats the program as it came, and the same trained as long."""
        before, after = found[0], found[1]
        against = max((found[0], *found[2:]), key=lambda measured: measured.mean)
        noise, least = judge.holdout_noise(self.session), judge.least_gain(self.session, before)
        return beats(after, against, noise, least, judge.floor(self.session))

    @property
    def baseline_again(self) -> float:
        return self.baseline.again if self.baseline else 0.0

    def any_trained(self) -> bool:
        return any(trial.status is not Status.FAILED for trial in self.trials)

    def evidence(self, outcome: Outcome | None = None) -> Evidence:
        case = self.session.case
        recipe = case.recipe if outcome is None else outcome.patch.apply(case.recipe)
        score = outcome.score.value if outcome and outcome.score else None
        return Evidence(
            recipe,
            case.facts,
            case.input_shapes,
            case.output_shapes,
            outcome.trace if outcome else None,
            score,
            self.session.scorer.perfect,
        )

    def contract_patch(self) -> Patch:
        case = replace(self.session.case, diagnoses=self.findings)
        contract = [strategy for strategy in self.strategies if strategy.is_contract]
        return Composer(case, contract).patch({strategy.name: GUESS for strategy in contract})

    def record(self, outcome: Outcome) -> None:
        if outcome.weights is not None and any(trial.weights is outcome.weights for trial in self.trials):
            return
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
        session = self.session
        recipe = patch.apply(session.recipe)
        built = session.model if model is None else session.trainer.build(model, recipe)
        if before is None and self.baseline is not None and verdict is Verdict.HEALTHY:
            before = Measured.of_validation(self.baseline, judge.floor(session))
        targets = session.facts.targets
        failed = self.composer.failed if self.composer else {}
        self.notes += [f"strategy {name} failed and was left out ({error})" for name, error in failed.items()]
        if verdict is Verdict.UNUSABLE and self.baseline is not None and self.baseline.error:
            self.notes.append(f"the run as it came ends with {self.baseline.error}")
        return RepairResult(
            verdict=verdict,
            model=built,
            patch=patch,
            diagnosis=self.findings,
            before=before,
            after=after,
            control=control,
            metric=session.scorer.name,
            trials=tuple(self.trials),
            study=self.search.study if self.search else None,
            recipe=session.recipe,
            classes=targets[0].classes or None if len(targets) == 1 else None,
            notes=tuple(dict.fromkeys(self.notes)),
            next_steps=judge.next_steps(session, verdict, self.findings, before),
            seconds=self.clock.spent,
            traces=session.trainer.traces,
            retrained=retrained,
            versions=judge.versions(),
        )


def _longer(origin: Any, recipe: Any) -> bool:
    return int(recipe.fit["epochs"]) > int(origin.fit["epochs"])


def _as_long(origin: Any, recipe: Any) -> Any:
    return origin.set("fit/epochs", recipe.fit["epochs"]).set("fit/patience", recipe.fit["patience"])

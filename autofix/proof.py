"""The last word: fresh seeds, rows the search never saw, and a model trained on all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from autofix import judge
from autofix.budget import Clock
from autofix.change import Patch
from autofix.confirm import Measured, beats, measure
from autofix.outcome import Outcome, Status
from autofix.progress import Narrator
from autofix.recipe import Recipe
from autofix.session import Session


@dataclass(frozen=True)
class Proof:
    """A patch that helps beyond noise.

    Attributes:
        patch: The patch.
        before: Scores of the program as it came.
        after: Scores with the patch.
        control: Scores of the program as it came, trained as long as the patch trains; None where it trains no longer.
    """

    patch: Patch
    before: Measured
    after: Measured
    control: Measured | None = None


@dataclass
class Prover:
    """Proves patches against the program as it came.

    Attributes:
        session: Model, data and what is known before training.
        clock: Counts the budget down.
        tell: Told of the progress.
        record: Takes in every run.
        notes: Where to leave what the user should know.
        before: Scores of the program as it came, once they were measured.
        undecided: Whether the time was up before a gain could be told from noise.
    """

    session: Session
    clock: Clock
    tell: Narrator
    record: Callable[[Outcome], None]
    notes: list[str]
    before: Measured | None = None
    undecided: bool = False
    interrupted: bool = field(default=False, init=False)
    proofs: list[Proof] = field(default_factory=list, init=False)

    @property
    def best(self) -> Proof | None:
        """The best proof; of two alike, the one of the smaller patch, which was tried first."""
        best: Proof | None = None
        for proof in self.proofs:
            if best is None or proof.after.mean > best.after.mean + judge.tolerance(self.session, 1.0):
                best = proof
        return best

    @property
    def is_enough(self) -> bool:
        """Whether the best proof is near what the data allows."""
        return self.best is not None and judge.good_enough(self.session, self.best.after.mean)

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to prove: it is enough, the time is up, or the user has had enough."""
        return self.is_enough or self.interrupted or self.undecided

    @property
    def reached(self) -> float:
        """The best score that was proven; that of guessing without a proof."""
        return self.best.after.mean if self.best is not None else judge.floor(self.session)

    def prove(self, patches: Sequence[Patch]) -> None:
        """Trains the patches with fresh seeds, the first one first, until one is enough or the time is up."""
        self.tell("proving it on rows the search never saw")
        self.undecided = False
        for patch in patches:
            try:
                found = self.contest(patch)
            except KeyboardInterrupt:
                if self.best is None:
                    raise
                self.notes.append("interrupted by the user while a larger patch was tried")
                self.interrupted = True
                return
            if found is None:
                self.undecided = True
                return
            self.before, after, control = found[0], found[1], found[2] if len(found) > 2 else None
            if self.gains(found):
                self.proofs.append(Proof(self.weighed(patch, after), self.before, after, control))
            elif control is not None and self.gains([self.before, control]):
                self.proofs.append(Proof(only_longer(patch), self.before, control))
            else:
                late = self.clock.left == 0.0
                gain = after.mean - self.before.mean
                self.undecided = late and gain >= judge.least_gain(self.session, self.before)
                continue
            if self.is_enough:
                return

    def weighed(self, patch: Patch, after: Measured) -> Patch:
        """Returns a patch with the effects that the proof of a smaller one tells: of its lines, and of one more."""
        smaller = [proof for proof in self.proofs if set(proof.patch) < set(patch)]
        if not smaller:
            return patch
        base = max(smaller, key=lambda proof: len(proof.patch.lines))
        known = {change: change.effect for change in base.patch}
        gain = after.mean - base.after.mean
        tells = gain > 0.0 and len([line for line in patch.lines if line[0] not in known]) == 1
        more = gain if tells else None
        return Patch(
            tuple(
                change if change.effect is not None else replace(change, effect=known.get(change, more))
                for change in patch
            )
        )

    def baseline(self) -> Measured | None:
        """Scores of the program as it came with fresh seeds; None if the time did not allow one run."""
        if self.before is None:
            found = self.contest(Patch())
            self.before = found[0] if found else None
        return self.before

    def model(self, proof: Proof) -> Outcome:
        """The proven settings trained on every row, as the user would; the proven model itself if that goes worse."""
        proven = max(proof.after.outcomes, key=lambda outcome: outcome.rank)
        if self.clock.left < proven.again:
            return proven
        self.tell("training the model to hand over on every row")
        trainer, recipe = self.session.trainer, proof.patch.apply(self.session.recipe)
        deadline = self.clock.deadline
        try:
            if self.session.data.partial:
                full = trainer.fit(recipe, proof.patch, self.session.source, seed=proven.seed, deadline=deadline)
            else:
                full = trainer.run(recipe, proof.patch, seed=proven.seed, holdout=True, refit=True, deadline=deadline)
        except KeyboardInterrupt:
            self.interrupted = True
            self.notes.append("interrupted by the user: the model handed over is the one that was scored")
            return proven
        self.record(full)
        if full.status is Status.FAILED and self.session.data.partial:
            self.notes.append(f"the model handed over was trained on the rows that were read ({full.error})")
        least = proven.rank - judge.tolerance(self.session, proof.after.mean - proof.before.mean)
        if full.status is not Status.DONE or full.rank < least:
            return proven
        self.notes.append(
            "the model handed over was trained on all rows; the scores are those of the same settings on rows held out"
        )
        return full

    def contest(self, patch: Patch) -> list[Measured] | None:
        """Scores of the program as it came, of the patched one, and of the control if the patch trains longer."""
        origin = self.session.recipe
        contenders = [(origin, Patch())]
        if patch:
            recipe = patch.apply(origin)
            contenders.append((recipe, patch))
            if _trains_longer(origin, recipe) and not all(change.path.startswith("fit/") for change in patch):
                longer = only_longer(patch)
                contenders.append((longer.apply(origin), longer))
        return measure(
            contenders,
            self.session.trainer,
            floor=judge.floor(self.session),
            deadline=self.clock.deadline,
            on_trial=self.record,
            decided=lambda found: len(found) < 2 or self.gains(found) or found[1].mean <= found[0].mean,
            now=self.clock.now,
        )

    def gains(self, found: Sequence[Measured]) -> bool:
        """Whether the patched program beats the program as it came, and the same trained as long."""
        before, after = found[0], found[1]
        against = max((found[0], *found[2:]), key=lambda measured: measured.mean)
        return beats(after, against, judge.least_gain(self.session, before), judge.floor(self.session))


def _trains_longer(origin: Recipe, recipe: Recipe) -> bool:
    return int(recipe.fit["epochs"]) > int(origin.fit["epochs"])


def only_longer(patch: Patch) -> Patch:
    """Returns what of a patch makes training longer, and nothing else."""
    return Patch(tuple(change for change in patch if change.path in ("fit/epochs", "fit/patience")))

"""`Board`: the study that workers of a sweep share.

Every cell has one trial that waits, runs or is done. A worker takes a waiting trial by setting its state, which is
atomic in every storage. A trial whose worker died is failed, which happens once however many notice, and whoever did it
puts up another one. A finished trial takes no more changes: a worker that was given up and comes back late is refused.

Between failing a trial and putting up the next, whoever does it may die too. Somebody who misses the cell then puts up
a trial, perhaps two at once. So whoever takes a trial looks whether the cell has an older one that is not failed, and
lets go if it has. A cell is hence done by one trial only: of two that are done, the younger would have had to be taken
while the older was failed, and a failed trial is never done.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from autofix.errors import FixYourCall
from autofix.sweeps.cell import Cell
from autofix.sweeps.ending import Ending
from autofix.sweeps.lease import Lease, Watch
from autofix.sweeps.patience import Patience
from autofix.sweeps.storage import is_database
from autofix.sweeps.terms import MOST_DEATHS, Terms
from autofix.versions import counting, versions

# Names of attributes of the study and of trials.
CELLS, READY, VERSIONS = "autofix.cells", "autofix.ready", "autofix.versions"
CELL, DEATHS, LEASE, RESULT = "cell", "deaths", "lease", "result"
# Trials that were taken meanwhile, after which it pays to look again.
STALE = 2
# A repair that ended has a score or none; Optuna knows trials without a value as pruned.
DONE = (TrialState.COMPLETE, TrialState.PRUNED)
OPEN = (TrialState.WAITING, TrialState.RUNNING)


@dataclass(frozen=True)
class Claim:
    """A cell that this worker works on.

    Attributes:
        cell: Name of the cell.
        trial: Identifier of the trial.
        deaths: Workers that died of the cell before.
    """

    cell: str
    trial: int
    deaths: int


@dataclass
class Board:
    """What workers ask and tell the study.

    Attributes:
        storage: Where the study is.
        name: Name of the study.
        patience: Makes calls to the storage, again if it is away.
        terms: How long workers wait for what.
        lease: Of this worker.
    """

    storage: BaseStorage
    name: str
    patience: Patience
    terms: Terms
    lease: Lease = field(default_factory=Lease.new)

    def __post_init__(self) -> None:
        self._study: int | None = None
        self._watch = Watch(self.terms.dead)
        self._waiting: dict[int, FrozenTrial] = {}

    # What a sweep consists of

    def create(self, cells: Sequence[Cell]) -> None:
        """Creates the study and a trial for each cell that has none. Any number of processes may do so at once.

        Raises:
            FixYourCall: If the study is that of another sweep.
        """
        documents = {cell.name: cell.to_dict() for cell in cells}
        with contextlib.suppress(DuplicatedStudyError):
            self.patience(lambda: self.storage.create_new_study([StudyDirection.MAXIMIZE], study_name=self.name))
        known = self.attributes().get(CELLS)
        if known is None and self._trials():
            raise FixYourCall(f"the study {self.name!r} is no sweep. Pass another `--study`.")
        for name, document in (known or {}).items():
            if name in documents and documents[name] != document:
                raise FixYourCall(
                    f"the sweep {self.name!r} was begun with other settings or files. Received: another "
                    f"{_difference(document, documents[name])} for {name}. Pass another `--out` (with a database: "
                    "another `--study`) to begin a new one."
                )
        if known is None:
            self._set(VERSIONS, counting(versions()))
        if known is None or set(documents) - set(known):
            self._set(CELLS, {**(known or {}), **documents})
        self.put_up(documents)
        self._set(READY, True)

    def differing(self) -> list[str]:
        """Returns what is another version here than where the sweep was begun, as sentences: scores may differ."""
        here = counting(versions())
        return [
            f"{name} is {here.get(name, 'not installed')} here, and was {was} where the sweep was begun"
            for name, was in (self.attributes().get(VERSIONS) or {}).items()
            if here.get(name) != was
        ]

    def attributes(self) -> Mapping[str, Any]:
        """Returns the attributes of the study."""
        return self.patience(lambda: self.storage.get_study_user_attrs(self.study))

    @property
    def study(self) -> int:
        """Identifier of the study.

        Raises:
            FixYourCall: If there is none of that name.
        """
        if self._study is None:
            try:
                self._study = self.patience(lambda: self.storage.get_study_id_from_name(self.name))
            except KeyError as error:
                raise FixYourCall(
                    f"there is no study {self.name!r} in this storage. `autofix sweep` creates it; check the name."
                ) from error
        return self._study

    def put_up(self, cells: Iterable[str]) -> None:
        """Puts up a trial for each of these cells that has none that waits, runs or is done."""
        have = {trial.user_attrs.get(CELL) for trial in self._trials() if trial.state in (*OPEN, *DONE)}
        for cell in cells:
            if cell not in have:
                self._put_up(cell, 0)

    # What a worker does

    def claim(self, accepts: Callable[[str], bool] = lambda cell: True) -> Claim | None:
        """Takes a cell that waits and that `accepts` says yes to, by its name; None if there is none."""
        # What was seen last first: a trial that another worker has taken by now costs one call, a look at all several.
        fresh = False
        while True:
            candidates = [trial for trial in self._in_turn() if accepts(trial.user_attrs[CELL])]
            for trial in candidates[:STALE]:
                claim = self._take(trial)
                if claim is not None:
                    return claim
            if fresh and not candidates:
                return None
            self._trials()
            fresh = True

    def renew(self, claims: Iterable[Claim]) -> list[Claim]:
        """Gives a sign of life for cells; returns those that are lost: somebody took this worker for dead."""
        self.lease = replace(self.lease, count=self.lease.count + 1)
        sign = self.lease.to_dict()
        lost = []
        for claim in claims:
            try:
                self.patience(lambda claim=claim: self.storage.set_trial_user_attr(claim.trial, LEASE, sign))  # type: ignore[misc]
            except UpdateFinishedTrialError:
                lost.append(claim)
        return lost

    def finish(self, claim: Claim, ending: Ending) -> bool:
        """Writes down how a cell ended; returns False where it is lost: another worker's result counts."""
        document = {**ending.to_dict(), "holder": self.lease.holder}
        try:
            self.patience(lambda: self.storage.set_trial_user_attr(claim.trial, RESULT, document))
            self._close(claim.trial, ending)
        except UpdateFinishedTrialError:
            # Perhaps by this very call, whose answer got lost when the storage went away.
            trial = self.patience(lambda: self.storage.get_trial(claim.trial))
            return trial.state in DONE and trial.user_attrs.get(RESULT, {}).get("holder") == self.lease.holder
        return True

    def give_back(self, claim: Claim, *, died: bool = False) -> None:
        """Lets another worker have a cell; `died` if the process that worked on it did."""
        if self._fail(claim.trial):
            self._put_up(claim.cell, claim.deaths + died)

    # What everybody does for those who died

    def reap(self) -> list[str]:
        """Replaces the trials of dead workers; returns the names of their cells.

        One that died after it wrote its result down, and before it said that this is all, needs no replacement.
        """
        running = [trial for trial in self._trials() if trial.state is TrialState.RUNNING]
        by_id = {trial._trial_id: trial for trial in running}
        reaped = []
        for number in self._watch.lost((key, trial.user_attrs.get(LEASE)) for key, trial in by_id.items()):
            known = by_id[number].user_attrs
            if RESULT in known:
                with contextlib.suppress(UpdateFinishedTrialError):  # somebody else saw it first
                    self._close(number, Ending.from_dict(known[RESULT]))
                continue
            cell, deaths = known.get(CELL), int(known.get(DEATHS, 0)) + 1
            if cell is not None and self._fail(number):
                self._put_up(cell, deaths)
                reaped.append(cell)
        return reaped

    def endings(self) -> dict[str, Ending | None]:
        """Returns how each cell ended, in the order of the sweep; None for cells that are still to be done."""
        found: dict[str, Ending | None] = dict.fromkeys(self.attributes().get(CELLS, {}))
        for trial in self._trials():
            cell = trial.user_attrs.get(CELL)
            if cell in found and trial.state in DONE:
                found[cell] = Ending.from_dict(trial.user_attrs[RESULT])
        return found

    # In one call each

    def _trials(self) -> list[FrozenTrial]:
        trials = self.patience(lambda: self.storage.get_all_trials(self.study, deepcopy=False))
        self._waiting = {
            trial._trial_id: trial for trial in trials if trial.state is TrialState.WAITING and CELL in trial.user_attrs
        }
        return trials

    def _in_turn(self) -> list[FrozenTrial]:
        """Trials that waited when last seen: in order; in a database in an order of this worker's own.

        Workers of a database start together, and must not all run after the same cell.
        """
        waiting = list(self._waiting.values())
        if is_database(self.patience.address):
            Random(self.lease.holder).shuffle(waiting)
        return waiting

    def _set(self, key: str, value: Any) -> None:
        self.patience(lambda: self.storage.set_study_user_attr(self.study, key, value))

    def _put_up(self, cell: str, deaths: int) -> None:
        trial = create_trial(state=TrialState.WAITING, user_attrs={CELL: cell, DEATHS: deaths})
        self.patience(lambda: self.storage.create_new_trial(self.study, template_trial=trial))

    def _take(self, trial: FrozenTrial) -> Claim | None:
        number, cell = trial._trial_id, trial.user_attrs[CELL]
        self._waiting.pop(number, None)
        try:
            if not self.patience(lambda: self.storage.set_trial_state_values(number, TrialState.RUNNING)):
                return None
        except UpdateFinishedTrialError:
            return None
        claim = Claim(cell, number, int(trial.user_attrs.get(DEATHS, 0)))
        if self.renew([claim]):
            return None
        older = (other for other in self._trials() if other.number < trial.number)
        if any(other.user_attrs.get(CELL) == cell and other.state in (*OPEN, *DONE) for other in older):
            self._fail(number)
            return None
        if claim.deaths >= MOST_DEATHS:
            self.finish(claim, Ending.given_up(claim.deaths))
            return None
        return claim

    def _close(self, trial: int, ending: Ending) -> None:
        value = ending.score
        state = TrialState.PRUNED if value is None else TrialState.COMPLETE
        values = None if value is None else [value]
        self.patience(lambda: self.storage.set_trial_state_values(trial, state, values))

    def _fail(self, trial: int) -> bool:
        """Fails a trial; returns whether it was this call that did."""
        try:
            return self.patience(lambda: self.storage.set_trial_state_values(trial, TrialState.FAIL))
        except UpdateFinishedTrialError:
            return False


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What differs between two cells, in the words of a config."""
    changed = [key for key in new["job"] if old.get("job", {}).get(key) != new["job"][key]]
    return f"`{changed[0]}`" if changed else "content of the model or the data"

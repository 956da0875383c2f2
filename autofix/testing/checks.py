"""The checks that a strategy has to pass. Each raises `AssertionError` with the rule and what broke it."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autofix.change import Patch
from autofix.errors import StaleChange
from autofix.frozen import EMPTY, canonical
from autofix.recipe import Recipe
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix.testing.cases import SmallCase, diagnosis

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import Trial

BATCH = 16
DRAWS = 2


def check_strategy(strategy: Strategy, small: SmallCase, *, trained: set[str] | None = None) -> None:
    """Checks all of a strategy's contract on one small case.

    The strategy is asked without any diagnosis, with each symptom that it treats, and with all of them.

    Args:
        strategy: The strategy.
        small: The case, from `small_case`.
        trained: Fingerprints of recipes that need no further training run; those that are trained are added. Hand the
            same set to every call to train no recipe twice.

    Raises:
        AssertionError: If the strategy breaks a rule; the message says which.
    """
    trained = set() if trained is None else trained
    check_class(strategy)
    cases = tuple(asked(strategy, small.case))
    patches = [check_guess(strategy, case) for case in cases]
    fresh = {_deed(patch): patch for patch in reversed(patches)}.values()
    drawn = [check_draw(strategy, case, trial) for case in (cases[0], cases[-1]) for trial in _trials(DRAWS)]
    for patch in (*fresh, *drawn):
        check_patch(patch, small.case.recipe, strategy=strategy)
    for patch in (*fresh, drawn[-1]):
        check_file(patch, strategy=strategy)
        if patch:
            _train_once(patch, small, trained)


def _deed(patch: Patch) -> tuple[tuple[str, str], ...]:
    """What a patch does, whatever the reason."""
    return tuple((change.path, canonical(change.after)) for change in patch)


def asked(strategy: Strategy, case: Case) -> Iterator[Case]:
    """Yields the case without diagnoses, with each symptom that the strategy treats, and with all of them."""
    found = tuple(diagnosis(symptom) for symptom in sorted(strategy.treats, key=lambda item: item.name))
    for diagnoses in ((), *((item,) for item in found), found):
        yield replace(case, diagnoses=diagnoses)


def check_class(strategy: Strategy) -> None:
    """Checks that the strategy is a final frozen dataclass with a name, symptoms and documentation."""
    kind = type(strategy)
    _rule(dataclasses.is_dataclass(kind), strategy, "must be a dataclass")
    is_frozen = getattr(getattr(kind, "__dataclass_params__", None), "frozen", False)
    _rule(is_frozen, strategy, "must be frozen: `@dataclass(frozen=True)`")
    _rule(getattr(kind, "__final__", False), strategy, "must be final: `@typing.final`")
    _rule(bool(re.fullmatch(r"[a-z][a-z0-9_]*", strategy.name)), strategy, "must have a name in snake_case")
    treats: Any = strategy.treats
    _rule(isinstance(treats, frozenset) and bool(treats), strategy, "must treat a frozenset of symptoms")
    _rule(all(isinstance(item, Symptom) for item in treats), strategy, "must treat members of `Symptom`")
    for heading in ("What it changes:", "Why it helps:", "When it does not apply:", "References:"):
        _rule(heading in (kind.__doc__ or ""), strategy, f"must be documented under the heading {heading!r}")


def check_guess(strategy: Strategy, case: Case) -> Patch:
    """Checks that `guess` is pure, and returns its patch."""
    before = case.recipe.fingerprint()
    first, second = strategy.guess(case), type(strategy)().guess(case)
    _rule(first == second, strategy, "must guess the same patch for the same case")
    _rule(case.recipe.fingerprint() == before, strategy, "must leave the recipe as it is")
    return first


def check_draw(strategy: Strategy, case: Case, trial: Trial) -> Patch:
    """Checks that `suggest` draws from the trial alone, under the strategy's name, and returns its patch."""
    from optuna.trial import FixedTrial

    before = case.recipe.fingerprint()
    first = strategy.suggest(trial, case)
    prefix = strategy.name + "."
    strange = [name for name in trial.params if not name.startswith(prefix)]
    _rule(not strange, strategy, f"must prefix its parameters with {prefix!r}. Received: {strange}")
    again = type(strategy)().suggest(FixedTrial(dict(trial.params)), case)
    _rule(first == again, strategy, "must suggest the same patch when the trial is replayed")
    _rule(case.recipe.fingerprint() == before, strategy, "must leave the recipe as it is")
    return first


def check_space(strategy: Strategy, cases: Iterable[SmallCase]) -> None:
    """Checks that one Optuna study can hold the draws of all cases: the choices of a parameter are always the same."""
    study = _study()
    for small in cases:
        for case in asked(strategy, small.case):
            trial = study.ask()
            try:
                strategy.suggest(trial, case)
            except ValueError as error:
                raise AssertionError(f"`{strategy.name}` must always offer the same choices. {error}") from error
            study.tell(trial, 0.0)


def check_patch(patch: Patch, recipe: Recipe, *, strategy: Strategy) -> None:
    """Checks that a patch changes something, can be undone, and is refused a second time."""
    paths = [change.path for change in patch]
    _rule(len(set(paths)) == len(paths), strategy, f"must change each path once. Received: {paths}")
    for change in patch:
        _rule(
            canonical(change.before) != canonical(change.after), strategy, f"must change something at {change.path!r}"
        )
        _rule(change.strategy == strategy.name, strategy, f"must sign its changes. Received: {change.strategy!r}")
        _rule(bool(change.why.strip()), strategy, f"must say why it changes {change.path!r}")
        _rule(recipe.has(change.path), strategy, f"must change what is there. Received: {change.path!r}")
    try:
        patched = patch.apply(recipe)
    except StaleChange as error:
        raise AssertionError(f"`{strategy.name}` must read `before` from the recipe it is given. {error}") from error
    _rule(patch.inverse().apply(patched) == recipe, strategy, "must make a patch that its inverse undoes")
    _rule(not patch or _refused(patch, patched), strategy, "must make a patch that is refused a second time")


def check_file(patch: Patch, *, strategy: Strategy) -> None:
    """Checks that a patch comes back from YAML and from strict JSON as it was."""
    _rule(Patch.from_yaml(patch.to_yaml()) == patch, strategy, "must make a patch that survives YAML")
    try:
        document = json.loads(json.dumps(patch.to_dict(), allow_nan=False))
    except ValueError as error:
        raise AssertionError(f"`{strategy.name}` must make a patch that survives JSON. {error}") from error
    _rule(Patch.from_dict(document) == patch, strategy, "must make a patch that survives JSON")


def check_trains(patch: Patch, small: SmallCase) -> None:
    """Checks that the patched recipe builds, and that one step on one batch leaves finite weights."""
    changed = ", ".join(change.path for change in patch) or "no change"
    try:
        recipe = patch.apply(small.case.recipe)
        x, y = _rows(small.x), _labels(small, recipe)
        model = recipe.build(seed=0, example=x)
        logs = model.train_step((_tensors(x), _tensors(y)))
    except Exception as error:  # whatever Keras or TensorFlow say to a recipe that makes no sense
        raise AssertionError(f"one step after {changed} must work. {type(error).__name__}: {error}") from error
    loss = float(np.asarray(logs["loss"]))
    if not math.isfinite(loss):
        raise AssertionError(f"one step after {changed} must have a finite loss. Received: {loss}")
    if not all(np.all(np.isfinite(weights)) for weights in model.get_weights()):
        raise AssertionError(f"one step after {changed} must leave finite weights.")


def _train_once(patch: Patch, small: SmallCase, trained: set[str]) -> None:
    # Settings of `fit` do not matter for a single step.
    recipe = replace(patch.apply(small.case.recipe), fit=EMPTY)
    if recipe.fingerprint() not in trained:
        trained.add(recipe.fingerprint())
        check_trains(patch, small)


def _rows(value: Any) -> Any:
    """The first rows of arrays that come bare, in lists or in dicts."""
    return _each(value, lambda array: array[:BATCH])


def _tensors(value: Any) -> Any:
    import keras

    return _each(value, keras.ops.convert_to_tensor)


def _each(value: Any, do: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {key: _each(item, do) for key, item in value.items()}
    if isinstance(value, list):
        return [_each(item, do) for item in value]
    return do(value)


def _labels(small: SmallCase, recipe: Recipe) -> Any:
    """The targets as the patched recipe asks for them: as they are, or as the index of their label."""
    y = _rows(small.y)
    labels = recipe.transforms.get("labels")
    if not labels:
        return y
    named = y if isinstance(y, dict) else {small.case.facts.targets[0].name: y}
    encoded = {
        name: np.asarray([labels[name].index(item) for item in array.reshape(-1).tolist()]) if name in labels else array
        for name, array in named.items()
    }
    return encoded if isinstance(y, dict) else next(iter(encoded.values()))


def _study() -> Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))


def _trials(count: int) -> Iterator[Trial]:
    study = _study()
    for _ in range(count):
        yield study.ask()


def _refused(patch: Patch, recipe: Recipe) -> bool:
    return not _applies(patch, recipe)


def _applies(patch: Patch, recipe: Recipe) -> bool:
    try:
        patch.apply(recipe)
    except StaleChange:
        return False
    return True


def _rule(holds: bool, strategy: Strategy, rule: str) -> None:
    if not holds:
        raise AssertionError(f"`{strategy.name}` {rule}.")

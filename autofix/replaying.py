"""A patch made before, applied to a model without searching again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autofix import yaml_text
from autofix.change import Patch
from autofix.errors import FixYourCall, FixYourData, FixYourModel, did_you_mean
from autofix.frozen import thaw
from autofix.outcome import Outcome, Status
from autofix.recipe import Recipe
from autofix.sources.screening import screen_config

if TYPE_CHECKING:
    import keras

    from autofix.session import Session

# A patch is a few changes; one that puts layers into every layer of a large model is still far below.
MOST_BYTES = 2**24
# What a run folder holds of its changes, in the order in which it is looked for.
IN_FOLDER = ("patch.yaml", "change_log.json")


@dataclass(frozen=True, eq=False)
class Replayed:
    """A patched model.

    Attributes:
        model: The model, compiled.
        kept: How many of its weight arrays are those of the model that came.
        arrays: How many it has.
        score: Score on rows held out, in units of `metric`; None where it was not trained.
        metric: Name of the metric; None where it was not trained.
    """

    model: keras.Model
    kept: int
    arrays: int
    score: float | None = None
    metric: str | None = None


def read_patch(path: Path, *, allow_unsafe: bool = False) -> Patch:
    """Reads a patch from `patch.yaml`, a change log or result in JSON, or a run folder; never runs code from it.

    Args:
        path: The file or folder.
        allow_unsafe: Whether what it puts into a model may be code, which is run when the model is built.

    Raises:
        FixYourCall: If there is no such file, or it is no patch, or it would run code.
    """
    if path.is_dir():
        found = next((path / name for name in IN_FOLDER if (path / name).is_file()), None)
        if found is None:
            raise FixYourCall(f"{str(path)!r} must be a run folder with {IN_FOLDER[0]}. Received: one without.")
        path = found
    if not path.is_file():
        beside = sorted(item.name for item in path.parent.iterdir()) if path.parent.is_dir() else []
        raise FixYourCall(f"there is no patch {str(path)!r}.{did_you_mean(path.name, beside)} Check the path.")
    if path.stat().st_size > MOST_BYTES:
        raise FixYourCall(f"{str(path)!r} must be a patch. Received: {path.stat().st_size:,} bytes.")
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else yaml_text.read(text)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise FixYourCall(f"{str(path)!r} is no patch: {error}") from error
    if not isinstance(document, Mapping):
        raise FixYourCall(
            f"{str(path)!r} must be a mapping with a list `changes`. Received: {type(document).__name__}."
        )
    try:
        patch = Patch.from_dict(document)
    except FixYourCall as error:
        raise FixYourCall(f"{str(path)!r}: {error}") from error
    if not allow_unsafe:
        try:
            screen_config([thaw(change.after) for change in patch], path, allow_unsafe=False)
        except FixYourModel as error:
            raise FixYourCall(str(error)) from error
    return patch


def replay(patch: Patch, model: Any) -> Replayed:
    """Applies a patch to a model, which stays what it is. Weights are kept wherever they still fit.

    Args:
        patch: What to change.
        model: A compiled `keras.Model`, or a function that builds one.

    Raises:
        StaleChange: If the model is no longer the one that the patch was made for.
        FixYourCall: If the patch changes what the model does not have, or nothing can be built of what comes out.
    """
    from autofix.given import read_model
    from autofix.recipe.build import restore
    from autofix.trainer.start import Start

    live, _, _ = read_model(model, {}, seed=0)
    recipe = Recipe.of(live)
    patched = patch.apply(recipe)
    try:
        built = patched.build(seed=0)
    except FixYourModel as error:
        raise FixYourCall(
            f"the patch must be one for this model. Received: one that makes another of it. {error}"
        ) from error
    fresh = tuple(variable.numpy() for variable in built.weights)
    kept = Start(live, recipe, "keep").weights(patched, built, 0, fresh)
    restore(built, kept)
    same = sum(mine is not new for mine, new in zip(kept, fresh, strict=True))
    return Replayed(built, same, len(fresh))


def retrain(patch: Patch, session: Session) -> Replayed:
    """Applies a patch and trains what comes out: once to score it on rows held out, and then on all rows.

    Args:
        patch: What to change.
        session: The program and its data.

    Raises:
        StaleChange: If the model is no longer the one that the patch was made for.
        FixYourData: If it does not train.
    """
    recipe = patch.apply(session.recipe)
    scored = _done(session.trainer.run(recipe, patch, holdout=True, whole=True))
    final = _done(session.trainer.run(recipe, patch, holdout=True, refit=True))
    model = session.trainer.build(final, recipe)
    score = None if scored.holdout is None else scored.holdout.value
    return Replayed(model, 0, len(model.weights), score, session.scorer.name)


def _done(outcome: Outcome) -> Outcome:
    if outcome.status is not Status.DONE:
        why = f" ({outcome.error})" if outcome.error else ""
        raise FixYourData(
            f"the patched model must train on this data. Received: a run that {outcome.status.value}{why}. "
            "Run `autofix repair` on it instead."
        )
    return outcome

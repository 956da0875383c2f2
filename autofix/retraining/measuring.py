"""What a challenger is worth: scores, the paired test against the champion, drift."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autofix import judge
from autofix.errors import FixYourModel, one_line
from autofix.frozen import thaw
from autofix.recipe import Recipe
from autofix.report.words import place_text
from autofix.report.words import value_text as show
from autofix.result import RepairResult, Verdict
from autofix.retraining import drift
from autofix.retraining.asked import Answer, Asked
from autofix.retraining.contest import Contest, Standing, contest, standing
from autofix.retraining.predictions import Predictions, mixed, predictions
from autofix.retraining.rows import Rows, target_columns
from autofix.session import Session, with_labels
from autofix.sources.model import load_model

if TYPE_CHECKING:
    import keras

# Verdicts with a model to hand over.
WITH_MODEL = frozenset({Verdict.HEALTHY, Verdict.REPAIRED, Verdict.IMPROVED})
# Of a program that looked healthy and did not stay so when it was trained on every row.
LOST = "The program looked healthy, and its loss became NaN or infinite when it was trained on every row."


@dataclass(frozen=True, eq=False)
class Challenger:
    """A new model.

    Attributes:
        model: The model, trained.
        recipe: Its program.
        result: The repair that it comes from; of a healthy run, what was looked at.
    """

    model: keras.Model | None
    recipe: Recipe
    result: RepairResult


def measured(session: Session, rows: Rows, challenger: Challenger, asked: Asked) -> Answer:
    """Scores challenger and champion on the holdout and compares them.

    Args:
        session: Program, data and scorer.
        rows: The fresh rows.
        challenger: The new model, if there is one.
        asked: Names the champion.

    Returns:
        What came of the training.
    """
    facts, scorer, count = session.facts, session.scorer, rows.counts[1]
    chance = scorer.chance(rows.flat_y)
    new = old = None
    if challenger.model is not None:
        new = predictions(challenger.model, challenger.recipe, facts, session.data, rows.held.x)
    if asked.champion is not None:
        old = _of_champion(session, rows, asked)

    def stands(found: Predictions | None) -> Standing | None:
        if found is None:
            return None
        return standing(
            lambda some: (
                scorer.score(
                    [y[some] for y in rows.flat_y], [output[some] for output in found.outputs], found.links
                ).value
            ),
            list(found.outputs),
            count,
            seed=asked.seed,
        )

    standings = stands(new), stands(old)
    test = None if new is None or old is None else _contest(session, rows, new, old, asked.seed)
    result = challenger.result
    found = _drift(rows, session, asked, standings[1])
    return Answer(
        fingerprint=rows.fingerprint,
        verdict=result.status,
        sentence=LOST if challenger.model is None and result.verdict in WITH_MODEL else result.verdict.value,
        metric=scorer.name,
        challenger=None if standings[0] is None else standings[0].to_dict(),
        champion=None if standings[1] is None else standings[1].to_dict(),
        contest=None if test is None else test.to_dict(),
        chance=scorer.floor if chance is None else chance,
        drift=None if found is None else found.to_dict(),
        drift_text="" if found is None else str(found),
        rows=rows.counts,
        fit=_fit_by_label(challenger.recipe, session),
        labels=_labels(challenger.recipe, session),
        changes=tuple(_line(line) for line in result.patch.lines),
        findings=tuple(str(item) for item in result.diagnosis if item.severity >= judge.SUSPECT),
        notes=tuple(dict.fromkeys((*rows.notes, *result.notes, *result.next_steps))),
    )


def _of_champion(session: Session, rows: Rows, asked: Asked) -> Predictions:
    assert asked.champion is not None
    trains_it = asked.model == asked.champion
    model = session.model if trains_it else load_model(asked.champion, allow_unsafe=asked.allow_unsafe)
    recipe = session.recipe
    if not trains_it:
        recipe = with_labels(Recipe.of(model), session.facts, asked.champion_labels or ())
    try:
        return predictions(model, recipe, session.facts, session.data, rows.held.x)
    except Exception as error:  # whatever a model raises about inputs that it was not made for
        raise FixYourModel(
            f"the champion must be able to score the fresh data. Received: {one_line(error)}. "
            "For data of another form begin a new folder: another `models`."
        ) from error


def _contest(session: Session, rows: Rows, new: Predictions, old: Predictions, seed: int) -> Contest:
    targets = session.facts.targets
    if not new.mixes_with(old):
        new, old = new.plain(targets), old.plain(targets)

    def score(some: Any, mine: Any) -> tuple[float, float]:
        truths = [y[some] for y in rows.flat_y]
        first = session.scorer.score(truths, mixed(new, old, some, mine), new.links).value
        second = session.scorer.score(truths, mixed(new, old, some, ~mine), new.links).value
        return first, second

    return contest(score, rows.counts[1], seed=seed)


def _drift(rows: Rows, session: Session, asked: Asked, champion: Standing | None) -> drift.Drift | None:
    if asked.profile is None:
        return None
    old = [drift.Feature.from_dict(item) for item in asked.profile["features"]]
    targets = [drift.Feature.from_dict(item) for item in asked.profile["targets"]]
    return drift.found(
        old,
        targets,
        rows.columns(),
        target_columns(rows.own, session.facts.targets),
        recorded=Standing.from_dict(asked.profile["standing"]) if asked.profile["standing"] else None,
        now=champion,
        threshold=asked.drift,
    )


def _fit_by_label(recipe: Recipe, session: Session) -> Mapping[str, Any]:
    """Settings of `fit` as a user writes them: class weights by label, which columns may not stand for later."""
    fit = dict(thaw(recipe.fit))
    weights, targets = fit.get("class_weight"), session.facts.targets
    if weights is not None and len(targets) == 1:
        classes = targets[0].classes
        fit["class_weight"] = {
            str(classes[int(place)]): weight for place, weight in weights.items() if int(place) < len(classes)
        }
    return fit


def _labels(recipe: Recipe, session: Session) -> tuple[Any, ...] | None:
    named = thaw(recipe.transforms["labels"])
    return None if not named else tuple(named.get(target.name) for target in session.facts.targets)


def _line(line: Any) -> str:
    return f"{place_text([change.path for change in line])}: {show(line[0].before)} -> {show(line[0].after)}"

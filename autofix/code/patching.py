"""`autofix patch`: the changes of a repair as a diff of the user's own script."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from autofix.change import Change, Patch
from autofix.code.reasons import legend
from autofix.code.source.edits import Edit, carried_out
from autofix.code.source.expressions import TooLong
from autofix.code.source.fits import Fitter
from autofix.code.source.inserting import Inserter
from autofix.code.source.matching import Match, match
from autofix.code.source.names import Names
from autofix.code.source.planning import Plan, Planner
from autofix.code.source.reach import nodes_of
from autofix.code.source.reading import Reader, ways
from autofix.code.source.telling import described
from autofix.code.source.text import Source
from autofix.code.source.values import UNKNOWN, Scope
from autofix.errors import FixYourCall, StaleChange
from autofix.recipe import Recipe

# Differences between script and recipe that are shown.
SHOWN = 4


@dataclass(frozen=True)
class Proposal:
    """What a patch makes of a script.

    Attributes:
        content: The script with the changes made.
        diff: The same as a unified diff, "" where nothing changes.
        by_hand: What has no safe place in the script: which change, why, and what to do.
        remarks: What else to know.
        is_done: Whether the script holds the changes already.
    """

    content: bytes
    diff: str
    by_hand: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    is_done: bool = False


def propose(
    content: bytes,
    recipe: Recipe,
    patch: Patch,
    *,
    name: str = "train.py",
    model: str | None = None,
    comments: bool = True,
) -> Proposal:
    """Returns what becomes of a script when a patch is applied to it. The script is parsed and never run.

    Args:
        content: The script.
        recipe: The program that was repaired, as it came.
        patch: What was changed.
        name: What the script is called in the diff.
        model: Function, class or variable of the script that holds the model, where several might be meant.
        comments: Whether to say beside each changed line why.

    Raises:
        FixYourCall: If the script cannot be parsed or holds several models that might be meant.
        StaleChange: If no model of the script is the one that was repaired.
    """
    source = Source.of(content, name)
    found = list(_matches(source, recipe, model))
    exact = [(reader, item) for reader, item in found if not item.differences]
    if not exact:
        done = [item for _, item in _matches(source, patch.apply(recipe), model) if not item.differences]
        if done and patch:
            return Proposal(content, "", is_done=True)
        raise StaleChange(_stale(name, [item for _, item in found], model))
    plans = _plans(source, exact, recipe, patch)
    texts = {carried_out(source, plan.edits, comments=comments): plan for plan in plans}
    if len(texts) > 1:
        places = sorted({place for _, item in exact for place in item.net.places} - {"<lambda>"})
        raise FixYourCall(
            f"one model of the script must be meant. Received: {name}, where {len(texts)} fit the repaired program. "
            f"Pass --model with the function or variable that holds it, one of {', '.join(places)}."
        )
    text, plan = next(iter(texts.items()))
    plan.remarks += _shared(source, plan, [item for _, item in found if item.differences])
    made = patch.without(change for change in patch if change.path in plan.left)
    if text != source.text and not _holds(source.bytes_of(text), made.apply(recipe), model):
        by_hand = tuple(f"{number}. {sentence}" for number, sentence in legend(patch))
        return Proposal(content, "", by_hand, ("the changes cannot be made in this script without a guess.",))
    return Proposal(
        source.bytes_of(text), _diff(source.text, text, name), tuple(plan.by_hand), tuple(dict.fromkeys(plan.remarks))
    )


def _matches(source: Source, recipe: Recipe, model: str | None) -> Iterator[tuple[Reader, Match]]:
    """Yields every model of a script, held against the recipe; those that the script makes when run come first."""
    later: list[tuple[Reader, Match]] = []
    try:
        for reader in ways(source.module):
            for place, net in enumerate(reader.nets):
                if model is not None and model not in net.places:
                    continue
                item = reader, match(net, recipe)
                if place < reader.run_nets:
                    yield item
                else:
                    later.append(item)
    except (TooLong, RecursionError):
        pass
    yield from later


def _holds(content: bytes, recipe: Recipe, model: str | None) -> bool:
    """Whether a script makes the model of a recipe: what was written is read again before anybody gets to see it."""
    source = Source.of(content, "the patched script")
    return any(not item.differences for _, item in _matches(source, recipe, model))


def _shared(source: Source, plan: Plan, others: list[Match]) -> Iterator[str]:
    """Says which changes reach another model of the script, one that was not repaired."""
    lines: dict[int, set[str]] = {}
    for other in others:
        for node in plan.touched & set(nodes_of(other.net)):
            lines.setdefault(source.line(node), set()).update(other.net.places)
    if lines:
        numbers = ", ".join(map(str, sorted(lines)))
        places = ", ".join(sorted(set().union(*lines.values()) - {"lambda"}))
        what = f"line {numbers} is" if len(lines) == 1 else f"lines {numbers} are"
        yield f"{what} part of another model too, which changes as well (it goes by {places})."


def _plans(source: Source, exact: list[tuple[Reader, Match]], recipe: Recipe, patch: Patch) -> list[Plan]:
    """Returns the plans for the models of which most is known: a function called without arguments tells less."""
    told = [_untold(item) for _, item in exact]
    ran = [any(net is item.net for net in reader.nets[: reader.run_nets]) for reader, item in exact]
    best = min(zip(told, (not flag for flag in ran), strict=True))
    chosen = [pair for pair, count, flag in zip(exact, told, ran, strict=True) if (count, not flag) == best]
    return [_plan(source, reader.scope, item, recipe, patch) for reader, item in chosen]


def _untold(item: Match) -> int:
    """How many values of a match the script does not tell."""
    is_bare = item.net.compiled is None
    own = (seen for path, seen in item.slots.items() if not path.startswith("fit/"))
    return sum(described(seen) is UNKNOWN for seen in own) + 100 * is_bare


def _plan(source: Source, scope: Scope, item: Match, recipe: Recipe, patch: Patch) -> Plan:
    names = Names(scope)
    planner = Planner(source, item, recipe, patch, names)
    inserter, fitter = Inserter(planner), Fitter(planner)
    structure: dict[str, Change] = {}
    values: dict[str, Change] = {}
    fits: dict[str, Change] = {}
    for change in patch:
        if change.key in ("after", "skip"):
            structure[change.path] = change
        elif change.path.startswith("fit/"):
            fits[change.path] = change
        elif change.path.startswith("transforms/labels"):
            fitter.labels(change)
        else:
            values[change.path] = change
    gone = tuple(path.removesuffix("skip") for path in structure if path.endswith("/skip"))
    planner.values({path: change for path, change in values.items() if not path.startswith(gone or "\0")})
    inserter.structure(structure)
    fitter.settings(fits)
    planner.plan.edits += _head(source, names, inserter.functions)
    return planner.plan


def _head(source: Source, names: Names, functions: list[str]) -> Iterator[Edit]:
    """Imports that the script lacks and functions that build nested models, behind the imports of the script."""
    if not names.imports and not functions:
        return
    place, newline = 0, source.module.default_newline
    for node in source.module.body:
        is_import = isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[0], cst.Import | cst.ImportFrom)
        is_text = isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[0], cst.Expr) and place == 0
        if is_import or is_text:
            place = source.line_end(source.span(node)[1])
    text = "".join(f"{line}{newline}" for line in names.imports)
    text += "".join(f"{newline}{newline}{function}" for function in functions) + newline * bool(functions)
    yield Edit(place, place, text, "for the changes below")


def _diff(before: str, after: str, name: str) -> str:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(old, new, f"a/{name.lstrip('/')}", f"b/{name.lstrip('/')}")
    )


def _stale(name: str, found: list[Match], model: str | None) -> str:
    if not found:
        where = f" named {model!r}" if model else ""
        return (
            f"the script must make the model that was repaired. Received: {name}, where no Keras model{where} is made "
            "in a way that can be followed. Pass the script that builds it, or make the changes by hand."
        )
    nearest = min(found, key=lambda item: len(item.differences))
    told = "; ".join(nearest.differences[:SHOWN])
    more = len(nearest.differences) - SHOWN
    return (
        f"the script must make the model that was repaired. Received: {name}, which differs: {told}"
        f"{f'; and {more} more' if more > 0 else ''}. Pass the script as it was, or repair the model again."
    )

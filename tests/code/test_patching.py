"""Scripts of many styles: the patched script makes the patched model, and nothing else in it changes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from autofix.change import Change, Patch
from autofix.code.naming import numbered
from autofix.code.patching import Proposal, propose
from autofix.errors import FixYourCall, StaleChange
from autofix.recipe import Recipe, layers
from tests.code.more_styles import STYLES
from tests.code.styles import Style

# Styles of older Keras are read as well as of today's.
pytestmark = pytest.mark.filterwarnings("ignore:Do not pass an `input_shape`:UserWarning")
WHY = "The loss stays where it started. It is 1.1 after 30 steps."


class Ran:
    """What a script did when it was run: the model that it fitted and how."""

    def __init__(self, content: bytes) -> None:
        import keras
        import numpy as np

        self.fits: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []
        self.x, self.y = np.zeros((8, 4), "float32"), np.arange(8) % 3
        names = {"x": self.x, "y": self.y, "__name__": "__main__"}

        def fit(model: Any, *arguments: Any, **settings: Any) -> None:
            self.fits.append((model, arguments, settings))

        own = keras.Model.fit
        keras.Model.fit = fit
        try:
            exec(compile(content, "script", "exec"), names)  # noqa: S102 (the scripts are ours)
        finally:
            keras.Model.fit = own
        self.model = self.fits[-1][0] if self.fits else next(v for k, v in names.items() if k == "create_model")()
        if not self.model.built:
            self.model(self.x[:2])

    def recipe(self, fit: dict[str, Any]) -> Recipe:
        return Recipe.of(self.model, fit=fit, example=self.x)

    @property
    def settings(self) -> dict[str, Any]:
        return self.fits[-1][2]


def content_of(style: Style, name: str) -> bytes:
    return style.text.encode("latin-1" if name == "latin_1" else "utf-8")


def real_path(recipe: Recipe, path: str) -> str:
    first, _, rest = path.partition("/")
    return f"{layers(recipe)[int(first)].path}/{rest}" if first.isdigit() else path


def patch_of(recipe: Recipe, style: Style) -> Patch:
    changes = []
    for path, after in style.wants.items():
        where = real_path(recipe, path)
        changes.append(Change(where, recipe.get(where), after, "test", WHY))
    return Patch(tuple(changes))


class Case:
    """One style, run once: the recipe, the patch and what is proposed."""

    def __init__(self, name: str) -> None:
        self.name, self.style = name, STYLES[name]
        self.content = content_of(self.style, name)
        self.ran = Ran(self.content)
        self.recipe = self.ran.recipe(self.style.fit)
        self.patch = patch_of(self.recipe, self.style)
        self.proposal = self.propose()

    def propose(self, *, comments: bool = True) -> Proposal:
        return propose(self.content, self.recipe, self.patch, model=self.style.model, comments=comments)


@pytest.fixture(scope="module")
def cases() -> Iterator[Any]:
    made: dict[str, Case] = {}

    def get(name: str) -> Case:
        if name not in made:
            made[name] = Case(name)
        return made[name]

    yield get


def text_of(case: Case) -> str:
    return case.proposal.content.decode("latin-1" if case.name == "latin_1" else "utf-8")


@pytest.mark.parametrize("name", STYLES)
def test_patched_script_makes_patched_model(cases: Any, name: str) -> None:
    case = cases(name)
    left = {real_path(case.recipe, path) for path in case.style.by_hand}
    assert {told.split(": ")[0] for told in case.proposal.by_hand} == left
    text = text_of(case)
    for wanted in case.style.has:
        assert wanted in text
    for unwanted in case.style.lacks:
        assert unwanted not in "\n".join(line for line in text.splitlines() if "# autofix" not in line)
    done = Patch(tuple(change for change in case.patch if change.path not in left))
    again = Ran(case.proposal.content)
    wanted = done.apply(case.recipe)
    got = numbered(again.recipe(case.style.fit))
    want = numbered(Recipe.of(wanted.build(example=case.ran.x), example=case.ran.x))
    for document in (got, want):
        _forget_idle(document["architecture"])
    for section in ("architecture", "compile"):
        assert json.dumps(got[section], sort_keys=True, indent=1) == json.dumps(want[section], sort_keys=True, indent=1)
    for change in done:
        if change.path.startswith("fit/") and change.key != "patience":
            value = again.settings[change.key]
            assert value == ({int(k): v for k, v in change.after.items()} if change.key == "class_weight" else change.after)
        if change.key == "patience":
            stops = [item for item in again.settings["callbacks"] if type(item).__name__ == "EarlyStopping"]
            assert [item.patience for item in stops] == [change.after]


def _forget_idle(model: dict[str, Any]) -> None:
    """Whether a layer without weights is trainable has no effect."""
    for item in model["config"].get("layers", ()):
        if not any(key.endswith("_initializer") for key in item["config"]):
            item["config"].pop("trainable", None)


@pytest.mark.parametrize("name", STYLES)
def test_second_time_there_is_nothing_to_do(cases: Any, name: str) -> None:
    case = cases(name)
    if case.style.by_hand or not any(change.path.startswith(("layers", "compile")) for change in case.patch):
        return
    again = propose(case.proposal.content, case.recipe, case.patch, model=case.style.model)
    assert (again.diff, again.is_done, again.content) == ("", True, case.proposal.content)

"""Scripts of many styles: the patched script makes the patched model, and nothing else in it changes."""

import json
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
def cases() -> Any:
    made: dict[str, Case] = {}

    def get(name: str) -> Case:
        if name not in made:
            made[name] = Case(name)
        return made[name]

    return get


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
            assert value == (
                {int(k): v for k, v in change.after.items()} if change.key == "class_weight" else change.after
            )
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


def test_of_two_models_alike_one_has_to_be_named(cases: Any) -> None:
    case = cases("two_models_alike")
    with pytest.raises(FixYourCall, match=r"Pass --model .* first, .*second"):
        propose(case.content, case.recipe, case.patch)
    with pytest.raises(StaleChange, match="no Keras model named 'third'"):
        propose(case.content, case.recipe, case.patch, model="third")


def test_another_model_that_changes_too_is_named(cases: Any) -> None:
    case = cases("cross_validation")
    text = case.style.text + "\n\ndef small():\n    return build(2)\n"
    told = propose(text.encode(), case.recipe, case.patch)
    assert told.remarks == (
        "line 7 is part of another model too, which changes as well (it goes by build, net, small).",
    )
    assert not case.proposal.remarks


def test_comments_can_be_left_out(cases: Any) -> None:
    for name in ("typed_and_commented", "long_calls", "functional"):
        case = cases(name)
        assert "# autofix" in text_of(case)
        assert b"# autofix" not in case.propose(comments=False).content


def test_a_patch_that_does_not_fit_the_recipe_is_refused(cases: Any) -> None:
    case = cases("sequential_list")
    path = f"{layers(case.recipe)[1].path}/activation"
    with pytest.raises(StaleChange, match="must be 'tanh'"):
        propose(case.content, case.recipe, Patch((Change(path, "tanh", "relu", "test", WHY),)))


def test_what_was_written_is_read_again(cases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    case = cases("sequential_list")
    monkeypatch.setattr(
        "autofix.code.patching.carried_out", lambda *_, **__: case.style.text.replace("Dense(8", "Dense(9")
    )
    told = case.propose()
    assert (told.diff, told.content) == ("", case.content)
    assert len(told.by_hand) == len(case.patch.lines)
    assert "without a guess" in told.remarks[0]


def test_a_nested_model_is_a_function_of_the_script(cases: Any) -> None:
    """Missing values are replaced by operations, which only a functional model can hold."""
    import keras

    case = cases("names_only")
    inputs = keras.Input((4,), name="input_layer_3_imputed_from")
    filled = keras.ops.nan_to_num(keras.layers.Normalization(mean=[0.0] * 4, variance=[1.0] * 4)(inputs), nan=0.5)
    inner = Recipe.of(compiled(keras.Model(inputs, filled, name="input_layer_3_imputed"))).to_dict()["architecture"]
    change = Change(f"{layers(case.recipe)[0].path}/after", [], [inner], "missing_values", WHY)
    told = propose(case.content, case.recipe, Patch((change,)))
    assert "def build_inputs_imputed():" in told.content.decode()
    assert "nan=0.5" in told.content.decode()
    want = numbered(Recipe.of(Patch((change,)).apply(case.recipe).build()))
    assert numbered(Ran(told.content).recipe({}))["architecture"] == want["architecture"]


def compiled(model: Any) -> Any:
    model.compile("sgd", "mse")
    return model

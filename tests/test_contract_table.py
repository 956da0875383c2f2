"""The contract between task, labels, head and loss: what is reported, what is not, and the way back."""

from __future__ import annotations

import itertools
import sys
import warnings
from typing import Any

import keras
import numpy as np
import pytest

from autofix.contract import TABLE, best_triple, link_of, losses, outputs_of, tails, violations, with_loss
from autofix.contract.losses import CROSS_ENTROPIES, KNOWN_LOSSES
from autofix.decoding import Link
from autofix.facts import DataFacts, Encoding, InputFacts, TargetFacts, TaskKind
from autofix.recipe import Recipe
from autofix.strategy import Case
from autofix.symptom import Symptom
from autofix_strategies.loss import Loss
from autofix_strategies.output_layer import OutputLayer
from autofix_strategies.targets import Targets

HEAD, LOSS, RANGE, LABEL = (
    Symptom.HEAD_MISMATCH,
    Symptom.LOSS_MISMATCH,
    Symptom.OUTPUT_RANGE,
    Symptom.LABEL_ENCODING,
)
L = keras.layers
ROWS = 48


def target(kind: TaskKind, encoding: Encoding, classes: tuple[Any, ...] = (), **known: Any) -> TargetFacts:
    """Facts of a target, the rest as it usually is."""
    numbers = [float(label) for label in classes if not isinstance(label, str)]
    wide = encoding in (Encoding.ONE_HOT, Encoding.MULTI_HOT)
    settings = {
        "shape": (len(classes),) if wide else (),
        "low": 0.0 if wide else min(numbers, default=0.0),
        "high": 1.0 if wide else max(numbers, default=0.0),
        "mean": (),
        "std": (),
    } | known
    return TargetFacts(
        "head", settings["shape"], "float32", kind, encoding, () if encoding is Encoding.MULTI_HOT else classes,
        (ROWS // max(1, len(classes)),) * len(classes), settings["low"], settings["high"], settings["mean"],
        settings["std"], 0.0, "given",
    )  # fmt: skip


TARGETS = {
    "binary": target(TaskKind.BINARY, Encoding.INDEX, (0, 1)),
    "bool": target(TaskKind.BINARY, Encoding.INDEX, (False, True)),
    "signed": target(TaskKind.BINARY, Encoding.SIGNED, (-1, 1)),
    "1 and 2": target(TaskKind.BINARY, Encoding.LABELS, (1, 2)),
    "yes and no": target(TaskKind.BINARY, Encoding.LABELS, ("no", "yes")),
    "index": target(TaskKind.MULTICLASS, Encoding.INDEX, (0, 1, 2)),
    "1 to 3": target(TaskKind.MULTICLASS, Encoding.LABELS, (1, 2, 3)),
    "gaps": target(TaskKind.MULTICLASS, Encoding.LABELS, (0, 5, 9)),
    "text": target(TaskKind.MULTICLASS, Encoding.LABELS, ("a", "b", "c")),
    "fractions": target(TaskKind.MULTICLASS, Encoding.LABELS, (0.0, 0.5, 1.0)),
    "one-hot": target(TaskKind.MULTICLASS, Encoding.ONE_HOT, (0, 1, 2)),
    "one-hot of two": target(TaskKind.MULTICLASS, Encoding.ONE_HOT, (0, 1)),
    "multi-hot": target(TaskKind.MULTILABEL, Encoding.MULTI_HOT, (0, 1, 2)),
    "values": target(TaskKind.REGRESSION, Encoding.VALUES, low=-40.0, high=90.0, mean=(12.0,), std=(20.0,)),
    "positive": target(TaskKind.REGRESSION, Encoding.VALUES, low=0.0, high=90.0, mean=(12.0,), std=(20.0,)),
    "shares": target(TaskKind.REGRESSION, Encoding.VALUES, low=0.0, high=1.0, mean=(0.4,), std=(0.3,)),
    "two values": target(
        TaskKind.REGRESSION, Encoding.VALUES, shape=(2,), low=-3.0, high=3.0, mean=(0.0, 0.1), std=(1.0, 1.0)
    ),
    "composition": target(
        TaskKind.REGRESSION, Encoding.VALUES, shape=(3,), low=0.0, high=1.0, mean=(0.2, 0.3, 0.5), std=(0.1,) * 3
    ),
    "pixels": target(
        TaskKind.REGRESSION, Encoding.VALUES, shape=(4,), low=0.0, high=1.0, mean=(0.2, 0.3, 0.5, 0.2), std=(0.1,) * 4
    ),
}
PLAIN = InputFacts("x", (4,), "float32", -3.0, 3.0, 0.0, 1.0, (0.0,) * 4, (1.0,) * 4, 0.0, 0, False, 0, 100)


def facts_of(*targets: TargetFacts) -> DataFacts:
    return DataFacts((ROWS, 0, 0), (PLAIN,), targets, False, 0.0, None, 0.0, 0.0, ())


def logits(name: str) -> Any:
    return {"module": "keras.losses", "class_name": name, "config": {"from_logits": True}, "registered_name": None}


BCE, CCE, SCE = "binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"
BCE_L, CCE_L, SCE_L = (
    logits(name) for name in ("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy")
)
MSE, MAE = "mean_squared_error", "mean_absolute_error"


@pytest.fixture(scope="module")
def plain() -> Recipe:
    """A network with one output, to be given any head and loss."""
    model = keras.Sequential([keras.Input((4,)), L.Dense(6, "relu", name="hidden"), L.Dense(1, name="head")])
    model.compile("sgd", "mse")
    return Recipe.of(model)


def program(plain: Recipe, units: int, activation: str, loss: Any) -> Recipe:
    recipe = plain.set("layers/head/units", units).set("layers/head/activation", activation)
    return recipe.set("compile/loss", loss)


# A line a fault: targets, units, activation, loss, symptoms, and whether any of them is fatal.
FAULTS = [
    ("binary", 1, "softmax", BCE, {HEAD}, True),
    ("binary", 1, "softmax", MSE, {HEAD}, True),
    ("values", 1, "softmax", MSE, {HEAD}, True),
    ("index", 1, "sigmoid", BCE, {HEAD}, True),
    ("index", 1, "linear", MSE, {HEAD}, True),
    ("index", 2, "softmax", SCE, {HEAD}, True),
    ("one-hot", 1, "sigmoid", BCE, {HEAD}, True),
    ("one-hot", 5, "softmax", CCE, {HEAD}, True),
    ("values", 3, "linear", MSE, {HEAD}, True),
    ("two values", 1, "linear", MSE, {HEAD}, True),
    ("multi-hot", 3, "softmax", BCE, {HEAD}, False),
    ("multi-hot", 2, "sigmoid", BCE, {HEAD}, True),
    ("binary", 1, "relu", BCE_L, {HEAD}, True),
    ("index", 3, "relu", SCE_L, {HEAD}, False),
    ("index", 3, "tanh", SCE_L, {HEAD}, False),
    ("one-hot", 3, "softmax", SCE, {LOSS}, True),
    ("index", 3, "softmax", CCE, {LOSS}, True),
    ("index", 3, "softmax", MSE, {LOSS}, True),
    ("binary", 1, "sigmoid", CCE, {LOSS}, True),
    ("binary", 1, "sigmoid", SCE, {LOSS}, True),
    ("binary", 1, "sigmoid", "kl_divergence", {LOSS}, True),
    ("binary", 2, "softmax", BCE, {LOSS}, True),
    ("one-hot", 3, "softmax", BCE, {LOSS}, False),
    ("one-hot", 3, "sigmoid", CCE, {LOSS}, False),
    ("one-hot", 3, "sigmoid", "kl_divergence", {LOSS}, True),
    ("index", 3, "sigmoid", SCE, {LOSS}, False),
    ("binary", 1, "sigmoid", BCE_L, {LOSS}, False),
    ("index", 3, "softmax", SCE_L, {LOSS}, False),
    ("binary", 1, "linear", BCE, {LOSS}, True),
    ("index", 3, "linear", SCE, {LOSS}, True),
    ("one-hot", 3, "relu", CCE, {LOSS}, True),
    ("one-hot", 3, "tanh", CCE, {LOSS}, True),
    ("one-hot", 3, "softplus", CCE, {LOSS}, False),
    ("binary", 1, "sigmoid", MSE, {LOSS}, False),
    ("one-hot", 3, "softmax", MAE, {LOSS}, False),
    ("binary", 1, "sigmoid", "hinge", {LOSS}, False),
    ("multi-hot", 3, "sigmoid", CCE, {LOSS}, False),
    ("values", 1, "sigmoid", BCE, {LOSS}, True),
    ("values", 1, "linear", SCE, {LOSS}, True),
    ("values", 1, "linear", "hinge", {LOSS}, True),
    ("values", 1, "linear", "poisson", {LOSS}, True),
    ("positive", 1, "linear", "poisson", {LOSS}, True),
    ("values", 1, "sigmoid", MSE, {RANGE}, True),
    ("values", 1, "relu", MSE, {RANGE}, False),
    ("values", 1, "tanh", MSE, {RANGE}, True),
    ("two values", 2, "softmax", MSE, {RANGE}, False),
    ("positive", 1, "tanh", MAE, {RANGE}, True),
    ("1 to 3", 3, "softmax", SCE, {LABEL}, True),
    ("1 to 3", 2, "softmax", SCE, {HEAD}, True),
    ("gaps", 3, "softmax", SCE, {LABEL}, True),
    ("text", 3, "softmax", SCE, {LABEL}, True),
    ("yes and no", 1, "sigmoid", BCE, {LABEL}, True),
    ("fractions", 3, "softmax", SCE, {LABEL}, True),
    ("1 and 2", 1, "sigmoid", BCE, {LABEL}, True),
    ("signed", 1, "sigmoid", BCE, {LABEL}, True),
    ("signed", 2, "softmax", SCE, {LABEL}, True),
    ("text", 1, "sigmoid", BCE, {LABEL, HEAD}, True),
    ("index", 3, "sigmoid", BCE, {LOSS}, True),
]
# Programs that people write on purpose.
SOUND = [
    ("binary", 1, "sigmoid", BCE), ("binary", 1, "linear", BCE_L), ("binary", 1, "hard_sigmoid", "bce"),
    ("bool", 1, "sigmoid", BCE), ("bool", 2, "softmax", SCE), ("binary", 1, "sigmoid", "binary_focal_crossentropy"),
    ("binary", 2, "softmax", SCE), ("binary", 2, "linear", SCE_L), ("binary", 1, "tanh", "hinge"),
    ("binary", 1, "linear", "squared_hinge"), ("signed", 1, "tanh", "hinge"), ("signed", 1, "linear", "squared_hinge"),
    ("index", 3, "softmax", SCE), ("index", 10, "softmax", SCE), ("index", 3, "linear", SCE_L),
    ("index", 3, "log_softmax", SCE_L), ("1 to 3", 4, "softmax", SCE), ("gaps", 10, "softmax", SCE),
    ("1 and 2", 3, "softmax", SCE), ("one-hot", 3, "softmax", CCE), ("one-hot", 3, "linear", CCE_L),
    ("one-hot", 3, "sigmoid", BCE), ("one-hot", 3, "linear", BCE_L), ("one-hot", 3, "softmax", "kl_divergence"),
    ("one-hot", 3, "softmax", "KLD"), ("one-hot", 3, "softmax", "categorical_focal_crossentropy"),
    ("one-hot", 3, "linear", "categorical_hinge"), ("one-hot of two", 2, "softmax", BCE),
    ("multi-hot", 3, "sigmoid", BCE), ("multi-hot", 3, "linear", BCE_L),
    ("multi-hot", 3, "sigmoid", "binary_focal_crossentropy"), ("values", 1, "linear", "MSE"),
    ("values", 1, "linear", "huber"), ("values", 1, "linear", "cosine_similarity"), ("positive", 1, "relu", MSE),
    ("positive", 1, "softplus", MAE), ("positive", 1, "exponential", "poisson"), ("positive", 1, "softplus", "poisson"),
    ("positive", 1, "linear", "mean_squared_logarithmic_error"), ("shares", 1, "sigmoid", MSE),
    ("shares", 1, "sigmoid", BCE), ("shares", 1, "linear", BCE_L), ("pixels", 4, "sigmoid", BCE),
    ("pixels", 4, "sigmoid", MSE), ("composition", 3, "softmax", "kl_divergence"), ("composition", 3, "softmax", CCE),
    ("composition", 3, "softmax", MSE), ("two values", 2, "linear", MSE),
]  # fmt: skip


@pytest.mark.parametrize(("name", "units", "activation", "loss", "symptoms", "fatal"), FAULTS)
def test_reports_a_fault(plain, name, units, activation, loss, symptoms, fatal):
    found = violations(program(plain, units, activation, loss), facts_of(TARGETS[name]), ((units,),))
    assert symptoms <= {item.symptom for item in found}
    assert any(item.fatal for item in found) is fatal
    assert all(item.sentence.endswith(".") and len(item.sentence) > 30 for item in found)


@pytest.mark.parametrize(("name", "units", "activation", "loss"), SOUND)
def test_reports_nothing_about_a_sound_program(plain, name, units, activation, loss):
    assert violations(program(plain, units, activation, loss), facts_of(TARGETS[name]), ((units,),)) == ()


@pytest.mark.parametrize("name", [name for name in TARGETS if TARGETS[name].kind is not TaskKind.MULTILABEL])
def test_a_custom_loss_may_pack_its_outputs_as_it_likes(plain, name):
    recipe = program(plain, 7, "linear", {"module": "builtins", "class_name": "function", "config": "mixture_density"})
    found = violations(recipe, facts_of(TARGETS[name]), ((7,),))
    # Text reaches no loss at all.
    assert {item.symptom for item in found} <= ({LABEL} if name in ("text", "yes and no") else set())


def test_a_users_function_is_custom_whatever_its_name(plain):
    recipe = Recipe(plain.architecture, plain.compile, objects={"mse": abs}).set("compile/loss", "mse")
    assert losses(recipe, 1)[0].identifier == "custom"


# ------------------------------------------------------------------------------------------------------ the way back

GRID = list(
    itertools.product(
        [name for name in TARGETS if TARGETS[name].kind.is_classification],
        (1, 3),
        ("softmax", "sigmoid", "linear", "relu"),
        (BCE, CCE, SCE, BCE_L, CCE_L, SCE_L, MSE, "hinge", "kl_divergence"),
    )
)


@pytest.mark.parametrize("name", sorted({name for name, *_ in GRID} | {"values", "positive", "shares", "two values"}))
def test_strategies_agree_on_a_valid_program(plain, name):
    """From any combination, labels, head and loss end up sound, and asking again changes nothing."""
    for _, units, activation, loss in [line for line in GRID if line[0] == name] or [
        (name, *line[1:]) for line in GRID if line[0] == "index"
    ]:
        case = Case(program(plain, units, activation, loss), facts_of(TARGETS[name]), ((4,),), ((units,),))
        recipe, promised = case.recipe, best_triple(outputs_of(case.recipe, case.facts, case.output_shapes)[0])
        for strategy in (Targets(), OutputLayer(), Loss()):
            recipe = strategy.guess(case.at(recipe)).apply(recipe)
        left = violations(recipe, case.facts, case.output_shapes)
        assert not left, (name, units, activation, loss, left)
        assert not any(strategy.guess(case.at(recipe)) for strategy in (Targets(), OutputLayer(), Loss()))
        if promised.units is not None:
            assert recipe.get("layers/head/units") == promised.units
        if promised.loss is not None:
            assert losses(recipe, 1)[0].identifier == promised.loss


def test_sound_programs_are_left_alone(plain):
    for name, units, activation, loss in SOUND:
        case = Case(program(plain, units, activation, loss), facts_of(TARGETS[name]), ((4,),), ((units,),))
        assert not any(strategy.guess(case) for strategy in (Targets(), OutputLayer(), Loss())), (name, activation)


@pytest.mark.parametrize(
    ("name", "units", "activation", "loss", "want"),
    [
        ("binary", 1, "softmax", BCE, (1, "sigmoid", "binary_crossentropy", False, False)),
        ("index", 3, "linear", SCE, (3, "softmax", "sparse_categorical_crossentropy", False, False)),
        ("index", 3, "linear", CCE_L, (3, "linear", "sparse_categorical_crossentropy", True, False)),
        ("index", 1, "linear", MSE, (3, "softmax", "sparse_categorical_crossentropy", False, False)),
        ("one-hot", 3, "sigmoid", CCE, (3, "softmax", "categorical_crossentropy", False, False)),
        ("one-hot", 3, "softmax", SCE, (3, "softmax", "categorical_crossentropy", False, False)),
        ("one-hot", 3, "softmax", BCE, (3, "softmax", "categorical_crossentropy", False, False)),
        ("index", 3, "softmax", SCE_L, (3, "softmax", "sparse_categorical_crossentropy", False, False)),
        ("1 to 3", 3, "softmax", SCE, (3, "softmax", "sparse_categorical_crossentropy", False, True)),
        ("signed", 1, "sigmoid", BCE, (1, "sigmoid", "binary_crossentropy", False, True)),
        ("signed", 1, "tanh", BCE, (1, "tanh", "hinge", False, False)),
        ("binary", 1, "sigmoid", MSE, (1, "sigmoid", "binary_crossentropy", False, False)),
        ("multi-hot", 3, "softmax", CCE, (3, "sigmoid", "binary_crossentropy", False, False)),
        ("values", 1, "sigmoid", BCE, (1, "linear", "mean_squared_error", False, False)),
        ("values", 3, "softmax", MSE, (1, "linear", "mean_squared_error", False, False)),
        ("positive", 1, "linear", "poisson", (1, "softplus", "poisson", False, False)),
    ],
)
def test_takes_the_way_with_the_fewest_edits(plain, name, units, activation, loss, want):
    case = Case(program(plain, units, activation, loss), facts_of(TARGETS[name]), ((4,),), ((units,),))
    recipe = case.recipe
    for strategy in (Targets(), OutputLayer(), Loss()):
        recipe = strategy.guess(case.at(recipe)).apply(recipe)
    view = losses(recipe, 1)[0]
    encoded = bool(recipe.transforms.get("labels"))
    head = recipe.get("layers/head")["config"]
    assert (head["units"], head["activation"], view.identifier, view.from_logits, encoded) == want


def test_every_row_of_the_table_is_reachable_and_valid(plain):
    for row in TABLE:
        for encoding, loss in itertools.product(row.encodings, row.losses):
            k = 2 if row.width in ("one", "two") else 3
            kind = TaskKind.MULTILABEL if encoding is Encoding.MULTI_HOT else TaskKind.MULTICLASS
            labels = {Encoding.SIGNED: (-1, 1), Encoding.LABELS: (1, 3, 4)}.get(encoding, tuple(range(k)))
            facts = facts_of(target(TaskKind.BINARY if row.width == "one" else kind, encoding, labels))
            units = {"one": 1, "two": 2, "columns": k, "index": 5}[row.width]
            class_name = "".join(part.capitalize() for part in loss.split("_"))
            value = logits(class_name) if row.from_logits else loss
            for activation in row.activations:
                recipe = program(plain, units, activation, value)
                assert not violations(recipe, facts, ((units,),)), (row, activation, loss)


# ------------------------------------------------------------------------------------------- what Keras makes of it


def learned(recipe: Recipe, x: np.ndarray, y: np.ndarray, classes: np.ndarray, link: Link) -> float:
    """Balanced accuracy after 80 steps of Adam on all rows, 0.0 if the loss raises or predictions are not finite."""
    import tensorflow as tf

    model = recipe.build(seed=1)
    loss, optimizer = keras.losses.get(model.loss), keras.optimizers.Adam(0.05)
    optimizer.build(model.trainable_variables)

    @tf.function
    def steps():
        for _ in tf.range(80):
            with tf.GradientTape() as tape:
                value = loss(y, model(x, training=True))
            optimizer.apply(tape.gradient(value, model.trainable_variables), model.trainable_variables)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            steps()
    except (ValueError, tf.errors.OpError):
        return 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = np.asarray(model(x))
    if not np.isfinite(raw).all():
        return 0.0
    cut = 0.0 if link in (Link.LOGIT, Link.SIGNED) else 0.5
    predicted = raw.argmax(axis=1) if raw.shape[1] > 1 else (raw[:, 0] > cut).astype(int)
    return float(np.mean([(predicted[classes == label] == label).mean() for label in np.unique(classes)]))


@pytest.mark.parametrize(
    ("name", "units", "activation", "loss"),
    [
        ("binary", 1, "softmax", BCE),
        ("one-hot", 3, "relu", CCE),
        ("one-hot", 3, "sigmoid", "kl_divergence"),
        ("index", 3, "softmax", MSE),
        ("1 to 3", 3, "softmax", SCE),
        ("binary", 1, "sigmoid", CCE),
    ],
)
def test_fatal_is_what_keras_cannot_learn(plain, name, units, activation, loss):
    rng = np.random.default_rng(3)
    k = len(TARGETS[name].classes)
    classes = np.arange(150) % k
    x = (rng.normal(size=(150, 4)) + 2.5 * np.eye(4)[classes]).astype("float32")
    y = {"one-hot": np.eye(k)[classes], "1 to 3": classes[:, None] + 1}.get(name, classes[:, None]).astype("float32")
    case = Case(program(plain, units, activation, loss), facts_of(TARGETS[name]), ((4,),), ((units,),))
    assert any(item.fatal for item in violations(case.recipe, case.facts, case.output_shapes))
    recipe = case.recipe
    for strategy in (Targets(), OutputLayer(), Loss()):
        recipe = strategy.guess(case.at(recipe)).apply(recipe)
    encoded = classes[:, None].astype("float32") if recipe.transforms.get("labels") else y
    before = learned(case.recipe, x, y, classes, link_of(case.recipe, case.facts, 0))
    after = learned(recipe, x, encoded, classes, link_of(recipe, case.facts, 0))
    assert before < 0.75
    assert after > 0.9


@pytest.mark.parametrize(
    ("name", "units", "activation", "loss"),
    [("one-hot", 3, "sigmoid", CCE), ("one-hot", 3, "softmax", BCE), ("binary", 1, "sigmoid", MSE)],
)
def test_not_fatal_is_what_keras_learns_all_the_same(plain, name, units, activation, loss):
    rng = np.random.default_rng(3)
    k = len(TARGETS[name].classes)
    classes = np.arange(150) % k
    x = (rng.normal(size=(150, 4)) + 2.5 * np.eye(4)[classes]).astype("float32")
    y = (np.eye(k)[classes] if name == "one-hot" else classes[:, None]).astype("float32")
    recipe, facts = program(plain, units, activation, loss), facts_of(TARGETS[name])
    found = violations(recipe, facts, ((units,),))
    assert found
    assert not any(item.fatal for item in found)
    assert learned(recipe, x, y, classes, link_of(recipe, facts, 0)) > 0.9


# ------------------------------------------------------------------------------------------------------ losses, links


def test_knows_every_loss_that_keras_has_by_each_of_its_names(plain):
    from keras.src.losses import ALL_OBJECTS_DICT

    unknown = {"loss", "loss_function_wrapper", "dice", "tversky", "circle", "ctc"}
    for name, found in ALL_OBJECTS_DICT.items():
        function = getattr(found, "__name__", name)
        identifier = losses(plain.set("compile/loss", name), 1)[0].identifier
        snake = "".join("_" + char.lower() if char.isupper() else char for char in function).strip("_")
        if snake.replace("_", "") not in {word.replace("_", "") for word in unknown}:
            assert identifier in KNOWN_LOSSES, name
    assert {
        losses(plain.set("compile/loss", name), 1)[0].identifier for name in ("mse", "MSE", "MeanSquaredError")
    } == {"mean_squared_error"}


@pytest.mark.parametrize("name", CROSS_ENTROPIES)
def test_reads_from_logits_off_a_real_loss(plain, name):
    class_name = "".join(part.capitalize() for part in name.split("_"))
    model = keras.Sequential([keras.Input((4,)), L.Dense(3)])
    model.compile("sgd", getattr(keras.losses, class_name)(from_logits=True))
    view = losses(Recipe.of(model), 1)[0]
    assert (view.identifier, view.from_logits) == (name, True)


@pytest.fixture(scope="module")
def two_outputs() -> keras.Model:
    source = keras.Input((4,))
    return keras.Model(source, [L.Dense(1, "softmax", name="first")(source), L.Dense(2, name="second")(source)])


@pytest.mark.parametrize(
    "loss", [BCE, [BCE, "mse"], {"first": BCE, "second": "mse"}, {"second": "mse", "first": BCE}, [BCE, None]]
)
def test_reads_and_writes_the_loss_of_each_output(two_outputs, loss):
    two_outputs.compile("sgd", loss)
    recipe = Recipe.of(two_outputs)
    first, second = losses(recipe, 2)
    assert first.identifier == "binary_crossentropy"
    assert (second and second.identifier) == (
        None if loss == [BCE, None] else BCE if loss == BCE else "mean_squared_error"
    )
    path, before, after = with_loss(recipe, 2, 0, "hinge")
    assert recipe.get(path) == before or tuple(recipe.get(path)) == before
    changed = losses(recipe.set(path, after), 2)
    assert changed[0].identifier == "hinge"
    assert (changed[1] and changed[1].identifier) == (second and second.identifier)


def test_names_the_output_in_a_violation(two_outputs):
    two_outputs.compile("sgd", [BCE, "mse"])
    facts = facts_of(TARGETS["binary"], TARGETS["values"])
    found = violations(Recipe.of(two_outputs), facts, ((1,), (2,)))
    assert [(item.output, item.symptom) for item in found] == [(0, HEAD), (1, HEAD)]


def test_reads_outputs_given_by_name():
    source = keras.Input((4,))
    model = keras.Model(source, {"a": L.Dense(1, name="u")(source), "b": L.Dense(1, name="v")(source)})
    model.compile("sgd", {"a": "mse", "b": "mae"})
    assert [view.identifier for view in losses(Recipe.of(model), 2)] == ["mean_squared_error", "mean_absolute_error"]


@pytest.mark.parametrize(
    ("name", "units", "activation", "loss", "link"),
    [
        ("binary", 1, "sigmoid", BCE, Link.PROBABILITY),
        ("binary", 1, "sigmoid", BCE_L, Link.PROBABILITY),
        ("binary", 1, "linear", BCE_L, Link.LOGIT),
        ("binary", 1, "linear", BCE, Link.PROBABILITY),
        ("binary", 1, "linear", MSE, Link.PROBABILITY),
        ("1 and 2", 1, "linear", MSE, Link.VALUE),
        ("signed", 1, "tanh", MSE, Link.SIGNED),
        ("binary", 1, "tanh", "hinge", Link.SIGNED),
        ("index", 3, "softmax", SCE, Link.PROBABILITY),
        ("index", 3, "linear", SCE_L, Link.LOGIT),
        ("index", 1, "linear", MSE, Link.VALUE),
        ("one-hot", 3, "linear", MSE, Link.PROBABILITY),
        ("multi-hot", 3, "linear", BCE_L, Link.LOGIT),
        ("values", 1, "linear", MSE, Link.VALUE),
        ("shares", 1, "sigmoid", BCE, Link.VALUE),
    ],
)
def test_tells_how_outputs_are_read(plain, name, units, activation, loss, link):
    assert link_of(program(plain, units, activation, loss), facts_of(TARGETS[name]), 0) is link


# --------------------------------------------------------------------------------------------------------------- heads


def compiled(*pieces: Any, loss: Any = SCE, shape: tuple[int, ...] = (4,)) -> Recipe:
    model = keras.Sequential([keras.Input(shape), *pieces])
    model.compile("sgd", loss)
    return Recipe.of(model)


def test_sees_through_wrappers_nesting_and_trailing_layers():
    inner = keras.Sequential([keras.Input((4,)), L.Dense(3, name="scores")], name="inner")
    recipe = compiled(inner, L.Dropout(0.1), L.Softmax())
    (tail,) = tails(recipe, 1)
    assert (tail.core.path, tail.width, tail.activation) == ("layers/inner/layers/scores", 3, "softmax")
    recipe = compiled(L.TimeDistributed(L.Dense(3, activation="softmax"), name="each"), shape=(5, 4))
    (tail,) = tails(recipe, 1)
    assert (tail.core.path, tail.width, tail.activation) == ("layers/each/layer", 3, "softmax")
    assert recipe.has(tail.core.width_path)


def test_tells_nothing_about_a_sum_of_branches():
    source = keras.Input((4,))
    model = keras.Model(source, L.Add()([L.Dense(3)(source), L.Dense(3)(source)]))
    model.compile("sgd", SCE_L)
    recipe = Recipe.of(model)
    assert tails(recipe, 1) == (None,)
    assert violations(recipe, facts_of(TARGETS["index"]), ((3,),)) == ()


def test_follows_the_range_through_a_rescaling():
    facts = facts_of(TARGETS["positive"])
    assert violations(compiled(L.Dense(1, "sigmoid"), loss=MSE), facts, ((1,),))
    assert not violations(compiled(L.Dense(1, "sigmoid"), L.Rescaling(90.0), loss=MSE), facts, ((1,),))
    assert violations(compiled(L.Dense(1, "sigmoid"), L.Rescaling(20.0), loss=MSE), facts, ((1,),))


def test_takes_rescaled_probabilities_for_none():
    recipe = compiled(L.Dense(3, "softmax"), L.Rescaling(100.0), loss=CCE)
    assert tails(recipe, 1)[0].activation is None
    assert violations(recipe, facts_of(TARGETS["one-hot"]), ((3,),)) == ()


def test_finds_a_second_softmax_and_a_dropout_on_the_outputs():
    facts = facts_of(TARGETS["index"])
    twice = violations(compiled(L.Dense(3, "softmax"), L.Activation("softmax")), facts, ((3,),))
    assert [(item.symptom, item.fatal) for item in twice] == [(HEAD, False)]
    noisy = violations(compiled(L.Dense(3), L.Dropout(0.5), loss=SCE_L), facts, ((3,),))
    assert [(item.symptom, item.fatal) for item in noisy] == [(HEAD, False)]


@pytest.mark.parametrize(
    ("shape", "output", "fits"),
    [((), (3,), True), ((1,), (3,), True), ((5,), (5, 3), True), ((5, 1), (5, 3), True), ((), (5, 3), False)],
)
def test_compares_axes_of_class_numbers(plain, shape, output, fits):
    facts = facts_of(target(TaskKind.MULTICLASS, Encoding.INDEX, (0, 1, 2), shape=shape))
    assert (violations(program(plain, 3, "softmax", SCE), facts, (output,)) == ()) is fits


@pytest.mark.parametrize(
    ("shape", "output", "units", "fits"),
    [((), (1,), 1, True), ((5,), (5, 1), 1, True), ((5,), (5,), 5, True), ((5, 2), (5, 2), 2, True),
     ((5,), (1,), 1, False), ((), (5, 1), 1, False), ((8, 8), (8, 8, 1), 1, True)],
)  # fmt: skip
def test_compares_axes_of_quantities(plain, shape, output, units, fits):
    columns = shape[-1] if shape else 1
    facts = facts_of(
        target(
            TaskKind.REGRESSION, Encoding.VALUES, shape=shape, low=-2.0, high=2.0,
            mean=(0.0,) * columns, std=(1.0,) * columns,
        )
    )  # fmt: skip
    assert (violations(program(plain, units, "linear", MSE), facts, (output,)) == ()) is fits


def test_a_subclassed_model_is_judged_by_its_shapes_and_loss():
    class Plain(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = L.Dense(3)

        def call(self, inputs):
            return self.dense(inputs)

    model = Plain()
    model(np.zeros((1, 4)))
    model.compile("sgd", SCE)
    recipe = Recipe.of(model)
    assert violations(recipe, facts_of(TARGETS["index"]), ((3,),)) == ()
    assert [item.symptom for item in violations(recipe, facts_of(TARGETS["one-hot"]), ((3,),))] == [LOSS]
    assert [item.symptom for item in violations(recipe, facts_of(TARGETS["1 to 3"]), ((3,),))] == [LABEL]


def test_needs_no_tensorflow():
    import subprocess

    code = "import sys, autofix.contract; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unseen_head_keeps_what_its_loss_takes_it_for():
    class Plain(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = L.Dense(3)

        def call(self, inputs):
            return self.dense(inputs)

    for from_logits in (False, True):
        model = Plain()
        model(np.zeros((1, 4)))
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits))
        case = Case(Recipe.of(model), facts_of(TARGETS["one-hot"]), ((4,),), ((3,),))
        view = losses(Loss().guess(case).apply(case.recipe), 1)[0]
        assert (view.identifier, view.from_logits) == ("categorical_crossentropy", from_logits)

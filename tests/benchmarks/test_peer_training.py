"""What the peers do with real scripts: edits that must give models that train, and runs of two or three trials."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import optuna
import pytest

from tests.quality.cases import Script, discover

from . import peer_edits as edits
from .peer_edits import KEEP
from .peer_ladder import ladder
from .peer_program import LOSSES, OPTIMIZERS, Program, Settings
from .peer_race import Parts, Race
from .peer_search import OptunaDraws, hyperband, random_search, tpe
from .peer_space import BATCH_SIZES, Space
from .peer_symptoms import gradients, hidden_output

SCRIPTS = {
    "broken/deep_sigmoid": "Sequential",
    "broken/dropout_too_strong": "functional",
    "broken/adam_lr_1e_6": "convolutions",
    "broken/exploding_rnn": "recurrent, regression",
    "broken/double_softmax": "two softmaxes",
    "broken/adam_lr_10": "adapted normalization",
    "healthy/token_embedding": "embedding and GRU",
    "healthy/frozen_base": "a frozen model inside a model",
}


def script(name: str) -> Script:
    kind, stem = name.split("/")
    (case,) = discover([kind], [stem])
    return case.load()


@pytest.fixture(scope="module", params=SCRIPTS)
def program(request: pytest.FixtureRequest) -> tuple[Script, Program, Any, Any]:
    loaded = script(request.param)
    (x, y), _ = loaded.data(0)
    x = np.asarray(x)
    return loaded, Program.of(loaded.model(0), loaded.fit, x if x.dtype.kind != "f" else x.astype("float32")), x, y


def assert_trains(model: keras.Model, x: Any, y: Any) -> None:
    """There are gradients, whatever they are: an explosion is what some of the scripts are about."""
    assert gradients(model, x[:16], y[:16]) is not None


# --- the program and the space around it ------------------------------------------------------------------------------


def test_the_author_is_read_and_rebuilt(program: tuple[Script, Program, Any, Any]) -> None:
    loaded, taken, x, _ = program
    original, rebuilt = loaded.model(0), taken.build(Settings())
    assert [w.shape for w in rebuilt.weights] == [w.shape for w in original.weights]
    assert type(rebuilt.optimizer) is type(original.optimizer)
    assert float(rebuilt.optimizer.learning_rate) == pytest.approx(float(original.optimizer.learning_rate))
    for place, value in taken.kept:
        np.testing.assert_array_equal(np.asarray(rebuilt.weights[place]), value)
    # With the author's weights it computes what the author's model does, adapted layers included.
    rebuilt.set_weights(original.get_weights())
    np.testing.assert_allclose(rebuilt.predict_on_batch(x[:4]), original.predict_on_batch(x[:4]), rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*received `from_logits=True`:UserWarning")
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_every_choice_makes_a_model_that_trains(program: tuple[Script, Program, Any, Any]) -> None:
    loaded, taken, x, y = program
    space = Space.of(taken, loaded.task, y)
    # One model for each option, the others taken in turn, so that pairs are mixed too.
    longest = max(len(options) for options in space.choices.values())
    for i in range(longest):
        picked = {name: options[(i + j) % len(options)] for j, (name, options) in enumerate(space.choices.items())}
        model = taken.build(Settings(**picked, learning_rate=1e-4, batch_size=16))
        if picked["output"] != KEEP:
            assert edits.output_activation(model.get_config()) == picked["output"]
        if picked["hidden"] != KEEP:
            assert edits.hidden_activation(model.get_config()) == picked["hidden"]
        if picked["initializer"] != KEEP:
            assert edits.kernel_initializer(model.get_config()) == picked["initializer"]
        if picked["loss"] != KEEP:
            assert type(model.loss) is LOSSES[picked["loss"]]
            logits = edits.output_activation(model.get_config()) == "linear"
            assert model.loss.get_config().get("from_logits", logits) == logits
        assert_trains(model, x, y)


@pytest.mark.filterwarnings("ignore:.*received `from_logits=True`:UserWarning")
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_remedies_of_the_ladder_make_models_that_train(program: tuple[Script, Program, Any, Any]) -> None:
    _, taken, x, y = program
    for changed in ({"batch_norm": True}, {"noise": 0.1}, {"min_max": True}, {"clip_value": 1.0, "batch_norm": True}):
        if "min_max" in changed and taken.bounds is None:
            continue
        model = taken.build(Settings(learning_rate=1e-4, **changed))
        assert_trains(model, x, y)
    normalized = taken.build(Settings(batch_norm=True))
    assert np.isfinite(hidden_output(normalized, x[:16]))
    assert any(isinstance(layer, keras.layers.BatchNormalization) for layer in normalized.layers)
    assert not isinstance(normalized.layers[-1], keras.layers.BatchNormalization)


def test_the_authors_settings_are_a_point_of_the_space_if_they_lie_inside() -> None:
    inside = Program.of(script("broken/deep_sigmoid").model(0), {"epochs": 15, "batch_size": 32})
    space = Space.of(inside, "multiclass", np.arange(10))
    point = space.point(inside.author)
    assert point is not None
    assert space.draw(OptunaDraws(optuna.trial.FixedTrial(point))) == inside.author  # type: ignore[arg-type]
    edge = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "softmax")])
    edge.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    edge_program = Program.of(edge, {"epochs": 15, "batch_size": 32})
    assert Space.of(edge_program, "multiclass", np.arange(3)).point(edge_program.author) is not None
    outside = Program.of(script("broken/adam_lr_10").model(0), {"epochs": 15, "batch_size": 32})
    assert Space.of(outside, "multiclass", np.eye(3)).point(outside.author) is None


def test_what_the_author_chose_stays_among_the_choices() -> None:
    loaded = script("broken/saturated_tanh")
    taken = Program.of(loaded.model(0), loaded.fit)
    space = Space.of(taken, loaded.task, np.arange(10))
    assert (taken.author.hidden, taken.author.output) == ("tanh", "softmax")
    assert KEEP in space.initializer
    assert KEEP not in space.hidden
    loaded = script("broken/missing_softmax")
    taken = Program.of(loaded.model(0), loaded.fit)
    # A loss that takes linear outputs for probabilities has no name among the choices, which would give it logits.
    assert (taken.author.output, taken.author.loss) == ("linear", KEEP)
    assert Space.of(taken, loaded.task, np.arange(10)).loss == ("sparse_categorical_crossentropy", KEEP)
    loaded = script("broken/gradient_tape_zero")
    assert Program.of(loaded.model(0), loaded.fit).author.loss == KEEP


def test_losses_fit_the_labels() -> None:
    taken = Program.of(script("broken/dropout_too_strong").model(0), {"epochs": 4, "batch_size": 32})
    assert "categorical_crossentropy" in Space.of(taken, "multiclass", np.eye(10)).loss
    assert "categorical_crossentropy" not in Space.of(taken, "multiclass", np.arange(10)).loss
    assert Space.of(taken, "multiclass", np.arange(10)).epochs == (2, 20)


def test_frozen_layers_keep_activation_and_weights() -> None:
    loaded = script("healthy/frozen_base")
    original = loaded.model(0)
    rebuilt = Program.of(original, loaded.fit).build(Settings(hidden="tanh", initializer="orthogonal"))
    base, head = rebuilt.get_layer("base"), rebuilt.layers[-2]
    assert {layer.activation.__name__ for layer in base.layers if hasattr(layer, "activation")} == {"relu"}
    assert head.activation.__name__ == "tanh"
    for ours, theirs in zip(base.get_weights(), original.get_layer("base").get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_inputs_are_scaled_between_0_and_1() -> None:
    x = np.array([[0.0, 5.0], [10.0, 5.0], [5.0, np.nan]], dtype="float32")
    net = keras.Sequential([keras.Input((2,)), keras.layers.Activation("linear")])
    net.compile("sgd", "mse")
    scaled = Program.of(net, {}, x).build(Settings(min_max=True))
    np.testing.assert_allclose(scaled.predict_on_batch(x)[:, 0], [0.0, 1.0, 0.5])
    np.testing.assert_allclose(scaled.predict_on_batch(x)[:2, 1], [0.0, 0.0])


def test_a_known_optimizer_keeps_its_other_settings_and_a_new_one_its_default_rate() -> None:
    net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    net.compile(keras.optimizers.SGD(0.5, momentum=0.7, clipnorm=1.0), "mse")
    taken = Program.of(net, {})
    same = taken.build(Settings(optimizer="sgd", learning_rate=0.1)).optimizer
    assert (same.momentum, same.clipnorm, float(same.learning_rate)) == (0.7, 1.0, pytest.approx(0.1))
    assert float(taken.build(Settings(optimizer="adam")).optimizer.learning_rate) == pytest.approx(1e-3)
    assert set(Space.of(taken, "regression", np.zeros(4)).optimizer) == set(OPTIMIZERS)


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        ("mse", "mean_squared_error"),
        ("huber", "huber"),
        (keras.losses.Huber(), "huber"),
        (keras.losses.BinaryCrossentropy(label_smoothing=0.1), KEEP),
        (keras.losses.MeanSquaredError(), "mean_squared_error"),
        (keras.losses.LogCosh(), KEEP),
    ],
)
def test_a_loss_is_known_by_any_of_its_names(loss: Any, name: str) -> None:
    net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    net.compile("sgd", loss)
    assert Program.of(net, {}).author.loss == name


# --- short runs -------------------------------------------------------------------------------------------------------


def tiny_race(seconds: float) -> tuple[Race, Program, Space]:
    """A case that trains in a blink: two blobs and a learning rate of nearly nothing."""
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    x = rng.normal(size=(80, 3)) + 2.0 * y[:, None]
    keras.utils.set_random_seed(0)
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1, "sigmoid")])
    net.compile(keras.optimizers.SGD(1e-5), "binary_crossentropy")
    parts = Parts.split("binary", (x[:60], y[:60]), (x[60:], y[60:]), seed=0)
    taken = Program.of(net, {"epochs": 2, "batch_size": 16}, parts.fit[0])
    return Race("binary", parts, 0, seconds), taken, Space.of(taken, "binary", y)


def over_after(race: Race, trials: int) -> Race:
    """The same race, whose time is up after so many trainings."""

    class Short(Race):
        @property
        def over(self) -> bool:
            return self.trials >= trials

    return Short(race.task, race.parts, race.seed, race.seconds)


@pytest.mark.parametrize("tuner", [tpe, random_search])
def test_two_trials(tuner: Any) -> None:
    race, taken, space = tiny_race(1e9)
    race = over_after(race, 2)
    tuner(race, taken, space)
    assert (race.trials, race.crashes) == (2, 0)
    assert race.curve
    assert [point.validation for point in race.curve] == sorted({point.validation for point in race.curve})
    assert [point.seconds for point in race.curve] == sorted(point.seconds for point in race.curve)


@pytest.mark.filterwarnings("ignore")
def test_two_trials_of_hyperband() -> None:
    pytest.importorskip("keras_tuner")
    pytest.importorskip("tensorboard")
    race, taken, space = tiny_race(1e9)
    race = over_after(race, 3)
    hyperband(race, taken, space)
    assert (race.trials, race.crashes) == (3, 0)


def test_a_crashed_trial_is_the_floor_and_the_race_goes_on() -> None:
    race, taken, _ = tiny_race(1e9)
    assert race.train(replace(taken, fit={"no_such_argument": 1}), Settings()).score == race.floor == 0.5
    assert not race.train(taken, Settings()).crashed
    assert (race.trials, race.crashes) == (2, 1)


def test_nothing_is_kept_once_the_time_is_up() -> None:
    race, taken, _ = tiny_race(0.0)
    result = race.train(taken, Settings())
    assert result.epochs == 1
    assert race.curve == []


def test_the_ladder_leaves_a_short_program_alone() -> None:
    race, taken, _ = tiny_race(1e9)
    ladder(race, taken)
    assert race.trials == 1


def test_the_ladder_climbs_and_stops() -> None:
    race, taken, _ = tiny_race(1e9)
    race = over_after(race, 3)
    rate = keras.optimizers.SGD(1e-12).get_config()
    stuck = replace(taken, epochs=3, optimizer=(keras.optimizers.SGD, rate))
    ladder(race, stuck)
    assert 1 < race.trials <= 3


def test_batch_sizes_are_powers_of_two() -> None:
    assert all(size & (size - 1) == 0 for size in BATCH_SIZES)

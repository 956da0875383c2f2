"""When XLA runs the steps and when not, and that nobody notices but by the time it takes."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from autofix.change import Patch
from autofix.outcome import Status
from autofix.session import Session
from autofix.trainer.loops import XLA_LEAST, XLA_SAVES, XLA_STEPS, XLA_TIMED, XLA_TRACES, XLA_TRIED, xla_loses
from autofix.trainer.program import Program

L = keras.layers
EVER = 10**9
# Steps done before, as far as a program is told: none of those that follow is left to the loop that reads gradients.
FAR = 600_000
# Seconds that the plain loop is made to believe a step and its trace took: no test depends on the machine.
PACE, TRACING = 1e-3, 0.5
PAYS = round(XLA_TRACES * TRACING / XLA_SAVES / PACE)


@pytest.fixture
def one(mlp, session) -> Session:
    return session(mlp(keras.optimizers.SGD(0.1, momentum=0.9)), shuffle=False)


@pytest.fixture
def program(one) -> Program:
    """A program whose plain loop is traced, and knows its pace."""
    return ready(one)


def ready(one: Session) -> Program:
    found = one.trainer.store.get(one.recipe, 0)[0]
    train(found, 1)
    found._plain.pace, found._plain.tracing = PACE, TRACING
    found._spent = 0.0
    start_over(one, found)
    return found


def start_over(one: Session, program: Program) -> None:
    _, knobs, weights = one.trainer.store.get(one.recipe, 0)
    program.reset(weights, knobs, one.trainer.feed.batch(one.recipe).weight)


def train(program: Program, steps: int, *, batch: int = 2, ahead: int = 0, rates: Any = None) -> Any:
    order = np.resize(np.arange(60), steps * batch)
    starts = np.arange(steps) * batch
    return program.run(order, starts, starts + batch, FAR, rates, ahead=ahead)


def equal(ours: Any, theirs: Any, tolerance: float = 2e-6) -> None:
    for mine, value in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, value, rtol=1e-4, atol=tolerance)


# ------------------------------------------------------------------------------------- which programs


def inside(shape: tuple[int, ...], *layers: Any) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *layers, L.Flatten(), L.Dense(3, "softmax")])


PICTURE = (6, 6, 2)
SLOW: dict[str, Callable[[], keras.Model]] = {
    "Conv1D": lambda: inside((6, 2), L.Conv1D(2, 3)),
    "Conv2D": lambda: inside(PICTURE, L.Conv2D(2, 3)),
    "Conv2DTranspose": lambda: inside(PICTURE, L.Conv2DTranspose(2, 3)),
    "DepthwiseConv2D": lambda: inside(PICTURE, L.DepthwiseConv2D(3)),
    "SeparableConv2D": lambda: inside(PICTURE, L.SeparableConv2D(2, 3)),
    "ConvLSTM1D": lambda: inside((3, 6, 2), L.ConvLSTM1D(2, 3)),
    "Conv3D": lambda: inside((4, 4, 4, 1), L.Conv3D(2, 3)),
}
WRAPPED: dict[str, Callable[[], keras.Model]] = {
    "a wrapper": lambda: inside((2, *PICTURE), L.TimeDistributed(L.Conv2D(2, 3))),
    "a nested model": lambda: inside(PICTURE, keras.Sequential([keras.Input(PICTURE), L.Conv2D(2, 3)])),
}


@pytest.mark.parametrize("kind", SLOW)
def test_convolutions_are_not_for_xla_on_a_cpu(kind):
    assert xla_loses(SLOW[kind]()) == f"XLA is slow at {kind} on a CPU"


@pytest.mark.parametrize("where", WRAPPED)
def test_convolutions_inside_something_are_found(where):
    assert xla_loses(WRAPPED[where]()) == "XLA is slow at Conv2D on a CPU"


def test_all_else_may_be_and_everything_on_a_gpu(mlp, monkeypatch):
    assert xla_loses(mlp()) is None
    assert xla_loses(inside((5, 2), L.Bidirectional(L.LSTM(2)))) is None
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [f"{kind}:0"])
    assert xla_loses(SLOW["Conv2D"]()) is None


def test_convolution_stays_with_the_plain_loop_and_says_why(session, table):
    model = SLOW["Conv1D"]()
    model.compile("sgd", "sparse_categorical_crossentropy")
    one = session(model, table(60, 12).reshape(60, 6, 2), np.arange(60) % 3)
    program = ready(one)
    train(program, 20, ahead=EVER)
    assert (program.engine, program.reason) == ("compiled", "XLA is slow at Conv1D on a CPU")
    outcome = one.trainer.run(one.recipe, Patch())
    assert (outcome.engine, outcome.reason) == ("compiled", "XLA is slow at Conv1D on a CPU")
    assert outcome.to_dict()["reason"] == outcome.reason


def test_xla_can_be_switched_off(one):
    program = Program(one.recipe, one.trainer.feed.batch(one.recipe), xla=False)
    program._plain.pace = PACE
    train(program, 20, ahead=EVER)
    assert (program.engine, program.reason) == ("compiled", "switched off")
    program.close()


def test_steps_in_python_stay_there(one):
    recipe = one.recipe.set("compile/run_eagerly", True)
    program = Program(recipe, one.trainer.feed.batch(recipe))
    program._plain.pace = PACE
    train(program, 17, ahead=EVER)
    assert (program.engine, program.reason, program.traces) == ("eager", "run_eagerly=True", 0)
    program.close()


# ------------------------------------------------------------------------------------- when it pays


@pytest.mark.parametrize(("ahead", "engine"), [(PAYS - 1, "compiled"), (PAYS, "xla")])
def test_steps_ahead_must_be_worth_the_compilation(ahead, engine, program):
    train(program, 20, ahead=ahead)
    assert program.engine == engine
    assert program.reason is None
    assert (program.compiling > program._plain.tracing) is (engine == "xla")


def test_steps_behind_count_too(program):
    """What many short runs took: as many are likely to follow."""
    program._spent = PAYS * PACE
    train(program, 20)
    assert program.engine == "xla"


def test_time_of_the_plain_loop_adds_up(program):
    train(program, 20)
    assert program._spent == pytest.approx(20 * program._plain.pace)


def test_steps_ahead_are_worth_nothing_as_long_as_none_was_timed(program):
    program._plain.pace = None
    train(program, 20, ahead=EVER)
    assert program.engine == "compiled"
    assert program._plain.pace is not None


def test_call_without_enough_full_batches_is_left_to_the_plain_loop(program):
    train(program, XLA_LEAST - 1, ahead=EVER)
    assert program.engine == "compiled"
    train(program, XLA_LEAST, ahead=EVER)
    assert program.engine == "xla"
    loop = program._xla[2]
    train(program, XLA_LEAST - 1, ahead=EVER)
    assert loop.calls == 1


def test_epochs_that_end_in_a_small_batch_too_soon_are_left_to_the_plain_loop(program):
    """Ten batches and a half, over and over: a call into XLA for ten steps costs more than it saves."""
    size = 21
    starts = np.concatenate([epoch * size + np.arange(0, size, 2) for epoch in range(4)])
    stops = np.minimum(starts + 2, (starts // size + 1) * size)
    program.run(np.resize(np.arange(60), 4 * size), starts, stops, FAR, ahead=EVER)
    assert program.engine == "compiled"


def test_every_batch_size_has_a_loop_of_its_own_and_the_first_one_tells_what_the_next_costs(program):
    train(program, 20, ahead=EVER)
    program._xla[2].seconds = 1e6
    program._spent = 0.0
    train(program, 20, batch=3, ahead=PAYS)
    assert list(program._xla) == [2]
    program._xla[2].seconds = 1e-9
    train(program, 20, batch=3, ahead=1)
    assert list(program._xla) == [2, 3]


# ------------------------------------------------------------------------------------- what comes of it


def test_more_steps_than_fit_in_a_call(one, program):
    steps = XLA_STEPS + XLA_LEAST
    calm = np.full(steps, 1e-3)
    losses, _ = train(program, steps, rates=calm)
    expected = program.weights()
    start_over(one, program)
    found, _ = train(program, steps, rates=calm, ahead=EVER)
    assert program._xla[2].calls == 2
    equal([found, *program.weights()], [losses, *expected], 1e-5)


def test_gradients_are_read_by_the_plain_loop_between_calls_into_xla(program):
    order, starts = np.resize(np.arange(60), 400), np.arange(200) * 2
    losses, norms = program.run(order, starts, starts + 2, 0, ahead=EVER)
    read = np.flatnonzero(np.isfinite(norms).all(axis=1))
    assert program.engine == "xla"
    assert np.isfinite(losses).all()
    assert list(read) == [0, 1, 20, 160]


def test_whether_gradients_are_read_changes_no_bit(one):
    """Which loop makes which step is the same with and without."""
    ends = []
    for probes in (True, False):
        program = Program(one.recipe, one.trainer.feed.batch(one.recipe), probes=probes)
        program.reset(one.trainer.store.get(one.recipe, 0)[2])
        train(program, 1)
        program._plain.pace, program._plain.tracing = PACE, TRACING
        order, starts = np.resize(np.arange(60), 400), np.arange(200) * 2
        losses, norms = program.run(order, starts, starts + 2, 0, ahead=EVER)
        assert program.engine == "xla"
        assert np.isfinite(norms).any() == probes
        ends.append([losses, *program.weights()])
        program.close()
    for one_side, other in zip(*ends, strict=True):
        np.testing.assert_array_equal(one_side, other)


def test_learning_rates_of_a_range_test_rule(one, program):
    rates = np.geomspace(1e-4, 0.3, 40)
    losses, _ = train(program, 40, rates=rates)
    expected = program.weights()
    start_over(one, program)
    found, _ = train(program, 40, rates=rates, ahead=EVER)
    assert program.engine == "xla"
    equal([found, *program.weights()], [losses, *expected])
    assert float(program.model.optimizer.learning_rate) == pytest.approx(0.3)


def test_hot_settings_reach_xla(session, table):
    """Learning rate, penalty, scale and weights: what was compiled for the user's own follows them."""
    kernel = keras.regularizers.L2(0.01)
    model = keras.Sequential(
        [
            keras.Input((4,), name="table"),
            L.Dense(6, "tanh", kernel_regularizer=kernel, name="a"),
            L.Dense(3, "softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    one = session(model, 50 + 30 * table(), np.minimum(np.arange(60) // 20, np.arange(60) % 10 // 5 * 2))
    program = ready(one)
    train(program, 20, ahead=EVER)
    assert (program.engine, program.traces) == ("xla", 2)
    scale = {"module": "keras.layers", "class_name": "Rescaling", "config": {"scale": 0.02, "offset": -1.0}}
    recipe = one.recipe.set("compile/optimizer/learning_rate", 0.2).set("layers/a/kernel_regularizer", None)
    recipe = recipe.set("layers/table/after", [scale]).set("fit/class_weight", {"0": 1.0, "1": 4.0, "2": 3.0})
    hot, knobs, weights = one.trainer.store.get(recipe, 1)
    assert hot is program
    own = Program(recipe, one.trainer.feed.batch(recipe), xla=False)
    ends = []
    for each in (hot, own):
        each.reset(weights, knobs, one.trainer.feed.batch(recipe).weight)
        ends.append([train(each, 20, ahead=EVER)[0], *each.weights()])
    equal(*ends)
    assert (program.engine, program.traces) == ("xla", 2)
    own.close()


# ------------------------------------------------------------------------------------- what may go wrong


def test_xla_is_given_up_where_it_turns_out_slower(one, program):
    train(program, 20, ahead=EVER)
    expected = program.weights()
    program._xla[2].pace = 1e6
    program._plain.pace = 1e-9
    for _ in range(XLA_TRIED - 1):
        train(program, XLA_TIMED, ahead=EVER)
        program._xla[2].pace = 1e6
        assert program.engine == "xla"  # the first calls still set things up
    program._plain.pace = 1e-12
    train(program, XLA_TIMED, ahead=EVER)
    assert (program.engine, program.reason) == ("compiled", "XLA was slower when measured")
    train(program, 20, ahead=EVER)
    assert program.engine == "compiled"
    start_over(one, program)
    train(program, 20, ahead=EVER)
    equal(program.weights(), expected)


def test_xla_may_be_given_up_in_the_middle_of_a_call(program):
    """Full batches, a small one, full batches again, and the loop is gone after the first of them."""
    train(program, 20, ahead=EVER)
    program._xla[2].timed = XLA_TRIED
    program._xla[2].pace = 1e6
    program._plain.pace = 1e-12
    size = 81
    starts = np.concatenate([epoch * size + np.arange(0, size, 2) for epoch in range(2)])
    stops = np.minimum(starts + 2, (starts // size + 1) * size)
    losses, _ = program.run(np.resize(np.arange(60), 2 * size), starts, stops, FAR, ahead=EVER)
    assert len(losses) == len(starts)
    assert program.reason == "XLA was slower when measured"


def test_step_that_xla_cannot_compile_goes_on_without(session, table, monkeypatch):
    """An operation that only Python can do; the attempt must leave nothing behind."""
    monkeypatch.setattr("autofix.trainer.program.XLA_TRACES", 0.0)

    @keras.saving.register_keras_serializable()
    class ByHand(L.Layer):
        def call(self, inputs: Any) -> Any:
            return tf.ensure_shape(tf.py_function(lambda x: 2.0 * x, [inputs], tf.float32), inputs.shape)

        def compute_output_shape(self, shape: Any) -> Any:
            return shape

    model = keras.Sequential([keras.Input((4,)), L.Dense(5, "tanh"), ByHand(), L.Dense(3, "softmax")])
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", jit_compile=False)
    given = [value.copy() for value in model.get_weights()]
    one = session(model, shuffle=False, epochs=9, batch_size=2)
    outcome = one.trainer.run(one.recipe, Patch(), holdout=True)
    assert outcome.status is Status.DONE, outcome.error
    assert outcome.engine == "compiled"
    assert outcome.reason.startswith("XLA cannot compile the train step (")
    model.set_weights(given)
    x, y = table(), np.digitize(table()[:, 0], [-0.4, 0.4])
    model.fit(x, y, epochs=9, batch_size=2, shuffle=False, verbose=0)
    equal(outcome.weights, model.get_weights())


def test_failing_compiler_is_asked_once(program, monkeypatch):
    asked = []

    def fails(*args: Any) -> Any:
        asked.append(args)
        raise NotImplementedError("no such operation")

    monkeypatch.setattr("autofix.trainer.program.XlaLoop", fails)
    for _ in range(3):
        losses, _ = train(program, 20, ahead=EVER)
        assert np.isfinite(losses).all()
    assert len(asked) == 1
    assert (program.engine, program.reason) == ("compiled", "XLA cannot compile the train step (NotImplementedError)")


def test_ctrl_c_while_xla_compiles_goes_through(program, monkeypatch):
    def interrupted(*args: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("autofix.trainer.program.XlaLoop", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(program, 20, ahead=EVER)


def test_closing_lets_go_of_all_loops(mlp, session):
    one = session(mlp())
    program = ready(one)
    train(program, 20, ahead=EVER)
    kept = SimpleNamespace(plain=program._plain, xla=program._xla[2])
    one.trainer.close()
    assert program._xla == {}
    assert not hasattr(kept.plain, "_call")
    assert not hasattr(kept.xla, "_call")

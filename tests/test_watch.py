"""`Watch`: sees what stalls a `fit`, when it happens, and changes nothing in it."""

from __future__ import annotations

import logging
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import autofix
from autofix.errors import FixYourCall
from autofix.live.curve import Curve, Unaveraged
from autofix.live.handover import outcome_of
from autofix.live.schedule import MILESTONES, SHARE, Schedule
from autofix.session import prepare
from autofix.symptom import Symptom
from autofix.symptoms import TRACE
from autofix.symptoms import diagnose as judge_rules
from autofix.watch import Watch

L = keras.layers
# Keras' own remarks about datasets with `shuffle=True`, and its use of NumPy 1 when it saves weights.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def table(rows=640, features=8, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, features)).astype("float32")


def labels(x, classes=3, seed=1):
    return (x @ np.random.default_rng(seed).normal(size=(x.shape[1], classes))).argmax(axis=1)


def network(
    *hidden, features=8, classes=3, activation="relu", optimizer=None, seed=0, metrics=("accuracy",), **compiling
):
    keras.utils.set_random_seed(seed)
    body = [item if isinstance(item, L.Layer) else L.Dense(item, activation) for item in hidden or (16, 16)]
    model = keras.Sequential([keras.Input((features,)), *body, L.Dense(classes, "softmax", name="head")])
    optimizer = keras.optimizers.Adam(0.01) if optimizer is None else optimizer
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=list(metrics), **compiling)
    return model


def told(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "autofix"]


def found(watch):
    return {item.symptom for item in watch.diagnosis}


def first_told(caplog, symptom):
    """The step at which a symptom was told."""
    for line in told(caplog):
        if f" {symptom.code}:" in line:
            return int(line.split("step ")[1].split(":")[0].replace(",", ""))
    raise AssertionError(f"{symptom.code} was not told: {told(caplog)}")


class Noisy(L.Layer):
    """Draws from every generator there is, in inference too, and counts its calls in a variable."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seeds = keras.random.SeedGenerator(3)

    def build(self, shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, inputs):
        self.calls.assign_add(1.0)
        drawn = keras.random.normal(keras.ops.shape(inputs), seed=self.seeds)
        return inputs + 0.01 * drawn + 0.01 * tf.random.normal(tf.shape(inputs))


class Own(keras.Model):
    """A `train_step` of the user's own, which reports the loss of the batch or a mean."""

    averages = False

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        if not self.averages:
            return {"loss": loss}
        self._loss_tracker.update_state(loss)
        return {"loss": self._loss_tracker.result()}


class Averaging(Own):
    averages = True


def losses_by_hand(model, x, y, batch):
    """Losses of the batches in order, with the weights as they are."""
    starts = range(0, len(x), batch)
    return [float(model.evaluate(x[i : i + batch], y[i : i + batch], verbose=0, batch_size=batch)[0]) for i in starts]


def state(model):
    metrics = [variable.numpy() for metric in model.metrics for variable in metric.variables]
    return [variable.numpy() for variable in (*model.variables, *model.optimizer.variables)] + metrics


@pytest.mark.parametrize("every", [1, None])
def test_watching_changes_nothing(every):
    """Weights, losses, metrics, running statistics, seeds and slots come out bit for bit as without it."""
    x = table()
    y = labels(x)
    ends = []
    for callbacks in ([], [Watch(every=every, log=False)]):
        keras.utils.set_random_seed(4)
        body = (
            L.Dense(16, "relu", kernel_regularizer="l2"),
            L.BatchNormalization(),
            Noisy(),
            L.Dropout(0.3),
            L.Dense(8, activity_regularizer="l2"),
        )
        model = network(*body)
        again = [
            model.fit(x, y, epochs=2, batch_size=48, verbose=0, validation_split=0.1, callbacks=callbacks).history
            for _ in range(2)
        ]
        # What is drawn afterwards shows whether a global generator was moved.
        drawn = [
            np.random.random(),  # noqa: NPY002 (the generator that users draw from)
            float(tf.random.uniform(())),
            keras.layers.Dense(1, name="d").kernel_initializer.seed,
        ]
        ends.append((again, drawn, state(model)))
    (plain, numbers, variables), (watched, same_numbers, same_variables) = ends
    assert plain == watched
    assert numbers == same_numbers
    assert len(variables) == len(same_variables)
    for one, two in zip(variables, same_variables, strict=True):
        assert one.tobytes() == two.tobytes()


def test_layers_keep_their_methods_and_nodes():
    model = network()
    before = [(dict(layer.__dict__), len(layer._inbound_nodes)) for layer in model.layers]
    x = table()
    model.fit(x, labels(x), verbose=0, callbacks=[Watch(every=2, log=False)])
    for layer, (attributes, nodes) in zip(model.layers, before, strict=True):
        assert layer.__dict__.keys() == attributes.keys()
        assert len(layer._inbound_nodes) == nodes


def test_losses_of_batches_out_of_their_mean():
    model = network(optimizer=keras.optimizers.SGD(0.0))
    x = table(200)
    y = labels(x)
    watch = Watch(log=False)
    model.fit(x, y, epochs=2, batch_size=64, shuffle=False, verbose=0, callbacks=[watch])
    by_hand = losses_by_hand(model, x, y, 64)
    assert watch.trace.loss == pytest.approx(by_hand * 2, rel=1e-4)
    assert (watch.trace.steps_per_epoch, watch.trace.epochs, watch.trace.planned_epochs) == (4, 2.0, 2)
    assert watch.trace.learning_rate == 0.0
    assert watch.fit_settings == {"epochs": 2, "batch_size": 64, "shuffle": False}


@pytest.mark.parametrize("kind", [Own, Averaging])
def test_losses_of_a_train_step_of_the_users_own(kind):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8,))
    model = kind(inputs, L.Dense(3, "softmax")(L.Dense(8, "relu")(inputs)))
    model.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    x = table(192)
    y = labels(x)
    watch = Watch(every=2, log=False)
    model.fit(x, y, epochs=2, batch_size=64, shuffle=False, verbose=0, callbacks=[watch])
    probabilities = model(x).numpy()
    each = -np.log(probabilities[np.arange(len(y)), y]).reshape(3, 64).mean(axis=1)
    assert watch.trace.loss == pytest.approx([*each, *each], rel=1e-4)
    assert len(watch.trace.gradient_norms) == 2


def test_steps_per_execution_counts_executions():
    x = table(32 * 40)
    y = labels(x)
    model = network(steps_per_execution=8)
    watch = Watch(log=False)
    history = model.fit(x, y, epochs=3, verbose=0, callbacks=[watch])
    trace = watch.trace
    assert trace.steps == 3 * 5
    assert trace.steps_per_epoch == 5
    assert np.mean(trace.loss[:5]) == pytest.approx(history.history["loss"][0], rel=1e-4)
    assert any("a step below stands for 8" in sentence for sentence in trace.unseen)
    assert max(trace.probe_steps) <= trace.steps


def test_nan_is_told_at_its_step(caplog):
    x = table()
    y = labels(x)
    x[-1] = np.nan
    watch = Watch(stop=True)
    # A compiled ReLU takes the larger of NaN and 0 for 0.
    model = network(activation="tanh")
    model.fit(x, y, batch_size=32, shuffle=False, epochs=5, verbose=0, callbacks=[watch])
    assert first_told(caplog, Symptom.NON_FINITE_LOSS) == 20
    assert watch.trace.steps == 20
    assert watch.trace.non_finite_step == 19
    assert watch.trace.non_finite_origin == "input"


def test_nan_of_the_steps_is_told_at_its_step(caplog):
    x = table()
    watch = Watch(stop=True)
    network(optimizer=keras.optimizers.SGD(1e12)).fit(x, labels(x), epochs=5, verbose=0, callbacks=[watch])
    assert first_told(caplog, Symptom.NON_FINITE_LOSS) == watch.trace.non_finite_step + 1 == watch.trace.steps
    assert watch.trace.non_finite_origin in ("gradient", "loss")


def overshooting():
    """Least squares at a rate of twice what it can bear: every step is about three times as long as the last one."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8,)), L.Dense(1, name="head")])
    model.compile(keras.optimizers.SGD(2.0), "mse")
    return model


FAULTS = {
    Symptom.VANISHING_GRADIENT: lambda: network(*[16] * 8, activation="sigmoid", optimizer=keras.optimizers.SGD(0.01)),
    Symptom.DEAD_UNITS: lambda: network(
        L.Dense(16, "relu", bias_initializer=keras.initializers.Constant(-50.0)),
        16,
        optimizer=keras.optimizers.SGD(0.1),
    ),
    Symptom.SATURATED_UNITS: lambda: network(
        *[L.Dense(16, "tanh", kernel_initializer=keras.initializers.RandomNormal(stddev=20.0)) for _ in range(3)],
        optimizer=keras.optimizers.SGD(0.001),
    ),
    Symptom.EXPLODING_GRADIENT: overshooting,
    Symptom.WEIGHTS_UNCHANGED: lambda: network(optimizer=keras.optimizers.SGD(1e-12)),
}


@pytest.mark.parametrize("symptom", FAULTS, ids=lambda symptom: symptom.code)
def test_faults_are_told_within_20_steps(symptom, caplog):
    x = table()
    watch = Watch()
    FAULTS[symptom]().fit(x, labels(x), epochs=2, verbose=0, callbacks=[watch])
    assert first_told(caplog, symptom) <= 20
    assert symptom in found(watch)
    json_ready = [item.to_dict() for item in watch.diagnosis]
    assert all(item["evidence"] for item in json_ready)


@pytest.mark.parametrize("rows", [32 * 200, 32 * 60])
def test_plateau_is_told_within_100_steps(rows, caplog):
    x = table(rows)
    y = np.random.default_rng(5).integers(0, 3, rows)
    model = network(optimizer=keras.optimizers.SGD(1e-5))
    model.fit(x, y, epochs=2, verbose=0, callbacks=[Watch()])
    assert first_told(caplog, Symptom.PLATEAU) <= 100


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_healthy_run_is_told_nothing(activation, caplog):
    x = table(2000)
    watch = Watch(stop=True)
    network(32, 32, activation=activation).fit(x, labels(x), epochs=8, verbose=0, callbacks=[watch])
    assert told(caplog) == []
    assert all(item.severity < 0.5 for item in watch.diagnosis)
    assert watch.trace.epochs == 8.0
    assert watch.trace.train_score > 0.5
    assert watch.trace.unseen == ()


def test_each_finding_is_told_once_and_can_be_kept_quiet(caplog):
    x = table()
    y = labels(x)
    broken = FAULTS[Symptom.DEAD_UNITS]
    broken().fit(x, y, epochs=6, verbose=0, callbacks=[Watch(every=3)])
    assert sum(" dead_units:" in line for line in told(caplog)) == 1
    assert all("\n" not in line for line in told(caplog))
    caplog.clear()
    quiet = Watch(every=3, log=False)
    broken().fit(x, y, epochs=2, verbose=0, callbacks=[quiet])
    assert told(caplog) == []
    assert Symptom.DEAD_UNITS in found(quiet)


def test_stop_ends_a_stalled_run_only_on_request():
    x = table()
    y = labels(x)
    for stop, steps in ((False, 100), (True, 20)):
        watch = Watch(stop=stop, log=False)
        FAULTS[Symptom.DEAD_UNITS]().fit(x, y, epochs=5, verbose=0, callbacks=[watch])
        assert watch.trace.steps <= steps
        assert (watch.trace.steps < 100) is stop


def test_several_fits_and_models_begin_anew():
    x = table()
    y = labels(x)
    watch = Watch(every=5, log=False)
    assert watch.trace is None
    assert watch.diagnosis == ()
    broken, sound = FAULTS[Symptom.DEAD_UNITS](), network(16)
    broken.fit(x, y, epochs=2, verbose=0, callbacks=[watch])
    assert Symptom.DEAD_UNITS in found(watch)
    for epochs in (3, 1):
        sound.fit(x, y, epochs=epochs, verbose=0, callbacks=[watch])
        assert Symptom.DEAD_UNITS not in found(watch)
        assert watch.trace.steps == 20 * epochs
        assert list(watch.trace.gradient_norms) == [f"layers/{sound.layers[0].name}", "layers/head"]


def test_validation_data_gives_the_score():
    x = table(1200)
    y = labels(x)
    watch = Watch(every=10, log=False)
    held = (x[1000:], y[1000:])
    network().fit(x[:1000], y[:1000], epochs=4, verbose=0, validation_data=held, callbacks=[watch])
    trace = watch.trace
    assert len(trace.epoch_scores) == len(trace.scored_epochs)
    assert trace.scored_epochs[0] == 1.0
    assert trace.epoch_scores[-1] > trace.epoch_scores[0]
    assert 0.5 < trace.train_score <= 1.0
    assert len(trace.predictions[0].recalls) == 3


def batches(x, y, size=32):
    while True:
        for start in range(0, len(x), size):
            yield x[start : start + size], y[start : start + size]


class Sequence(keras.utils.PyDataset):
    def __init__(self, x, y, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.taken = x, y, 0

    def __len__(self):
        return len(self.x) // 32

    def __getitem__(self, index):
        self.taken += 1
        return self.x[index * 32 : index * 32 + 32], self.y[index * 32 : index * 32 + 32]


def test_a_generator_is_watched_without_taking_from_it():
    x = table()
    y = labels(x)
    ends = []
    for callbacks in ([], [Watch(every=4, log=False)]):
        model = network()
        history = model.fit(batches(x, y), steps_per_epoch=13, epochs=3, verbose=0, callbacks=callbacks)
        ends.append(history.history)
    assert ends[0] == ends[1]
    trace = callbacks[0].trace
    assert trace.steps == 39
    assert trace.gradient_norms == {}
    assert trace.weight_change
    assert any("no rows" in sentence for sentence in trace.unseen)


@pytest.mark.parametrize("form", ["arrays", "dataset", "sequence"])
def test_data_shows_layers_where_fit_has_none(form, caplog):
    x = table()
    y = labels(x)
    data = {
        "arrays": (x, y),
        "dataset": tf.data.Dataset.from_tensor_slices((x, y)).batch(32),
        "sequence": Sequence(x, y),
    }[form]
    watch = Watch(data)
    FAULTS[Symptom.DEAD_UNITS]().fit(batches(x, y), steps_per_epoch=30, epochs=2, verbose=0, callbacks=[watch])
    assert first_told(caplog, Symptom.DEAD_UNITS) <= 20
    assert watch.trace.unseen == ()


def test_an_ordered_dataset_is_read_without_a_change():
    x = table()
    y = labels(x)
    ends = []
    for watched in (False, True):
        data = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)
        model = network(16, L.Dropout(0.2, seed=7))
        ends.append(model.fit(data, epochs=2, verbose=0, callbacks=[Watch(data, log=False)] if watched else []).history)
    assert ends[0] == ends[1]


def test_a_sequence_in_fit_is_left_alone():
    x = table()
    data = Sequence(x, labels(x))
    network().fit(data, verbose=0, callbacks=[])
    plain, data.taken = data.taken, 0
    network().fit(data, verbose=0, callbacks=[Watch(every=2, log=False)])
    assert data.taken == plain


@pytest.mark.parametrize("eager", [False, True])
def test_class_weights_weighted_rows_and_eager_runs(eager):
    x = table(320)
    y = labels(x)
    watch = Watch(every=3, log=False)
    model = network(run_eagerly=eager)
    weight = np.linspace(0.5, 1.5, len(x))
    model.fit(x, y, sample_weight=weight, epochs=2, verbose=0, callbacks=[watch])
    assert watch.trace.steps == 20
    model.fit(x, y, class_weight={0: 1.0, 1: 2.0, 2: 1.0}, verbose=0, callbacks=[watch])
    assert watch.fit_settings["class_weight"] == {"0": 1.0, "1": 2.0, "2": 1.0}
    assert watch.trace.gradient_norms


def test_several_inputs_outputs_and_nested_models():
    keras.utils.set_random_seed(0)
    inner = keras.Sequential([keras.Input((8,)), L.Dense(6, "relu", name="deep")], name="inner")
    one, two = keras.Input((8,), name="one"), keras.Input((8,), name="two")
    both = inner(one) + inner(two)
    outputs = {"a": L.Dense(3, "softmax", name="a")(both), "b": L.Dense(1, name="b")(both)}
    model = keras.Model({"one": one, "two": two}, outputs)
    model.compile("adam", {"a": "sparse_categorical_crossentropy", "b": "mse"})
    x = table()
    watch = Watch(every=2, log=False)
    feed = {"one": x, "two": x[::-1].copy()}
    model.fit(feed, {"a": labels(x), "b": x[:, :1]}, verbose=0, callbacks=[watch])
    trace = watch.trace
    assert list(trace.gradient_norms) == ["layers/inner/layers/deep", "layers/a", "layers/b"]
    assert {item.layer for item in trace.last} >= {"layers/inner/layers/deep", "layers/a", "layers/b"}
    assert len(trace.predictions) == 2
    assert trace.unseen == ()


def test_a_sequential_that_is_built_by_its_first_batch():
    keras.utils.set_random_seed(0)
    model = keras.Sequential()
    model.add(L.Dense(16, "relu", name="hidden"))
    model.add(L.Dense(3, "softmax", name="head"))
    model.compile("adam", "sparse_categorical_crossentropy")
    x = table()
    watch = Watch(every=1, log=False)
    model.fit(x, labels(x), verbose=0, callbacks=[watch])
    assert watch.trace.unseen == ()
    assert list(watch.trace.gradient_norms) == ["layers/hidden", "layers/head"]
    assert watch.recipe.is_graph


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.head = L.Dense(16, "relu"), L.Dense(3, "softmax")

    def call(self, inputs):
        return self.head(self.hidden(inputs))


def test_a_subclassed_model_shows_gradients_and_says_what_it_hides():
    keras.utils.set_random_seed(0)
    model = Subclassed()
    model.compile("adam", "sparse_categorical_crossentropy")
    x = table()
    watch = Watch(every=2, log=False)
    model.fit(x, labels(x), epochs=2, verbose=0, callbacks=[watch])
    trace = watch.trace
    assert len(trace.gradient_norms) == len(trace.weight_change) == 2
    assert trace.predictions
    assert any("layer outputs" in sentence for sentence in trace.unseen)
    assert any("subclassed" in sentence for sentence in trace.unseen)


class Fails(L.Layer):
    """Works in a traced step and nowhere else."""

    def call(self, inputs):
        if tf.executing_eagerly():
            raise RuntimeError("not like this")
        return inputs


def test_a_failing_probe_never_ends_the_fit():
    x = table()
    watch = Watch(every=1, log=False)
    model = network(16, Fails())
    history = model.fit(x, labels(x), epochs=2, verbose=0, callbacks=[watch])
    assert len(history.history["loss"]) == 2
    assert watch.trace.steps == 40
    assert any("not like this" in sentence for sentence in watch.trace.unseen)


def test_unreadable_data_never_ends_the_fit():
    x = table()
    for data in ((x[:10], labels(x)), "no data", [None]):
        watch = Watch(data, every=2, log=False)
        network().fit(x, labels(x), verbose=0, callbacks=[watch])
        assert watch.trace.steps == 20
        assert watch.trace.unseen
        assert watch.trace.gradient_norms == {}


def test_an_error_of_ours_never_ends_the_fit(monkeypatch, caplog):
    def broken(self, *args, **kwargs):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("autofix.live.run.Run.due", broken)
    x = table()
    network().fit(x, labels(x), epochs=2, verbose=0, callbacks=[Watch()])
    assert sum("no longer watched" in record.getMessage() for record in caplog.records) == 1


def test_backup_and_restore_goes_on_where_it_was(tmp_path):
    class Interrupts(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    x = table()
    y = labels(x)
    watch = Watch(every=5, log=False)
    model = network()
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=5, verbose=0, callbacks=[watch, backup, Interrupts()])
    assert watch.trace.steps == 40
    fresh = network(seed=1)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    fresh.fit(x, y, epochs=5, verbose=0, callbacks=[watch, backup])
    assert watch.trace.steps == 60
    assert watch.trace.epochs == 3.0
    # The weights that others restore at the beginning of `fit` are those that the run is measured from.
    assert 0 < max(watch.trace.weight_change.values()) < 1.0


def test_arguments_are_checked():
    with pytest.raises(FixYourCall, match="`every`"):
        Watch(every=0)
    with pytest.raises(FixYourCall, match="generator"):
        Watch(batches(table(), labels(table())))


def test_a_layer_without_gradient_is_told(caplog):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8,))
    used, unused = L.Dense(8, "relu", name="used")(inputs), L.Dense(8, "relu", name="unused")(inputs)
    model = keras.Model(inputs, {"a": L.Dense(3, "softmax", name="a")(used), "b": L.Dense(3, name="b")(unused)})
    model.compile("adam", {"a": "sparse_categorical_crossentropy"})
    x = table()
    watch = Watch(every=2)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        model.fit(x, {"a": labels(x)}, epochs=2, verbose=0, callbacks=[watch])
    silent = {item.layer for item in watch.diagnosis if item.symptom is Symptom.WEIGHTS_UNCHANGED}
    assert silent == {"layers/unused", "layers/b"}
    (apart,) = [item for item in watch.diagnosis if item.layer == "layers/unused"]
    assert "on no way from the inputs" in apart.causes[0]
    assert "trainable" in apart.strategies


def test_the_watched_run_can_stand_for_the_first_run_of_a_repair():
    x = table(400)
    y = labels(x)
    model = network(L.Dense(16, "relu", bias_initializer=keras.initializers.Constant(-50.0)), 16)
    watch = Watch(log=False)
    model.fit(x, y, epochs=3, verbose=0, callbacks=[watch])
    session = prepare(model, (x, y), fit={"epochs": 3})
    try:
        outcome = outcome_of(watch, session)
        assert outcome is not None
        assert outcome.trace == watch.trace
        assert outcome.share == 1.0
        case = session.case
        evidence = autofix.symptom.Evidence(
            case.recipe, case.facts, case.input_shapes, case.output_shapes, outcome.trace, outcome.score.value
        )
        findings, failed = judge_rules(evidence, TRACE)
        assert failed == ()
        assert Symptom.DEAD_UNITS in {item.symptom for item in findings}
        other = Watch(log=False)
        assert outcome_of(other, session) is None
        network(8).fit(x, y, verbose=0, callbacks=[other])
        assert outcome_of(other, session) is None
    finally:
        session.trainer.close()


def test_the_import_stays_light():
    code = "import sys, autofix; assert 'tensorflow' not in sys.modules; assert 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


MIRRORED = """
import numpy as np, tensorflow as tf, keras
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from autofix.watch import Watch

def run(callbacks):
    keras.utils.set_random_seed(0)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        layers = [keras.Input((8,)), keras.layers.Dense(16, "relu"), keras.layers.BatchNormalization(),
                  keras.layers.Dropout(0.2), keras.layers.Dense(3, "softmax")]
        model = keras.Sequential(layers)
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = np.random.default_rng(0).normal(size=(320, 8)).astype("float32")
    y = np.random.default_rng(1).integers(0, 3, 320)
    history = model.fit(x, y, epochs=2, shuffle=False, verbose=0, callbacks=callbacks).history
    return history, model.get_weights()

watch = Watch(every=2, log=False)
plain, watched = run([]), run([watch])
assert plain[0] == watched[0], (plain[0], watched[0])
assert all(a.tobytes() == b.tobytes() for a, b in zip(plain[1], watched[1]))
trace = watch.trace
assert trace.steps == 20 and trace.unseen == (), trace.unseen
assert len(trace.gradient_norms) == 2 and len(trace.last) == 4, trace
"""


def test_a_mirrored_strategy_on_two_logical_devices():
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MIRRORED)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def looks(seconds_a_step, seconds_a_look, steps, *, planned=0):
    """Steps at which a run is looked at, and the share of its time that this takes."""
    now = 0.0
    schedule = Schedule(clock=lambda: now)
    found = []
    for step in range(1, steps + 1):
        now += seconds_a_step
        if step >= schedule.due and schedule.grants(step, planned):
            found.append(step)
            with schedule.timed(reading=True):
                now += seconds_a_look
    return found, schedule.spent / now


def test_looks_are_frequent_at_first_where_they_cost_little():
    found, share = looks(1.0, 0.001, 10_000)
    assert found[: len(MILESTONES)] == list(MILESTONES)
    assert share < SHARE
    assert np.diff(found).max() < 5_000


@pytest.mark.parametrize(("step", "look"), [(0.002, 0.015), (0.005, 0.05), (0.5, 4.0)])
def test_looks_keep_to_their_share(step, look):
    found, share = looks(step, look, 20_000)
    assert 20 in found
    assert share < 1.05 * SHARE
    assert len(found) > 5


def test_a_short_run_that_goes_on_training_is_not_looked_at():
    assert looks(0.002, 0.02, 100, planned=100) == ([], 0.0)
    assert looks(0.002, 0.02, 1_000, planned=1_000)[0][0] == 20


def test_a_curve_halves_its_resolution():
    curve = Curve(most=8)
    news = [curve.add(float(loss)) for loss in range(37)]
    assert not any(news)
    assert curve.stride == 8
    assert curve.entries == (3.5, 11.5, 19.5, 27.5)
    assert [curve.add(np.inf), curve.add(np.nan)] == [True, False]
    assert curve.first_bad == 37


def test_losses_that_drown_in_a_mean_are_said_to():
    unaveraged, mean = Unaveraged(), np.float32(0.0)
    for number, loss in enumerate([1e9, 2.0, 2.0, 2.0], 1):
        mean += (np.float32(loss) - mean) / np.float32(number)
        taken = unaveraged.take(float(mean))
        assert taken >= 0.0
    assert unaveraged.blurred


@pytest.fixture(autouse=True)
def _listen(caplog):
    caplog.set_level(logging.WARNING, logger="autofix")

"""TensorBoard: what is written comes back from its own reader."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from autofix.integrations import NotInstalled, tensorboard
from tests.integrations.folders import written
from tests.programs import run

# Keras reads the variables that it saves through an interface of which NumPy 2 warns.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def result():
    return run("tiny_rate").result


@pytest.fixture(scope="module")
def events(result, tmp_path_factory):
    """Everything that is read back, by run."""
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

    folder = tensorboard.write(result, tmp_path_factory.mktemp("logs") / "repair")
    found = EventMultiplexer({}, {"scalars": 0, "tensors": 0})
    found.AddRunsFromDirectory(str(folder))
    return found.Reload()


def values(events, name, tag):
    from tensorboard.util import tensor_util

    return {event.step: tensor_util.make_ndarray(event.tensor_proto) for event in events.Tensors(name, tag)}


def test_curves_of_before_and_after(events, result):
    before = next(trial for trial in result.trials if not trial.patch)
    losses = values(events, "before", "loss")
    assert list(losses) == list(range(len(before.trace.loss)))
    np.testing.assert_allclose(list(losses.values()), before.trace.loss, rtol=1e-5)
    assert len(values(events, "after", "score")) == 25
    assert max(values(events, "after", "score").values()) > 0.8
    assert next(iter(values(events, "after", "learning_rate").values())) > 1e-4


def test_gradients_layers_and_weights(events, result):
    tags = set(events.Runs()["before"]["tensors"])
    layer = next(iter(result.trials[0].trace.gradient_norms))
    assert {"gradient_norm/all", f"gradient_norm/{layer}", f"outputs/{layer}/std", f"weights/{layer}/drift"} <= tags
    norms = values(events, "before", f"gradient_norm/{layer}")
    np.testing.assert_allclose(list(norms.values()), result.trials[0].trace.gradient_norms[layer], rtol=1e-5)
    histograms = [tag for tag in events.Runs()["after"]["tensors"] if tag.startswith("model/")]
    assert len(histograms) == len([weight for weight in result.model.weights if weight.shape != ()])
    assert all(next(iter(values(events, "after", tag).values())).shape[1] == 3 for tag in histograms)


def test_range_test_and_texts(events, result):
    rates = values(events, "range_test", "range_test/learning_rate")
    np.testing.assert_allclose(list(rates.values()), result.range_test.rates[: len(rates)], rtol=1e-5)
    log = values(events, "change_log", "change log")[0].item().decode()
    assert "REPAIRED" in log
    assert "extreme_learning_rate" in values(events, "change_log", "diagnosis")[0].item().decode()
    after = values(events, "change_log", f"after/{result.metric}")[0]
    assert float(after) == pytest.approx(result.after.mean)


def test_a_range_test_of_a_run_folder_may_have_gaps(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    with tensorboard._writing(tmp_path):
        tensorboard._range_test({"rates": [1e-3, 1e-2], "losses": [1.0, None], "candidates": []})
    found = EventAccumulator(str(tmp_path), {"tensors": 0}).Reload().Tensors("range_test/loss")
    assert [bool(np.isnan(make_ndarray(event.tensor_proto))) for event in found] == [False, True]


def test_hparams(events, result):
    from tensorboard.plugins.hparams import plugin_data_pb2

    def session(name):
        data = events.SummaryMetadata(name, "_hparams_/session_start_info").plugin_data.content
        hparams = plugin_data_pb2.HParamsPluginData.FromString(data).session_start_info.hparams
        return {path: value.string_value for path, value in hparams.items()}

    names = sorted(name for name in events.Runs() if name.startswith("trials/"))
    assert len(names) == 2  # the run as it came, and one candidate; not the runs of the proof
    path = "compile/optimizer/learning_rate"
    assert session(names[0]) == {path: "as it came"}
    assert float(session(names[1])[path]) == result.changes[0].after
    scores = [float(values(events, name, "trial/score")[0]) for name in names]
    assert scores == pytest.approx([result.trials[0].score.value, result.trials[1].score.value])


def test_a_long_curve_is_thinned():
    steps = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tensorboard.tf.summary, "scalar", lambda name, value, step: steps.append(step))
        tensorboard._line("loss", range(50_000), [0.0] * 50_000)
    assert len(steps) == tensorboard.POINTS
    assert (steps[0], steps[-1]) == (0, 49_999)


def test_a_healthy_run_has_no_trials(tmp_path):
    folder = tensorboard.write(run("healthy").result, tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["before", "change_log"]


def test_missing_tensorboard_is_named(monkeypatch, tmp_path, result):
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(NotInstalled, match=r"pip install 'keras-autofix\[tensorboard\]'"):
        tensorboard.write(result, tmp_path)


def test_a_run_folder_is_written_as_its_result_is(result, tmp_path):
    written(result, tmp_path / "run")
    tensorboard.write(tmp_path / "run", tmp_path / "logs")
    runs = sorted(str(path.relative_to(tmp_path / "logs")) for path in (tmp_path / "logs").rglob("*") if path.is_dir())
    assert runs == ["after", "before", "change_log", "range_test", "trials", "trials/00000", "trials/00001"]

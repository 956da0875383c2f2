"""MLflow: a repair is logged to a store on the disk, and read back."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from autofix.change import Patch
from autofix.integrations.mlflow import log
from autofix.store import folder as names
from tests.integrations.folders import written
from tests.programs import run

pytest.importorskip("mlflow")
# Importing MLflow takes seconds.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def result():
    return run("tiny_rate").result


@pytest.fixture
def store(tmp_path, monkeypatch):
    import mlflow

    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    mlflow.create_experiment("repairs", artifact_location=(tmp_path / "artifacts").as_uri())
    mlflow.set_experiment("repairs")
    return mlflow


@pytest.mark.timeout(600)
def test_a_result_is_a_run(store, result):
    x = run("tiny_rate").x
    found = store.get_run(log(result, example=x[:3], registered_name="digits"))
    assert found.info.status == "FINISHED"
    assert found.data.tags["autofix.status"] == "repaired"
    assert "extreme_learning_rate" in found.data.tags["autofix.symptoms"]
    assert float(found.data.params["change/compile/optimizer/learning_rate"]) == result.changes[0].after
    assert found.data.metrics[f"after.{result.metric}"] == pytest.approx(result.after.mean)
    assert found.data.metrics[f"before.{result.metric}"] == pytest.approx(result.before.mean)
    client, run_id = store.MlflowClient(), found.info.run_id
    assert len(client.get_metric_history(run_id, "after.score")) == 25
    losses = {metric.step: metric.value for metric in client.get_metric_history(run_id, "before.loss")}
    before = next(trial for trial in result.trials if not trial.patch).trace
    assert losses[1] == pytest.approx(np.mean(before.loss[: before.steps_per_epoch]))
    patch = store.artifacts.load_text(f"{found.info.artifact_uri}/{names.PATCH}")
    assert Patch.from_yaml(patch) == result.patch
    assert "REPAIRED" in store.artifacts.load_text(f"{found.info.artifact_uri}/{names.CHANGE_LOG}")
    model = store.pyfunc.load_model("models:/digits/1")
    np.testing.assert_allclose(model.predict(x[:3]), result.model.predict(x[:3], verbose=0), rtol=1e-5)
    assert model.metadata.signature.inputs.inputs[0].shape == (-1, 4)


def test_a_run_folder_is_logged_into_the_active_run(store, result, tmp_path):
    folder = written(result, tmp_path / "run")
    with store.start_run() as active:
        assert log(folder) == active.info.run_id
    artifacts = {item.path for item in store.MlflowClient().list_artifacts(active.info.run_id)}
    assert artifacts == {
        names.CHANGE_LOG, names.PATCH, names.DIAGNOSIS, names.HISTORY, names.JOURNAL, names.MODEL
    }  # fmt: skip
    assert store.get_run(active.info.run_id).data.metrics["trials"] == len(result.trials)


def test_mlflow_is_imported_by_the_call_alone():
    code = "import sys, autofix.integrations.mlflow; print([n for n in ('mlflow', 'keras') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"

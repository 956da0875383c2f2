"""Real trainings, in this process: a line of three models on a table whose program cannot train as it comes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from autofix import config
from autofix.job import Job
from autofix.retraining.asked import Asked
from autofix.retraining.config import Pipeline
from autofix.retraining.models import Models
from autofix.retraining.rows import read
from autofix.retraining.running import Ended, retrain
from autofix.retraining.training import execute, session_of
from autofix.retraining.work import Work
from autofix.session import prepare
from autofix.sources.encoding import Encoding
from autofix.sources.model import load_model

MODEL = """
import keras

def build(units=2, activation="softmax", loss="sparse_categorical_crossentropy"):
    keras.utils.set_random_seed(1)
    hidden = keras.layers.Dense(16, activation="relu")
    model = keras.Sequential([keras.Input((6,)), hidden, keras.layers.Dense(units, activation=activation)])
    model.compile(keras.optimizers.Adam(0.02), loss)
    return model

def broken():
    return build(1, "softmax", "binary_crossentropy")

def logits():
    return build(1, "linear", keras.losses.BinaryCrossentropy(from_logits=True))
"""


def trained_here(work: Work, asked: Asked) -> Ended:
    return Ended(execute(Job(asked.model, asked.data, str(work.folder)), tell=lambda *arguments, **options: None))


def rows(count: int, seed: int, price: float = 0.0) -> pd.DataFrame:
    """A table with a column of text, which becomes three."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(count, 3)), columns=["age", "calls", "price"])
    frame["city"] = np.array(["ulm", "bonn", "kiel"])[rng.integers(3, size=count)]
    leaves = frame.age * frame.calls + (frame.city == "ulm") - 0.3 + rng.normal(0, 0.2, count) > 0
    frame["churned"] = np.where(leaves, "yes", "no")
    frame.price += price
    return frame


@dataclass(frozen=True)
class Line:
    """A folder of models and what each retraining said."""

    folder: Path
    lines: tuple[dict[str, Any], ...]

    @property
    def models(self) -> Models:
        return Models(self.folder / "models")


def go(folder: Path, frame: pd.DataFrame, model: str = "broken", **settings: Any) -> dict[str, Any]:
    (folder / "model.py").write_text(MODEL)
    frame.to_csv(folder / "rows.csv", index=False)
    document = {
        "models": "models",
        "model": f"model.py:{model}",
        "data": {"source": "rows.csv", "target_column": "churned"},
        "repair": {"epochs": 15, "budget": "20s"},
        **settings,
    }
    (folder / "pipeline.yaml").write_text(json.dumps(document))
    pipeline = config.read(folder / "pipeline.yaml", Pipeline)
    return retrain(pipeline, train=trained_here, say=lambda text: None)


@pytest.fixture(scope="module")
def line(tmp_path_factory) -> Line:
    """The broken program on few rows, what came of it on many, and on as many others."""
    folder = tmp_path_factory.mktemp("line")
    first = go(folder, rows(300, 1))
    second = go(folder, pd.concat([rows(300, 1), rows(2_500, 2, price=1.5)]))
    third = go(folder, rows(2_500, 3, price=1.5))
    return Line(folder, (first, second, third))


def test_a_broken_program_is_repaired_and_promoted(line):
    first = line.lines[0]
    assert (first["status"], first["verdict"], first["version"]) == ("promoted", "repaired", 1)
    assert first["changes"]
    assert first["scores"]["challenger"] > 0.75
    assert first["scores"]["chance"] == 0.5
    metrics = line.models.document(1, "metrics.json")
    assert metrics["repair"]["status"] == "repaired"
    assert "after: sigmoid" in (line.models.folder(1) / "patch.yaml").read_text()


def test_its_program_trains_without_another_repair(line):
    second = line.lines[1]
    assert (second["status"], second["verdict"], second["champion"]) == ("promoted", "healthy", 1)
    assert second["changes"] == []
    assert second["test"]["p_value"] <= 0.05
    assert second["scores"]["challenger"] > second["scores"]["champion"]


def test_a_third_one_does_not_replace_an_equal(line):
    third = line.lines[2]
    assert (third["status"], third["verdict"], third["current"]) == ("kept", "healthy", 2)
    assert third["scores"]["champion"] > 0.85


def test_drift_is_named_after_the_column(line):
    assert list(line.lines[1]["drift"]["features"]) == ["price"]
    assert line.lines[1]["drift"]["text"].startswith("population stability index of price")
    assert line.lines[2]["drift"]["features"] == {}
    assert line.lines[0]["drift"] is None


def test_all_of_the_line_see_the_table_alike(line):
    documents = [line.models.document(version, "encoding.json") for version in (1, 2, 3)]
    assert documents[0]
    assert documents[0] == documents[1] == documents[2]


def test_what_serves_predicts(line):
    model = keras.models.load_model(line.models.root / "current" / "model.keras")
    encoding = Encoding.from_dict(line.models.document(2, "encoding.json"))
    fresh = rows(500, 9, price=1.5)
    said = model.predict(encoding.inputs(fresh), verbose=0)
    index = said.argmax(axis=1) if said.shape[1] > 1 else (said[:, 0] > 0.5).astype(int)
    assert np.mean(np.array(["no", "yes"])[index] == fresh.churned) > 0.85


def test_the_holdout_is_the_same_for_a_row_in_every_run(line):
    first, second = (entry["rows"] for entry in line.lines[:2])
    assert sum(first.values()) == 300
    assert sum(second.values()) == 2_800
    assert second["holdout"] / 2_800 == pytest.approx(0.2, abs=0.03)


def test_weights_that_are_not_asked_for_say_nothing(line):
    model = keras.models.load_model(line.models.root / "current" / "model.keras")
    model.optimizer.iterations.assign(100)
    x = np.random.default_rng(0).normal(size=(60, 6)).astype("float32")
    for weights, trained in (("auto", True), ("keep", True), ("reset", False)):
        session = prepare(model, (x, (x[:, 0] > 0).astype(int)), fit={}, weights=weights)
        assert session.trained is trained
        session.trainer.close()


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras, while it saves
def test_a_champion_starts_afresh_with_all_that_training_moves(tmp_path):
    normalized = keras.layers.BatchNormalization()
    model = keras.Sequential([keras.Input((6,)), normalized, keras.layers.Dense(1)])
    model.compile("adam", "mse")
    normalized.moving_mean.assign(np.full(6, 7.0))
    model.save(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(200, 6)).astype("float32")
    np.savez(tmp_path / "rows.npz", x=x, y=x[:, 0])
    champion = str(tmp_path / "model.keras")
    for weights, mean in (("reset", 0.0), ("keep", 7.0)):
        asked = Asked(champion, champion, str(tmp_path / "rows.npz"), settings={"weights": weights})
        loaded = load_model(champion)
        session = session_of(loaded, read(loaded, asked), asked)
        fresh = session.recipe.build(seed=1)
        values = session.trainer.start.weights(session.recipe, fresh, 0, tuple(v.numpy() for v in fresh.weights))
        moved = dict(zip((v.path.rsplit("/", 1)[-1] for v in fresh.weights), values, strict=True))["moving_mean"]
        assert np.all(moved == mean)
        assert not session.trained
        session.trainer.close()


def test_an_error_of_the_users_own_code_leaves_its_traceback(tmp_path):
    code = "\n\ndef load():\n    return 1 / 0\n"
    (tmp_path / "loader.py").write_text(code)
    found = go(tmp_path, rows(60, 1), data="loader.py:load")
    assert (found["status"], found["exit_code"]) == ("unusable", 4)
    assert "division by zero" in found["reason"]


@pytest.mark.slow
def test_models_with_other_heads_are_compared_all_the_same(tmp_path):
    first = go(tmp_path, rows(600, 1), "build")
    second = go(tmp_path, rows(600, 2), "logits", train="model")
    assert (first["status"], second["verdict"]) == ("promoted", "healthy")
    assert second["status"] in ("kept", "promoted")
    gain = second["scores"]["challenger"] - second["scores"]["champion"]
    assert second["test"]["gain"] == pytest.approx(gain, abs=1e-9)


@pytest.mark.slow
def test_rows_without_signal_are_no_reason_for_a_model(tmp_path):
    frame = rows(600, 1)
    frame["churned"] = np.random.default_rng(0).permutation(frame["churned"])
    found = go(tmp_path, frame, "build", repair={"epochs": 5, "budget": "10s"})
    assert (found["status"], found["exit_code"], found["current"]) == ("no_repair", 3, None)


@pytest.mark.slow
def test_labels_that_a_repair_encodes_stay_encoded(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "model.py").write_text(MODEL.replace("def broken", "def three():\n    return build(3)\n\ndef broken"))
    document = {"models": "models", "model": "model.py:three", "data": "rows.npz", "repair": {"epochs": 15}}
    (tmp_path / "pipeline.yaml").write_text(json.dumps(document))
    pipeline = config.read(tmp_path / "pipeline.yaml", Pipeline)
    verdicts = []
    for count in (500, 3_000):
        x = rng.normal(size=(count, 6)).astype("float32")
        np.savez(tmp_path / "rows.npz", x=x, y=1 + x[:, :3].argmax(axis=1))  # 1, 2, 3 for three units
        found = retrain(pipeline, train=trained_here, say=lambda text: None)
        verdicts.append((found["verdict"], found["status"], found["scores"]["challenger"] > 0.8))
    assert verdicts[0] == ("repaired", "promoted", True)
    assert verdicts[1][0] == "healthy"
    assert verdicts[1][2]


@pytest.mark.slow
def test_data_that_cannot_be_used_is_an_answer_too(tmp_path):
    frame = rows(300, 1)
    assert go(tmp_path, frame, "build")["status"] == "promoted"
    for change, code, words in (
        (frame.drop(columns="age"), 2, "age"),
        (frame.assign(churned=np.nan), 4, ""),
        (frame.head(60), 4, "holdout"),
        (frame.head(0), 4, ""),
    ):
        found = go(tmp_path, change, "build")
        assert (found["exit_code"], found["current"]) == (code, None), found["reason"]
        assert words in found["reason"]
        assert Models(tmp_path / "models").current() == 1

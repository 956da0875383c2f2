"""The command in this process, with TensorFlow imported once; and a few small models as files."""

from __future__ import annotations

import contextlib
import importlib
import io
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from autofix.cli import main
from autofix.errors import AutofixError
from autofix.exits import exit_of
from autofix.job import Job
from autofix.supervisor import EXECUTE, Ended, _document


def supervised(jobs: Sequence[Job], *, say: Callable[[str], None], execute: str = EXECUTE) -> list[Ended]:
    """Does in this process what conductors do in theirs; what the user's code prints goes nowhere."""
    module, _, name = execute.partition(":")
    function = getattr(importlib.import_module(module), name)
    ended = []
    say("importing TensorFlow")
    for job in jobs:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                code = function(job, tell=lambda phase, outcome=None, clock=None: say(str(phase)))
            ended.append(Ended(code, _document(job)))
        except (AutofixError, OSError) as error:
            ended.append(Ended(exit_of(error), {}, str(error)))
    return ended


@pytest.fixture
def command(monkeypatch, tmp_path) -> Callable[..., Result]:
    """Runs a command in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("autofix.supervisor.supervise", supervised)

    def run(*arguments: str, environment: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(main, list(arguments), env=environment)

    return run


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    """A folder with model files: four inputs and two classes unless the name says otherwise."""
    import keras

    folder = tmp_path_factory.mktemp("models")
    keras.utils.clear_session()  # names that Keras counts begin anew, whatever ran before
    layers = keras.layers

    with contextlib.chdir(folder), warnings.catch_warnings():  # building it runs the Lambda layer too
        warnings.simplefilter("ignore")  # Keras' own, about files in HDF5

        def sequential(*parts, loss="sparse_categorical_crossentropy"):
            model = keras.Sequential(list(parts))
            model.compile("sgd", loss)
            return model

        plain = sequential(keras.Input((4,)), layers.Dense(8, activation="relu"), layers.Dense(2, activation="softmax"))
        plain.save(folder / "plain.keras")
        plain.save(folder / "plain.h5")
        plain.save_weights(folder / "plain.weights.h5")
        touch = layers.Lambda(lambda x: [__import__("pathlib").Path("canary").touch(), x][1])
        unsafe = sequential(keras.Input((4,)), touch, layers.Dense(2, activation="softmax"))
        unsafe.save(folder / "lambda.keras")
        unsafe.save(folder / "lambda.h5")
        keras.Sequential([keras.Input((4,)), layers.Dense(2)]).save(folder / "uncompiled.keras")
        image = sequential(keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2, activation="softmax"))
        image.save(folder / "image.keras")
        one, two = keras.Input((1,), name="age"), keras.Input((3,), name="rest")
        both = keras.Model([one, two], layers.Dense(2, activation="softmax")(layers.concatenate([one, two])))
        both.compile("sgd", "sparse_categorical_crossentropy")
        both.save(folder / "two_inputs.keras")
    x = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
    np.savez(folder / "data.npz", x=x, y=(x[:, 0] > 0).astype("int64"))
    return folder

"""Every probe against the contract, and a look that goes through all of them."""

from __future__ import annotations

import dataclasses
import importlib
import json
import pkgutil
import re
from typing import Any

import numpy as np
import pytest

import autofix.probes
from autofix.decoding import Link
from autofix.errors import FixYourCall
from autofix.hints import OutputHint
from autofix.live.sight import CALLED
from autofix.look import Clock, Kernel, Look, Predicted, Report, Slope
from autofix.probe import Probe, Tier, take
from autofix.probes import ALL, LIGHT, chosen
from autofix.probes.activations import Activations
from autofix.probes.gradients import Gradients
from autofix.probes.inputs import Inputs
from autofix.probes.learning_rate import LearningRate
from autofix.probes.loss import Loss
from autofix.probes.pace import Pace
from autofix.probes.penalty import Penalty
from autofix.probes.predictions import Predictions
from autofix.probes.targets import Targets
from autofix.probes.updates import Updates
from autofix.probes.weights import Weights
from autofix.targets import infer_target
from autofix.trace import LayerReading

FIELDS = {field.name for field in dataclasses.fields(Look)}
KINDS = np.arange(12) % 3
members = pytest.mark.parametrize("probe", ALL, ids=lambda probe: probe.name)


def look(scale: float = 1.0) -> Look:
    """A look at everything; all arrays times `scale`."""
    draw = np.random.default_rng(0).normal
    table = (draw(size=(12, 4)) * scale).astype("float32")
    target = infer_target("out", KINDS, OutputHint("out", (3,), "softmax", "sparse_categorical_crossentropy", True))

    def kernels(seed: int) -> dict[str, Kernel]:
        entries = np.random.default_rng(seed).normal(size=20) * scale
        return {
            "layers/a": Kernel(entries.astype("float32"), 80),
            "layers/b": Kernel(entries.astype("float32"), 20, trainable=False),
        }

    return Look(
        step=10,
        report=Report(2.0 * scale, 4.0, 1.0, 3.0),
        losses=(1.0 * scale, 3.0 * scale),
        penalty=0.5 * scale,
        rate=0.1,
        clock=Clock(9.0, 30, 3.0),
        clock_before=Clock(1.0, 10, 1.0),
        kernels=kernels(2),
        start=kernels(0),
        before=kernels(1),
        since=5,
        gradients=(
            Slope("a/kernel", "layers/a", True, table),
            Slope("a/bias", "layers/a", False, table[0]),
            Slope("c/kernel", None, False, None),
        ),
        outputs={"layers/a": table},
        activations={"layers/a": "relu"},
        predicted=Predicted((np.abs(draw(size=(12, 3))) * scale,), (KINDS,), (target,), (Link.PROBABILITY,)),
        inputs=(table,),
        targets=(KINDS,),
        layers=(LayerReading("layers/a", 0, "relu", 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0),),
    )


def frozen(value: Any) -> Any:
    """All arrays of a look as bytes."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, dict):
        return {key: frozen(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(frozen, value))
    if dataclasses.is_dataclass(value):
        return {field.name: frozen(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


def plain(value: Any) -> Any:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value


def test_one_probe_a_file_and_all_of_them_listed():
    found = []
    for module in pkgutil.iter_modules(autofix.probes.__path__):
        named = vars(importlib.import_module(f"autofix.probes.{module.name}")).values()
        own = [item for item in named if isinstance(item, type) and issubclass(item, Probe)]
        own = [item for item in own if item.__module__ == f"autofix.probes.{module.name}"]
        assert len(own) == 1, module.name
        assert own[0].name == module.name
        found += own
    assert {type(probe) for probe in ALL} == set(found)
    assert len(ALL) == len(found)


@members
def test_description(probe):
    kind = type(probe)
    assert kind.__final__
    assert kind.__dataclass_params__.frozen
    assert not dataclasses.fields(kind)
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", probe.name)
    assert isinstance(probe.tier, Tier)
    assert probe.what
    assert not probe.what.endswith(".")
    assert len(kind.__doc__) > 40
    assert probe.needs
    assert set(probe.needs) <= FIELDS - {"step", "missing", "activations", "since"}
    # The light ones leave the model alone.
    assert (probe.tier is Tier.LIGHT) <= (not CALLED & set(probe.needs))


@members
def test_measuring_is_pure(probe):
    given = look()
    before = frozen(given)
    first, second = probe.measure(given), probe.measure(given)
    assert plain(first) == plain(second)
    assert frozen(given) == before
    json.dumps(plain(first), default=dataclasses.asdict, allow_nan=False)


@members
@pytest.mark.parametrize("scale", [np.nan, np.inf, 1e300, 0.0])
def test_broken_numbers_are_measured_too(probe, scale):
    with np.errstate(all="ignore"):
        given = look(scale)
    readings = take(given, (probe,))
    assert readings.unseen == ()
    assert probe.name in readings.values


@members
def test_what_is_not_seen_is_skipped_and_said_where_there_is_a_reason(probe):
    for need in probe.needs:
        without = dataclasses.replace(look(), **{need: None})
        assert take(without, (probe,)) == take(without, ())
        readings = take(dataclasses.replace(without, missing={need: ", because it is dark"}), (probe,))
        assert readings.unseen == (f"{probe.what}, because it is dark",)
        assert readings.values == {}


@members
def test_a_probe_that_fails_takes_no_other_with_it(probe, monkeypatch):
    whole = take(look(), ALL)
    assert set(whole.values) == {item.name for item in ALL}

    def fails(self: Any, look: Look) -> Any:
        raise RuntimeError("fell over")

    monkeypatch.setattr(type(probe), "measure", fails)
    readings = take(look(), ALL)
    assert readings.unseen == (f"{probe.what} (RuntimeError: fell over)",)
    assert set(whole.values) - set(readings.values) == {probe.name}
    assert readings.of(type(probe)) is None


def test_one_reason_is_one_sentence():
    blind = dataclasses.replace(look(), outputs=None, gradients=None, predicted=None)
    dark = dict.fromkeys(("outputs", "gradients", "predicted"), ", because it is dark")
    readings = take(dataclasses.replace(blind, missing=dark), ALL)
    assert readings.unseen == (
        "gradients, layer outputs, predictions and the recall of each class, because it is dark",
    )


def test_numbers():
    given, readings = look(), take(look(), ALL)
    kernel, start, before = (
        side["layers/a"].entries.astype("float64") for side in (given.kernels, given.start, given.before)
    )
    table = given.inputs[0]
    assert readings.of(Loss) == 5.0
    assert readings.of(LearningRate) == 0.1
    assert readings.of(Penalty) == 0.25
    assert (readings.of(Pace).step, readings.of(Pace).epoch) == (0.4, 4.0)
    weights = readings.of(Weights)
    assert list(weights) == ["layers/a"]
    assert weights["layers/a"].norm == pytest.approx(2.0 * np.linalg.norm(kernel))
    assert weights["layers/a"].drift == pytest.approx(np.linalg.norm(kernel - start) / np.linalg.norm(start))
    (update,) = readings.of(Updates).values()
    assert update == pytest.approx(np.linalg.norm(kernel - before) / np.linalg.norm(before) / 5)
    gradients = readings.of(Gradients)
    assert gradients.norms == {"layers/a": pytest.approx(np.linalg.norm(table))}
    assert gradients.total == pytest.approx(np.hypot(np.linalg.norm(table), np.linalg.norm(table[0])))
    assert gradients.disconnected == ("c/kernel",)
    assert readings.of(Activations)[0].mean == pytest.approx(table.mean(), rel=1e-5)
    (seen,) = readings.of(Inputs)
    assert (seen.minimum, seen.maximum, seen.missing, seen.constant) == (table.min(), table.max(), 0.0, 0.0)
    assert readings.of(Targets)[0].maximum == 2.0


def test_pace_needs_a_whole_epoch_for_an_epoch():
    half = dataclasses.replace(look(), clock=Clock(2.0, 20, 1.5))
    assert np.isnan(Pace().measure(half).epoch)
    assert Pace().measure(half).step == 0.1


def test_quantities_are_held_against_the_range_of_the_targets():
    y = np.linspace(-3.0, 5.0, 12)
    target = infer_target("out", y, OutputHint("out", (1,), "linear", "mse", True))
    seen = Predicted((np.full((12, 1), 0.5),), (y,), (target,), (Link.VALUE,))
    (reading,) = Predictions().measure(Look(predicted=seen))
    assert (reading.minimum, reading.maximum) == (0.5, 0.5)
    assert (reading.target_minimum, reading.target_maximum) == (-3.0, 5.0)


def test_constant_columns_missing_values_and_text():
    table = np.array([[1.0, 2.0, np.nan, 4.0], [1.0, 3.0, 5.0, 4.0]])
    (reading,) = Inputs().measure(Look(inputs=(table,)))
    assert (reading.constant, reading.missing) == (0.5, 0.125)
    (reading,) = Targets().measure(Look(targets=(np.array(["a", "b"]),)))
    assert (reading.minimum, reading.constant) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("auto", {probe.name for probe in ALL}),
        ("full", {probe.name for probe in ALL}),
        ("light", {probe.name for probe in LIGHT}),
        (["gradients"], {"loss", "gradients"}),
        ((), set()),
    ],
)
def test_choosing(asked, names):
    assert {probe.name for probe in chosen(asked)} == names


@pytest.mark.parametrize("asked", ["fulll", ["gradient"], 3, None])
def test_choosing_what_is_not_there(asked):
    with pytest.raises(FixYourCall, match="`probes` must be"):
        chosen(asked)

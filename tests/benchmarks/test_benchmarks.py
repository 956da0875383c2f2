"""The pure parts of the benchmarks, and that the command works; what it says is for a quiet machine to find out."""

from __future__ import annotations

import gc
import io
import json
import math
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from .floor import Convolution, Dense, Lstm, compiled, multiply_adds
from .growth import memory_growth, summed
from .models import BATCH, MODELS, Model
from .table import PLAIN_WIDTH, Bar, Report
from .timing import Spread, bootstrap, interleaved

# Products of one step, layer by layer: forward and weight gradient for each, input gradient for all but a first one.
BY_HAND = {
    "mlp_6x64": 32 * (6 * 2 * 64 * 64 + 5 * 64 * 64 + 3 * 64 * 10),
    "mlp_large_sgd": 32 * (2 * 784 * 1024 + 3 * 1024 * 1024 + 3 * 1024 * 10),
    "mlp_large_adam": 32 * (2 * 784 * 1024 + 3 * 1024 * 1024 + 3 * 1024 * 10),
    # Four gates; the state's product also sends a gradient back in time.
    "lstm": 32 * 30 * (2 * 8 * 128 + 3 * 32 * 128) + 32 * 3 * 32 * 10,
    "cnn": 32 * (2 * 28 * 28 * 9 * 16 + 3 * 14 * 14 * 9 * 16 * 32 + 3 * 6272 * 10),
    # The embedding before it is trained, so that the first dense layer's inputs need a gradient.
    "text": 32 * 3 * (16 * 16 + 16),
    "two_inputs": 32 * (2 * 784 * 128 + 3 * 128 * 32 + 2 * 12 * 32 + 3 * 64 * 32 + 3 * 32 * 10),
}
ids = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)


def text_of(report: Report, **options: Any) -> str:
    file = io.StringIO()
    report.print(Console(file=file, highlight=False, **options))
    return file.getvalue()


@pytest.fixture
def report() -> Report:
    made = Report("Steps", ("model", "us"), notes=["measured here"])
    made.add(["mlp", "12.0 [11.0-13.0]"], {"model": "mlp", "us": Spread.of([11.0, 12.0, 13.0])})
    made.bars.append(Bar("mlp: gain", 2.0, ">=", 1.5))
    return made


def test_quartiles_of_some_repetitions() -> None:
    spread = Spread.of([1.0, 2.0, 3.0, 4.0, 100.0])
    assert (spread.low, spread.median, spread.high, spread.count) == (2.0, 3.0, 4.0, 5)
    assert spread.show(1) == "3.0 [2.0-4.0]"
    assert Spread.of([1234.5]).show(0) == "1,234"
    with pytest.raises(ValueError, match="at least one"):
        Spread.of([])


def test_ratios_pair_the_measurements_of_a_round() -> None:
    assert Spread.of_ratio([2.0, 20.0, 200.0], [1.0, 10.0, 100.0]) == Spread(2.0, 2.0, 2.0, 3)
    with pytest.raises(ValueError, match="shorter"):
        Spread.of_ratio([1.0, 2.0], [1.0])


def test_contenders_take_turns_from_both_ends() -> None:
    calls: list[str] = []
    contenders = {name: lambda name=name: calls.append(name) or float(len(calls)) for name in "ab"}
    found = interleaved(contenders, 2, warm_up=1)
    assert "".join(calls) == "ba" + "ab" + "ba"
    assert found == {"a": [3.0, 6.0], "b": [4.0, 5.0]}
    assert gc.get_freeze_count() == 0


def test_a_failing_contender_leaves_the_collector_as_it_was() -> None:
    with pytest.raises(ZeroDivisionError):
        interleaved({"a": lambda: 1 / 0}, 1)
    assert gc.get_freeze_count() == 0


def test_the_interval_knows_that_measurements_on_one_program_belong_together() -> None:
    noise = np.random.default_rng(0).normal(scale=0.001, size=(3, 50))
    alike = bootstrap([1.05 + group for group in noise])
    apart = bootstrap([shift + group for shift, group in zip((0.95, 1.05, 1.15), noise, strict=True)])
    assert alike == bootstrap([1.05 + group for group in noise])
    assert 1.049 < alike[0] < alike[1] < 1.051
    assert apart[0] < 0.96
    assert apart[1] > 1.14


@pytest.mark.parametrize(
    ("value", "sense", "holds"), [(2.0, ">=", True), (1.9, ">=", False), (2.0, "<=", True), (2.1, "<=", False)]
)
def test_bars(value: float, sense: Any, holds: bool) -> None:
    bar = Bar("gain", value, sense, 2.0)
    assert bar.holds is holds
    assert bar.show().endswith("holds" if holds else "MISSED")


def test_what_was_not_measured_misses_its_bar() -> None:
    assert not Bar("gain", None, "<=", 2.0).holds
    assert not Bar("gain", math.nan, "<=", 2.0).holds
    assert "not measured" in Bar("gain", None, "<=", 2.0).show()


def test_a_report_is_plain_without_a_terminal(report: Report) -> None:
    text = text_of(report, width=PLAIN_WIDTH)
    assert text.isascii()
    assert [line.split() for line in text.splitlines()[:3]] == [
        ["Steps"],
        ["model", "us"],
        ["mlp", "12.0", "[11.0-13.0]"],
    ]
    assert "\x1b" not in text
    assert "\x1b" in text_of(report, force_terminal=True, width=100)


def test_a_report_passes_when_all_its_bars_hold(report: Report) -> None:
    assert report.passed
    report.bars.append(Bar("mlp: loss", None, ">=", 1.0))
    assert not report.passed
    assert not json.loads(json.dumps(report.to_dict(), default=Spread.to_dict))["passed"]


def test_a_row_has_a_cell_for_every_column(report: Report) -> None:
    with pytest.raises(ValueError, match="must be 2"):
        report.add(["mlp"], {})


@ids
def test_multiply_adds_by_hand(model: Model) -> None:
    assert multiply_adds(model.floor) == BY_HAND[model.name]


@ids
def test_the_floor_has_the_kernels_of_the_model(model: Model) -> None:
    network = model.build()
    own = sorted(tuple(w.shape) for w in network.trainable_weights if len(w.shape) > 1 and "embedding" not in w.path)
    shapes: list[tuple[int, ...]] = []
    for block in model.floor:
        drawn = block.operands(lambda *shape, scale=1.0: SimpleNamespace(shape=shape))
        shapes += [value.shape for name, value in drawn.items() if not name.startswith("_")]
    assert sorted(shapes) == own


@ids
def test_the_floor_multiplies_as_often_as_it_says(model: Model) -> None:
    import tensorflow as tf

    def draw(*shape: int, scale: float = 1.0) -> Any:
        return tf.zeros(shape)

    for block in model.floor:
        operands = {name: value[0] if name[0] == "_" else value for name, value in block.operands(draw).items()}
        graph = (
            tf.function(lambda block=block, operands=operands: block.products(operands)).get_concrete_function().graph
        )
        assert sum(map(_counted, graph.get_operations())) == block.multiply_adds


def _counted(operation: Any) -> int:
    """Multiplications of one operation, from the shapes it has in the graph."""
    shapes = [tuple(tensor.shape) for tensor in operation.inputs]
    if operation.type == "MatMul":
        summed_over = shapes[0][0 if operation.get_attr("transpose_a") else 1]
        return math.prod(operation.outputs[0].shape) * summed_over
    if operation.type == "Conv2D":
        return math.prod(operation.outputs[0].shape) * math.prod(shapes[1][:3])
    if operation.type == "Conv2DBackpropFilter":
        return math.prod(shapes[2]) * math.prod(operation.outputs[0].shape[:3])
    if operation.type == "Conv2DBackpropInput":
        return math.prod(shapes[2]) * math.prod(shapes[1][:3])
    return 0


def test_dense_products_are_those_of_a_linear_network() -> None:
    import tensorflow as tf

    block = Dense(2, (3, 4, 5), first=False)
    rng = np.random.default_rng(0)
    given = {
        name: rng.normal(size=shape)
        for name, shape in {"kernel0": (3, 4), "kernel1": (4, 5), "_x": (2, 3), "_g": (2, 5)}.items()
    }
    first, second, x, g = given.values()
    expected = [x @ first @ second, (x @ first).T @ g, x.T @ (g @ second.T), g @ second.T @ first.T]
    found = block.products({name: tf.constant(value) for name, value in given.items()})
    for got, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, wanted)


@pytest.mark.parametrize(
    "block",
    [Dense(4, (6, 5, 3)), Lstm(2, 3, 4, 5), Convolution(2, 6, 3, 4, first=False)],
    ids=lambda b: type(b).__name__,
)
def test_the_floor_runs_as_many_steps_as_asked(block: Any) -> None:
    run = compiled([block], xla=False)
    run(1)
    run(9)


def test_memory_growth_needs_a_search_that_is_long_enough() -> None:
    figures = summed([{"after_20_mib": 100.0, "after_200_mib": 140.0, "verdict": "unrepaired"}])
    assert memory_growth(figures) == pytest.approx(1.4)
    assert memory_growth(summed([{"after_20_mib": 100.0, "verdict": "unrepaired"}])) is None


def test_a_failed_repetition_is_told_and_not_counted() -> None:
    figures = summed([{"repair_s": 2.0, "verdict": "repaired"}, {"error": "timeout after 1 s"}])
    assert figures["repair_s"].count == 1
    assert figures["verdicts"] == ["repaired"]
    assert figures["errors"] == ["timeout after 1 s"]
    assert summed([{"error": "died"}]) == {"verdicts": [], "errors": ["died"]}


def test_every_model_takes_its_data() -> None:
    for model in MODELS:
        x, y = model.data(BATCH)
        assert all(len(part) == len(y) == BATCH for part in (x if isinstance(x, list) else [x]))
        assert set(np.unique(y)) <= set(range(model.classes))
    assert all(a < b for a, b in pairwise(sorted(model.name for model in MODELS)))


def test_the_command_times_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from .__main__ import main

    out = tmp_path / "results.json"
    assert main(["steps", "--quick", "--models", "text", "--out", str(out)]) in (0, 1)
    printed = capsys.readouterr().out
    steps = json.loads(out.read_text())["steps"]
    assert [row["model"] for row in steps["rows"]] == ["text"]
    assert steps["rows"][0]["fused_us"]["median"] > steps["rows"][0]["floor_us"]["median"] > 0
    for bar in steps["bars"]:
        assert bar["name"] in printed

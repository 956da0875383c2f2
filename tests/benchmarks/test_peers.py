"""The comparison of repairs without a training: from curves to bars, the order of remedies, the command."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.quality.cases import Case, Script, discover
from tests.quality.runner import Cache

from . import peers
from .peer_curve import Measured, Point, Standing, unit_seconds
from .peer_ladder import LADDER, put_right, rungs
from .peer_program import Program, Settings
from .peer_race import Epoch, Stopwatch
from .peer_report import OURS, bars, line, report
from .peer_row import CONTENDERS
from .peer_search import FACTOR, bracket_seconds, longest_training
from .peer_symptoms import Gradients, Monitor, Symptom, judge, swings


def script(name: str) -> Script:
    kind, stem = name.split("/")
    (case,) = discover([kind], [stem])
    return case.load()


# --- from a curve to shares -------------------------------------------------------------------------------------------


def row(*points: tuple[float, float], contender: str = "tpe", case: str = "a", **other: Any) -> Measured:
    curve = tuple(Point(seconds, 0.5, test) for seconds, test in points)
    values = {"unit": 2.0, "unit_of": "failing run", "faulty": 0.5, "reference": 0.9, "seconds": 20.0} | other
    return Measured(case, f"digest of {case}", 0, contender, curve=curve, **values)


def test_what_is_in_hand_counts_at_each_multiple() -> None:
    measured = row((1.0, 0.5), (5.0, 0.9), (19.0, 0.7))
    assert [measured.rate_at(multiple) for multiple in (0.1, 1, 3, 10)] == pytest.approx([0.0, 0.0, 1.0, 0.5])
    assert [measured.repaired_at(multiple) for multiple in (1, 3, 10)] == [False, True, False]


def test_a_repair_that_is_given_up_again_is_none() -> None:
    assert row((1.0, 0.5), (5.0, 0.9), (19.0, 0.7)).multiples == np.inf
    assert row((5.0, 0.9), (8.0, 0.6), (12.0, 0.88), (13.0, 0.9)).multiples == 6.0
    assert row((5.0, 0.87), (12.0, 0.95)).multiples == 2.5


def test_nothing_counts_after_the_last_multiple() -> None:
    assert row((20.5, 0.9)).multiples == np.inf
    assert not row((20.5, 0.9)).repaired_at(10)
    assert row((19.9, 0.9)).multiples == pytest.approx(9.95)


def test_an_error_is_an_unrepaired_row() -> None:
    assert row((1.0, 0.9), error="died").multiples == np.inf
    assert Standing.of("tpe", [row((1.0, 0.9)), row(error="died", unit=np.nan)]).share(10) == 0.5


def test_a_row_without_a_gap_is_left_out() -> None:
    rows = [row((1.0, 0.9)), row((1.0, 0.9), case="b", reference=0.51)]
    assert len(Standing.of("tpe", rows).rows) == 1
    assert any("b:0" in note for note in report(rows).notes)


def test_the_unit_is_the_failing_run_unless_it_crashes() -> None:
    assert unit_seconds({"faulty_seconds": 3.0, "faulty_error": None}) == (3.0, "failing run")
    assert unit_seconds({"faulty_seconds": 0.1, "faulty_error": None}) == (0.5, "failing run")
    crashed = {"faulty_seconds": 0.1, "faulty_error": "ValueError", "reference_seconds": 4.0}
    assert unit_seconds(crashed) == (4.0, "reference run")


def test_rows_survive_strict_json() -> None:
    for measured in (row((1.0, 0.9)), row(), Measured("a", "d", 0, "tpe", error="baseline: died")):
        again = Measured.of_dict(json.loads(json.dumps(measured.to_dict(), allow_nan=False)))
        assert again.to_dict() == measured.to_dict()


def standings(ours: list[float], theirs: list[float]) -> list[Standing]:
    rows = [row((seconds, 0.9), contender=OURS, case=str(i)) for i, seconds in enumerate(ours)]
    rows += [row((seconds, 0.9), case=str(i)) for i, seconds in enumerate(theirs)]
    return [Standing.of(name, rows) for name in (OURS, "tpe") if any(row.contender == name for row in rows)]


def test_the_bars() -> None:
    assert [bar.holds for bar in bars(standings([2, 4, 6], [2, 4, 30]))] == [True, True]
    assert [bar.holds for bar in bars(standings([2, 4, 6], [2, 4, 19]))] == [True, False]
    assert [bar.holds for bar in bars(standings([2, 7, 7], [30, 30, 30]))] == [False, True]
    assert [bar.holds for bar in bars(standings([2, 4, 6], [30, 30]))] == [True, False]
    assert [bar.holds for bar in bars(standings([2, 4, 6], []))] == [True, False]
    assert [bar.holds for bar in bars(standings([], [2, 4, 6]))] == [False, False]


def test_the_table() -> None:
    rows = [row((1.0, 0.9), contender=OURS), row((30.0, 0.9)), row(case="b", error="died")]
    summed = report(rows)
    assert [cells[0] for cells in summed.rows] == [CONTENDERS[OURS], CONTENDERS["tpe"]]
    assert summed.rows[0][1:5] == ["100% [100%-100%]"] * 3 + ["0.5"]
    assert summed.rows[1][3:] == ["0% [0%-0%]", ">10", "2", "1"]
    assert not summed.passed
    assert "died" in line(rows[2])


def test_the_interval_holds_the_share() -> None:
    mixed = Standing.of("tpe", [row((1.0, 0.9 if i % 3 else 0.5), case=str(i)) for i in range(30)])
    low, high = mixed.interval(10)
    assert mixed.share(10) == pytest.approx(2 / 3)
    assert low < 2 / 3 < high


def test_a_stopwatch_leaves_pauses_out() -> None:
    times = iter([10.0, 12.0, 15.0, 16.0])
    watch = Stopwatch(lambda: next(times))
    with watch.paused():
        pass
    assert watch.seconds == 3.0


# --- the ladder -------------------------------------------------------------------------------------------------------

AUTHOR = Settings("sgd", 0.01, 32, 15, "sigmoid", "softmax", "glorot_uniform", "sparse_categorical_crossentropy")


def test_remedies_come_in_order() -> None:
    names = {symptom: [name for name, _ in rungs(symptom, Settings(), AUTHOR)] for symptom in LADDER}
    assert names[Symptom.VANISHING] == ["SELU", "ReLU", "batch normalization"]
    assert names[Symptom.EXPLODING] == ["SELU", "ReLU", "clip value", "tanh", "batch normalization"]
    assert names[Symptom.DYING_RELU] == [
        *("SELU", "batch normalization"),
        *["other initializer"] * 3,
        *["leaky variant"] * 2,
    ]
    assert names[Symptom.OSCILLATING] == [
        *("Adam", *["smaller learning rate"] * 3, "reduce on plateau", "larger batch", "momentum"),
        *("Gaussian noise", "other initializer"),
    ]
    assert names[Symptom.SLOW] == [*["other optimizer"] * 3, *["larger learning rate"] * 3, "other initializer"]
    assert list(rungs(None, Settings(), AUTHOR)) == []
    assert list(rungs(Symptom.CRASHED, Settings(), AUTHOR)) == []


def test_a_remedy_changes_the_program_so_far_and_skips_what_is_there() -> None:
    base = Settings(min_max=True)
    candidates = [settings for _, settings in rungs(Symptom.SLOW, base, AUTHOR)]
    assert all(settings.min_max for settings in candidates)
    assert [settings.optimizer for settings in candidates[:3]] == ["adam", "rmsprop", "adamw"]
    assert [settings.learning_rate for settings in candidates[3:6]] == pytest.approx([0.1, 1.0, 10.0])
    assert candidates[6].initializer != AUTHOR.initializer
    adam = [name for name, _ in rungs(Symptom.OSCILLATING, base, replace(AUTHOR, optimizer="adam"))]
    assert "Adam" not in adam


HEALTHY = Gradients(first=1.0, last=1.0, zeros=0.1)


@pytest.mark.parametrize(
    ("gradients", "loss", "scores", "expected"),
    [
        (HEALTHY, 0.5, [0.5, 0.8], None),
        (HEALTHY, np.nan, [0.5, 0.8], Symptom.EXPLODING),
        (HEALTHY, 2000.0, [0.5, 0.8], Symptom.EXPLODING),
        (Gradients(71.0, 1.0, 0.0), 0.5, [0.5, 0.8], Symptom.EXPLODING),
        (Gradients(np.nan, 1.0, 0.0), 0.5, [0.5, 0.8], Symptom.EXPLODING),
        (Gradients(5e-5, 0.1, 0.0), 0.5, [0.5, 0.8], Symptom.VANISHING),
        (Gradients(5e-4, 1.0, 0.0), 0.5, [0.5, 0.8], None),
        (Gradients(1.0, 1.0, 0.7), 0.5, [0.5, 0.8], Symptom.DYING_RELU),
        (Gradients(0.0, 0.0, 1.0), 0.5, [0.5, 0.8], Symptom.DYING_RELU),
        (HEALTHY, 0.5, [0.5, 0.8, 0.5, 0.8, 0.5, 0.8], Symptom.OSCILLATING),
        (HEALTHY, 0.5, [0.5, 0.505, 0.51], Symptom.SLOW),
        (HEALTHY, 0.5, [0.5, 0.52, 0.53], None),
        (None, 0.5, [0.8], None),
    ],
)
def test_symptoms(gradients: Gradients | None, loss: float, scores: list[float], expected: Symptom | None) -> None:
    assert judge(gradients, loss, scores, rectified=True) is expected


def test_only_rectifiers_die() -> None:
    assert judge(Gradients(1.0, 1.0, 0.9), 0.5, [0.5, 0.8], rectified=False) is None


def test_swings_must_be_large() -> None:
    assert swings([0.5, 0.51, 0.5, 0.51, 0.5]) == 0.0
    assert swings([0.5, 0.6, 0.7, 0.8]) == 0.0
    assert swings([0.5, 0.6, 0.5, 0.6, 0.5]) == pytest.approx(0.4)


def test_symptoms_are_looked_for_every_third_epoch_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr(Monitor, "_look", lambda self, epoch: looked.append(epoch.number + 1))
    monitor = Monitor((None, None), epochs=20, fresh=None)
    assert not any(monitor(Epoch(None, number, 0.5, 0.5)) for number in range(20))
    assert looked == [6, 9, 12, 15, 18]


def test_a_loss_of_nan_is_seen_at_once_if_it_would_be_seen_at_all() -> None:
    gone = Epoch(None, 0, 0.5, 0.5, finite=False)
    assert Monitor((None, None), epochs=3, fresh=None)(gone)
    assert not Monitor((None, None), epochs=2, fresh=None)(gone)
    net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4), keras.layers.Dense(1)])
    for scale, expected in ((1.0, Symptom.EXPLODING), (1e4, Symptom.ABNORMAL_DATA)):
        monitor = Monitor((np.full((8, 2), scale, "float32"), None), epochs=3, fresh=lambda: net)
        assert monitor(gone)
        assert monitor.found is expected


def test_output_and_loss_are_put_right_by_name() -> None:
    def fix(name: str) -> Settings:
        loaded = script(name)
        return put_right(Program.of(loaded.model(0), loaded.fit), loaded.task, loaded.data(0)[0][1])

    assert fix("broken/softmax_one_unit") == Settings(output="sigmoid", loss="binary_crossentropy")
    assert fix("broken/missing_softmax") == Settings(output="softmax", loss="sparse_categorical_crossentropy")
    assert fix("broken/mse_on_softmax") == Settings(output="softmax", loss="categorical_crossentropy")
    assert fix("broken/deep_sigmoid") == Settings()
    assert fix("broken/sigmoid_for_regression") == Settings()


# --- Hyperband --------------------------------------------------------------------------------------------------------


def test_a_bracket_costs_what_the_oracle_runs() -> None:
    oracle = pytest.importorskip("keras_tuner").oracles.HyperbandOracle(max_epochs=20, factor=FACTOR)
    bracket = oracle._current_bracket
    sizes = [oracle._get_size(bracket, at) for at in range(bracket + 1)]
    ends = [oracle._get_epochs(bracket, at) for at in range(bracket + 1)]
    trained = sum(size * (end - begin) for size, end, begin in zip(sizes, ends, [0, *ends], strict=False))
    assert bracket_seconds(20, 1.0, 1.0) == pytest.approx(trained)
    assert bracket_seconds(20, 1.0, 0.0) == pytest.approx(sum(sizes))


def test_the_longest_training_fits_the_time() -> None:
    from .peer_race import Trial

    first = Trial(0.5, epochs=15, first_epoch_seconds=0.5, seconds=2.0)
    assert longest_training(15, first, 2.0, seconds=1e9) == 75
    assert longest_training(15, first, 2.0, seconds=0.0) == 15
    fitting = longest_training(15, first, 2.0, seconds=40.0)
    assert bracket_seconds(fitting, 0.5, 1.5 / 14) <= 40.0


# --- the command ------------------------------------------------------------------------------------------------------


def options(tmp_path: Path, *arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    peers.add_arguments(parser)
    return parser.parse_args(["--cache", str(tmp_path / "cache.json"), *arguments])


def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Answer for the children: autofix repairs at once, everyone else never."""
    (case,) = discover(["broken"], ["deep_sigmoid"])
    scores = {"faulty_score": 0.1, "faulty_seconds": 2.0, "faulty_error": None}
    Cache(tmp_path / "cache.json").put(
        case, 0, scores | {"reference_score": 0.9, "reference_seconds": 2.0, "reference_error": None}
    )
    asked: list[str] = []

    def child(contender: str, case: Case, seed: int, unit: float, children: Any) -> dict[str, Any]:
        asked.append(contender)
        if contender == "random":
            return {"error": "died"}
        return {"curve": [[1.0, None, 0.9 if contender == OURS else 0.2]], "seconds": 1.0}

    monkeypatch.setattr(peers, "run_child", child)
    return asked


def test_the_command_reports_and_resumes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = fake(monkeypatch, tmp_path)
    file = tmp_path / "rows.json"
    chosen = ["--cases", "deep_sigmoid", "--out", str(file), "--contenders"]
    assert peers.main(options(tmp_path, *chosen, "tpe", "random")) == 1
    assert "not measured" in capsys.readouterr().out
    assert peers.main(options(tmp_path, *chosen, OURS, "tpe", "random")) == 0
    assert asked == ["tpe", "random", OURS, "random"]
    saved = json.loads(file.read_text())
    assert {row["contender"] for row in saved["rows"]} == {OURS, "tpe", "random"}
    assert saved["summary"]["passed"] is True


def test_no_case_is_an_error(tmp_path: Path) -> None:
    assert peers.main(options(tmp_path, "--cases", "no_such_case")) == 2

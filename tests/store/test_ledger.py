"""Answers of the trainer on the disk: what is read is what was written, and what cannot be read harms nobody."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autofix.change import Change, Patch
from autofix.outcome import Outcome, Status
from autofix.scoring import Score
from autofix.store import arrays, written
from autofix.store.ledger import Ledger
from autofix.strategy import RangeTest
from autofix.trace import ArrayReading, LayerReading, PredictionReading, Trace, WeightReading
from tests.doubles import outcome, patch

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TEXT = st.text(max_size=8)
FLOATS = st.lists(st.floats(), max_size=4).map(tuple)
SOME = st.none() | st.floats()


def several(kind: Any) -> Any:
    return st.lists(st.from_type(kind), max_size=2).map(tuple)


TRACES = st.builds(
    Trace,
    loss=FLOATS,
    epoch_scores=FLOATS,
    scored_epochs=FLOATS,
    train_score=SOME,
    probe_steps=st.lists(st.integers(), max_size=3).map(tuple),
    gradient_norms=st.dictionaries(TEXT, FLOATS, max_size=2),
    weight_change=st.dictionaries(TEXT, st.floats(), max_size=2),
    first=several(LayerReading),
    last=several(LayerReading),
    predictions=several(PredictionReading),
    non_finite_step=st.none() | st.integers(),
    unseen=st.lists(TEXT, max_size=2).map(tuple),
    epoch_seconds=FLOATS,
    weights=st.dictionaries(TEXT, st.from_type(WeightReading), max_size=2),
    inputs=several(ArrayReading),
)
PATCHES = st.lists(
    st.builds(Change, path=TEXT, before=PLAIN, after=PLAIN, strategy=TEXT, why=TEXT, effect=SOME), max_size=3
).map(lambda changes: Patch(tuple(changes)))
SCORES = st.none() | st.builds(Score, value=st.floats(), tie=st.floats(), parts=FLOATS)
ARRAYS = hnp.arrays(
    st.sampled_from([np.dtype(kind) for kind in ("f4", "f8", "f2", "i8", "u1", "?")]), hnp.array_shapes(min_dims=0)
)
OUTCOMES = st.builds(
    Outcome,
    patch=PATCHES,
    seed=st.integers(),
    status=st.sampled_from(Status),
    score=SCORES,
    epochs=st.floats(),
    seconds=st.floats(),
    again=st.floats(),
    holdout=SCORES,
    trace=st.none() | TRACES,
    error=st.none() | TEXT,
    steps=st.integers(),
    share=st.floats(),
    engine=TEXT,
    reason=st.none() | TEXT,
    weights=st.none() | st.lists(ARRAYS, max_size=3).map(tuple),
    resampled=FLOATS,
)


def bits(found: Outcome) -> str:
    """Every number of an outcome as text that tells one float from any other."""
    weights = None if found.weights is None else [(a.dtype, a.shape, a.tobytes()) for a in found.weights]
    return f"{replace(found, weights=None)!r} {found.again!r} {found.resampled!r} {weights!r}"


@FEW
@given(made=OUTCOMES)
def test_outcome_comes_back_to_the_last_bit(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    asked = {"what": "run", "seed": made.seed}
    Ledger(folder).add(asked, began=0.5, ended=1.5, outcome=made, keep_weights=True)
    ledger = Ledger(folder)
    entry = ledger.find(asked)
    assert (entry.number, entry.began, entry.ended) == (0, 0.5, 1.5)
    assert bits(replace(entry.outcome, weights=ledger.weights(entry))) == bits(made)
    for item in folder.glob("*.json"):
        json.loads(item.read_text(), parse_constant=pytest.fail)


@FEW
@given(made=TRACES, rates=FLOATS)
def test_traces_and_range_tests_come_back(made, rates):
    assert repr(written.to_trace(written.loaded(written.dumped(made.to_dict())))) == repr(made)
    test = RangeTest(rates, rates, rates)
    assert repr(written.to_range_test(written.loaded(written.dumped(test.to_dict())))) == repr(test)


def test_weights_of_other_types_come_back(tmp_path):
    made = (np.arange(6).astype(ml_dtypes.bfloat16).reshape(2, 3), np.float32(3.0).reshape(()))
    arrays.write(tmp_path / "w.npz", made)
    found = arrays.read(tmp_path / "w.npz")
    assert [array.dtype for array in found] == [array.dtype for array in made]
    assert [array.tobytes() for array in found] == [array.tobytes() for array in made]


def filled(folder: Any, count: int = 3) -> Ledger:
    ledger = Ledger(folder)
    for number in range(count):
        ledger.add({"seed": number}, began=number, ended=number + 0.5, outcome=outcome(0.1 * number, patch("a")))
    return ledger


def test_answers_are_kept_in_their_order(tmp_path):
    filled(tmp_path)
    ledger = Ledger(tmp_path)
    assert [entry.began for entry in ledger] == [0.0, 1.0, 2.0]
    assert ledger.find({"seed": 7}) is None
    first = ledger.find({"seed": 0})
    assert ledger.after(first).asked == {"seed": 1}
    assert ledger.after(ledger.find({"seed": 2})) is None
    ledger.add({"seed": 9}, began=3.0, ended=4.0, outcome=outcome(0.9))
    assert [entry.number for entry in Ledger(tmp_path)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[1, 2]",
        lambda text: "null",
        lambda text: text.replace('"DONE"', '"WON"'),
        lambda text: text.replace('"seed":1', '"seed":2', 1),
        lambda text: text.replace('"format":1', '"format":2'),
        lambda text: text.replace('"steps"', '"leaps"'),
        lambda text: "[" * 100_000,
    ],
)
def test_corrupt_answer_is_set_aside_with_a_warning(tmp_path, caplog, spoil):
    filled(tmp_path)
    path = next(tmp_path.glob("00001-*.json"))
    path.write_text(spoil(path.read_text()))
    ledger = Ledger(tmp_path)
    with caplog.at_level(logging.WARNING, logger="autofix"):
        assert ledger.find({"seed": 1}) is None
    assert str(path) in caplog.text
    assert not path.exists()
    assert path.with_name(path.name + ".corrupt").exists()
    assert [entry.asked["seed"] for entry in ledger] == [0, 2]
    ledger.add({"seed": 1}, began=5.0, ended=6.0, outcome=outcome(0.5))
    assert Ledger(tmp_path).find({"seed": 1}).outcome.score.value == 0.5


def test_who_only_reads_moves_nothing(tmp_path, caplog):
    Ledger(tmp_path).add({"what": "run", "seed": 0}, began=0.0, ended=1.0, outcome=outcome(0.5, patch("a")))
    (path,) = tmp_path.iterdir()
    path.write_text("{")
    with caplog.at_level(logging.WARNING, logger="autofix"):
        assert list(Ledger(tmp_path, is_own=False)) == []
    assert path.read_text() == "{"
    assert "left out" in caplog.text


def test_an_answer_from_before_a_field_was_there_is_read():
    made = outcome(0.5, patch("a"))
    document = written.of_outcome(made)
    for name in ("predictions", "resampled", "share"):
        del document[name]
    assert written.to_outcome(document) == made


def test_foreign_files_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "00001-short.json").write_text("mine")
    assert len(filled(tmp_path)) == 3
    assert len(Ledger(tmp_path)) == 3
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"no archive at all"])
def test_corrupt_weights_are_set_aside(tmp_path, content):
    made = outcome(0.5, weights=(np.ones(3),))
    ledger = Ledger(tmp_path)
    entry = ledger.add({"seed": 0}, began=0.0, ended=1.0, outcome=made, keep_weights=True)
    path = next(tmp_path.glob("*.npz"))
    path.write_bytes(content)
    assert ledger.weights(entry) is None
    assert not path.exists()


def test_pickles_are_never_loaded(tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, **{"0": np.asarray([{"an": "object"}], dtype=object)})
    with pytest.raises(ValueError, match="allow_pickle"):
        arrays.read(path)


def test_weights_are_kept_on_demand_and_dropped(tmp_path):
    ledger = Ledger(tmp_path)
    made = outcome(0.5, weights=(np.ones(3),))
    without = ledger.add({"seed": 0}, began=0.0, ended=1.0, outcome=made)
    kept = ledger.add({"seed": 1}, began=0.0, ended=1.0, outcome=made, keep_weights=True)
    assert ledger.weights(without) is None
    assert ledger.weights(kept)[0].tolist() == [1.0, 1.0, 1.0]
    ledger.drop_weights(kept)
    ledger.drop_weights(kept)
    assert ledger.weights(kept) is None


def test_many_threads_write_one_ledger(tmp_path):
    ledger = Ledger(tmp_path)
    threads = [
        threading.Thread(
            target=lambda seed=seed: ledger.add({"seed": seed}, began=0.0, ended=1.0, outcome=outcome(0.5))
        )
        for seed in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry.asked["seed"] for entry in Ledger(tmp_path)) == list(range(12))

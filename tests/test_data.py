"""Reading and splitting: everything `fit` takes, nothing written, every error with a way out."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autofix.data import Data, ModelHints, OutputHint
from autofix.errors import FixYourData
from autofix.splits import MOST, splits_of


def hints(inputs=("x",), shapes=((4,),), outputs=(("out", (1,), "sigmoid", "binary_crossentropy"),)):
    return ModelHints(tuple(inputs), tuple(shapes), tuple(OutputHint(*output, accuracy=False) for output in outputs))


def numbers(rows=100, columns=4, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def labels(rows=100, k=2):
    return np.arange(rows) % k


TWO_IN = hints(("a", "b"), ((4,), (2,)))
TWO_OUT = hints(outputs=(("p", (1,), "sigmoid", "binary_crossentropy"), ("q", (1,), "linear", "mean_squared_error")))


def test_the_arrays_are_views_that_refuse_writes():
    x, y = numbers(), labels()
    data = Data.of((x, y), hints=hints(), seed=0)
    assert np.shares_memory(data.x, x)
    assert np.shares_memory(data.y, y)
    with pytest.raises(ValueError, match="read-only"):
        data.x[0] = 1.0
    assert x.flags.writeable
    assert data.x.dtype == np.float64


def test_a_python_list_and_a_list_of_two_arrays_are_taken():
    assert Data.of(([[0.0, 1, 2, 3]] * 20, [0, 1] * 10), hints=hints(), seed=0).x.shape == (20, 4)
    data = Data.of([numbers(20), labels(20)], hints=hints(), seed=0)
    assert data.flat_y()[0].shape == (20,)


def test_the_structure_of_inputs_is_kept_and_flattened_in_the_models_order():
    a, b = numbers(50, 4), numbers(50, 2)
    as_list = Data.of(((a, b), labels(50)), hints=TWO_IN, seed=0)
    as_dict = Data.of(({"b": b, "unused": a, "a": a}, labels(50)), hints=TWO_IN, seed=0)
    assert isinstance(as_list.x, list)
    assert set(as_dict.x) == {"a", "b"}
    for data in (as_list, as_dict):
        assert [array.shape[1] for array in data.flat_x()] == [4, 2]
    assert as_list.fingerprint() == as_dict.fingerprint()


@pytest.mark.parametrize("shape", [list, dict])
def test_targets_of_several_outputs(shape):
    p, q = labels(50), numbers(50, 1)
    y = [p, q] if shape is list else {"q": q, "p": p}
    data = Data.of((numbers(50), y), hints=TWO_OUT, seed=0)
    assert [array.shape for array in data.flat_y()] == [(50,), (50, 1)]


def test_x_alone_is_its_own_target():
    x = numbers(60)
    data = Data.of(x, hints=hints(outputs=(("out", (4,), "linear", "mean_squared_error"),)), seed=0)
    assert data.flat_y()[0] is data.flat_x()[0]
    with pytest.raises(FixYourData, match=re.escape("Pass (x, y)")):
        Data.of(x, hints=hints(outputs=(("out", (3,), "softmax", "categorical_crossentropy"),)), seed=0)


def test_rows_without_a_target_are_left_out_and_noted():
    y = labels(100).astype(float)
    y[[3, 7]] = np.nan
    x = numbers()
    data = Data.of((x, y, np.arange(100.0)), hints=hints(), seed=0)
    assert data.rows == 98
    assert np.array_equal(data.x, np.delete(x, [3, 7], axis=0))
    assert data.sample_weight is not None
    assert 3.0 not in data.sample_weight
    assert any("2 of 100 rows" in note for note in data.notes)
    text = np.where(labels() == 0, "no", "yes").astype(object)
    text[5] = None
    assert Data.of((x, text), hints=hints(), seed=0).rows == 99


def test_frames_series_and_sparse_matrices():
    pandas = pytest.importorskip("pandas")
    sparse = pytest.importorskip("scipy.sparse")
    frame = pandas.DataFrame({"a": [1, 2] * 30, "b": [0.5, np.nan] * 30, "c": True, "d": np.arange(60)})
    frame["d"] = frame["d"].astype("Int64")
    series = pandas.Series(["no", "yes"] * 30)
    data = Data.of((frame, series), hints=hints(), seed=0)
    assert data.x.shape == (60, 4)
    assert data.x.dtype == np.float64
    assert set(data.y) == {"no", "yes"}
    split = Data.of((frame[["b", "a"]], series), hints=hints(("a", "b"), ((1,), (1,))), seed=0)
    assert split.flat_x()[0].tolist() == frame["a"].tolist()
    table = Data.of((sparse.csr_matrix(np.eye(60, 4)), labels(60)), hints=hints(), seed=0)
    assert np.array_equal(table.x, np.eye(60, 4))
    frame["city"], frame["day"] = "Bern", pandas.Timestamp("2024-01-01")
    with pytest.raises(FixYourData, match=r"'city', 'day'.*get_dummies"):
        Data.of((frame, series), hints=hints(), seed=0)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((np.zeros((0, 4)), np.zeros(0)), "at least one row"),
        (None, "Received: None"),
        ((numbers(10), labels(9)), "10 rows in x and 9 in y"),
        ((numbers(10), labels(10), np.ones(8)), "10 rows in x and 8 in sample_weight"),
        ((np.array([["a", "b", "c", "d"]] * 20), labels(20)), "must hold numbers"),
        ((np.array([[1, "b", 2, 3]] * 20, dtype=object), labels(20)), "'b'"),
        (([[1, 2, 3, 4], [1, 2]] * 10, labels(20)), "different lengths"),
        ((numbers(20), np.full(20, np.nan)), "NaN in every row"),
        ((np.float64(3), labels(20)), "single value"),
        ((numbers(20), np.float64(1)), "single value"),
        ((numbers(20), np.array(["a", 1] * 10, dtype=object)), "mixed"),
        ((numbers(20), labels(20), np.full(20, -1.0)), "finite numbers, 0 or above"),
        ((numbers(20), labels(20), np.ones(20), 3), "a tuple of 4"),
        ((np.array(["2024-01-01"] * 20, dtype="M8[D]"), labels(20)), "datetime64"),
    ],
)
def test_what_cannot_be_used_says_why_and_what_to_do(data, message):
    with pytest.raises(FixYourData, match=message) as caught:
        Data.of(data, hints=hints(), seed=0)
    assert "Received: " in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_missing_input_or_output_is_named():
    with pytest.raises(FixYourData, match=r"without \['b'\].* Did you mean 'bb'\?"):
        Data.of(({"a": numbers(), "bb": numbers()}, labels()), hints=TWO_IN, seed=0)
    with pytest.raises(FixYourData, match="2 inputs of the model"):
        Data.of((numbers(), labels()), hints=TWO_IN, seed=0)
    with pytest.raises(FixYourData, match="2 outputs of the model"):
        Data.of((numbers(), labels()), hints=TWO_OUT, seed=0)
    with pytest.raises(FixYourData, match="100 and 99 rows"):
        Data.of(([numbers(100), numbers(99, 2)], labels()), hints=TWO_IN, seed=0)


def test_validation_data_is_halved_when_there_is_enough_of_it():
    x, y = numbers(200), labels(200)
    data = Data.of((x, y), validation_data=(numbers(50, seed=1), labels(50)), hints=hints(), seed=0)
    (split,) = data.splits
    assert split.train.tolist() == list(range(200))
    assert sorted([*split.validation, *split.holdout]) == list(range(200, 250))
    assert len(split.holdout) == 25
    assert 12 <= data.y[split.holdout].sum() <= 13
    assert np.array_equal(data.x[:200], x)


def test_little_validation_data_stays_whole_and_the_holdout_comes_from_training():
    data = Data.of((numbers(200), labels(200)), validation_data=(numbers(20), labels(20)), hints=hints(), seed=0)
    (split,) = data.splits
    assert split.validation.tolist() == list(range(200, 220))
    assert max(split.holdout) < 200
    assert not set(split.holdout) & set(split.train)
    tiny = Data.of((numbers(4), labels(4)), validation_data=(numbers(4), labels(4)), hints=hints(), seed=0)
    assert tiny.splits[0].train.tolist() == [0, 1, 2, 3]


def test_validation_data_of_another_structure_is_refused():
    with pytest.raises(FixYourData, match="structure of the data"):
        Data.of((numbers(), labels()), validation_data=(numbers(), np.eye(2)[labels()]), hints=hints(), seed=0)
    both = {"a": numbers(), "b": numbers(100, 2)}
    with pytest.raises(FixYourData, match="structure of the data"):
        Data.of((list(both.values()), labels()), validation_data=(both, labels()), hints=TWO_IN, seed=0)


def test_tiny_data_is_scored_on_its_training_rows_and_says_so():
    data = Data.of(([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]), hints=hints(shapes=((2,),)), seed=0)
    (split,) = data.splits
    assert split.train.tolist() == split.validation.tolist() == split.holdout.tolist() == [0, 1, 2, 3]
    assert "every score is on the training rows" in data.notes[0]


def test_small_data_has_five_splits_with_every_class_in_training():
    data = Data.of((numbers(30), labels(30, 5)), hints=hints(), seed=0)
    assert len(data.splits) == 5
    assert len({split.holdout.tobytes() for split in data.splits}) > 1
    assert all(len(split.train) >= 15 for split in data.splits)
    assert "averaged over 5" in data.notes[0]


def test_a_rare_class_is_in_every_part():
    y = np.zeros(1000, dtype=int)
    y[:6] = 1
    data = Data.of((numbers(1000), y), hints=hints(), seed=3)
    (split,) = data.splits
    assert all(y[part].sum() >= 1 for part in (split.train, split.validation, split.holdout))


def test_five_classes_of_three_rows_are_in_every_part():
    strata = np.zeros(300, dtype=int)
    strata[:15] = np.arange(15) % 5 + 1
    splits, _ = splits_of(300, strata, 0, 0)
    for split in splits:
        assert all(set(strata[part]) == set(range(6)) for part in (split.train, split.validation, split.holdout))


def test_a_single_row_of_a_class_stays_in_training():
    y = labels(200, 3)
    y[17] = 9
    classes = hints(outputs=(("out", (10,), "softmax", "sparse_categorical_crossentropy"),))
    for seed in range(5):
        data = Data.of((numbers(200), y), hints=classes, seed=seed)
        assert 17 in data.splits[0].train
    assert any("1 of 4 classes" in note for note in data.notes)


def test_parts_of_big_data_are_capped():
    (split,), _ = splits_of(300_000, labels(300_000, 7), 0, 0)
    assert len(split.validation) <= MOST
    assert len(split.holdout) <= MOST
    assert len(split.holdout) > MOST - 10
    (split,), notes = splits_of(300_000, labels(300_000, 7), 100_000, 0)
    assert (len(split.train), len(split.validation) <= MOST, len(split.holdout) <= MOST) == (200_000, True, True)
    assert "the rest is not used" in notes[0]


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(12, 400), k=st.integers(1, 12), skew=st.floats(0.5, 4.0), seed=st.integers(0, 99))
def test_splits_are_disjoint_complete_and_have_every_class_in_training(rows, k, skew, seed):
    rng = np.random.default_rng(seed)
    strata = (k * rng.random(rows) ** skew).astype(int)
    for split in splits_of(rows, strata, 0, seed)[0]:
        parts = [split.train, split.validation, split.holdout]
        assert sorted(np.concatenate(parts).tolist()) == list(range(rows))
        assert all(len(part) >= 1 and (np.diff(part) > 0).all() for part in parts)
        assert len(split.train) >= rows / 3
        if len(set(strata)) <= rows / 3:
            assert set(strata) == set(strata[split.train])


def test_the_seed_decides_the_split_and_the_fingerprint_tells_data_apart():
    x, y = numbers(), labels()
    one, same, other = (Data.of((x, y), hints=hints(), seed=seed) for seed in (0, 0, 1))
    assert one.fingerprint() == same.fingerprint() != other.fingerprint()
    changed = x.copy()
    changed[50, 2] += 1e-9
    assert Data.of((changed, y), hints=hints(), seed=0).fingerprint() != one.fingerprint()


def test_data_beyond_the_limit_is_thinned_evenly_and_noted():
    x = numbers(1000)
    data = Data.of((x, labels(1000)), hints=hints(), seed=0, limit_bytes=10_000)
    assert data.rows == 250
    assert np.array_equal(data.x, x[::4])
    assert np.shares_memory(data.x, x)
    assert "one row in 4" in data.notes[0]


def test_frames_are_thinned_like_arrays():
    pandas = pytest.importorskip("pandas")
    frame, labelled = pandas.DataFrame(numbers(1000)), pandas.Series(labels(1000, 5))
    data = Data.of((frame, labelled, np.arange(1000.0)), hints=hints(), seed=0, limit_bytes=20_000)
    assert data.sample_weight is not None
    rows = data.sample_weight.astype(int)
    assert 0 < data.rows < 600
    assert np.array_equal(data.x, numbers(1000)[rows])
    assert np.array_equal(data.y, labels(1000, 5)[rows])


def test_an_endless_generator_is_read_until_rows_come_again():
    x, y = numbers(96), labels(96)

    def forever():
        while True:
            for start in range(0, 96, 32):
                yield x[start : start + 32], y[start : start + 32]

    data = Data.of(forever(), hints=hints(), seed=0)
    assert np.array_equal(data.x, x)
    assert data.batch_size == 32
    assert "never ends" in data.notes[0]
    limited = Data.of(forever(), hints=hints(), seed=0, limit_bytes=64 * 5 * 8)
    assert limited.rows == 64


class TestDatasets:
    """Needs TensorFlow."""

    @pytest.fixture
    def tf(self):
        return pytest.importorskip("tensorflow")

    @pytest.mark.parametrize("batch", [None, 32])
    def test_a_dataset_batched_or_not(self, tf, batch):
        x, y = numbers(), labels()
        dataset = tf.data.Dataset.from_tensor_slices((x, y))
        dataset = dataset if batch is None else dataset.batch(batch)
        data = Data.of(dataset, hints=hints(), seed=0)
        assert np.array_equal(data.x, x)
        assert np.array_equal(data.y, y)
        assert data.batch_size == batch

    def test_rows_of_free_shape(self, tf):
        def rows():
            yield from zip(numbers(), labels(), strict=True)

        spec = (tf.TensorSpec((None,), tf.float64), tf.TensorSpec((), tf.int64))
        data = Data.of(tf.data.Dataset.from_generator(rows, output_signature=spec), hints=hints(), seed=0)
        assert np.array_equal(data.x, numbers())
        assert data.batch_size is None

    def test_a_dataset_of_dicts_weights_and_text(self, tf):
        x = {"a": numbers(), "b": numbers(100, 2)}
        text = np.where(labels() == 0, "no", "yes")
        dataset = tf.data.Dataset.from_tensor_slices((x, text, np.ones(100))).batch(16)
        data = Data.of(dataset, hints=TWO_IN, seed=0)
        assert np.array_equal(data.flat_x()[1], x["b"])
        assert data.y.tolist() == text.tolist()
        assert data.sample_weight is not None

    def test_an_endless_dataset_gives_every_row_once(self, tf):
        dataset = tf.data.Dataset.from_tensor_slices((numbers(), labels())).shuffle(100, seed=0).repeat().batch(32)
        data = Data.of(dataset, hints=hints(), seed=0)
        assert data.rows == 100
        assert len(np.unique(data.x, axis=0)) == 100

    def test_empty_and_ragged_datasets_are_refused(self, tf):
        dataset = tf.data.Dataset.from_tensor_slices((numbers(), labels())).batch(32)
        with pytest.raises(FixYourData, match="empty dataset"):
            Data.of(dataset.take(0), hints=hints(), seed=0)
        ragged = tf.data.Dataset.from_tensor_slices((tf.ragged.constant([[1.0, 2], [3]]), [0, 1])).batch(2)
        with pytest.raises(FixYourData, match="to_tensor"):
            Data.of(ragged, hints=hints(shapes=((None,),)), seed=0)

    def test_a_pydataset_is_passed_over_once(self, tf):
        keras = pytest.importorskip("keras")
        asked = []

        class Batches(keras.utils.PyDataset):
            def __len__(self):
                return 4

            def __getitem__(self, place):
                asked.append(place)
                rows = slice(25 * place, 25 * place + 25)
                return numbers()[rows], labels()[rows]

        data = Data.of(Batches(), hints=hints(), seed=0)
        assert np.array_equal(data.x, numbers())
        assert data.batch_size == 25
        assert asked == [0, 1, 2, 3]

    def test_tensors_are_arrays(self, tf):
        data = Data.of((tf.constant(numbers()), tf.constant(labels())), hints=hints(), seed=0)
        assert np.array_equal(data.x, numbers())

"""The healthy kinds: each a function from a seed to a `Program`, with sizes drawn from the usual range."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np

from autofix.frozen import FrozenDict

from .data import CHANNELS, LABELS, LENGTH, STEPS, WORDS
from .program import Part, Program, Stem, dense, part

LOSSES = {
    "binary": part("binary_crossentropy"),
    "classes": part("sparse_categorical_crossentropy"),
    "columns": part("categorical_crossentropy"),
    "quantity": part("mse"),
}


class Dice:
    """Draws the sizes of one program.

    Args:
        kind: Name of the kind, so that kinds differ at the same seed.
        seed: Seed of the program.
    """

    def __init__(self, kind: str, seed: int) -> None:
        self._rng = np.random.default_rng([zlib.crc32(kind.encode()), seed])

    def of(self, *choices: int) -> int:
        """Draws one of some numbers."""
        return int(self._rng.choice(choices))

    def near(self, value: float, factor: float = 1.6) -> float:
        """Draws a number within a factor of another, evenly over its logarithm."""
        return float(f"{value * factor ** self._rng.uniform(-1, 1):.3g}")

    def pyramid(self, *choices: int) -> tuple[Part, ...]:
        """Draws two or three dense layers, each half as wide as the one before."""
        first = self.of(*choices)
        return tuple(dense(max(8, first // 2**index)) for index in range(self.of(2, 3)))


def adam(rate: float) -> Part:
    """Returns Adam."""
    return Part("Adam", FrozenDict({"learning_rate": rate}))


def tabular_binary(seed: int) -> Program:
    """An MLP on a table with two classes."""
    dice = Dice("tabular_binary", seed)
    return Program(
        "tabular_binary", seed, "flags", 1600, (Stem("x", (12,)),), dice.pyramid(32, 48, 64), dense(1, "sigmoid"),
        LOSSES["binary"], adam(dice.near(3e-3)), epochs=dice.of(15, 20), batch_size=dice.of(16, 32),
    )  # fmt: skip


def tabular_multiclass(seed: int) -> Program:
    """An MLP on a table with four classes."""
    dice = Dice("tabular_multiclass", seed)
    return Program(
        "tabular_multiclass", seed, "species", 1600, (Stem("x", (12,)),), dice.pyramid(32, 48, 64),
        dense(4, "softmax"), LOSSES["classes"], adam(dice.near(3e-3)), epochs=dice.of(15, 20),
        batch_size=dice.of(16, 32),
    )  # fmt: skip


def digits_mlp(seed: int) -> Program:
    """An MLP on the digits, targets in one column a class."""
    dice = Dice("digits_mlp", seed)
    return Program(
        "digits_mlp", seed, "digit_columns", 1500, (Stem("x", (64,)),), dice.pyramid(64, 96, 128),
        dense(10, "softmax"), LOSSES["columns"], adam(dice.near(2e-3)), epochs=dice.of(15, 20),
        batch_size=dice.of(16, 32),
    )  # fmt: skip


def digits_sgd(seed: int) -> Program:
    """An MLP on the digits with momentum."""
    dice = Dice("digits_sgd", seed)
    optimizer = part("SGD", {"learning_rate": dice.near(0.03), "momentum": 0.9})
    return Program(
        "digits_sgd", seed, "digit_vectors", 1500, (Stem("x", (64,)),), dice.pyramid(64, 96, 128),
        dense(10, "softmax"), LOSSES["classes"], optimizer, epochs=dice.of(15, 20), batch_size=dice.of(16, 32),
    )  # fmt: skip


def digits_cnn(seed: int) -> Program:
    """A convolutional network on the digits."""
    dice = Dice("digits_cnn", seed)
    filters = dice.of(12, 16, 24)
    convolution = {"kernel_size": 3, "padding": "same", "activation": "relu"}
    body = (
        part("Conv2D", {"filters": filters, **convolution}),
        part("MaxPooling2D"),
        part("Conv2D", {"filters": 2 * filters, **convolution}),
        part("Flatten"),
        dense(dice.of(32, 48, 64)),
    )
    return Program(
        "digits_cnn", seed, "digit_images", 1500, (Stem("x", (8, 8, 1)),), body, dense(10, "softmax"),
        LOSSES["classes"], adam(dice.near(2e-3, 1.4)), epochs=dice.of(8, 10), batch_size=32,
    )  # fmt: skip


def regression_one(seed: int) -> Program:
    """An MLP for one quantity."""
    dice = Dice("regression_one", seed)
    return Program(
        "regression_one", seed, "friedman", 1600, (Stem("x", (10,)),), dice.pyramid(32, 48, 64), dense(1, "linear"),
        LOSSES["quantity"], adam(dice.near(3e-3)), epochs=dice.of(20, 25), batch_size=dice.of(16, 32),
    )  # fmt: skip


def regression_several(seed: int) -> Program:
    """An MLP for three quantities."""
    dice = Dice("regression_several", seed)
    return Program(
        "regression_several", seed, "three_quantities", 1600, (Stem("x", (8,)),), dice.pyramid(32, 48, 64),
        dense(3, "linear"), LOSSES["quantity"], adam(dice.near(3e-3)), epochs=dice.of(15, 20),
        batch_size=dice.of(16, 32),
    )  # fmt: skip


def raw_features(seed: int) -> Program:
    """Features in all units, behind a `Normalization` layer."""
    dice = Dice("raw_features", seed)
    return Program(
        "raw_features", seed, "measurements", 1800, (Stem("x", (6,), (part("Normalization"),)),),
        dice.pyramid(48, 64, 96), dense(1, "linear"), LOSSES["quantity"], adam(dice.near(4e-3)),
        epochs=dice.of(25, 30), batch_size=32,
    )  # fmt: skip


def batch_norm(seed: int) -> Program:
    """Batch normalization and dropout on raw measurements behind a `Normalization` layer."""
    dice = Dice("batch_norm", seed)
    drop = part("Dropout", {"rate": dice.of(10, 20, 30) / 100})
    block = (part("BatchNormalization"), part("Activation", {"activation": "relu"}), drop)
    first = dice.of(24, 32)
    body = (dense(first, "linear"), *block, dense(first // 2, "linear"), *block)
    return Program(
        "batch_norm", seed, "tumours", 560, (Stem("x", (30,), (part("Normalization"),)),), body, dense(1, "sigmoid"),
        LOSSES["binary"], adam(dice.near(3e-3)), epochs=dice.of(20, 25), batch_size=dice.of(16, 32),
    )  # fmt: skip


def small_table(seed: int) -> Program:
    """A table of 300 rows and three classes."""
    dice = Dice("small_table", seed)
    return Program(
        "small_table", seed, "flowers", 300, (Stem("x", (4,)),), (dense(dice.of(16, 24, 32)), dense(16)),
        dense(3, "softmax"), LOSSES["classes"], adam(dice.near(5e-3, 1.4)), epochs=dice.of(30, 40),
        batch_size=dice.of(8, 16),
    )  # fmt: skip


def wave_lstm(seed: int) -> Program:
    """An LSTM or a GRU that tells series apart."""
    dice = Dice("wave_lstm", seed)
    body = (part(("LSTM", "GRU")[dice.of(0, 1)], {"units": dice.of(16, 24)}),)
    return Program(
        "wave_lstm", seed, "waves", 1200, (Stem("x", (STEPS, CHANNELS)),), body, dense(1, "sigmoid"),
        LOSSES["binary"], adam(dice.near(8e-3, 1.3)), epochs=12, batch_size=32,
    )  # fmt: skip


def series_rnn(seed: int) -> Program:
    """A plain recurrence for a quantity that late steps decide."""
    dice = Dice("series_rnn", seed)
    body = (part("SimpleRNN", {"units": dice.of(16, 24), "activation": "tanh"}), dense(16))
    return Program(
        "series_rnn", seed, "running_mean", 1200, (Stem("x", (STEPS, CHANNELS)),), body, dense(1, "linear"),
        LOSSES["quantity"], adam(dice.near(4e-3, 1.3)), epochs=12, batch_size=32,
    )  # fmt: skip


def text_embedding(seed: int) -> Program:
    """Words, an embedding and their mean, or a GRU over them."""
    dice = Dice("text_embedding", seed)
    embed = part("Embedding", {"input_dim": WORDS, "output_dim": dice.of(8, 16)})
    reader = (part("GlobalAveragePooling1D"), part("GRU", {"units": 12}))[dice.of(0, 1)]
    return Program(
        "text_embedding", seed, "reviews", 1500, (Stem("x", (LENGTH,), (embed,), "int32"),), (reader, dense(16)),
        dense(1, "sigmoid"), LOSSES["binary"], adam(dice.near(6e-3, 1.3)), epochs=8, batch_size=32,
    )  # fmt: skip


def two_inputs(seed: int) -> Program:
    """A functional model of two branches."""
    dice = Dice("two_inputs", seed)
    stems = (Stem("left", (8,), (dense(dice.of(24, 32)),)), Stem("right", (4,), (dense(dice.of(16, 24)),)))
    return Program(
        "two_inputs", seed, "pairs", 1600, stems, (dense(dice.of(24, 32)),), dense(1, "sigmoid"), LOSSES["binary"],
        adam(dice.near(3e-3)), epochs=dice.of(15, 20), batch_size=dice.of(16, 32),
    )  # fmt: skip


def autoencoder(seed: int) -> Program:
    """Twenty features through a narrow middle and out again."""
    dice = Dice("autoencoder", seed)
    body = (dense(dice.of(24, 32)), dense(dice.of(6, 8), "linear"), dense(dice.of(24, 32)))
    return Program(
        "autoencoder", seed, "factors", 1500, (Stem("x", (20,)),), body, dense(20, "linear"), LOSSES["quantity"],
        adam(dice.near(3e-3, 1.4)), epochs=dice.of(15, 20), batch_size=32,
    )  # fmt: skip


def multilabel(seed: int) -> Program:
    """Five labels at once."""
    dice = Dice("multilabel", seed)
    return Program(
        "multilabel", seed, "tags", 1600, (Stem("x", (10,)),), dice.pyramid(32, 48, 64), dense(LABELS, "sigmoid"),
        LOSSES["binary"], adam(dice.near(3e-3)), epochs=dice.of(12, 16), batch_size=dice.of(16, 32),
    )  # fmt: skip


def imbalanced(seed: int) -> Program:
    """One row in ten is of the rare class, and is found."""
    dice = Dice("imbalanced", seed)
    return Program(
        "imbalanced", seed, "alarms", 2000, (Stem("x", (8,)),), dice.pyramid(24, 32), dense(1, "sigmoid"),
        LOSSES["binary"], adam(dice.near(3e-3)), epochs=dice.of(15, 20), batch_size=32,
    )  # fmt: skip


def low_ceiling(seed: int) -> Program:
    """A quantity of which the features explain less than half."""
    dice = Dice("low_ceiling", seed)
    body = (dense(dice.of(12, 16)).put({"kernel_regularizer": {"class_name": "L2", "config": {"l2": 3e-3}}}),)
    return Program(
        "low_ceiling", seed, "weak_relation", 1600, (Stem("x", (8,)),), body, dense(1, "linear"), LOSSES["quantity"],
        adam(dice.near(3e-3)), epochs=dice.of(12, 16), batch_size=32,
    )  # fmt: skip


def overlapping(seed: int) -> Program:
    """Two classes that overlap: one row in five cannot be told by anybody."""
    dice = Dice("overlapping", seed)
    return Program(
        "overlapping", seed, "overlap", 2000, (Stem("x", (8,)),), (dense(dice.of(12, 16)), dense(8)),
        dense(1, "sigmoid"), LOSSES["binary"], adam(dice.near(2e-3)), epochs=dice.of(10, 14), batch_size=32,
    )  # fmt: skip


def tanh_mlp(seed: int) -> Program:
    """Two bounded layers, as nets were built in the nineties."""
    dice = Dice("tanh_mlp", seed)
    activation = ("tanh", "sigmoid")[dice.of(0, 1)]
    body = (dense(dice.of(32, 48), activation), dense(32, activation))
    return Program(
        "tanh_mlp", seed, "digit_vectors", 1500, (Stem("x", (64,)),), body, dense(10, "softmax"), LOSSES["classes"],
        adam(dice.near(4e-3, 1.3)), epochs=dice.of(25, 30), batch_size=32,
    )  # fmt: skip


KINDS: Mapping[str, Callable[[int], Program]] = {
    kind.__name__: kind
    for kind in (
        tabular_binary, tabular_multiclass, digits_mlp, digits_sgd, digits_cnn, regression_one, regression_several,
        raw_features, batch_norm, small_table, wave_lstm, series_rnn, text_embedding, two_inputs, autoencoder,
        multilabel, imbalanced, low_ceiling, overlapping, tanh_mlp,
    )
}  # fmt: skip

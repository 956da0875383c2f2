"""The data: generated, or shipped with scikit-learn. Every table is a function of rows and a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_classification, make_friedman1

Arrays = tuple[Any, np.ndarray]
WORDS, LENGTH = 120, 16
STEPS, CHANNELS = 20, 2
LABELS = 5


def flags(rows: int, seed: int) -> Arrays:
    """Twelve standardized features; two classes that lie in two clusters each."""
    return _classes(rows, seed, classes=2, separation=1.6)


def species(rows: int, seed: int) -> Arrays:
    """Twelve standardized features; four classes."""
    return _classes(rows, seed, classes=4, separation=2.0)


def _classes(rows: int, seed: int, *, classes: int, separation: float) -> Arrays:
    x, y = make_classification(
        rows, 12, n_informative=7, n_redundant=0, n_classes=classes, n_clusters_per_class=2 if classes == 2 else 1,
        class_sep=separation, flip_y=0.01, random_state=seed,
    )  # fmt: skip
    return _standard(x), y


def friedman(rows: int, seed: int) -> Arrays:
    """Ten features of which five matter, and a standardized quantity (Friedman 1991)."""
    x, y = make_friedman1(rows, 10, noise=0.8, random_state=seed)
    return _standard(x), _standard(y)


def three_quantities(rows: int, seed: int) -> Arrays:
    """Eight features; three quantities, each a smooth function of some."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 8))
    inner = x @ rng.normal(size=(8, 6)) / np.sqrt(8)
    y = np.tanh(inner) @ rng.normal(size=(6, 3)) + x[:, :3] + 0.2 * rng.normal(size=(rows, 3))
    return x.astype("float32"), _standard(y)


def measurements(rows: int, seed: int) -> Arrays:
    """Six features in the units that they were measured in, from thousandths to thousands; a standardized quantity."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(rows, 6))
    y = z[:, 0] + np.abs(z[:, 1]) + z[:, 2] * z[:, 3] + 0.2 * rng.normal(size=rows)
    return (z * [1e-3, 0.1, 1, 15, 200, 3000] + [0.01, 1, 5, 40, 900, 8000]).astype("float32"), _standard(y)


def digit_vectors(rows: int, seed: int) -> Arrays:
    """The 8x8 digits, flat, pixels between 0 and 1."""
    x, y = load_digits(return_X_y=True)
    chosen = np.random.default_rng(seed).permutation(len(y))[:rows]
    return (x[chosen] / 16).astype("float32"), y[chosen]


def digit_columns(rows: int, seed: int) -> Arrays:
    """The same, with one column a digit as targets."""
    x, y = digit_vectors(rows, seed)
    return x, np.eye(10, dtype="float32")[y]


def digit_images(rows: int, seed: int) -> Arrays:
    """The same digits as images of one channel."""
    x, y = digit_vectors(rows, seed)
    return x.reshape(-1, 8, 8, 1), y


def tumours(rows: int, seed: int) -> Arrays:
    """The breast cancer measurements as they come."""
    x, y = load_breast_cancer(return_X_y=True)
    chosen = np.random.default_rng(seed).permutation(len(y))[:rows]
    return x[chosen].astype("float32"), y[chosen]


def flowers(rows: int, seed: int) -> Arrays:
    """Iris, with measurement noise and twice as many rows as Fisher had; standardized."""
    x, y = load_iris(return_X_y=True)
    rng = np.random.default_rng(seed)
    chosen = np.resize(rng.permutation(len(y)), rows)
    return _standard(x[chosen] + 0.05 * rng.normal(size=(rows, 4))), y[chosen]


def waves(rows: int, seed: int) -> Arrays:
    """Two channels over twenty steps: are the two waves of one frequency or of two?"""
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % 2
    slow = rng.uniform(0.04, 0.07, rows)
    fast = rng.uniform(0.12, 0.18, rows)
    frequency = np.stack([np.where(y == 1, fast, slow), slow], axis=1)
    phase = rng.uniform(0, 2 * np.pi, size=(rows, 1, CHANNELS))
    t = np.arange(STEPS)[None, :, None]
    x = np.sin(2 * np.pi * frequency[:, None, :] * t + phase) + 0.15 * rng.normal(size=(rows, STEPS, CHANNELS))
    return x.astype("float32"), y


def running_mean(rows: int, seed: int) -> Arrays:
    """Noisy series; the target weighs late steps more."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, STEPS, CHANNELS))
    weight = 0.8 ** np.arange(STEPS)[::-1]
    y = (x[:, :, 0] * weight).sum(axis=1) + 0.5 * (x[:, :, 1] * weight).sum(axis=1)
    return x.astype("float32"), _standard(y + 0.1 * rng.normal(size=rows))


def reviews(rows: int, seed: int) -> Arrays:
    """Texts of word numbers: words 1..15 praise, 16..30 complain; 0 is padding."""
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % 2
    tokens = rng.integers(31, WORDS, size=(rows, LENGTH))
    opinion = rng.random((rows, LENGTH)) < 0.35
    praise = (y[:, None] == 1) == (rng.random((rows, LENGTH)) < 0.85)
    tokens = np.where(opinion, rng.integers(1, 16, size=tokens.shape) + np.where(praise, 0, 15), tokens)
    tokens[np.arange(LENGTH)[None, :] >= rng.integers(10, LENGTH + 1, size=(rows, 1))] = 0
    return tokens.astype("int32"), y


def pairs(rows: int, seed: int) -> Arrays:
    """Two tables by input name; the class depends on both."""
    rng = np.random.default_rng(seed)
    left, right = rng.normal(size=(rows, 8)), rng.normal(size=(rows, 4))
    score = left[:, 0] + left[:, 1] * np.sign(right[:, 0]) + right[:, 1]
    x = {"left": left.astype("float32"), "right": right.astype("float32")}
    return x, (score + 0.1 * rng.normal(size=rows) > 0).astype("int64")


def factors(rows: int, seed: int) -> Arrays:
    """Twenty features made of four hidden ones; to be put out again."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(rows, 4))
    x = _standard(hidden @ rng.normal(size=(4, 20)) + 0.1 * rng.normal(size=(rows, 20)))
    return x, x


def tags(rows: int, seed: int) -> Arrays:
    """Ten features; five labels, each on or off by itself."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 10))
    score = x @ rng.normal(size=(10, LABELS)) + 0.5 * np.abs(x[:, :LABELS]) - 0.4
    return x.astype("float32"), (score + 0.1 * rng.normal(size=score.shape) > 0).astype("float32")


def alarms(rows: int, seed: int) -> Arrays:
    """Eight readings; one row in ten is an alarm, and stands out."""
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < 0.1).astype("int64")
    x = rng.normal(size=(rows, 8))
    x[:, 0] += 2.6 * y
    x[:, 1] -= 2.2 * y
    x[:, 2] *= 1 + y
    return x.astype("float32"), y


def weak_relation(rows: int, seed: int) -> Arrays:
    """Eight features and a quantity that is mostly noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 8))
    return x.astype("float32"), _standard(x[:, 0] + 0.6 * x[:, 1] + 0.4 * np.abs(x[:, 2]) + 1.3 * rng.normal(size=rows))


def overlap(rows: int, seed: int) -> Arrays:
    """Eight features; the classes overlap."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 8))
    chance = 1 / (1 + np.exp(-2.2 * (x[:, 0] + 0.7 * x[:, 1])))
    return x.astype("float32"), (rng.random(rows) < chance).astype("int64")


def _standard(values: np.ndarray) -> np.ndarray:
    return ((values - values.mean(axis=0)) / values.std(axis=0)).astype("float32")


TABLES: Mapping[str, Callable[[int, int], Arrays]] = {
    table.__name__: table
    for table in (
        flags, species, friedman, three_quantities, measurements, digit_vectors, digit_columns, digit_images, tumours,
        flowers, waves, running_mean, reviews, pairs, factors, tags, alarms,
        weak_relation, overlap,
    )
}  # fmt: skip

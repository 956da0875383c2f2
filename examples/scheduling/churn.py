"""The model that is trained first, and rows to train it on: customers who leave after calls that did not help."""

from __future__ import annotations

import sys

import numpy as np

COLUMNS = ["tenure", "calls", "waited", "price"]


def build_model():
    """Returns the compiled model; its inputs are standardized rows."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    return model


def write_rows(path: str, rows: int, seed: int, price: float = 0.0) -> None:
    """Stands for the query that brings fresh rows; `price` moves one column away from where it was."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    table = rng.normal(size=(rows, 4))
    leaves = table[:, 1] * table[:, 2] - 0.5 * table[:, 0] + rng.normal(0, 0.3, rows) > 0
    table[:, 3] += price
    pd.DataFrame(table, columns=COLUMNS).assign(churned=leaves.astype(int)).to_csv(path, index=False)


if __name__ == "__main__":
    rows, seed, price = sys.argv[1:]
    write_rows("churn.csv", int(rows), int(seed), float(price))

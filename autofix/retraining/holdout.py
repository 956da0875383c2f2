"""Which rows no model of the line ever trains on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autofix.errors import FixYourData
from autofix.repeats import row_keys

Array = npt.NDArray[Any]

# Rows below which a comparison tells nothing: one row more or less is five percent of an accuracy.
FEWEST = 20
# An odd 64-bit number without pattern (2**64 divided by the golden ratio; Knuth, volume 3, section 6.4): spreads keys.
SPREAD = np.uint64(0x9E3779B97F4A7C15)


def by_content(inputs: Sequence[Array], share: float) -> npt.NDArray[np.bool_]:
    """Returns which rows are held out, boolean array [rows]: always the same ones, whatever rows come with them.

    Data that grows holds the rows of last week, and a champion that was trained on some of them must not be judged by
    these. So a row goes by a hash of its inputs, as with an identifier: in or out today is in or out for ever (Geron
    2022, "Hands-On Machine Learning", chapter 2; the hash buckets of TFX ExampleGen). Rows with the same inputs stay
    together.

    Args:
        inputs: The model's inputs, arrays [rows, ...].
        share: Share of the rows to hold out, 0..1.
    """
    keys = row_keys([_hashable(array) for array in inputs], np.arange(len(inputs[0]))) * SPREAD
    keys ^= keys >> np.uint64(32)
    return (keys * SPREAD >> np.uint64(11)).astype(np.float64) / 2.0**53 < share


def last(rows: int, share: float) -> npt.NDArray[np.bool_]:
    """Returns the last rows as held out: for rows in the order of time, where the future is what counts."""
    held = np.zeros(rows, dtype=bool)
    held[rows - round(rows * share) :] = True
    return held


def checked(held: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Returns the choice.

    Raises:
        FixYourData: If there are too few rows on either side.
    """
    count = int(held.sum())
    if count < FEWEST or len(held) - count < FEWEST:
        raise FixYourData(
            f"the holdout and the rest must have {FEWEST} rows each. Received: {count} of {len(held)} rows held out. "
            "Bring more rows, change `holdout.share`, or name rows of their own in `holdout.source`."
        )
    return held


def _hashable(array: Array) -> Array:
    """Text as 64-bit numbers: as an array its bytes depend on the longest of all rows."""
    if array.dtype.kind in "fiub":
        return array
    import pandas as pd

    flat = array.reshape(-1).astype(str).astype(object)
    return np.asarray(pd.util.hash_array(flat, categorize=True)).reshape(array.shape)

"""What is looked for in a model file: that it cannot be drowned in."""

from __future__ import annotations

import h5py
import numpy as np

from autofix.sources.screening import _bytes_of

LEVELS = 10


def test_what_hangs_in_many_places_is_looked_at_once(tmp_path):
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        group = file
        for _ in range(LEVELS):
            inner = group.create_group("a")
            group["b"] = inner
            group = inner
        group["weights"] = np.zeros(4)
    with h5py.File(path) as file:
        assert list(_bytes_of(file, path, set())) == [32]

"""Where a NaN came from: the first place in the order of computation."""

from __future__ import annotations

import numpy as np
import pytest

from autofix.probes.origin import origin_of
from autofix.trace import LayerReading

FINE = np.ones((4, 2))
NAN, INF = np.array([[1.0, np.nan]]), np.array([[np.inf, 1.0]])


def reading(name: str, *, finite: bool) -> LayerReading:
    return LayerReading(f"layers/{name}", 0, "relu", 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, finite)


@pytest.mark.parametrize(
    ("inputs", "targets", "finite", "origin"),
    [
        ([FINE, NAN], [FINE], (True, True), "input"),
        ([INF], [NAN], (False, False), "input"),
        ([FINE], [INF], (False, True), "target"),
        ([FINE], [FINE], (True, False), "layer:layers/second"),
        ([FINE], [FINE], (False, False), "layer:layers/first"),
        ([FINE], [FINE], (True, True), "loss"),
        ([np.array([1, 2])], [np.array(["a", "b"])], (True, True), "loss"),
    ],
)
def test_first_place_that_is_not_finite(inputs, targets, finite, origin):
    readings = [reading(name, finite=flag) for name, flag in zip(("first", "second"), finite, strict=True)]
    assert origin_of(inputs, targets, readings) == origin

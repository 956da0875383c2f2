from __future__ import annotations

import pytest

from autofix.symptoms.batch_too_large import judge
from tests.symptoms.conftest import data, evidence, plain


def seen(batch, epochs, rows=800):
    return judge(evidence(plain(fit={"batch_size": batch, "epochs": epochs}), data(rows=(rows, 100, 100))))


@pytest.mark.parametrize(
    ("batch", "epochs", "rows"),
    [(32, 10, 800), (128, 10, 800), (512, 300, 800), (32, 5, 60), (None, 10, 800), (64, 1, 60_000), (512, 10, 0)],
)
def test_enough_steps_are_fine(batch, epochs, rows) -> None:
    assert seen(batch, epochs, rows) == ()


@pytest.mark.parametrize(("batch", "epochs", "severity"), [(1024, 10, 0.65), (512, 20, 0.55), (512, 90, 0.4)])
def test_the_fewer_steps_in_all_the_worse(batch, epochs, severity) -> None:
    (found,) = seen(batch, epochs)
    assert found.severity == severity
    assert found.numbers["steps"] == found.numbers["steps_per_epoch"] * epochs

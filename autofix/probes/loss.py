"""Loss of each batch, out of the running mean that Keras reports in `logs["loss"]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from autofix.look import Look
from autofix.probe import Probe, Tier


def loss_of_batch(mean: float, weight: float, mean_before: float, weight_before: float) -> float:
    """Returns the loss of the batch that moved a running mean; see `Report`.

    The mean is a 32-bit float, so the loss of the n-th batch of an epoch is off by about 6e-8 * n of the highest mean.
    """
    # `Watch` calls this after every step, and a look would cost more than the arithmetic.
    return (mean * weight - mean_before * weight_before) / (weight - weight_before)


@final
@dataclass(frozen=True)
class Loss(Probe[float]):
    """Loss of the last batch, not averaged over the epoch; NaN at the batch that makes the mean NaN, and after it."""

    name: ClassVar[str] = "loss"
    tier: ClassVar[Tier] = Tier.LIGHT
    what: ClassVar[str] = "the loss of each batch"
    needs: ClassVar[tuple[str, ...]] = ("report",)

    def measure(self, look: Look) -> float:
        report = look.report
        assert report is not None
        return loss_of_batch(report.mean, report.weight, report.mean_before, report.weight_before)

"""The loss of each step: out of the running mean that Keras reports, and in bounded memory. No TensorFlow."""

from __future__ import annotations

import math

from autofix.probes.loss import loss_of_batch

# Relative error of a 32-bit float that is rounded twice.
RESOLUTION = 1.2e-7
# Entries kept: a judgement turns all of them into arrays a dozen times, which takes some milliseconds with this many.
MOST = 2**14


class Unaveraged:
    """Turns the mean over an epoch so far, which is what `logs["loss"]` holds, into the loss of the last batch.

    Attributes:
        blurred: Whether a loss was lost in the rounding of the mean, since the epoch began a million times higher.
    """

    def __init__(self) -> None:
        self.blurred = False
        self.restart()

    def restart(self) -> None:
        """Begins an epoch."""
        self._mean = self._weight = self._highest = 0.0

    def take(self, mean: float, weight: float = 1.0) -> float:
        """Returns the loss of the batch that moved the mean to `mean`; NaN for all batches after one that is.

        Args:
            mean: Mean over the epoch so far.
            weight: Rows of the batch, over those of the epoch's first one.
        """
        weights = self._weight + weight
        loss = loss_of_batch(mean, weights, self._mean, self._weight)
        self._mean, self._weight = mean, weights
        self._highest = max(self._highest, abs(mean) * weights)
        if abs(loss) < RESOLUTION * self._highest:
            self.blurred = True
            return mean if mean < 0 else max(loss, 0.0)
        return loss


class Curve:
    """A loss curve that halves its resolution whenever it is full.

    Attributes:
        stride: Added losses that one entry is the mean of.
        first_bad: Number of the first added loss that was not finite; None if none was.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._entries: list[float] = []
        self._pending: list[float] = []
        self.stride = 1
        self.first_bad: int | None = None

    def add(self, loss: float) -> bool:
        """Takes in the next loss; returns whether it is the first that is not finite."""
        first = self.first_bad is None and not math.isfinite(loss)
        if first:
            self.first_bad = len(self._entries) * self.stride + len(self._pending)
        if self.stride == 1:
            self._entries.append(loss)
        else:
            self._pending.append(loss)
            if len(self._pending) == self.stride:
                self._entries.append(sum(self._pending) / self.stride)
                self._pending.clear()
        if len(self._entries) >= self._most:
            pairs = zip(self._entries[::2], self._entries[1::2], strict=True)
            self._entries = [(one + two) / 2 for one, two in pairs]
            self.stride *= 2
        return first

    def last(self, count: int) -> tuple[float, ...]:
        """Returns the last entries, so many at most."""
        return tuple(self._entries[-count:])

    @property
    def entries(self) -> tuple[float, ...]:
        """The whole entries so far."""
        return tuple(self._entries)

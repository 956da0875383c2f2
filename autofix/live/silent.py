"""Layers without a gradient: None where the loss does not depend on them, exactly zero where nothing comes through."""

from __future__ import annotations

from collections import Counter

from autofix.frozen import FrozenDict
from autofix.live.reader import Gradients
from autofix.symptom import Diagnosis, Symptom

# Looks in all of which a gradient has to be zero to be called that: a single batch may turn off a layer. One that is
# None is so by the way in which the loss is computed.
LOOKS = 2
# Why the loss may not depend on a layer.
APART = (
    "The layer is on no way from the inputs to an output with a loss.",
    "A step between it and the loss has no gradient: a rounding, an argmax, a comparison, NumPy instead of TensorFlow.",
    "The gradients were taken outside of the tape.",
)
# A layer that is left out may be meant to be; one whose gradient is zero has died; without any there is no training.
SOME_NONE, SOME_ZERO, ALL = 0.6, 0.7, 1.0


class Silent:
    """Counts the looks at which layers had no gradient."""

    def __init__(self) -> None:
        self._looks = 0
        self._none: Counter[str] = Counter()
        self._zero: Counter[str] = Counter()
        self._all = 0
        self._layers = 0

    def take(self, gradients: Gradients) -> None:
        """Takes in the gradients of one look."""
        self._looks += 1
        self._layers = len(gradients.norms)
        self._none.update(gradients.disconnected)
        self._zero.update(path for path, norm in gradients.norms.items() if norm == 0.0)
        self._all += bool(gradients.disconnected) and gradients.total == 0.0

    def findings(self) -> tuple[Diagnosis, ...]:
        """Returns one finding per layer that never had a gradient; a single one where none had, and some were None.

        Where all are zero, the rule `weights_unchanged` says why.
        """
        looks = self._looks
        never = f"at each of {looks} looks"
        if looks and self._all == looks:
            return (_finding(ALL, f"Every gradient was None or zero {never}.", None, "None", looks),)
        none = [path for path, count in self._none.items() if count == looks]
        zero = [path for path, count in self._zero.items() if count == looks >= LOOKS and path not in none]
        if len(zero) == self._layers:
            zero = []
        apart = f"The loss does not depend on it: its gradient was None {never}."
        return tuple(
            [_finding(SOME_NONE, apart, path, "None", looks) for path in none]
            + [_finding(SOME_ZERO, f"Its gradient was exactly zero {never}.", path, "zero", looks) for path in zero]
        )


def _finding(severity: float, text: str, layer: str | None, cause: str, looks: int) -> Diagnosis:
    numbers = FrozenDict({"cause": f"{cause} gradient", "looks": looks})
    causes = APART if cause == "None" else ()
    return Diagnosis(Symptom.WEIGHTS_UNCHANGED, severity, 1.0, text, layer, 0, numbers, causes)

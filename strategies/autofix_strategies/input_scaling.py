"""Strategy `input_scaling`: inputs put on a common scale by a layer of the model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

from autofix.change import Patch
from autofix.facts import InputFacts
from autofix.recipe import layers
from autofix.strategy import Case, Strategy
from autofix.symptom import Symptom
from autofix_strategies._edits import edit, join, keras_layer, unused_name
from autofix_strategies._inputs import Entry, entries, is_flag, nested, normalization, operation, shifted, statistics

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

# Glorot and He initialization assume inputs of mean 0 and variance 1. A mean of one standard deviation at most
# doubles the second moment of the first layer's sums, a size of 2 is what the rule `unscaled_inputs` lets pass; below
# 0.1 a feature moves the sums by less than its fellows' noise.
MEAN, NARROW, LARGE = 1.0, 0.1, 2.0
# Spreads of features a hundred times apart make the curvature uneven by 10,000: a quarter of them so is a table in raw
# units, fewer are rare events.
UNEVEN, UNEVEN_SHARE = 100.0, 0.25
# Whole numbers from 0 to 255 in at least 7 x 7 columns, or in any array of rows and columns, are taken for pixels.
PIXEL_TOP, PIXEL_COLUMNS = 255.0, 49
# Beyond this many standard deviations a value is an outlier to be clipped.
CLIP = 3.0
CHOICES = ("standardize", "min-max", "clipped")


@final
@dataclass(frozen=True)
class InputScaling(Strategy):
    """Standardizes the inputs inside the model, so that it still takes what the user feeds.

    What it changes:
        A `Normalization` layer behind the input, with the training data's mean and variance of each feature written
        into its configuration; for pixels one `Rescaling` by the largest value. A `Rescaling` of the user's that leaves
        the inputs far from unit size (pixels divided twice) makes way. The search also tries one factor for all
        features, and standardizing with outliers clipped.

    Why it helps:
        A feature a thousand times larger than the others drives every unit of the first layer and sets the step size
        that the whole net can bear.

    When it does not apply:
        Integers that are looked up (embeddings, hashing, encodings); inputs that a layer scales already, of about unit
        size, masked, or fed to a frozen layer that was trained on their scale.

    References:
        LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998, section 4.3. Glorot and Bengio, AISTATS 2010.
    """

    name: ClassVar[str] = "input_scaling"
    treats: ClassVar[frozenset[Symptom]] = frozenset(
        {
            Symptom.UNSCALED_INPUTS,
            Symptom.NON_FINITE_LOSS,
            Symptom.EXPLODING_GRADIENT,
            Symptom.SATURATED_UNITS,
            Symptom.DEAD_UNITS,
        }
    )

    def guess(self, case: Case) -> Patch:
        return join(*(self._scaled(case, entry, CHOICES[0]) for entry in entries(case) if _needs_it(entry)))

    def suggest(self, trial: BaseTrial, case: Case) -> Patch:
        choice = trial.suggest_categorical(f"{self.name}.kind", CHOICES)
        return join(*(self._scaled(case, entry, choice) for entry in entries(case) if _needs_it(entry)))

    def _scaled(self, case: Case, entry: Entry, choice: str) -> Patch:
        recipe, facts = case.recipe, entry.facts
        taken = {view.name for view in layers(recipe)}
        path = f"{entry.path}/after"
        if choice == "min-max" or (choice == "standardize" and _is_pixels(facts)):
            layer = _rescaling(unused_name(taken, f"{facts.name}_rescaled"), facts)
        elif choice == "clipped":
            bounds = {"name": "clipped", "x_min": -CLIP, "x_max": CLIP}
            layer = nested(
                recipe, entry, f"{facts.name}_scaled", [normalization("scaled", facts), operation("Clip", bounds)]
            )
        else:
            layer = normalization(unused_name(taken, f"{facts.name}_scaled"), facts)
        wanted: list[tuple[str, Any]] = [(path, [layer, *recipe.get(path)])]
        if entry.rescaled:
            # It scales what is scaled already, or not enough.
            wanted.append((f"{entry.rescaled[0].path}/skip", True))
        return edit(recipe, wanted, strategy=self.name, why=_why(facts))


def _needs_it(entry: Entry) -> bool:
    if entry.is_encoded or entry.is_masked or entry.is_scaled or entry.meets_frozen or not entry.first:
        return False
    own = entry.rescaled
    arriving = shifted(entry.facts, own[1], own[2]) if own and math.isfinite(own[1]) else entry.facts
    if own and not math.isfinite(own[1]):
        return False
    return entry.facts.dtype != "object" and not is_about_unit(arriving)


def is_about_unit(facts: InputFacts) -> bool:
    """Returns whether a first layer can work with the features as they are.

    None may be too large; half of those that vary must not be too small, since a rare small one does no harm. Many
    columns from 0 to 1 are one picture and judged together.
    """
    if not facts.feature_mean or _is_grid(facts):
        return not _is_large(facts.mean, facts.std) and (facts.std == 0 or facts.std >= NARROW)
    pairs = [pair for pair in zip(facts.feature_mean, facts.feature_std, strict=True) if not is_flag(*pair)]
    if any(_is_large(mean, std) for mean, std in pairs):
        return False
    varying = sorted(std for _, std in pairs if std > 0)
    if not varying:
        return True
    lost = sum(std * UNEVEN < varying[-1] for std in varying)
    return varying[len(varying) // 2] >= NARROW and lost < UNEVEN_SHARE * len(varying)


def _is_large(mean: float, std: float) -> bool:
    return abs(mean) > MEAN or math.hypot(mean, std) > LARGE


def _is_grid(facts: InputFacts) -> bool:
    """Whether all values are on one scale: pixels as they come, or divided already."""
    columns = math.prod(facts.shape) if facts.shape else 1
    return _is_pixels(facts) or (columns >= PIXEL_COLUMNS and facts.minimum >= 0 and facts.maximum <= 1)


def _is_pixels(facts: InputFacts) -> bool:
    columns = math.prod(facts.shape) if facts.shape else 1
    is_picture = len(facts.shape) >= 3 or facts.integral
    return is_picture and columns >= PIXEL_COLUMNS and facts.minimum >= 0 and facts.maximum <= PIXEL_TOP


def _rescaling(name: str, facts: InputFacts) -> dict[str, Any]:
    """One factor for all: the largest size becomes 1 (of the distance from the smallest, where 0 is far away)."""
    low, high = facts.minimum, facts.maximum
    offset = 0.0
    if low >= 0 and low <= 0.5 * high:
        scale = 1 / high if high > 0 else 1.0
    elif low < 0 < high:
        scale = 1 / max(-low, high)
    else:
        scale = 1 / (high - low) if high > low else 1.0
        offset = -low * scale
    return keras_layer("Rescaling", {"name": name, "scale": _short(scale), "offset": _short(offset)})


def _why(facts: InputFacts) -> str:
    mean, variance = statistics(facts)
    if isinstance(mean, list) and not _is_pixels(facts):
        stds = [value**0.5 for value in variance]
        largest = max(abs(value) for value in mean)
        return (
            f"The features of input {facts.name!r} have means up to {largest:.4g} and standard deviations from "
            f"{min(stds):.4g} to {max(stds):.4g}."
        )
    return f"Input {facts.name!r} goes from {facts.minimum:.4g} to {facts.maximum:.4g}."


def _short(value: float) -> float:
    return float(f"{value:.6g}")

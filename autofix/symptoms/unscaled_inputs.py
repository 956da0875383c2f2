"""UNSCALED_INPUTS: features far from the scale that initial weights are made for.

What it sees:
    The root mean square of every feature (offset and spread together) after any `Rescaling` in the model, and how far
    apart the spreads of the features are. Silent for inputs that meet a normalization or an embedding first.

Why it stalls a run:
    Initializers keep variances for inputs of about unit size. A feature of size 100 makes pre-activations 100 times too
    large (saturated or dead units, exploding SGD) and curvature 10,000 times too uneven for one learning rate.

Likely causes:
    Raw measurements are fed as they are, each in its own unit.
    Pixels from 0 to 255 are not divided.
    An identifier, a date or a year is fed as a number.
    The scaler was fitted but not applied.

What treats it:
    A `Normalization` (or `Rescaling` for pixels) layer baked into the model.

References:
    LeCun et al. 1998, "Efficient BackProp", section 4.3. DeepDiagnosis and UMLAUT flag inputs outside -1..1, which also
    flags every standardized table, whose features have a size of exactly 1.
"""

from __future__ import annotations

import math

from autofix.facts import InputFacts
from autofix.recipe import LayerView
from autofix.symptom import Diagnosis, Evidence, Symptom
from autofix.symptoms._judging import clip, confirmed, numbers
from autofix.symptoms._program import ENCODERS, SCALERS, present, routes

# Standardized features have a size of 1, one-hot and min-max scaled ones less: twice that was not scaled by anybody.
LARGE = 2.0
# Below this no initial weight lifts a feature to where it moves a unit before some thousand steps.
SMALL = 0.02
# Spreads of features in one table: a factor 100 is a factor 10,000 in curvature.
UNEVEN = 100.0
# Nearly constant pixels at the rim are a few per cent of an image; a table with this share is uneven.
UNEVEN_SHARE = 0.25
# Adam learns through moderate scales, so even a large one only *would* improve the run: 0.2 at LARGE, 0.15 a decade.
LOWEST, PER_DECADE, HIGHEST = 0.2, 0.15, 0.65
# Small features are worse: weights have to grow before anything is learned. Calibration: at 0.001 tables lose a third
# to two thirds of what they gain at 1, in as many steps.
LOWEST_SMALL = 0.35


def judge(evidence: Evidence) -> tuple[Diagnosis, ...]:
    """Reports inputs that are too large, too small or too uneven where the first weights meet them."""
    ways = routes(evidence.recipe)
    normalized_later = any(view.class_name == "BatchNormalization" for view in present(evidence.recipe))
    found = []
    for index, item in enumerate(evidence.facts.inputs):
        entries: tuple[tuple[LayerView | None, float, float], ...] = ways[index].entries if index < len(ways) else ()
        for view, factor, offset in entries or ((None, 1.0, 0.0),):
            finding = _judge_entry(evidence, item, view, (factor, offset), normalized_later)
            if finding is not None:
                found.append(finding)
                break
    return tuple(found)


def _judge_entry(
    evidence: Evidence, item: InputFacts, view: LayerView | None, line: tuple[float, float], normalized_later: bool
) -> Diagnosis | None:
    factor, offset = line
    if view is not None and view.class_name in SCALERS | ENCODERS:
        return None
    if item.dtype.startswith(("str", "object", "<U", "bytes")):
        return None
    means = item.feature_mean or (item.mean,)
    spreads = item.feature_std or (item.std,)
    sizes = [
        math.hypot(mean * factor + offset, std * factor)
        for mean, std in zip(means, spreads, strict=False)
        if math.isfinite(mean) and math.isfinite(std)
    ]
    varying = sorted(std * abs(factor) for std in spreads if math.isfinite(std) and std > 0)
    if not sizes or not varying:
        return None
    largest = max(sizes)
    uneven = sum(std * UNEVEN < varying[-1] for std in varying)
    severity, text = 0.0, ""
    where = f" after rescaling by {factor:.3g}" if factor != 1.0 or offset != 0.0 else ""
    if largest > LARGE:
        severity = LOWEST + PER_DECADE * math.log10(largest / LARGE)
        text = (
            f"Input {item.name!r}{where}: values from {item.minimum:.4g} to {item.maximum:.4g}, the largest feature "
            f"has a root mean square of {largest:.3g}"
        )
        if len(varying) > 1:
            text += f", and standard deviations lie between {varying[0]:.3g} and {varying[-1]:.3g}"
    elif largest < SMALL:
        severity = LOWEST_SMALL + PER_DECADE * math.log10(SMALL / max(largest, 1e-12))
        text = f"Input {item.name!r}{where}: the largest feature has a root mean square of only {largest:.3g}"
    elif len(varying) > 1 and uneven >= UNEVEN_SHARE * len(varying):
        severity = LOWEST + PER_DECADE
        text = (
            f"Input {item.name!r}{where}: standard deviations lie between {varying[0]:.3g} and {varying[-1]:.3g}; "
            f"{uneven} of {len(varying)} features are {UNEVEN:.0f} times smaller than the largest"
        )
    if not text:
        return None
    certainty = 0.9
    if view is not None and view.config.get("trainable") is False:
        # A frozen base may have been trained on just this scale.
        certainty = 0.4
    if normalized_later:
        severity *= 0.6
        text += "; a batch normalization further on takes up part of it"
    values = numbers(
        input=item.name, size=largest, smallest_std=varying[0], largest_std=varying[-1], factor=factor, offset=offset
    )
    severity = confirmed(clip(severity, 0.1, HIGHEST), evidence)
    return Diagnosis(Symptom.UNSCALED_INPUTS, severity, certainty, text + ".", numbers=values)

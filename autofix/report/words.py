"""Numbers and values as a person would write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autofix.frozen import thaw

# Longest value shown as it is.
LONGEST = 60
# A loss of score beyond this is that of outputs which are not finite (the floor of R2 is -1e6): no number to read.
BEYOND_READING = 1e3
# A loss of score below this is none: ties between equal scores are settled by as much (`TIE_SHARE` in scoring.py).
NO_LOSS = 1e-3
# A gain of score below this is noise: what is kept all the same was weighed by one run.
NO_GAIN = 1e-2
# Scores beyond this have no decimals worth reading.
LARGE = 1e4
# Between two metrics of one score, the mean over outputs of both kinds.
AND = " and "
# Typographic signs: a minus as wide as a plus, and a dash where there is no number.
MINUS, NOTHING = "\N{MINUS SIGN}", "\N{EN DASH}"
# Settings that tell two objects of a class apart.
TELLING = ("learning_rate", "rate", "stddev", "value", "from_logits", "scale")


def value_text(value: Any) -> str:
    """Returns a value as short as a person would write it."""
    value = thaw(value)
    if isinstance(value, dict) and "class_name" in value:
        config = value.get("config")
        name = value["class_name"]
        if name == "function" or not isinstance(config, dict):
            return str(config)
        if isinstance(config.get("layers"), list):  # layers in a block: what it is made of says more than its class
            return value_text([layer for layer in config["layers"] if layer.get("class_name") != "InputLayer"])
        # A scale for each column is too long to read, and that of a normalization says only that it has one.
        keep = {key: config[key] for key in TELLING if key in config and (key != "scale" or type(config[key]) is float)}
        inner = ", ".join(f"{key}={value_text(item)}" for key, item in keep.items() if item is not None)
        return f"{name}({inner})"
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return " + ".join(value_text(item) for item in value)
    if isinstance(value, list) and not value:
        return "nothing"
    if isinstance(value, float):
        return f"{value:.4g}"
    text = repr(value) if isinstance(value, dict | list) else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def effect_text(effect: float | None, metric: str) -> str:
    """Says what is lost without a change; "" where it was not measured.

    A change that no score is lost without is there for what it mends: a fault that is certain.
    """
    if effect is None:
        return ""
    if effect > BEYOND_READING:
        return "without it: the run does not train"
    fall, stay, rise = ("fall", "stay", "rise") if AND in metric else ("falls", "stays", "rises")
    if effect >= NO_LOSS:
        return f"without it: {metric} {fall} by {effect:.3f}"
    same = f"{stay} the same" if effect > -NO_GAIN else f"{rise} by {-effect:.3f}"
    return f"without it: {metric} {same}, but the fault remains"


def capital(text: str) -> str:
    """Returns text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def metric_text(name: str) -> str:
    """Returns the name of a metric in words: "balanced accuracy", "R²"."""
    return AND.join({"r2": "R²"}.get(part, part.replace("_", " ")) for part in name.split(AND))


def place_text(places: Sequence[str]) -> str:
    """Names the first place of a line of a change log, and how many more there are."""
    return places[0] if len(places) == 1 else f"{places[0]} and {len(places) - 1} more"


def count_text(count: int, thing: str) -> str:
    """Returns a number and what is counted: "1 change", "2 changes"."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def seconds_text(seconds: float) -> str:
    """Returns a duration in the unit that fits it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def score_text(value: float | None) -> str:
    """Returns a score with three decimals; one that is too large to read them, in powers of ten."""
    if value is None:
        return NOTHING
    return (f"{value:.3f}" if abs(value) < LARGE else f"{value:.1e}").replace("-", MINUS)


def outputs_text(outputs: Mapping[str, float]) -> str:
    """Returns the score of each output of several: "digit 0.962, odd 0.971"; "" where there is but one."""
    return ", ".join(f"{name} {score_text(value)}" for name, value in outputs.items())


def over_text(outputs: Mapping[str, float]) -> str:
    """Says after the name of a metric what it is the mean of; "" for a single output."""
    return f", mean of {len(outputs)} outputs," if outputs else ""


def measured_text(mean: float, spread: float, count: int) -> str:
    """Returns a mean score, with its spread over seeds where there are several."""
    return f"{score_text(mean)} \N{PLUS-MINUS SIGN} {score_text(spread)}" if count > 1 else score_text(mean)

"""Arguments of the calls: what they may be, and the message where they are not."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from numbers import Real
from typing import Any

from autofix.errors import FixYourCall


def fit_settings(epochs: int | None, batch_size: int | None, class_weight: Any, shuffle: Any) -> dict[str, Any]:
    """Returns the settings of `fit` that were given, as a recipe writes them.

    Raises:
        FixYourCall: If one of them is wrong.
    """
    fit: dict[str, Any] = {}
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if value is not None:
            if not _is_whole(value) or value < 1:
                raise FixYourCall(f"`{name}` must be a whole number of at least 1. Received: {name}={value!r}.")
            fit[name] = int(value)
    if class_weight is not None:
        if not isinstance(class_weight, Mapping) or not all(_is_number(value) for value in class_weight.values()):
            raise FixYourCall(
                f"`class_weight` must map classes to numbers, as in `fit`. Received: class_weight={class_weight!r}. "
                "Leave it out to let the strategy `class_weight` decide."
            )
        fit["class_weight"] = {str(key): float(value) for key, value in class_weight.items()}
    if not isinstance(shuffle, bool):
        raise FixYourCall(f"`shuffle` must be True or False. Received: shuffle={shuffle!r}.")
    if not shuffle:
        fit["shuffle"] = False
    return fit


def check_arguments(weights: Any, seed: Any, target: Any, progress: Any, jobs: Any = 1) -> None:
    """Refuses wrong values of what several calls have in common.

    Raises:
        FixYourCall: If one of them is wrong.
    """
    if weights not in ("auto", "keep", "reset"):
        raise FixYourCall(f"`weights` must be 'auto', 'keep' or 'reset'. Received: weights={weights!r}.")
    if not _is_whole(seed) or seed < 0:
        raise FixYourCall(f"`seed` must be a whole number of at least 0. Received: seed={seed!r}.")
    if target is not None and not _is_number(target):
        raise FixYourCall(f"`target` must be a score that is good enough, such as 0.95. Received: target={target!r}.")
    if not _is_whole(jobs) or jobs < 1:
        raise FixYourCall(f"`jobs` must be a whole number of at least 1. Received: jobs={jobs!r}. Pass 1 for one.")
    if progress not in (True, False, "auto") and not callable(progress):
        raise FixYourCall(f"`progress` must be True, False, 'auto' or a function. Received: progress={progress!r}.")


def check_places(out: Any, storage: Any) -> None:
    """Refuses wrong values of where a repair is kept.

    Raises:
        FixYourCall: If one of them is wrong.
    """
    if out is not None and (not isinstance(out, str | os.PathLike) or not os.fspath(out)):
        raise FixYourCall(f"`out` must be the path of a folder, such as 'runs/first'. Received: out={out!r}.")
    if storage is not None and (not isinstance(storage, str) or "://" not in storage):
        raise FixYourCall(
            "`storage` must be the URL of a database, such as 'postgresql://user@host/name'. Received: "
            f"storage={type(storage).__name__}. Leave it out to keep the search in the folder `out`."
        )


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and int(value) == value

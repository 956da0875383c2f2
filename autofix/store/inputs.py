"""What a repair was asked for, in fingerprints: only the same question gets the same answer."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autofix.budget import Budget
from autofix.data import Data
from autofix.errors import FixYourCall
from autofix.frozen import canonical
from autofix.recipe import Recipe
from autofix.versions import counting

if TYPE_CHECKING:
    import keras

# What differs, in words, and what it often comes of where nothing else does.
WORDS = {"program": "the model or how it is fitted", "weights": "the model's weights", "data": "the data"}
HINTS = {
    WORDS["weights"]: " A model that is built with new random weights each time is another one each time: pass a "
    "function that builds it, or call `keras.utils.set_random_seed` before.",
    WORDS["program"]: " Layers without a name are numbered on in one process: name them, or call "
    "`keras.utils.clear_session` before the model is built again.",
    WORDS["data"]: " A dataset that comes in another order each time is another one each time: shuffle it with a seed.",
}


@dataclass(frozen=True)
class Inputs:
    """What a repair was asked for.

    Attributes:
        fingerprints: Of program, weights and data, by these names.
        settings: Every other argument that the result depends on, as plain data.
        versions: Of what the result depends on.
    """

    fingerprints: Mapping[str, str]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]

    @classmethod
    def of(
        cls,
        model: keras.Model,
        recipe: Recipe,
        data: Data,
        *,
        settings: Mapping[str, Any],
        versions: Mapping[str, str],
    ) -> Inputs:
        """Takes the fingerprints of what was read.

        Args:
            model: The user's model; its weights count.
            recipe: The program.
            data: The data.
            settings: See `settings_of`.
            versions: Of the packages in use.
        """
        program = [recipe.fingerprint(), *(f"{name}:{code_of(item)}" for name, item in sorted(recipe.objects.items()))]
        steps = 0 if model.optimizer is None else int(model.optimizer.iterations)
        digest = hashlib.blake2b(str(steps).encode(), digest_size=16)
        for variable in model.weights:
            value = np.asarray(variable)
            digest.update(f"{value.shape}{value.dtype}".encode())
            digest.update(np.ascontiguousarray(value).tobytes())
        return cls(
            {"program": _short(*program), "weights": digest.hexdigest(), "data": data.fingerprint()},
            settings,
            counting(versions),
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the inputs as JSON-ready data."""
        return {
            "fingerprints": dict(self.fingerprints),
            "settings": dict(self.settings),
            "versions": dict(self.versions),
        }

    def check(self, document: Mapping[str, Any], where: str) -> None:
        """Refuses to go on with what was begun with other inputs.

        Args:
            document: What `to_dict` returned when it was begun.
            where: Path of the run folder.

        Raises:
            FixYourCall: If anything is different; the message says what.
        """
        before = document.get("fingerprints") or {}
        other = [words for name, words in WORDS.items() if before.get(name) != self.fingerprints[name]]
        for kind, now in (("settings", self.settings), ("versions", self.versions)):
            was = document.get(kind) or {}
            other += [
                f"{name} (was {was.get(name)!r}, is {now.get(name)!r})"
                for name in sorted({*was, *now})
                if canonical(was.get(name)) != canonical(now.get(name))
            ]
        if other:
            hint = HINTS.get(other[0], "") if len(other) == 1 else ""
            raise FixYourCall(
                f"a run folder belongs to one repair. Received: {where}, which was begun with other inputs; what "
                f"differs is {', '.join(other)}.{hint} Choose another folder, or delete this one to begin anew."
            )


def settings_of(
    *,
    metric: str | Callable[..., float],
    target: float | None,
    budget: Budget,
    strategies: Sequence[str],
    weights: str,
    watched: bool,
    seed: int,
) -> dict[str, Any]:
    """Returns the arguments of a repair that its result depends on as plain data; `fit` settings are in the recipe."""
    return {
        "metric": metric if isinstance(metric, str) else f"{getattr(metric, '__qualname__', '?')}:{code_of(metric)}",
        "target": target,
        "budget": {name: None if value is None else f"{value:g}" for name, value in asdict(budget).items()},
        "strategies": list(strategies),
        "weights": weights,
        "watched": watched,
        "seed": int(seed),
    }


def code_of(item: Any) -> str:
    """Returns a fingerprint of the source of a class or function; of its name where there is no source."""
    try:
        return _short(inspect.getsource(item))
    except (OSError, TypeError):
        return _short(f"{getattr(item, '__module__', '')}.{getattr(item, '__qualname__', type(item).__qualname__)}")


def _short(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()

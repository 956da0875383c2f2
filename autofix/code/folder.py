"""What code is made from in the folder of a finished run. No TensorFlow."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autofix.change import Patch
from autofix.code.script import to_code
from autofix.errors import FixYourCall
from autofix.frozen import thaw
from autofix.recipe import Recipe

PATCH = "patch.yaml"
# Files of a run folder that hold the recipe, and with it metric and notes, one or the other.
DOCUMENTS = ("change_log.json", "metrics.json", "result.json")


@dataclass(frozen=True)
class Kept:
    """A repair as its folder keeps it.

    Attributes:
        recipe: The program as it came.
        patch: What was changed.
        notes: Sentences that qualify what was measured.
        metric: Name of the metric.
        retrained: Whether the repaired model was trained anew.
    """

    recipe: Recipe
    patch: Patch
    notes: tuple[str, ...] = ()
    metric: str = ""
    retrained: bool = True

    @classmethod
    def in_folder(cls, folder: str | os.PathLike[str]) -> Kept:
        """Reads the folder of a finished run.

        Raises:
            FixYourCall: If it holds no patch, or not the recipe that the patch was made for.
        """
        path = Path(folder)
        try:
            patch = Patch.from_yaml((path / PATCH).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise FixYourCall(
                f"the run folder must hold the {PATCH} of a finished repair. Received: {path} "
                f"({type(error).__name__}). "
                "Pass the folder that `autofix repair --out` or `result.save` wrote."
            ) from error
        document: dict[str, Any] = {}
        for name in DOCUMENTS:
            document = {**_read(path / name), **document}
        if not isinstance(document.get("recipe"), Mapping):
            raise FixYourCall(
                f"the run folder must hold the recipe of the program, in {' or '.join(DOCUMENTS)}. Received: {path}. "
                "Repair the model again."
            )
        for node in (document["recipe"], *(thaw(change.after) for change in patch)):
            _check_names(node, path)
        return cls(
            Recipe.from_dict(document["recipe"]),
            patch,
            tuple(map(str, document.get("notes") or ())),
            str(document.get("metric") or ""),
            bool(document.get("retrained", True)),
        )

    def to_code(self) -> str:
        """Returns the repaired program as a Keras script; see `autofix.code.to_code`."""
        return to_code(self.recipe, self.patch, self.notes, metric=self.metric, retrained=self.retrained)


def _check_names(document: Any, path: Path) -> None:
    """Refuses what stands in a script without quotes and is no name: it would be code that somebody else wrote."""
    rest = [document]
    while rest:
        node = rest.pop()
        if isinstance(node, Mapping):
            rest.extend(node.values())
        elif isinstance(node, list | tuple):
            rest.extend(node)
        if not isinstance(node, Mapping) or "class_name" not in node:
            continue
        config, module = node.get("config"), node.get("module")
        names = [node["class_name"], *(config if isinstance(config, Mapping) else ())]
        names += [config] if node["class_name"] == "function" else []
        names += [] if module is None else str(module).split(".")
        for name in names:
            if not (isinstance(name, str) and all(part.isidentifier() for part in name.split(">"))):
                raise FixYourCall(
                    f"{path} must hold names of classes, functions and settings. Received: {str(name)[:60]!r}. "
                    "Do not use it, and get the folder from somebody you trust."
                )


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return {}
    except ValueError as error:
        raise FixYourCall(f"{path} must be JSON. {error}. Pass the folder of a finished repair.") from error
    return document if isinstance(document, dict) else {}

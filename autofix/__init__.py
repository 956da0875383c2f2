"""Repairs stuck Keras runs.

    import autofix

    result = autofix.repair(model, (x, y), epochs=20)
    print(result)

TensorFlow is imported by the first call, not by the import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from autofix.errors import AutofixError, FixYourCall, FixYourData, FixYourModel

if TYPE_CHECKING:
    from autofix.api import diagnose, repair
    from autofix.budget import Budget
    from autofix.change import Change, Patch
    from autofix.live.monitor import monitor
    from autofix.recipe import Recipe
    from autofix.result import RepairResult, Verdict
    from autofix.strategy import Case, Strategy
    from autofix.symptom import Diagnosis, Symptom
    from autofix.watch import Watch

_HOMES = {
    "repair": "api",
    "diagnose": "api",
    "Budget": "budget",
    "Case": "strategy",
    "Change": "change",
    "Diagnosis": "symptom",
    "Patch": "change",
    "Recipe": "recipe",
    "RepairResult": "result",
    "Strategy": "strategy",
    "Symptom": "symptom",
    "Verdict": "result",
    "Watch": "watch",
    "monitor": "live.monitor",
}

__all__ = [
    "AutofixError",
    "Budget",
    "Case",
    "Change",
    "Diagnosis",
    "FixYourCall",
    "FixYourData",
    "FixYourModel",
    "Patch",
    "Recipe",
    "RepairResult",
    "Strategy",
    "Symptom",
    "Verdict",
    "Watch",
    "diagnose",
    "monitor",
    "repair",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"autofix.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'autofix' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

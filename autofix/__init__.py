"""Repairs stuck Keras runs.

    import autofix

    result = autofix.repair(model, (x, y), epochs=20)
    print(result)

TensorFlow is imported by the first call, not by the import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from autofix.errors import AutofixError, FixTheCrash, FixYourCall, FixYourData, FixYourModel, TryLater

if TYPE_CHECKING:
    from autofix.api import diagnose, repair
    from autofix.budget import Budget
    from autofix.change import Change, Patch
    from autofix.findings import Findings
    from autofix.live.monitor import monitor
    from autofix.manual.explain import explain
    from autofix.manual.explanation import Explanation
    from autofix.preflight import check
    from autofix.recipe import Recipe
    from autofix.result import RepairResult, Verdict
    from autofix.strategy import Case, Strategy
    from autofix.symptom import Diagnosis, Symptom
    from autofix.watch import Watch

_HOMES = {
    "repair": "api",
    "diagnose": "api",
    "check": "preflight",
    "Budget": "budget",
    "Case": "strategy",
    "Change": "change",
    "Diagnosis": "symptom",
    "Explanation": "manual.explanation",
    "Findings": "findings",
    "Patch": "change",
    "Recipe": "recipe",
    "RepairResult": "result",
    "Strategy": "strategy",
    "Symptom": "symptom",
    "Verdict": "result",
    "Watch": "watch",
    "explain": "manual.explain",
    "monitor": "live.monitor",
}

__all__ = [
    "AutofixError",
    "Budget",
    "Case",
    "Change",
    "Diagnosis",
    "Explanation",
    "Findings",
    "FixTheCrash",
    "FixYourCall",
    "FixYourData",
    "FixYourModel",
    "Patch",
    "Recipe",
    "RepairResult",
    "Strategy",
    "Symptom",
    "TryLater",
    "Verdict",
    "Watch",
    "check",
    "diagnose",
    "explain",
    "monitor",
    "repair",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"autofix.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'autofix' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

"""Versions of what a result depends on. No TensorFlow."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping

# What may change what a run gives.
COUNTING = ("keras-autofix", "tensorflow", "tensorflow-cpu", "keras", "numpy", "scikit-learn")
# Another Optuna goes on from the trials that the last one has left.
ALL = (*COUNTING, "optuna")


def versions() -> Mapping[str, str]:
    """Returns the versions of what is installed, by name."""
    return {name: version for name in ALL if (version := _version(name)) is not None}


def counting(found: Mapping[str, str]) -> dict[str, str]:
    """Returns those of some versions that may change what a run gives."""
    return {name: version for name, version in found.items() if name in COUNTING}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None

"""Where models and data come from when a text names them: files, folders, scikit-learn, or the user's own code."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autofix.sources.data import load_data
    from autofix.sources.encoding import Encoding
    from autofix.sources.fingerprint import identify
    from autofix.sources.loaded import Loaded, Table
    from autofix.sources.model import load_model

# What reads data imports numpy and pandas; what asks for names must not wait for that.
_HOMES = {
    "Encoding": "encoding",
    "Loaded": "loaded",
    "Table": "loaded",
    "identify": "fingerprint",
    "load_data": "data",
    "load_model": "model",
}

__all__ = ["Encoding", "Loaded", "Table", "identify", "load_data", "load_model"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"autofix.sources.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The cases of the quality suite: the scripts under `examples/`, found by folder and loaded by path."""

import hashlib
import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDERS: Mapping[str, str] = {"broken": "gallery", "healthy": "healthy", "hopeless": "hopeless"}


@dataclass(frozen=True)
class Case:
    """One script: a run that is broken, healthy or hopeless."""

    kind: str
    path: Path

    @property
    def name(self) -> str:
        """The file name without its ending."""
        return self.path.stem

    @property
    def digest(self) -> str:
        """A hash of the script, so that cached scores end when it is edited."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]

    def load(self) -> "Script":
        """Import the script without running its `main`."""
        spec = importlib.util.spec_from_file_location(f"quality_case_{self.name}", self.path)
        if spec is None or spec.loader is None:
            raise ImportError(f"`{self.path}` must be a Python file.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return Script(module)


@dataclass(frozen=True)
class Script:
    """A loaded case, with the optional parts of its contract filled in."""

    module: ModuleType

    @property
    def task(self) -> str:
        """One of "binary", "multiclass", "multilabel" and "regression"."""
        return str(self.module.TASK)

    @property
    def fit(self) -> dict[str, Any]:
        """The author's arguments of `fit`."""
        return dict(self.module.FIT)

    @property
    def reference_fit(self) -> dict[str, Any]:
        """The arguments of `fit` for the program mended by hand."""
        return dict(getattr(self.module, "REFERENCE_FIT", self.module.FIT))

    def data(self, seed: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        """The author's training part and the part held back from everyone, both raw."""
        train, test = self.module.data(seed)
        return train, test

    def model(self, seed: int) -> Any:
        """The author's compiled model, the fault inside."""
        return self.module.model(seed)

    def reference(self, seed: int) -> Any:
        """The compiled model of the program mended by hand."""
        return self.module.reference(seed)

    def reference_data(self, x: Any, y: Any) -> tuple[Any, Any]:
        """The data as the program mended by hand feeds them."""
        if "reference_data" not in vars(self.module):
            return x, y
        x, y = self.module.reference_data(x, y)
        return x, y


def discover(kinds: Iterable[str] = tuple(FOLDERS), patterns: Iterable[str] = ("*",), root: Path = ROOT) -> list[Case]:
    """Find the cases of some kinds whose name matches one of the patterns, in the order of their names."""
    patterns = tuple(patterns)
    found: list[Case] = []
    for kind in kinds:
        if kind not in FOLDERS:
            raise ValueError(f"`kinds` must be among {', '.join(FOLDERS)}. Received: {kind!r}.")
        paths = sorted((root / "examples" / FOLDERS[kind]).glob("[!_]*.py"))
        found += [Case(kind, path) for path in paths if any(fnmatch(path.stem, pattern) for pattern in patterns)]
    return found

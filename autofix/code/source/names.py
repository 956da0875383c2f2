"""How a script writes what it takes from Keras, so that new code looks like the old."""

from __future__ import annotations

from dataclasses import dataclass, field

from autofix.code.signatures import publishes
from autofix.code.source.values import Public, Scope, canonical


@dataclass
class Names:
    """Writes public names of Keras as the script does.

    Attributes:
        scope: The names of the module.
        imports: Lines that the script needs besides its own.
    """

    scope: Scope
    imports: list[str] = field(default_factory=list)

    def write(self, group: str, name: str) -> str:
        """Returns the code of a public name: `L.Dense`, `Dense`, `tf.keras.layers.Dense`; see `expressing.Writer`."""
        if not group:
            return self.module("keras") if name == "keras" else name
        path = f"keras.{group.replace('/', '.')}"
        if name in self.scope.names:
            own = self.scope.names[name].value
            if isinstance(own, Public) and canonical(own.path) == f"{path}.{name}":
                return name
        elif any(star == path for star in self.scope.stars) and publishes(group, name):
            return name
        return f"{self.module(path)}.{name}"

    def module(self, path: str) -> str:
        """Returns the code of a module: `L` for `keras.layers`, with an import where the script has none of it."""
        own = self._alias(path)
        if own is not None:
            return own
        if "." in path:
            above, _, last = path.rpartition(".")
            return f"{self.module(above)}.{last}"
        line = self._line(path)
        if line not in self.imports:
            self.imports.append(line)
        return "np" if path == "numpy" else path

    def _line(self, path: str) -> str:
        if path == "numpy":
            return "import numpy as np"
        return f"import {path}"

    def _alias(self, path: str) -> str | None:
        for name, seen in self.scope.names.items():
            if isinstance(seen.value, Public) and canonical(seen.value.path) == path:
                return name
        tensorflow = self._plain("tensorflow")
        return f"{tensorflow}.keras" if path == "keras" and tensorflow else None

    def _plain(self, path: str) -> str | None:
        return next(
            (n for n, seen in self.scope.names.items() if isinstance(seen.value, Public) and seen.value.path == path),
            None,
        )

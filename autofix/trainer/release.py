"""Letting go of compiled functions for good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tensorflow.python.framework import ops


class Registered:
    """Gradients that TensorFlow registers while it traces a function, and would keep with the whole graph for good.

    Keras' cross-entropies have custom gradients, and each trace of one is entered into a registry of the process that
    has no public way out. Nothing asks for these gradients after the trace, so they can go when the function goes.
    """

    def __init__(self) -> None:
        self._names: set[str] = set()

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Notes what is registered inside."""
        before = set(ops.gradient_registry.list())
        try:
            yield
        finally:
            self._names |= set(ops.gradient_registry.list()) - before

    def release(self) -> None:
        """Takes what was noted out of the registry."""
        entries = getattr(ops.gradient_registry, "_registry", {})
        for name in self._names:
            entries.pop(name, None)
        self._names.clear()

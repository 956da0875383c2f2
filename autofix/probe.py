"""A probe: one thing that is measured on a run; and how a look goes through several of them. No TensorFlow."""

from __future__ import annotations

import enum
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from autofix.errors import one_line
from autofix.look import Look

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Tier(enum.Enum):
    """When a probe measures; the value is the name to ask for it by."""

    # At every look: what it needs is at hand.
    LIGHT = "light"
    # On suspicion, at the milestones of the schedule and at the ends of a run: the model has to be called for it.
    FULL = "full"


class Probe(ABC, Generic[T]):
    """One thing that is measured. Members are final frozen dataclasses without state; one a file.

    Attributes:
        name: Unique snake_case name.
        tier: When it measures.
        what: What is measured, in words that follow on "not measured: ".
        needs: Fields of `Look` that it reads and cannot do without. It is not asked where one of them is None.
    """

    name: ClassVar[str]
    tier: ClassVar[Tier]
    what: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]

    @abstractmethod
    def measure(self, look: Look) -> T:
        """Returns what it measured. Pure: the same look, the same reading; what it is given is not changed."""


@dataclass(frozen=True)
class Readings:
    """What was measured at one look.

    Attributes:
        step: Training steps done.
        values: Reading by name of the probe; those that could not measure are missing.
        unseen: What could not be measured and why, as sentences.
    """

    step: int
    values: Mapping[str, Any] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()

    def of(self, probe: type[Probe[T]]) -> T | None:
        """Returns the reading of a probe, None where it has none."""
        return self.values.get(probe.name)


def take(look: Look, probes: Iterable[Probe[Any]]) -> Readings:
    """Asks probes. One that fails, or lacks what it needs, is noted as not measured and takes no other with it."""
    values: dict[str, Any] = {}
    failed: list[str] = []
    blind: dict[str, list[str]] = {}
    for probe in probes:
        lacking = [name for name in probe.needs if getattr(look, name) is None]
        if lacking:
            ending = next((look.missing[name] for name in lacking if name in look.missing), None)
            if ending is not None:
                blind.setdefault(ending, []).append(probe.what)
            continue
        try:
            # A run that diverges overflows in statistics too, which is no news to its user.
            with np.errstate(all="ignore"):
                values[probe.name] = probe.measure(look)
        except Exception as error:  # a probe must never end a run
            logger.debug("a probe failed", exc_info=True)
            failed.append(f"{probe.what} ({one_line(error)})")
    return Readings(look.step, values, (*(_listed(what) + ending for ending, what in blind.items()), *failed))


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"

"""Probes: what is measured on a run, one thing a file. They read; they change nothing.

A new one is one file and one line here. `autofix/probe.py` is the contract, `autofix/look.py` what there is to measure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autofix.errors import FixYourCall, did_you_mean
from autofix.probe import Probe, Tier
from autofix.probes.activations import Activations
from autofix.probes.gradients import Gradients
from autofix.probes.inputs import Inputs
from autofix.probes.learning_rate import LearningRate
from autofix.probes.loss import Loss
from autofix.probes.origin import Origin
from autofix.probes.pace import Pace
from autofix.probes.penalty import Penalty
from autofix.probes.predictions import Predictions
from autofix.probes.recalls import Recalls
from autofix.probes.targets import Targets
from autofix.probes.updates import Updates
from autofix.probes.weights import Weights

ALL: tuple[Probe[Any], ...] = (
    # Light.
    Loss(),
    LearningRate(),
    Pace(),
    Weights(),
    Updates(),
    # Full.
    Gradients(),
    Activations(),
    Predictions(),
    Recalls(),
    Inputs(),
    Targets(),
    Penalty(),
    Origin(),
)
LIGHT = tuple(probe for probe in ALL if probe.tier is Tier.LIGHT)

# Every probe, with those of the full tier on suspicion and at the milestones of the schedule; or at every look.
AUTO, FULL = "auto", "full"


def chosen(probes: str | Iterable[str]) -> tuple[Probe[Any], ...]:
    """Returns the probes that a user asks for.

    Args:
        probes: "auto" or "full" for all of them, "light" for those of that tier, or names; () for none. The loss is
            among them whenever there are any: it is reported anyway.

    Raises:
        FixYourCall: If there is no such tier or probe.
    """
    if isinstance(probes, str):
        tiers = {AUTO: ALL, FULL: ALL, Tier.LIGHT.value: LIGHT}
        if probes not in tiers:
            raise _unknown(probes, tiers)
        return tiers[probes]
    named = {probe.name: probe for probe in ALL}
    names: list[Any] = list(probes) if hasattr(probes, "__iter__") else [probes]
    for name in names:
        if name not in named:
            raise _unknown(name, named)
    wanted = {Loss.name, *names} if names else set()
    return tuple(probe for probe in ALL if probe.name in wanted)


def _unknown(given: Any, known: Iterable[str]) -> FixYourCall:
    choice = ", ".join(map(repr, known))
    return FixYourCall(
        f"`probes` must be 'auto', 'full', 'light' or names of probes, () for none. Received: {given!r}."
        f"{did_you_mean(str(given), known)} Pass one of {choice}."
    )

"""The strategies that a repair may use: the built-in collection and what other distributions register."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from autofix.errors import FixYourCall, did_you_mean
from autofix.strategy import Strategy
from autofix.symptom import Symptom

GROUP = "autofix.strategies"

log = logging.getLogger(__name__)


def strategies(names: Sequence[str] | None = None) -> tuple[Strategy, ...]:
    """Returns the strategies to use, in the order in which their patches are composed.

    Args:
        names: Names of the strategies to use, in any order; None for all. The order of composition is that of the
            collection, whatever the order of the names.

    Returns:
        The built-in strategies and those of the entry-point group ``autofix.strategies``, selected by `names`.

    Raises:
        FixYourCall: If a name is unknown or given twice, or if two registered strategies share a name.

    Example:
        >>> strategies(["activation", "learning_rate"])
        (Activation(), LearningRate())
    """
    found = (*_built_in(), *_registered())
    by_name: dict[str, Strategy] = {}
    for strategy in found:
        if strategy.name in by_name:
            raise FixYourCall(
                f"two strategies are called {strategy.name!r}: {by_name[strategy.name]!r} and {strategy!r}. "
                f"Rename one, or uninstall the distribution that registers it under {GROUP!r}."
            )
        by_name[strategy.name] = strategy
    if names is None:
        return found
    if isinstance(names, str):
        raise FixYourCall(f"`strategies` must be a sequence of names. Received: {names!r}. Pass [{names!r}].")
    for place, name in enumerate(names):
        if name not in by_name:
            raise FixYourCall(
                f"there is no strategy {name!r}.{did_you_mean(str(name), by_name)} Known: {', '.join(by_name)}."
            )
        if name in names[:place]:
            raise FixYourCall(f"`strategies` must name each strategy once. Received: {name!r} twice.")
    return tuple(strategy for strategy in found if strategy.name in names)


def treating(symptom: Symptom) -> tuple[str, ...]:
    """Returns the names of the strategies that treat a symptom, in the order of their collection."""
    return _treatments().get(symptom, ())


# Asked for every finding of every run; what is installed does not change meanwhile.
@functools.cache
def _treatments() -> Mapping[Symptom, tuple[str, ...]]:
    found: dict[Symptom, tuple[str, ...]] = {}
    for strategy in (*_built_in(), *_registered()):
        for symptom in strategy.treats:
            found[symptom] = tuple(dict.fromkeys((*found.get(symptom, ()), strategy.name)))
    return MappingProxyType(found)


def _built_in() -> tuple[Strategy, ...]:
    from autofix_strategies import ALL

    return tuple(ALL)


def _registered() -> Iterator[Strategy]:
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            yield from _load(entry)
        except Exception:
            # A broken plug-in must not stop a repair that does not need it.
            log.warning("The strategies of entry point %r could not be loaded.", entry.name, exc_info=True)


def _load(entry: EntryPoint) -> tuple[Strategy, ...]:
    """Loads all strategies of an entry point, or none of them."""
    loaded = entry.load()
    members = loaded if isinstance(loaded, list | tuple) else (loaded,)
    return tuple(_instance(member) for member in members)


def _instance(member: Any) -> Strategy:
    strategy = member() if isinstance(member, type) else member
    if not isinstance(strategy, Strategy):
        raise TypeError(f"an entry of {GROUP!r} must be a `Strategy`. Received: {strategy!r}.")
    return strategy

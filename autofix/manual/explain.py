"""`explain`: what a symptom is or a strategy does, read from where it is written down."""

from __future__ import annotations

import inspect
import re
import sys

from autofix.errors import FixYourCall, did_you_mean
from autofix.manual.explanation import STRATEGY, SYMPTOM, Explanation
from autofix.manual.page import Constant, Page, read_page
from autofix.manual.readings import readings_of
from autofix.manual.rules import CAUSES, PACKAGE, likely_causes, page_of, titles
from autofix.registry import strategies, treating
from autofix.strategy import Strategy
from autofix.symptom import Diagnosis, Symptom

QUOTED, NUMBER = re.compile(r"\"[^\"]*\"|'[^']*'"), re.compile(r"\d")


def explain(subject: str | Symptom | Diagnosis) -> Explanation:
    """Says what a symptom is, how it is measured, what causes and what treats it; or what a strategy does.

    Args:
        subject: A symptom, a finding, or the name of a symptom or a strategy, such as "dead_units".

    Returns:
        The explanation: `print` it, or take its parts.

    Raises:
        FixYourCall: If there is no symptom and no strategy of that name.

    Example:
        >>> print(autofix.explain("dead_units"))
        >>> autofix.explain(result.diagnosis[0]).causes
    """
    if isinstance(subject, Diagnosis):
        subject = subject.symptom
    if isinstance(subject, Symptom):
        return _symptom(subject)
    if not isinstance(subject, str):
        raise FixYourCall(
            "`subject` must be the name of a symptom or a strategy, a `Symptom` or a `Diagnosis`. "
            f"Received: {subject!r}. Pass, for example, 'dead_units'."
        )
    name = subject.strip().lower().replace("-", "_").replace(" ", "_")
    remedies = {strategy.name: strategy for strategy in strategies()}
    codes = {symptom.code: symptom for symptom in Symptom}
    # A remedy may be called like what it treats; the finding is what people look up.
    if name in codes:
        return _symptom(codes[name])
    if name in remedies:
        return _strategy(remedies[name])
    raise FixYourCall(
        f"there is no symptom or strategy {subject!r}.{did_you_mean(name, (*codes, *remedies))} "
        "`autofix explain` lists them all."
    )


def symptoms() -> tuple[Explanation, ...]:
    """Returns the explanations of all symptoms."""
    return tuple(_symptom(symptom) for symptom in Symptom)


def remedies() -> tuple[Explanation, ...]:
    """Returns the explanations of all strategies, in the order in which their patches are composed."""
    return tuple(_strategy(strategy) for strategy in strategies())


def _symptom(symptom: Symptom) -> Explanation:
    page, module = page_of(symptom.name), titles().get(symptom.name)
    if page is None or module is None:
        return Explanation(symptom.code, SYMPTOM, symptom.value, (), related=treating(symptom))
    return Explanation(
        symptom.code,
        SYMPTOM,
        symptom.value,
        tuple((heading, page.text(heading, symptom.name)) for heading in page.headings if heading != CAUSES),
        likely_causes(symptom.name),
        readings_of(module),
        _thresholds(page),
        treating(symptom),
        f"{PACKAGE}.{module}",
    )


def _strategy(strategy: Strategy) -> Explanation:
    kind = type(strategy)
    docstring = inspect.cleandoc(kind.__doc__ or "")
    page = read_page(_source(kind), docstring)
    return Explanation(
        strategy.name,
        STRATEGY,
        page.lead,
        tuple((heading, page.text(heading)) for heading in page.headings),
        thresholds=_thresholds(page),
        related=tuple(symptom.code for symptom in Symptom if symptom in strategy.treats),
        module=kind.__module__,
    )


def _source(kind: type) -> str:
    """Returns the source of the module of a class, nothing where there is none."""
    try:
        return inspect.getsource(sys.modules[kind.__module__])
    except (OSError, KeyError, TypeError):
        return ""


def _thresholds(page: Page) -> tuple[Constant, ...]:
    """Leaves out constants without a number: names of layers, groups of symptoms."""
    return tuple(constant for constant in page.constants if NUMBER.search(QUOTED.sub("", constant.value)))

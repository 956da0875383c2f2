"""From the document of a report to the sections of its page; one file a subject."""

from __future__ import annotations

from autofix.report.html.section import Document, Missing, Section
from autofix.report.html.sections.answers import predictions
from autofix.report.html.sections.story import changes, findings, reproduce, scores, versions
from autofix.report.html.sections.trace import curves, gradients, range_test, units
from autofix.report.html.sections.trials import search

# In the order of the page.
ALL = (changes, findings, scores, curves, predictions, range_test, gradients, units, search, reproduce, versions)


def sections(document: Document) -> tuple[list[Section], list[Missing]]:
    """Returns the sections of a page in their order, and those that are left out."""
    found = [make(document) for make in ALL]
    shown = [one for one in found if isinstance(one, Section)]
    return shown, [one for one in found if isinstance(one, Missing)]

"""Reports of all samples, written once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest

from autofix.report import document, html
from autofix.result import RepairResult
from tests.report.samples import SAMPLES


@dataclass(frozen=True)
class Reported:
    """A result, its document and its page, each made when it is asked for."""

    result: RepairResult

    @cached_property
    def document(self) -> dict[str, Any]:
        return document.of(self.result)

    @cached_property
    def text(self) -> str:
        return html.render(self.document)


@pytest.fixture(scope="session")
def reports() -> dict[str, Reported]:
    return {name: Reported(make()) for name, make in SAMPLES.items()}

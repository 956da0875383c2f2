"""`Explanation`: what there is to say about a symptom or a strategy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autofix.manual.page import Constant

SYMPTOM, STRATEGY = "symptom", "strategy"


@dataclass(frozen=True)
class Explanation:
    """What there is to say about a symptom or a strategy; `print` shows it, `markdown` is for a page.

    Attributes:
        name: What to look it up by, for example ``dead_units``.
        kind: "symptom" or "strategy".
        sentence: What it is, in one sentence.
        sections: Headings and what stands under them.
        causes: Likely causes of a symptom, the likeliest first.
        readings: Names of the measurements that the rule looks at, and what each of them is.
        thresholds: Constants of the rule or strategy: name, value as the source writes it, and where it comes from.
        related: Of a symptom, the strategies that treat it; of a strategy, the symptoms that call for it.
        module: The module that it is read from.
    """

    name: str
    kind: str
    sentence: str
    sections: tuple[tuple[str, str], ...]
    causes: tuple[str, ...] = ()
    readings: tuple[tuple[str, str], ...] = ()
    thresholds: tuple[Constant, ...] = ()
    related: tuple[str, ...] = ()
    module: str = ""

    @property
    def is_seen_before_training(self) -> bool:
        """Whether a symptom can be told from program and data alone."""
        return not any(name.startswith("trace.") for name, _ in self.readings)

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON-ready data."""
        return {
            "name": self.name,
            "kind": self.kind,
            "sentence": self.sentence,
            "sections": dict(self.sections),
            "causes": list(self.causes),
            "readings": dict(self.readings),
            "thresholds": [
                {"name": item.name, "value": item.value, "comment": item.comment} for item in self.thresholds
            ],
            "related": list(self.related),
            "module": self.module,
        }

    def markdown(self) -> str:
        """Returns it as a section of a Markdown page."""
        from autofix.report.manual import markdown

        return markdown(self)

    def __str__(self) -> str:
        from autofix.report.manual import text

        return text(self)

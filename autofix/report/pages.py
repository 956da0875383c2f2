"""What `autofix explain` writes: one explanation, the list of all, or a whole page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from autofix.manual.explain import explain, remedies, symptoms
from autofix.manual.explanation import Explanation
from autofix.report.manual import listing, markdown, page, text


@dataclass(frozen=True)
class Group:
    """All explanations of one kind: what its page is called, and what stands at its top."""

    title: str
    lead: str
    members: Callable[[], tuple[Explanation, ...]]


MADE = (
    "This page is made from the sources by `autofix explain {name} --format markdown`; do not edit it. "
    "`autofix explain <name>` prints a part of it."
)
SYMPTOMS_LEAD = (
    "What can be read off a program before training, and off a run while it trains or after it. Of the severity of a "
    "finding, 0.7 and more proves that the run is stalled, up to 0.4 is a note, and what lies between would improve "
    "the run. Most findings are eased to notes when the score shows that the run has learned."
)
STRATEGIES_LEAD = "The remedies that a repair chooses from, in the order in which their changes are composed."
GROUPS: Mapping[str, Group] = {
    "symptoms": Group("Symptoms", f"{SYMPTOMS_LEAD}\n\n{MADE.format(name='symptoms')}", symptoms),
    "strategies": Group("Strategies", f"{STRATEGIES_LEAD}\n\n{MADE.format(name='strategies')}", remedies),
}


def written(name: str | None, form: str) -> str:
    """Returns what there is to say, in one of the forms.

    Args:
        name: Name of a symptom, a strategy or a group; None for the list of all.
        form: "text", "json" or "markdown".

    Raises:
        FixYourCall: If there is nothing of that name.
    """
    if name is not None and name not in GROUPS:
        return _one(explain(name), form)
    groups = {key: group for key, group in GROUPS.items() if name in (None, key)}
    found = {key: group.members() for key, group in groups.items()}
    if form == "json":
        return json.dumps({key: [item.to_dict() for item in items] for key, items in found.items()}, indent=1)
    if form == "markdown":
        return "\n".join(page(groups[key].title, groups[key].lead, items) for key, items in found.items())
    if name is not None:
        return "\n\n\n".join(map(text, found[name]))
    return "\n\n".join(f"{groups[key].title}\n\n{listing(items)}" for key, items in found.items())


def _one(item: Explanation, form: str) -> str:
    if form == "json":
        return json.dumps(item.to_dict(), indent=1)
    return markdown(item) + "\n" if form == "markdown" else text(item)

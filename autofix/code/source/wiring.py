"""New layers and layers left out where a model is written as calls on tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence

import libcst as cst

from autofix.change import Change
from autofix.code.layout import Expression, flat
from autofix.code.reasons import short
from autofix.code.source.edits import Edit, stacked
from autofix.code.source.planning import Planner
from autofix.code.source.values import Applied, Made, Net, Tensor

# Variables for what new layers behind an input put out.
VARIABLES = {
    "Normalization": "scaled",
    "Rescaling": "scaled",
    "Reshape": "shaped",
    "Permute": "shaped",
    "Flatten": "flat",
    "Functional": "completed",
}


class Wiring(ABC):
    """Plans edits of a graph of calls, and adds what it leaves to the plan of a planner."""

    def __init__(self, planner: Planner) -> None:
        self.planner, self.source, self.plan = planner, planner.source, planner.plan
        self.functions: list[str] = []
        self.taken: set[str] = set()

    @abstractmethod
    def layers(self, path: str, changes: Mapping[str, Change]) -> list[Expression]:
        """Returns the code of the layers that are put behind the one at `path`."""

    def leave(self, change: Change, why: str, is_gone: bool) -> None:
        """Leaves a change of structure to the user."""
        layer = change.path.removeprefix("layers/").rsplit("/", 1)[0]
        if change.key == "after":
            path = change.path.removesuffix("/after")
            told = " and ".join(flat(item) for item in self.layers(path, {change.path: change}))
            self.plan.leave(change, why, f"Put {told} {'in the place of' if is_gone else 'behind'} {layer!r} by hand.")
        else:
            self.plan.leave(change, why, f"Leave the layer {layer!r} out by hand.")

    def in_graph(self, applied: Applied, change: Change, layers: Sequence[Expression], is_gone: bool) -> Iterator[Edit]:
        """Yields the edits that put layers behind a call of a layer, or in its place."""
        node, reason = applied.node, short(change)
        if not isinstance(node, cst.Call):
            self.leave(change, f"line {self.source.line(node)} is no call of a layer.", is_gone)
            return
        if applied.layer is not None and _is_input(applied):
            yield from self._behind_input(applied, node, change, layers)
            return
        start, end = self.source.span(node)
        target = self._assigned(node)
        inner = self.source.code(node.args[0].value) if node.args else ""
        if is_gone:
            if len(applied.inputs) != 1 or len(node.args) != 1:
                self.leave(change, f"line {self.source.line(node)} calls it on more than one tensor.", is_gone)
            elif target is not None and target == inner and not layers:
                statement = self.source.statement(node)
                span = self.source.span(statement) if statement is not None else (start, end)
                yield Edit(self.source.line_start(span[0]), self.source.line_end(span[1]), "")
            else:
                yield Edit(start, end, _wrapped(inner, layers), reason)
            return
        statement = self.source.statement(node)
        if target is None or statement is None:
            yield Edit(start, start, "".join(f"{flat(layer)}(" for layer in reversed(layers)), reason)
            yield Edit(end, end, ")" * len(layers))
            return
        stop = self.source.line_end(self.source.span(statement)[1])
        yield Edit(stop, stop, self._statements(statement, [(target, target, layer) for layer in layers]), reason)

    def _behind_input(
        self, applied: Applied, node: cst.Call, change: Change, layers: Sequence[Expression]
    ) -> Iterator[Edit]:
        """Gives what comes out a name of its own: the model is still made of the input itself."""
        target, statement = self._assigned(node), self.source.statement(node)
        if target is None or statement is None:
            self.leave(change, f"line {self.source.line(node)} gives the input no name.", False)
            return
        readers: dict[cst.CSTNode, None] = {}
        for other in self._all_applied():
            for seen in other.inputs:
                if isinstance(seen.value, Tensor) and seen.value.of is applied:
                    own = [n for n in seen.trail if isinstance(n, cst.Name) and n.value == target]
                    if not own:
                        self.leave(change, f"line {self.source.line(other.node)} gets it in another way.", False)
                        return
                    readers[own[-1]] = None
        fresh = self._unused(VARIABLES.get(str(change.after[0].get("class_name")), "prepared"))
        sources = [target, *[fresh] * (len(layers) - 1)]
        new = [(fresh, source, layer) for source, layer in zip(sources, layers, strict=True)]
        stop = self.source.line_end(self.source.span(statement)[1])
        yield Edit(stop, stop, self._statements(statement, new), short(change))
        for reader in readers:
            yield Edit(*self.source.span(reader), fresh, f"{fresh} in place of {target}")

    def _all_applied(self) -> Iterator[Applied]:
        nets = [self.planner.match.net, *(s.layer.value for s in self.planner.match.sites.values())]
        for net in nets:
            if isinstance(net, Net):
                yield from net.applied

    def _statements(self, statement: cst.CSTNode, new: Sequence[tuple[str, str, Expression]]) -> str:
        indent, newline = self.source.indent(self.source.span(statement)[0]), self.source.module.default_newline
        return "".join(
            stacked(self.source, layer, indent, lead=f"{target} = ", tail=f"({source})") + newline
            for target, source, layer in new
        )

    def _assigned(self, node: cst.CSTNode) -> str | None:
        """The one variable that a call is assigned to as it is."""
        above = self.source.parent(node)
        if isinstance(above, cst.Assign) and len(above.targets) == 1 and isinstance(above.targets[0].target, cst.Name):
            statement = self.source.statement(above)
            if statement is not None and len(statement.body) == 1:
                return above.targets[0].target.value
        return None

    def _unused(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self.taken or self.source.calls_of(name):
            number += 1
            name = f"{wanted}_{number}"
        self.taken.add(name)
        return name


def _wrapped(inner: str, layers: Sequence[Expression]) -> str:
    for layer in layers:
        inner = f"{flat(layer)}({inner})"
    return inner


def _is_input(applied: Applied) -> bool:
    value = applied.layer.value if applied.layer is not None else None
    return isinstance(value, Made) and value.name == "InputLayer"

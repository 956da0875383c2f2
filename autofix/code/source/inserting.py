"""New layers put into a script, and layers taken out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import libcst as cst

from autofix.change import Change
from autofix.code.graph import Builder
from autofix.code.layout import Call, Expression, flat
from autofix.code.reasons import named, short
from autofix.code.source.edits import Edit, inline, stacked
from autofix.code.source.matching import Site
from autofix.code.source.planning import Planner
from autofix.code.source.values import Applied, Made, Net, Tensor
from autofix.frozen import canonical, freeze, thaw

# Variables for what new layers behind an input put out.
VARIABLES = {
    "Normalization": "scaled",
    "Rescaling": "scaled",
    "Reshape": "shaped",
    "Permute": "shaped",
    "Flatten": "flat",
    "Functional": "completed",
}


class Inserter:
    """Plans new layers and layers left out, and adds them to the plan of a planner."""

    def __init__(self, planner: Planner) -> None:
        self.planner, self.source, self.plan = planner, planner.source, planner.plan
        self.functions: list[str] = []
        self.taken: set[str] = set()

    def structure(self, changes: Mapping[str, Change]) -> None:
        """Plans the changes of structure; `changes` holds the last change of each path ending in `after` or `skip`."""
        paths = dict.fromkeys(path.rsplit("/", 1)[0] for path in changes)
        done: set[cst.CSTNode] = set()
        for path in paths:
            change = changes.get(f"{path}/after") or changes[f"{path}/skip"]
            site = self.planner.match.sites.get(path)
            layers = self._layers(path, changes)
            if site is None:
                self._before_first(path, change, layers)
                continue
            if not layers and f"{path}/skip" not in changes:
                continue
            is_gone = f"{path}/skip" in changes
            node, why = self._place(site)
            if node is None:
                self._leave(change, why, is_gone)
                continue
            if node in done:
                continue
            done.add(node)
            self.plan.touched.add(node)
            if not self._alike(node, path, changes):
                self._leave(change, f"line {self.source.line(node)} makes other layers too, which stay.", is_gone)
                continue
            self.plan.edits += self._edits(site, node, change, layers, is_gone)

    def _layers(self, path: str, changes: Mapping[str, Change]) -> list[Expression]:
        change = changes.get(f"{path}/after")
        if change is None:
            return []
        nameless = frozenset(_names(change.after))
        builder = Builder(self.planner.names.write, lambda path, indent: [], nameless)
        found = [builder.layer(thaw(layer)) for layer in change.after]
        newline = self.source.module.default_newline
        for function in builder.functions:
            text = newline.join(function) + newline
            if text not in self.functions:
                self.functions.append(text)
        return found

    def _leave(self, change: Change, why: str, is_gone: bool) -> None:
        layer = change.path.removeprefix("layers/").rsplit("/", 1)[0]
        if change.key == "after":
            path = change.path.removesuffix("/after")
            told = " and ".join(flat(item) for item in self._layers(path, {change.path: change}))
            self.plan.leave(change, why, f"Put {told} {'in the place of' if is_gone else 'behind'} {layer!r} by hand.")
        else:
            self.plan.leave(change, why, f"Leave the layer {layer!r} out by hand.")

    def _place(self, site: Site) -> tuple[cst.CSTNode | None, str]:
        """Returns the expression at which a layer stands in its model, or why there is none."""
        if site.member is not None and site.member.added_by is not None:
            return site.member.added_by, ""
        if site.member is not None:
            for node in site.member.seen.trail:
                if not self.source.knows(node):
                    continue
                above = self.source.parent(node)
                if isinstance(above, cst.Element) or (isinstance(above, cst.ListComp) and above.elt is node):
                    return node, ""
            return None, "its place in the list of layers cannot be followed."
        if len(site.applied) != 1:
            return None, "it is called more than once."
        return site.applied[0].node, ""

    def _alike(self, node: cst.CSTNode, path: str, changes: Mapping[str, Change]) -> bool:
        """Whether every layer that stands at a place gets the same neighbours."""

        def kind(other: str) -> tuple[bool, str]:
            change = changes.get(f"{other}/after")
            return f"{other}/skip" in changes, canonical(_nameless(change.after)) if change else ""

        own = kind(path)
        return all(
            kind(other) == own for other, site in self.planner.match.sites.items() if self._place(site)[0] is node
        )

    def _edits(
        self, site: Site, node: cst.CSTNode, change: Change, layers: Sequence[Expression], is_gone: bool
    ) -> Iterator[Edit]:
        if site.member is None:
            yield from self._in_graph(site.applied[0], change, layers, is_gone)
        elif site.member.added_by is not None:
            yield from self._in_statements(site.member.added_by, change, layers, is_gone)
        elif isinstance(self.source.parent(node), cst.ListComp):
            yield from self._in_comprehension(node, change, layers, is_gone)
        else:
            yield from self._in_list(node, change, layers, is_gone)

    def _in_list(
        self, node: cst.CSTNode, change: Change, layers: Sequence[Expression], is_gone: bool
    ) -> Iterator[Edit]:
        start, end = self.source.span(node)
        reason, newline = short(change), self.source.module.default_newline
        if is_gone and not layers:
            yield from self._removed(node, reason)
            return
        rest = list(layers)
        if is_gone:
            yield Edit(start, end, inline(self.source, start, rest.pop(0)), reason)
        if not rest:
            return
        comma = self._comma_behind(end)
        if self.source.begins_line(start) and self.source.ends_line(end):
            if comma is None:
                yield Edit(end, end, ",")
            line_end = self.source.line_end(end)
            indent = self.source.indent(start)
            text = "".join(stacked(self.source, layer, indent, tail=",") + newline for layer in rest)
            yield Edit(line_end, line_end, text, reason)
        else:
            yield Edit(end, end, "".join(f", {flat(layer)}" for layer in rest), reason)

    def _removed(self, node: cst.CSTNode, reason: str) -> Iterator[Edit]:
        start, end = self.source.span(node)
        element = self.source.parent(node)
        above = self.source.parent(element) if element is not None else None
        if self.source.begins_line(start) and self.source.ends_line(end):
            yield Edit(self.source.line_start(start), self.source.line_end(end), "")
            return
        elements = list(getattr(above, "elements", ()))
        place = elements.index(element) if element in elements else 0
        if place + 1 < len(elements):
            yield Edit(start, self.source.span(elements[place + 1].value)[0], "", reason)
        elif place:
            yield Edit(self.source.span(elements[place - 1].value)[1], end, "", reason)
        else:
            comma = self._comma_behind(end)
            yield Edit(start, end if comma is None else comma + 1, "", reason)

    def _comma_behind(self, offset: int) -> int | None:
        """Where the comma behind an element is; None where it is the last one without a comma."""
        place = offset
        while place < len(self.source.text) and self.source.text[place] in " \t\r\n":
            place += 1
        return place if self.source.text[place : place + 1] == "," else None

    def _in_comprehension(
        self, node: cst.CSTNode, change: Change, layers: Sequence[Expression], is_gone: bool
    ) -> Iterator[Edit]:
        """`[A for _ in range(6)]` becomes `[layer for pair in [(A, B) for _ in range(6)] for layer in pair]`."""
        above = self.source.parent(node)
        if not isinstance(above, cst.ListComp) or is_gone:
            self._leave(change, f"line {self.source.line(node)} makes it in a loop over layers.", is_gone)
            return
        start, end = self.source.span(node)
        stop = self.source.span(above.for_in)[1]
        yield Edit(start, start, "layer for pair in [(", short(change))
        yield Edit(end, end, "".join(f", {flat(layer)}" for layer in layers) + ")")
        yield Edit(stop, stop, "] for layer in pair")

    def _in_statements(
        self, node: cst.Call, change: Change, layers: Sequence[Expression], is_gone: bool
    ) -> Iterator[Edit]:
        statement = self.source.statement(node)
        if statement is None or len(statement.body) > 1 or not isinstance(node.func, cst.Attribute):
            self._leave(change, f"line {self.source.line(node)} does more than to add it.", is_gone)
            return
        start, end = self.source.span(statement)
        receiver, newline = self.source.code(node.func.value), self.source.module.default_newline
        added = [
            stacked(self.source, Call(f"{receiver}.add", ((None, layer),)), self.source.indent(start)) + newline
            for layer in layers
        ]
        line_end = self.source.line_end(end)
        if is_gone:
            yield Edit(self.source.line_start(start), line_end, "".join(added), short(change) if added else "")
        else:
            lead = "" if self.source.text[:line_end].endswith(("\n", "\r")) else newline
            yield Edit(line_end, line_end, lead + "".join(added), short(change))

    def _in_graph(
        self, applied: Applied, change: Change, layers: Sequence[Expression], is_gone: bool
    ) -> Iterator[Edit]:
        node, reason = applied.node, short(change)
        if not isinstance(node, cst.Call):
            self._leave(change, f"line {self.source.line(node)} is no call of a layer.", is_gone)
            return
        if applied.layer is not None and _is_input(applied):
            yield from self._behind_input(applied, node, change, layers)
            return
        start, end = self.source.span(node)
        target = self._assigned(node)
        inner = self.source.code(node.args[0].value) if node.args else ""
        if is_gone:
            if len(applied.inputs) != 1 or len(node.args) != 1:
                self._leave(change, f"line {self.source.line(node)} calls it on more than one tensor.", is_gone)
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
            self._leave(change, f"line {self.source.line(node)} gives the input no name.", False)
            return
        readers: dict[cst.CSTNode, None] = {}
        for other in self._all_applied():
            for seen in other.inputs:
                if isinstance(seen.value, Tensor) and seen.value.of is applied:
                    own = [n for n in seen.trail if isinstance(n, cst.Name) and n.value == target]
                    if not own:
                        self._leave(change, f"line {self.source.line(other.node)} gets it in another way.", False)
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

    def _before_first(self, path: str, change: Change, layers: Sequence[Expression]) -> None:
        """Puts layers in front of a Sequential whose input shape comes with its first layer, or with the data."""
        sites = self.planner.match.sites
        prefix = path.rsplit("/", 1)[0]
        first = next((site for own, site in sites.items() if own.rsplit("/", 1)[0] == prefix), None)
        if first is None or first.member is None or not layers:
            self._leave(change, "the layer is not written in the script.", False)
            return
        made = first.layer.value
        given = made.call.values.get("input_shape") if isinstance(made, Made) else None
        node, why = self._place(first)
        is_plain = isinstance(made, Made) and not {"input_dim", "batch_input_shape"} & set(made.call.values)
        if node is None or not is_plain or (given is not None and not self.source.knows(given.trail[0])):
            self._leave(change, why or "its shape is given in a way that cannot be followed.", False)
            return
        new = list(layers)
        edits: list[Edit] = []
        if given is not None:
            argument = self.source.parent(given.trail[0])
            if not isinstance(argument, cst.Arg):
                self._leave(change, "its shape is given in a way that cannot be followed.", False)
                return
            shape = self.source.code(given.trail[0])
            new.insert(0, Call(f"{self.planner.names.module('keras')}.Input", ((None, shape),)))
            edits += _without_argument(self.planner, argument)
        start, reason = self.source.span(node)[0], short(change)
        newline = self.source.module.default_newline
        if first.member.added_by is not None:
            statement = self.source.statement(node)
            func = first.member.added_by.func
            if statement is None or not isinstance(func, cst.Attribute):
                self._leave(change, "its first layer is not added by a statement of its own.", False)
                return
            start = self.source.line_start(self.source.span(statement)[0])
            indent, receiver = self.source.indent(start), self.source.code(func.value)
            text = "".join(
                stacked(self.source, Call(f"{receiver}.add", ((None, layer),)), indent) + newline for layer in new
            )
        elif self.source.begins_line(start):
            indent = self.source.indent(start)
            start = self.source.line_start(start)
            text = "".join(stacked(self.source, layer, indent, tail=",") + newline for layer in new)
        else:
            text = "".join(f"{flat(layer)}, " for layer in new)
        self.plan.edits += [*edits, Edit(start, start, text, reason)]

    def _unused(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self.taken or self.source.calls_of(name):
            number += 1
            name = f"{wanted}_{number}"
        self.taken.add(name)
        return name


def _without_argument(planner: Planner, argument: cst.Arg) -> Iterator[Edit]:
    source, call = planner.source, planner.source.parent(argument)
    if not isinstance(call, cst.Call):
        return
    place = list(call.args).index(argument)
    start, end = source.span(argument)
    if source.begins_line(start) and source.ends_line(end):
        yield Edit(source.line_start(start), source.line_end(end), "")
    elif place:
        yield Edit(source.span(call.args[place - 1])[1], end, "", "the shape has gone to keras.Input")
    elif len(call.args) > 1:
        yield Edit(start, source.span(call.args[1])[0], "", "the shape has gone to keras.Input")
    else:
        yield Edit(start, end, "", "the shape has gone to keras.Input")


def _wrapped(inner: str, layers: Sequence[Expression]) -> str:
    for layer in layers:
        inner = f"{flat(layer)}({inner})"
    return inner


def _is_input(applied: Applied) -> bool:
    value = applied.layer.value if applied.layer is not None else None
    return isinstance(value, Made) and value.name == "InputLayer"


def _names(value: Any) -> Iterator[str]:
    """Yields the names of all layers in a value, those of nested models included."""
    if isinstance(value, Mapping):
        if "class_name" in value and named(value):
            yield named(value)
        for item in value.values():
            yield from _names(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _names(item)


def _nameless(value: Any) -> Any:
    """New layers without their names, which differ from place to place."""
    layers = [dict(thaw(layer)) for layer in value]
    return freeze([{**layer, "config": {**layer.get("config", {}), "name": ""}} for layer in layers])

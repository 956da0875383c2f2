"""New layers put into a script, and layers taken out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import libcst as cst

from autofix.change import Change
from autofix.code.graph import Builder
from autofix.code.layout import Call, Expression, flat
from autofix.code.reasons import names_in, short
from autofix.code.source.edits import Edit, inline, stacked
from autofix.code.source.matching import Site
from autofix.code.source.planning import Planner
from autofix.code.source.values import Made
from autofix.code.source.wiring import Wiring
from autofix.frozen import canonical, freeze, thaw


class Inserter(Wiring):
    """Plans new layers and layers left out, and adds them to the plan of a planner."""

    def structure(self, changes: Mapping[str, Change]) -> None:
        """Plans the changes of structure; `changes` holds the last change of each path ending in `after` or `skip`."""
        paths = dict.fromkeys(path.rsplit("/", 1)[0] for path in changes)
        done: set[cst.CSTNode] = set()
        for path in paths:
            change = changes.get(f"{path}/after") or changes[f"{path}/skip"]
            site = self.planner.match.sites.get(path)
            layers = self.layers(path, changes)
            if site is None:
                self._before_first(path, change, layers)
                continue
            if not layers and f"{path}/skip" not in changes:
                continue
            is_gone = f"{path}/skip" in changes
            node, why = self._place(site)
            if node is None:
                self.leave(change, why, is_gone)
                continue
            if node in done:
                continue
            done.add(node)
            self.plan.touched.add(node)
            if not self._alike(node, path, changes):
                self.leave(change, f"line {self.source.line(node)} makes other layers too, which stay.", is_gone)
                continue
            self.plan.edits += self._edits(site, node, change, layers, is_gone)

    def layers(self, path: str, changes: Mapping[str, Change]) -> list[Expression]:
        """Returns the code of the layers that are put behind the one at `path`."""
        change = changes.get(f"{path}/after")
        if change is None:
            return []
        nameless = frozenset(names_in(change.after))
        builder = Builder(self.planner.names.write, lambda path, indent: [], nameless)
        found = [builder.layer(thaw(layer)) for layer in change.after]
        newline = self.source.module.default_newline
        for function in builder.functions:
            text = newline.join(function) + newline
            if text not in self.functions:
                self.functions.append(text)
        return found

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
            yield from self.in_graph(site.applied[0], change, layers, is_gone)
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
            self.leave(change, f"line {self.source.line(node)} makes it in a loop over layers.", is_gone)
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
            self.leave(change, f"line {self.source.line(node)} does more than to add it.", is_gone)
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

    def _before_first(self, path: str, change: Change, layers: Sequence[Expression]) -> None:
        """Puts layers in front of a Sequential whose input shape comes with its first layer, or with the data."""
        sites = self.planner.match.sites
        prefix = path.rsplit("/", 1)[0]
        first = next((site for own, site in sites.items() if own.rsplit("/", 1)[0] == prefix), None)
        if first is None or first.member is None or not layers:
            self.leave(change, "the layer is not written in the script.", False)
            return
        made = first.layer.value
        given = made.call.values.get("input_shape") if isinstance(made, Made) else None
        node, why = self._place(first)
        is_plain = isinstance(made, Made) and not {"input_dim", "batch_input_shape"} & set(made.call.values)
        if node is None or not is_plain or (given is not None and not self.source.knows(given.trail[0])):
            self.leave(change, why or "its shape is given in a way that cannot be followed.", False)
            return
        new = list(layers)
        edits: list[Edit] = []
        if given is not None:
            argument = self.source.parent(given.trail[0])
            if not isinstance(argument, cst.Arg):
                self.leave(change, "its shape is given in a way that cannot be followed.", False)
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
                self.leave(change, "its first layer is not added by a statement of its own.", False)
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


def _nameless(value: Any) -> Any:
    """New layers without their names, which differ from place to place."""
    layers = [dict(thaw(layer)) for layer in value]
    return freeze([{**layer, "config": {**layer.get("config", {}), "name": ""}} for layer in layers])

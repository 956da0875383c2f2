"""How a script fits: epochs, batches, weights of classes, early stopping, labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from autofix.change import Change
from autofix.code.expressing import express, same
from autofix.code.fitting import class_weights, early_stopping
from autofix.code.layout import Expression, flat, literal
from autofix.code.reasons import short
from autofix.code.source.arguments import added_arguments, added_items
from autofix.code.source.edits import Edit, inline
from autofix.code.source.planning import Planner, Want
from autofix.code.source.telling import described
from autofix.code.source.values import UNKNOWN, Bound, Items, Made, Seen
from autofix.frozen import thaw

# Settings that a call of autofix takes as well as `fit`.
SHARED = ("epochs", "batch_size", "shuffle", "class_weight")


class Fitter:
    """Plans the changes of `fit` and of the targets, and adds them to the plan of a planner."""

    def __init__(self, planner: Planner) -> None:
        self.planner, self.source, self.plan = planner, planner.source, planner.plan
        self.calls = [bound for bound in planner.match.net.fits if self.source.knows(bound.node)]

    def settings(self, changes: dict[str, Change]) -> None:
        """Plans the changes of `fit`; `changes` holds the last change of each path that begins with `fit/`."""
        missing: dict[cst.CSTNode, tuple[Bound, list[tuple[str, Expression, str]]]] = {}
        for path, change in changes.items():
            key, after = change.key, thaw(self.planner.after.get(path))
            told = self._code(key, after)
            if not self.calls:
                self.plan.leave(change, "the script has no call of `fit` for this model.", f"Fit with {told}.")
            elif key not in SHARED:
                self._special(change, key, after, missing)
            else:
                self._plain(path, change, key, after, missing)
        for bound, pairs in missing.values():
            self.plan.edits += self._added(bound, pairs)

    def _code(self, key: str, after: Any) -> str:
        if key == "patience" and after is not None:
            return f"callbacks=[{flat(self._stopping(after))}] and validation data"
        if key == "oversample":
            return "rows of rare classes repeated until all classes have equally many"
        return f"{key}={flat(self._expression(key, after))}"

    def _expression(self, key: str, after: Any) -> Expression:
        return class_weights(after) if key == "class_weight" and after else express(after, self.planner.names.write)

    def _stopping(self, patience: Any) -> Expression:
        return early_stopping(patience, self.planner.names.write("callbacks", "EarlyStopping"))

    def _plain(self, path: str, change: Change, key: str, after: Any, missing: dict[Any, Any]) -> None:
        given = [(bound, bound.values[key]) for bound in self.calls if key in bound.values]
        told = self._code(key, after)
        before = thaw(self.planner.before.get(path))
        for _, seen in given:
            now = described(seen)
            if now is UNKNOWN:
                self.plan.leave(change, "the script works it out.", f"Fit with {told}.")
                return
            if not same(now, before) and not same(_by_class(now), _by_class(before)):
                self.plan.leave(
                    change, f"the script says {now!r}, but the run was made with {before!r}.", f"Fit with {told}."
                )
                return
        if not given:
            open_calls = [bound for bound in self.calls if bound.is_open]
            if open_calls or len(self.calls) > 1:
                why = "settings are unpacked that cannot be told." if open_calls else "several calls fit this model."
                self.plan.leave(change, why, f"Fit with {told}.")
                return
            bound = self.calls[0]
            pair = (key, self._expression(key, after), short(change))
            missing.setdefault(bound.node, (bound, []))[1].append(pair)
            return
        self.planner.wants[path] = Want(after, change)
        edits: dict[tuple[int, int], Edit] = {}
        for _, seen in given:
            for expression in seen.trail:
                self.planner.flows.setdefault(expression, set()).add(path)
        for _, seen in given:
            node, why = self.planner.place(seen, path)
            if node is None:
                self.plan.leave(change, why, f"Fit with {told}.")
                return
            start, end = self.source.span(node)
            text = inline(self.source, start, self._expression(key, after))
            edits[(start, end)] = Edit(start, end, text, short(change))
        self.plan.edits += edits.values()

    def _special(self, change: Change, key: str, after: Any, missing: dict[Any, Any]) -> None:
        told = self._code(key, after)
        real = [bound for bound in self.calls if "data" not in bound.values]
        if key != "patience" or after is None or len(real) != 1:
            why = "there is no one call of `fit` to put it into." if key == "patience" else "it is no setting of `fit`."
            self.plan.leave(change, why, f"Fit with {told}.")
            return
        bound = real[0]
        if not {"validation_data", "validation_split"} & set(bound.values):
            self.plan.leave(change, "this `fit` has no validation data to stop by.", f"Fit with {told}.")
            return
        callbacks = bound.values.get("callbacks")
        if callbacks is None and not bound.is_open:
            code = f"[{flat(self._stopping(after))}]"
            missing.setdefault(bound.node, (bound, []))[1].append(("callbacks", code, short(change)))
            return
        node = callbacks.trail[-1] if callbacks is not None and callbacks.trail else None
        own = callbacks.value.items if callbacks is not None and isinstance(callbacks.value, Items) else []
        stops = [item.value for item in own if isinstance(item.value, Made) and item.value.name == "EarlyStopping"]
        if stops and "patience" in stops[0].call.values:
            place = stops[0].call.values["patience"].trail[-1]
            self.plan.edits.append(Edit(*self.source.span(place), flat(literal(after)), short(change)))
        elif isinstance(node, cst.List) and not stops:
            self.plan.edits += self._in_list(node, change, after)
        else:
            self.plan.leave(change, "its callbacks are given in a way that cannot be followed.", f"Fit with {told}.")

    def _in_list(self, node: cst.List, change: Change, after: Any) -> Iterator[Edit]:
        code = flat(self._stopping(after))
        if node.elements:
            end = self.source.span(node.elements[-1].value)[1]
            yield Edit(end, end, f", {code}", short(change))
        else:
            end = self.source.span(node)[1] - 1
            yield Edit(end, end, code, short(change))

    def _added(self, bound: Bound, pairs: list[tuple[str, Expression, str]]) -> Iterator[Edit]:
        """Settings that are not there yet go into the one dict that the call unpacks, or into the call."""
        nodes = [table.node for table in bound.tables]
        if len(nodes) == 1 and isinstance(nodes[0], cst.Dict) and not any(key == "callbacks" for key, _, _ in pairs):
            yield from added_items(self.source, nodes[0], pairs)
        elif isinstance(bound.node, cst.Call):
            yield from added_arguments(self.source, bound.node, pairs)

    def labels(self, change: Change) -> None:
        """Plans the change of the targets: what `fit` is fed becomes the place of each label."""
        labels = thaw(change.after) or {}
        own = list(next(iter(labels.values()))) if len(labels) == 1 else []
        what = f"Feed the place of each label in {own or labels!r}: y = np.searchsorted({own!r}, y)."
        real = [bound for bound in self.calls if "y" in bound.values]
        sorts = bool(own) and own == sorted(own)
        if not sorts or len(real) != len(self.calls) or not real:
            why = "the labels are not sorted." if not sorts else "the script does not pass its targets to `fit`."
            self.plan.leave(change, why, what)
            return
        edits: list[Edit] = []
        for bound in real:
            for seen in (bound.values["y"], *_validation_targets(bound)):
                node = seen.trail[0] if seen.trail else None
                if node is None or not self.source.knows(node) or not self._is_alone(node):
                    self.plan.leave(change, "targets are given in a way that cannot be followed.", what)
                    return
                start, end = self.source.span(node)
                lead = f"{self.planner.names.module('numpy')}.searchsorted({flat(literal(own))}, "
                edits += [Edit(start, start, lead, short(change, bare=True)), Edit(end, end, ")")]
            given = bound.values.get("validation_data")
            if given is not None and not isinstance(given.value, Items):
                self.plan.leave(change, "validation data are given in a way that cannot be followed.", what)
                return
        self.plan.edits += edits
        self.plan.remarks.append(f"predictions are places in {own!r}; the label of place i is {own!r}[i].")

    def _is_alone(self, node: cst.CSTNode) -> bool:
        """Whether an expression is one argument or one item: nothing is unpacked from it."""
        above = self.source.parent(node)
        return (isinstance(above, cst.Arg) and not above.star) or isinstance(above, cst.Element)


def _validation_targets(bound: Bound) -> Iterator[Seen]:
    given = bound.values.get("validation_data")
    if given is not None and isinstance(given.value, Items) and len(given.value.items) > 1:
        yield given.value.items[1]


def _by_class(value: Any) -> Any:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else value

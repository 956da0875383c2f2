"""The outputs of all layers of a live model, without touching a layer: from the graph that it was built as."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras

# Bytes of a 32-bit float.
FLOAT = 4


class LayerOutputs:
    """Calls a Sequential or functional model so that the output of every layer comes out, nested models opened.

    The layers are the user's own; the model around them is new and is never trained, so nothing of theirs changes.

    Args:
        model: The user's model, built; one that is no graph of layers has no outputs to show.
        prefix: Path of the model that it is nested in.
    """

    def __init__(self, model: keras.Model, prefix: str = "") -> None:
        graph = getattr(model, "_functional", None) or model
        outputs = tuple(getattr(graph, "outputs", None) or ())
        self._nested: dict[str, LayerOutputs] = {}
        self._reader: Any = None
        self.bytes_per_row = 0
        if not outputs or not hasattr(outputs[0], "_keras_history"):
            return
        seen: dict[str, Any] = {}
        doors: dict[str, Any] = {}
        for node in _nodes(outputs):
            layer = node.operation
            if node.is_input or not isinstance(layer, keras.layers.Layer):
                continue
            path = f"{prefix}layers/{layer.name}"
            if isinstance(layer, keras.Model):
                inner = LayerOutputs(layer, f"{path}/")
                if inner.sees and len(node.input_tensors) == len(layer.inputs):
                    self._nested[path] = inner
                    doors[path] = list(node.input_tensors)
                    self.bytes_per_row += inner.bytes_per_row
            elif len(node.outputs) == 1:
                seen[path] = node.outputs[0]
                self.bytes_per_row += _bytes(node.outputs[0].shape)
        wanted = {"seen": seen, "doors": doors, "end": graph.output}
        self._reader = keras.Model(graph.input, wanted, name="autofix_reader")

    @property
    def sees(self) -> bool:
        """Whether there is a graph to read from."""
        return self._reader is not None

    def __call__(self, x: Any) -> tuple[dict[str, Any], Any]:
        """Calls the model as in inference.

        Returns:
            The output of each layer by path, and what the model itself would have returned.
        """
        found = self._reader(x, training=False)
        seen = dict(found["seen"])
        for path, inner in self._nested.items():
            doors = found["doors"][path]
            seen.update(inner(doors if len(doors) > 1 else doors[0])[0])
        return seen, found["end"]


def _nodes(outputs: Iterable[Any]) -> Iterator[Any]:
    """Yields every call of a layer that the outputs depend on, once."""
    known, waiting = set(), list(outputs)
    while waiting:
        history = waiting.pop()._keras_history
        node = history.operation._inbound_nodes[history.node_index]
        if id(node) not in known:
            known.add(id(node))
            waiting += node.input_tensors
            yield node


def _bytes(shape: Iterable[int | None]) -> int:
    """Returns the bytes of one row of a layer's output; axes of unknown length count as one."""
    size = FLOAT
    for axis in tuple(shape)[1:]:
        size *= axis or 1
    return size


def in_order(seen: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """Returns the outputs in the order of the given paths, those that are there."""
    return {path: seen[path] for path in paths if path in seen}

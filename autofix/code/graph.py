"""A serialized architecture as statements: a list of layers, or calls in an order in which they can be made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from autofix.code.expressing import Writer, arguments, express, group_of_object
from autofix.code.layout import INDENT, Call, Expression, Group, lines, literal
from autofix.code.naming import is_counted, snake

Tensor = tuple[str, int, int]  # layer, call of the layer, output of the call
# What says, in comment lines, why a layer is not as it was.
Remarks = Callable[[str, str], list[str]]
# Arguments of a layer's call that Keras records at their default.
DEFAULT_CALL = {"training": (None, False), "mask": (None,), "initial_state": (None,), "use_causal_mask": (False,)}


@dataclass
class Builder:
    """Writes the code of one architecture, nested models as functions of their own.

    Attributes:
        write: How public names of Keras are written.
        remarks: Gives the comment lines of a layer from its path and the indentation.
        nameless: Names of layers that are not to be written.
        named: Names of layers that are to be written although Keras counted them up.
        functions: Code of the functions that build nested models, in the order in which they are needed.
    """

    write: Writer
    remarks: Remarks
    nameless: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    functions: list[list[str]] = field(default_factory=list)

    def model(self, entry: Mapping[str, Any], *, target: str, indent: str, prefix: str = "") -> list[str]:
        """Returns the statements that leave the model of a serialized `entry` in the variable `target`."""
        config = entry["config"]
        if "output_layers" in config:
            return self._functional(config, target, indent, prefix)
        return self._sequential(entry, target, indent, prefix)

    def _sequential(self, entry: Mapping[str, Any], target: str, indent: str, prefix: str) -> list[str]:
        inner = indent + INDENT * 2
        found = [f"{indent}{target} = {self.write('', 'keras')}.Sequential(", f"{indent}{INDENT}["]
        for item in entry["config"]["layers"]:
            found += self.remarks(f"{prefix}layers/{item['config'].get('name')}", inner)
            found += lines(self.layer(item, prefix), indent=inner, tail=",")
        found.append(f"{indent}{INDENT}],")
        name = entry["config"].get("name")
        if not is_counted("Sequential", name) and name not in self.nameless:
            found.append(f"{indent}{INDENT}name={literal(name)},")
        if entry["config"].get("trainable") is False:
            found.append(f"{indent}{INDENT}trainable=False,")
        return [*found, f"{indent})"]

    def layer(self, item: Mapping[str, Any], prefix: str = "") -> Expression:
        """Returns the constructor of a layer; the call of a function for a nested model."""
        config = item["config"]
        if isinstance(config, Mapping) and "layers" in config:
            return Call(self._nested(item, prefix))
        group, name = group_of_object(item), str(item["class_name"])
        if group is None:
            return express(item, self.write, nameless=self.nameless)
        found = arguments(group, name, config, self.write, self.nameless)
        if config.get("name") in self.named and not any(key == "name" for key, _ in found):
            found = (*found, ("name", literal(config["name"])))
        if name == "InputLayer":
            return Call(f"{self.write('', 'keras')}.Input", found)
        return Call(self.write(group, name), found)

    def _nested(self, item: Mapping[str, Any], prefix: str) -> str:
        name = str(item["config"]["name"])
        # What is put behind an input is named after it: without the number that Keras counted.
        own = re.sub(r"^input_layer(_\d+)?_", "inputs_", name) if name in self.nameless else name
        function = f"build_{identifier(own)}"
        path = f"{prefix}layers/{name}/"
        body = self.model(item, target="model", indent=INDENT, prefix=path)
        self.functions.append([f"def {function}():", *body, f"{INDENT}return model"])
        return function

    def _functional(self, config: Mapping[str, Any], target: str, indent: str, prefix: str) -> list[str]:
        entries = {item["config"]["name"]: item for item in config["layers"]}
        order = list(_calls(config["layers"]))
        uses = _uses(config)
        variables: dict[tuple[str, int], str] = {}
        taken = {target, "keras", "layers", "np", "model"}
        found: list[str] = []
        shared = {name for name, item in entries.items() if len(item["inbound_nodes"]) > 1}
        for place, (name, node) in enumerate(order):
            item = entries[name]
            found += self.remarks(f"{prefix}layers/{name}", indent) if node == 0 else []
            following = order[place + 1] if place + 1 < len(order) else None
            is_chain = uses.get((name, node), []) == [following] and item["class_name"] != "InputLayer"
            variable = "x" if is_chain else _unused(taken, self._variable(item, node))
            variables[(name, node)] = variable
            if item["class_name"] == "InputLayer":
                found += lines(self.layer(item, prefix), indent=indent, lead=f"{variable} = ")
                continue
            inputs = [self._inputs(value, variables) for value in item["inbound_nodes"][node]["args"]]
            keywords = item["inbound_nodes"][node].get("kwargs") or {}
            passed = [(None, value) for value in inputs] + [
                (key, self._inputs(value, variables))
                for key, value in keywords.items()
                if not (key in DEFAULT_CALL and value in DEFAULT_CALL[key])
            ]
            if name in shared and node == 0:
                holder = _unused(taken, f"{identifier(name)}_layer")
                variables[(name, -1)] = holder
                found += lines(self.layer(item, prefix), indent=indent, lead=f"{holder} = ")
            if name in shared:
                found += lines(Call(variables[(name, -1)], tuple(passed)), indent=indent, lead=f"{variable} = ")
            else:
                found += self._applied(item, passed, indent, f"{variable} = ", prefix)
        ends = (self._inputs(_as_tensors(config[key]), variables) for key in ("input_layers", "output_layers"))
        made: list[tuple[str | None, Expression]] = [(None, value) for value in ends]
        if not is_counted("Functional", config.get("name")) and config.get("name") not in self.nameless:
            made.append(("name", literal(config["name"])))
        return found + lines(Call(f"{self.write('', 'keras')}.Model", tuple(made)), indent=indent, lead=f"{target} = ")

    def _variable(self, item: Mapping[str, Any], node: int) -> str:
        name = str(item["config"]["name"])
        is_plain = is_counted(item["class_name"], name) or name in self.nameless
        if item["class_name"] == "InputLayer" and is_plain:
            return "inputs"
        own = identifier(snake(item["class_name"]) if is_plain else name)
        return own if node == 0 else f"{own}_{node + 1}"

    def _applied(
        self, item: Mapping[str, Any], passed: list[tuple[str | None, Expression]], indent: str, lead: str, prefix: str
    ) -> list[str]:
        """`x = layers.Dense(8)(x)`, the constructor over several lines where it is long; operations are functions."""
        module = str(item.get("module"))
        if module.startswith("keras.src.ops"):
            config = item["config"]
            own = [(key, express(value, self.write)) for key, value in config.items() if key not in ("name", "dtype")]
            name = f"{self.write('', 'keras')}.ops.{snake(item['class_name'])}"
            return lines(Call(name, (*passed, *own)), indent=indent, lead=lead)
        call = lines(Call("", tuple(passed)), indent=indent)
        made = lines(self.layer(item, prefix), indent=indent, lead=lead, tail=call[0].strip())
        return [*made, *call[1:]]

    def _inputs(self, value: Any, variables: Mapping[tuple[str, int], str]) -> Expression:
        if isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
            name, node, place = value["config"]["keras_history"]
            return variables[(name, node)] if not place else f"{variables[(name, node)]}[{place}]"
        if isinstance(value, Mapping) and "class_name" not in value:
            return Group("{}", tuple((literal(key), self._inputs(item, variables)) for key, item in value.items()))
        if isinstance(value, list | tuple):
            return Group("[]", tuple((None, self._inputs(item, variables)) for item in value))
        return express(value, self.write)


def identifier(name: str) -> str:
    """Returns a layer's name as a variable."""
    plain = re.sub(r"\W", "_", name)
    return plain if not plain[:1].isdigit() else f"layer_{plain}"


def tensors(value: Any) -> Iterator[Tensor]:
    """Yields the tensors in the arguments of a call."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            name, node, place = value["config"]["keras_history"]
            yield name, node, place
        else:
            for item in value.values():
                yield from tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors(item)


def _calls(entries: list[Any]) -> Iterator[tuple[str, int]]:
    """Yields layers and the numbers of their calls, each behind those that it takes its inputs from."""
    waiting = [
        (item["config"]["name"], node, {pair[:2] for pair in tensors(calls)})
        for item in entries
        for node, calls in enumerate(item["inbound_nodes"] or [[]])
    ]
    done: set[tuple[str, int]] = set()
    while waiting:
        ready = next((item for item in waiting if item[2] <= done), waiting[0])
        waiting.remove(ready)
        done.add(ready[:2])
        yield ready[:2]


def _uses(config: Mapping[str, Any]) -> dict[tuple[str, int], list[Any]]:
    """Which calls take the output of each call; None for the model itself."""
    found: dict[tuple[str, int], list[Any]] = {}
    for item in config["layers"]:
        for node, call in enumerate(item["inbound_nodes"]):
            for name, source, _ in tensors(call):
                found.setdefault((name, source), []).append((item["config"]["name"], node))
    for key in ("input_layers", "output_layers"):
        for name, source, _ in tensors(_as_tensors(config[key])):
            found.setdefault((name, source), []).append(None)
    return found


def _as_tensors(value: Any) -> Any:
    """Keras' triples `[name, call, output]`, bare or in lists and dicts, in the form in which calls hold them."""
    if isinstance(value, Mapping):
        return {key: _as_tensors(item) for key, item in value.items()}
    if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
        return {"class_name": "__keras_tensor__", "config": {"keras_history": list(value)}}
    return [_as_tensors(item) for item in value]


def _unused(taken: set[str], wanted: str) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    taken.add(name)
    return name

"""YAML as plain data that remembers where each value stands.

Scalars are read by the core schema of YAML 1.2, not by PyYAML's rules of 1.1: `no` is text, `1e-3` is a number, and
`12:30` is neither a number nor a date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from autofix.config.faults import START, Fault, Place
from autofix.yaml_text import DEEPEST

# Bytes. A sweep of 1,000 models takes a tenth of it; PyYAML takes about a second for as much.
LARGEST = 262_144
Path = tuple[str | int, ...]

_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE = re.compile(r"[-+]?[0-9]+")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_UNBOUNDED = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# Digits. More are no setting of anything, and Python takes long to read millions of them.
_LONGEST_NUMBER = 40


@dataclass
class Lines:
    """A parsed file.

    Attributes:
        value: What it holds: mappings with keys as they are written, tuples, text, numbers, booleans, None.
        values: Place of each value, by its path of keys and indices.
        keys: Place of each key, likewise.
        faults: What keeps it from being plain data.
    """

    value: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def place(self, path: Path) -> Place:
        """Returns the place of a value, or of the nearest thing around it that the file holds."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, START)

    def key(self, path: Path) -> Place:
        """Returns the place of a key; that of the value where it has none."""
        return self.keys.get(path) or self.place(path)


def parse(content: bytes) -> Lines:
    """Reads YAML without running anything from it and without being drowned by it.

    Args:
        content: The file, in UTF-8.

    Returns:
        Its data and their places. Whatever is wrong is in `faults`; where that is nothing, the data is whole.
    """
    lines = Lines()
    if len(content) > LARGEST:
        lines.faults.append(
            Fault(START, f"a config file must not be larger than {LARGEST} bytes. Received: {len(content)} bytes.")
        )
        return lines
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        lines.faults.append(Fault(Place(line, 1), "a config file must be text in UTF-8. Save it as such."))
        return lines
    try:
        lines.faults += _not_plain(text)
        if not lines.faults:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            lines.value = None if node is None else _value(node, (), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = START if mark is None else Place(mark.line + 1, mark.column + 1)
        lines.faults.append(Fault(place, f"this is not YAML: {error.problem or error.context}."))
    except yaml.reader.ReaderError as error:
        place = Place(text.count("\n", 0, error.position) + 1, 1)
        lines.faults.append(Fault(place, "this is not YAML: it holds a control character."))
    except yaml.YAMLError as error:
        lines.faults.append(Fault(START, f"this is not YAML: {error}."))
    return lines


def _not_plain(text: str) -> Iterator[Fault]:
    """What stands for more than itself or than data: references, tags, further documents, endless nesting."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        place = _place(event)
        if isinstance(event, yaml.AliasEvent):
            yield Fault(place, f"a config must not hold aliases. Received: *{event.anchor}. Write the values out.")
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents == 2:  # one fault, however many follow
                yield Fault(place, "a config must be one document. Received: a second one after `---`.")
        elif getattr(event, "tag", None) is not None:
            yield Fault(place, "a config must not hold tags (`!name`). Write plain values.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            yield Fault(place, f"a config must not be nested deeper than {DEEPEST} levels.")
            return


def _value(node: yaml.Node, path: Path, lines: Lines) -> Any:
    lines.values[path] = _place(node)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        return tuple(_value(item, (*path, index), lines) for index, item in enumerate(node.value))
    text = str(node.value)
    if getattr(node, "style", None) is not None:  # quoted, or a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _UNBOUNDED.fullmatch(text) or (len(text) > _LONGEST_NUMBER and _REAL.fullmatch(text)):
        lines.faults.append(Fault(_place(node), f"a number must be finite. Received: {text[:_LONGEST_NUMBER]}."))
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _REAL.fullmatch(text) else text


def _mapping(node: yaml.MappingNode, path: Path, lines: Lines) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        place = _place(key)
        if not isinstance(key, yaml.ScalarNode):
            lines.faults.append(Fault(place, "a key must be one word. Received: a list or a mapping."))
            continue
        name = str(key.value)
        inner = (*path, name)
        if name in found:
            first = lines.keys[inner].line
            lines.faults.append(Fault(place, f"`{name}` is set twice, first in line {first}. Keep one of them."))
            continue
        lines.keys[inner] = place
        found[name] = _value(value, inner, lines)
    return found


def _place(node: yaml.Node | yaml.Event) -> Place:
    mark = node.start_mark
    return START if mark is None else Place(mark.line + 1, mark.column + 1)

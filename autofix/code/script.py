"""A repaired program as a Keras script: readable, runnable, each change marked and explained."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autofix.change import Change, Patch
from autofix.code.expressing import express, is_own_function
from autofix.code.graph import Builder
from autofix.code.layout import INDENT, WIDTH, Call, comment, lines, literal
from autofix.code.naming import is_counted
from autofix.code.reasons import legend, named, names_in, numbers, was
from autofix.frozen import thaw
from autofix.recipe import Recipe
from autofix.recipe.document import FIT_DEFAULTS
from autofix.recipe.surgery import operate
from autofix.recipe.views import output_paths

# Modules that say nothing about where the user's own code lives.
NOWHERE = ("", "builtins", "__main__")
COMPILE_ORDER = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics")


def to_code(
    recipe: Recipe, patch: Patch, notes: Sequence[str] = (), *, metric: str = "", retrained: bool = True
) -> str:
    """Returns a Keras script that builds, compiles and fits the repaired model.

    Args:
        recipe: The program as it came.
        patch: What was changed.
        notes: Sentences that qualify what was measured.
        metric: Name of the metric in which effects were measured.
        retrained: Whether the repaired model was trained anew.

    Returns:
        Python code. `build_model()` returns the compiled model, `fit_model(model, train, validation)` trains it, and
        `load_data()` is left to the user.

    Raises:
        StaleChange: If the patch was made for another recipe.
    """
    return _Script(recipe, patch, tuple(notes), metric, retrained).text()


class _Script:
    """One script in the making."""

    def __init__(self, recipe: Recipe, patch: Patch, notes: tuple[str, ...], metric: str, retrained: bool) -> None:
        self.recipe = patch.apply(recipe)
        self.patch, self.notes, self.metric, self.retrained = patch, notes, metric, retrained
        self.numbers = numbers(patch)
        self.by_path = {change.path: change for change in patch}
        self.added = {
            named(layer): change for change in patch if change.key == "after" for layer in change.after if named(layer)
        }
        # The user's own classes and functions by name: the module and the name under which Keras finds them.
        self.own: dict[str, tuple[str, str]] = {}
        self.labels: Mapping[str, Any] = thaw(self.recipe.transforms.get("labels")) or {}
        self.fit = {**FIT_DEFAULTS, **thaw(self.recipe.fit)}

    def text(self) -> str:
        build, fit = self._build(), self._fit()
        imports = ["import keras"]
        body = "\n".join([*build, *fit])
        if "np." in body or self.labels:
            imports.append("import numpy as np")
        if "layers." in body:
            imports.append("from keras import layers")
        head = "\n".join([self._head(), "", *imports])
        parts = [head, *self._imports(), self._data(), *build, *fit, self._main()]
        return "\n\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"

    def _head(self) -> str:
        found = ["The repaired program, as autofix leaves it."]
        if self.patch:
            found += ["", "What was changed, and why; the numbers stand beside the code as well:"]
            for number, sentence in legend(self.patch, self.metric):
                found += textwrap.wrap(f"{number}. {sentence}", WIDTH, initial_indent="  ", subsequent_indent="     ")
        else:
            found += ["", "Nothing was changed."]
        for note in (*self.notes, *self._warnings()):
            found += ["", *textwrap.wrap(f"Note: {note}", WIDTH)]
        inside = "\n".join(found).replace("\\", "\\\\").replace('"""', "'''")
        return f'"""{inside}\n"""' if len(found) > 1 else f'"""{inside}"""'

    def _warnings(self) -> Iterator[str]:
        if not self.retrained:
            yield (
                "the repaired model kept its trained weights. This script starts from fresh ones; to go on with the "
                'trained ones, load the model instead: keras.saving.load_model("repaired.keras").'
            )
        elif self.recipe.is_graph and _is_frozen(self.recipe.architecture):
            yield (
                "layers with trainable=False keep the weights they are given. Here they start from fresh ones; load "
                'yours, or take the model from "repaired.keras".'
            )

    def _remarks(self, path: str, indent: str) -> list[str]:
        """Comment lines in front of a layer: what of it was changed."""
        name = path.rsplit("/", 1)[-1]
        found = [self.added[name]] if name in self.added and path not in self._original() else []
        found += [
            change
            for change in self.by_path.values()
            if change.path.startswith(f"{path}/")
            and change.key not in ("after", "skip")
            and "/layers/" not in change.path.removeprefix(path)
        ]
        return [line for change in found for line in self._mark(change, indent)]

    def _original(self) -> set[str]:
        return {change.path.rsplit("/", 1)[0] for change in self.by_path.values() if change.key == "after"}

    def _mark(self, change: Change, indent: str) -> list[str]:
        return comment(f"[{self.numbers[change.path]}] {was(change)}", indent=indent, width=WIDTH)

    def _write(self, group: str, name: str) -> str:
        if not group:
            return name
        return f"layers.{name}" if group == "layers" else f"keras.{group.replace('/', '.')}.{name}"

    def _build(self) -> list[str]:
        architecture, compiled = thaw(self.recipe.architecture), thaw(self.recipe.compile)
        self._note_own(architecture)
        self._note_own(compiled)
        if self.recipe.is_graph:
            nameless = {*self.added, *(name for change in self.patch for name in names_in(change.after))}
            builder = Builder(self._write, self._remarks, frozenset(nameless), self._named())
            body = builder.model(operate(architecture), target="model", indent=INDENT)
            functions = ["\n".join(function) for function in builder.functions]
        else:
            functions, body = [], self._subclassed(architecture)
        gone = [line for change in self.patch if change.key == "skip" for line in self._gone(change)]
        whole = [
            "def build_model():",
            f'{INDENT}"""Returns the compiled model."""',
            *gone,
            *body,
            *self._compiled(compiled),
            f"{INDENT}return model",
        ]
        return [*functions, "\n".join(whole)]

    def _gone(self, change: Change) -> list[str]:
        name = change.path.removeprefix("layers/").removesuffix("/skip")
        return comment(f"[{self.numbers[change.path]}] The layer {name!r} is left out.", indent=INDENT)

    def _named(self) -> frozenset[str]:
        """Names that the program needs: of outputs that settings or data are given for by name."""
        if not self.recipe.is_graph:
            return frozenset()
        named_settings = any(
            isinstance(value, Mapping) and "class_name" not in value for value in self.recipe.compile.values()
        )
        if not named_settings:
            return frozenset()
        return frozenset(path.rsplit("/", 1)[-1] for path in output_paths(self.recipe.architecture, ""))

    def _subclassed(self, architecture: dict[str, Any]) -> list[str]:
        name, config = str(architecture["class_name"]), architecture.get("config") or {}
        made = tuple(
            (key, express(value, self._write, key=key))
            for key, value in config.items()
            if not (key == "name" and is_counted(name, value))
        )
        return lines(Call(name, made), indent=INDENT, lead="model = ")

    def _compiled(self, compiled: dict[str, Any]) -> list[str]:
        found = [f"{INDENT}model.compile("]
        for key in COMPILE_ORDER:
            value = compiled.get(key)
            if value is None:
                continue
            for change in self.by_path.values():
                if change.path == f"compile/{key}" or change.path.startswith(f"compile/{key}/"):
                    found += self._mark(change, INDENT * 2)
            found += lines(express(value, self._write, key=key), indent=INDENT * 2, lead=f"{key}=", tail=",")
        if compiled.get("run_eagerly"):
            found.append(f"{INDENT * 2}run_eagerly=True,")
        return [*found, f"{INDENT})"]

    def _note_own(self, node: Any) -> None:
        if isinstance(node, list):
            for value in node:
                self._note_own(value)
        if not isinstance(node, Mapping):
            return
        name, config = str(node.get("class_name") or ""), node.get("config")
        module, registered = str(node.get("module") or ""), str(node.get("registered_name") or "")
        if isinstance(config, str) and is_own_function(node):
            self.own[config.rpartition(">")[2]] = (module, config if ">" in config else registered)
        elif name and isinstance(config, Mapping) and module and module.split(".")[0] != "keras":
            self.own[name] = (module, registered)
        for value in node.values():
            self._note_own(value)

    def _imports(self) -> Iterator[str]:
        """Says where the user's own classes and functions come from."""
        for name, (module, registered) in self.own.items():
            where = f" in {module}" if module not in NOWHERE else ""
            if ">" in registered:
                told = f"`{name}` is your own, registered{where}: import the module that holds it before this line."
                call = Call("keras.saving.get_registered_object", ((None, literal(registered)),))
                yield "\n".join([*comment(told), *lines(call, lead=f"{name} = ")])
            elif not where:
                told = f"`{name}` is your own: import it from where it lives, or paste it here in place of the import."
                yield "\n".join([*comment(told), f"from __main__ import {name}"])
            else:
                yield f"from {module} import {name}"

    def _data(self) -> str:
        encoded = " Labels are as you have them: `encode` turns them into indices." if self.labels else ""
        shape = "" if not self.recipe.is_graph else _shapes(self.recipe.architecture)
        told = f"Returns ((x, y) to train on, (x, y) to validate on or None).{shape}{encoded}"
        doc = textwrap.wrap(f'"""{told}"""', WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)
        return "\n".join(
            [
                "def load_data():",
                *doc,
                f"{INDENT}# YOUR DATA HERE",
                f'{INDENT}raise NotImplementedError("load_data: return your own arrays here")',
            ]
        )

    def _fit(self) -> list[str]:
        from autofix.code.fitting import encoder, fitting, oversampling

        parts = []
        if self.labels:
            parts.append(encoder(self.labels, self._change_lines("transforms/labels", "")))
        if self.fit.get("oversample"):
            parts.append(oversampling(self._change_lines("fit/oversample", INDENT)))
        marks = {key: self._change_lines(f"fit/{key}", INDENT * 2) for key in self.fit}
        adapts = self.recipe.is_graph and _learns_from_data(self.recipe.architecture)
        parts.append(fitting(self.fit, encodes=bool(self.labels), adapts=adapts, marks=marks))
        return parts

    def _change_lines(self, path: str, indent: str) -> list[str]:
        return self._mark(self.by_path[path], indent) if path in self.by_path else []

    def _main(self) -> str:
        return "\n".join(
            [
                'if __name__ == "__main__":',
                f"{INDENT}train, validation = load_data()",
                f"{INDENT}model = build_model()",
                f"{INDENT}fit_model(model, train, validation)",
                f'{INDENT}model.save("model.keras")',
            ]
        )


def _learns_from_data(architecture: Mapping[str, Any]) -> bool:
    """Whether a layer of the model itself takes its numbers from the data by `adapt`."""
    return any(
        item["class_name"] == "Normalization" and item["config"].get("mean") is None
        for item in architecture["config"].get("layers", ())
    )


def _is_frozen(node: Any) -> bool:
    """Whether a layer anywhere in a model is held."""
    if isinstance(node, Mapping):
        return node.get("trainable") is False or any(_is_frozen(value) for value in node.values())
    return isinstance(node, tuple | list) and any(map(_is_frozen, node))


def _shapes(architecture: Mapping[str, Any]) -> str:
    """A sentence that says what the inputs look like."""
    shapes = [
        item["config"]["batch_shape"][1:]
        for item in architecture["config"]["layers"]
        if item["class_name"] == "InputLayer" and item["config"].get("batch_shape")
    ]
    if not shapes:
        return ""
    told = " and ".join("[rows" + "".join(f", {size or 'any'}" for size in shape) + "]" for shape in shapes)
    return f" x: {told}."

"""What is looked for in a model file before Keras opens it: code, links to other files, sizes out of all proportion."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autofix.errors import FixYourModel
from autofix.sources.limits import MOST_TEXT_BYTES, check_archive, memory_bytes

# Layers whose configuration is code, or which fetch it from elsewhere when they are loaded.
CODE = ("Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")
# Parts of Keras that read, write, download or set what counts for all of Keras; no part of a model is among them.
ACTING = frozenset(
    f"keras.{name}"
    for name in (
        "applications",
        "callbacks",
        "config",
        "datasets",
        "distribution",
        "export",
        "preprocessing",
        "saving",
        "utils",
        "wrappers",
    )
)
WEIGHTS = "model.weights.h5"
CONFIG = "config.json"


def screen_keras(path: Path, *, allow_unsafe: bool) -> None:
    """Refuses a `.keras` file that would run code, write elsewhere or fill the memory.

    Raises:
        FixYourModel: With the reason.
    """
    names = check_archive(path, "the model file", FixYourModel)
    if CONFIG not in names:
        raise FixYourModel(
            f"{str(path)!r} must be a model saved by `model.save('name.keras')`. Received: an archive without "
            f"{CONFIG!r}{': weights alone' if WEIGHTS in names else ''}. Save the whole model."
        )
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(CONFIG).file_size > MOST_TEXT_BYTES:
            raise FixYourModel(f"{CONFIG} in {str(path)!r} must be text of less than {MOST_TEXT_BYTES:,} bytes.")
        try:
            document = json.loads(archive.read(CONFIG))
        except (ValueError, RecursionError, zipfile.BadZipFile, EOFError, OSError) as error:
            raise FixYourModel(f"{CONFIG} in {str(path)!r} cannot be read ({error}). Save the model again.") from error
        screen_config(document, path, allow_unsafe=allow_unsafe)
        for name in names:
            if name.endswith(".h5"):
                with archive.open(name) as member:
                    _screen_h5(member, path, allow_unsafe)


def screen_h5(path: Path, *, allow_unsafe: bool) -> None:
    """Refuses an `.h5` file that would run code, read elsewhere or fill the memory.

    Raises:
        FixYourModel: With the reason.
    """
    with path.open("rb") as file:
        text = _screen_h5(file, path, allow_unsafe)
    if text is None:
        raise FixYourModel(
            f"{str(path)!r} must be a whole model. Received: an HDF5 file without a configuration, such as that of "
            "`save_weights`. Save it by `model.save('name.keras')`, or pass module.py:build_model."
        )


def _screen_h5(file: Any, path: Path, allow_unsafe: bool) -> str | None:
    import h5py

    try:
        with h5py.File(file, "r") as tree:
            total = sum(_bytes_of(tree, path, set()))
            text = tree.attrs.get("model_config")
            training = tree.attrs.get("training_config")
    except FixYourModel:
        raise
    except (OSError, ValueError, RuntimeError, KeyError, RecursionError, zipfile.BadZipFile, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FixYourModel(f"the weights in {str(path)!r} cannot be read ({reason}). Save the model again.") from error
    if total > memory_bytes():
        raise FixYourModel(
            f"the weights in {str(path)!r} must fit into the memory of this machine. Received: {total:,} bytes."
        )
    for config in (text, training):
        if config is not None:
            screen_config(_json(config, path), path, allow_unsafe=allow_unsafe)
    return None if text is None else str(text)


def _json(text: Any, path: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise FixYourModel(f"the configuration in {str(path)!r} cannot be read ({error}). Save it again.") from error


def _bytes_of(tree: Any, path: Path, seen: set[int]) -> Iterator[int]:
    """Yields the sizes of all arrays; follows no link out of the file.

    A group that hangs in several places counts once: thirty groups, each twice in the one before, are a billion paths.
    """
    import h5py

    for name in tree:
        link = tree.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise FixYourModel(
                f"{str(path)!r} must hold its weights itself. Received: {name!r}, a link to somewhere else. Do not "
                "use it, and get the file from somebody you trust."
            )
        item = tree[name]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:
            continue
        seen.add(address)
        if isinstance(item, h5py.Group):
            yield from _bytes_of(item, path, seen)
            continue
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise FixYourModel(f"{str(path)!r} must hold its weights itself. Received: {name!r}, in another file.")
            yield int(item.nbytes)


def screen_config(document: Any, path: Path, *, allow_unsafe: bool) -> None:
    """Refuses a configuration as Keras writes it, of a model or a part of one, that would run code.

    Args:
        document: The configuration, as plain data.
        path: The file that it is from.
        allow_unsafe: Whether layers may hold code.

    Raises:
        FixYourModel: With the reason.
    """
    for node in _mappings(document):
        class_name, module = node.get("class_name"), node.get("module")
        if class_name in CODE and not allow_unsafe:
            kind = "Lambda" if class_name == "__lambda__" else class_name
            raise FixYourModel(
                f"{str(path)!r} holds a {kind} layer: code that runs when it is loaded. Pass --allow-unsafe if you "
                "trust whoever made the file, or build the model by your own code: module.py:build_model."
            )
        if isinstance(node.get("vocabulary"), str) and not allow_unsafe:
            raise FixYourModel(
                f"{str(path)!r} must hold its vocabulary itself. Received: one that is read from "
                f"{node['vocabulary']!r} on this machine. Build the model by your own code: module.py:build_model."
            )
        if class_name is None or not isinstance(module, str) or module in ("builtins", "keras"):
            continue
        if not module.startswith("keras.") or ".".join(module.split(".")[:2]) in ACTING:
            what = node.get("config") if class_name == "function" else class_name
            raise FixYourModel(
                f"{str(path)!r} needs code that is not in it: {what!r} of {module!r}. Pass a function of yours that "
                "builds the model: module.py:build_model."
            )


def _mappings(node: Any) -> Iterator[Mapping[str, Any]]:
    rest = [node]
    while rest:
        item = rest.pop()
        if isinstance(item, Mapping):
            yield item
            rest.extend(item.values())
        elif isinstance(item, list | tuple):
            rest.extend(item)

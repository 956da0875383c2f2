"""A model by its name: a file that Keras saved, or a function that builds one."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from autofix.errors import FixYourCall, FixYourModel, one_line
from autofix.hints import ModelHints
from autofix.sources.code import function_of
from autofix.sources.screening import screen_h5, screen_keras
from autofix.sources.spec import code_of, existing

if TYPE_CHECKING:
    import keras

SUFFIXES = {".keras": screen_keras, ".h5": screen_h5, ".hdf5": screen_h5}


def load_model(spec: str, *, allow_unsafe: bool = False) -> keras.Model | Callable[[], keras.Model]:
    """Loads a compiled model, or the function that builds it.

    A file is looked through before Keras opens it, in safe mode; no code that is in it is run.

    Args:
        spec: A `.keras` or `.h5` file, `module.py:function` or `package.module:function`.
        allow_unsafe: Whether the file may hold Lambda layers, whose code is then run.

    Raises:
        FixYourCall: If there is no such file or function.
        FixYourModel: If the file is damaged, not compiled, or would run code.
    """
    code = code_of(spec)
    if code is not None:
        return function_of(code)
    path = existing(spec, "model")
    screen = SUFFIXES.get(path.suffix)
    if path.is_dir() or screen is None:
        what = "a folder" if path.is_dir() else f"a file of type {path.suffix or 'unknown'}"
        raise FixYourCall(
            f"a model must be a .keras or .h5 file, or module.py:build_model. Received: {spec!r}, {what}. "
            "Save it by `model.save('name.keras')`."
        )
    if not path.is_file() or path.stat().st_size == 0:
        raise FixYourModel(f"{spec!r} is empty. Save the model again by `model.save('name.keras')`.")
    screen(path, allow_unsafe=allow_unsafe)
    return _opened(path, allow_unsafe)


def _opened(path: Path, allow_unsafe: bool) -> keras.Model:
    from autofix.recipe.files import open_model

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = open_model(path, safe_mode=not allow_unsafe)
    except Exception as error:  # whatever Keras raises about a file that anybody may have written
        raise FixYourModel(
            f"Keras cannot load {str(path)!r}: {one_line(error)}. If it needs code of yours, such as a loss, pass a "
            "function that builds the model: module.py:build_model."
        ) from error
    if not getattr(model, "compiled", False):
        raise FixYourModel(
            f"the model in {str(path)!r} must be compiled: its optimizer and loss are part of what is repaired. "
            "Call `model.compile(...)` before `model.save(...)`, or pass module.py:build_model."
        )
    return model


def hints_for(model: keras.Model | Callable[[], keras.Model]) -> ModelHints:
    """Returns what a model says about its data: names and shapes of inputs and outputs, and losses.

    Raises:
        FixYourModel: If it is not compiled or cannot be built.
    """
    from autofix.given import read_model

    return read_model(model, {}, seed=0, build=False)[2]

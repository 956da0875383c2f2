"""Functions of the user's own: the only place where code is run, because the user named it."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autofix.errors import AutofixError, FixYourCall, FixYourData, did_you_mean, one_line
from autofix.sources.spec import Code, existing


def function_of(code: Code) -> Callable[[], Any]:
    """Imports a module and returns one of its functions.

    Args:
        code: Module and function. The folder of a file, or the working folder, can be imported from as it can when
            a script is run.

    Raises:
        FixYourCall: If there is no such module or function, or importing it fails.
    """
    module = _from_file(existing(code.module, "Python file")) if code.is_file else _from_path(code.module)
    found = getattr(module, code.function, None)
    if not callable(found):
        known = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        raise FixYourCall(
            f"{code.module} must hold a function {code.function!r}.{did_you_mean(code.function, known)} "
            f"Received: {', '.join(known) or 'no function at all'}."
        )
    function: Callable[[], Any] = found
    return function


def loaded_by(code: Code) -> Any:
    """Calls a function that loads data.

    Raises:
        FixYourData: If it raises.
    """
    function = function_of(code)
    try:
        return function()
    except AutofixError:
        raise
    except Exception as error:  # whatever the user's code does
        raise FixYourData(f"{code.module}:{code.function}() must return data. It raised {one_line(error)}.") from error


def _from_file(path: Path) -> Any:
    if path.is_dir():
        raise FixYourCall(f"{str(path)!r} is a folder. Name a Python file and a function: FILE.py:FUNCTION.")
    name = path.stem
    known = sys.modules.get(name)
    if known is not None and _is_from(known, path):
        return known
    if known is not None:  # "random.py" must not take the place of Python's own
        name = f"{name}_{hashlib.blake2b(bytes(path.resolve()), digest_size=4).hexdigest()}"
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # the name ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Known by its name, so that what it defines can be named again when a model is saved and loaded.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's code does
        del sys.modules[name]
        raise FixYourCall(f"{path} cannot be imported: {one_line(error)}. Try `python {path}`.") from error
    return module


def _is_from(module: Any, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path.resolve()


def _from_path(name: str) -> Any:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise FixYourCall(
                f"there is no module {name!r}. Install it, or name its file: {name.rsplit('.', 1)[-1]}.py:FUNCTION."
            ) from error
        raise FixYourCall(f"module {name!r} cannot be imported: {one_line(error)}.") from error
    except Exception as error:  # whatever the user's code does
        raise FixYourCall(f"module {name!r} cannot be imported: {one_line(error)}.") from error

"""Bridges to other tools, one a file. None is imported by `import autofix`; what each needs is an extra of its own."""

from __future__ import annotations

import importlib
from typing import Any

from autofix.errors import AutofixError


class NotInstalled(AutofixError, ImportError):
    """A tool that an integration writes for is missing. The message says how to install it."""


def needed(module: str, extra: str) -> Any:
    """Imports a module of an optional dependency.

    Args:
        module: Its import name.
        extra: The extra of this distribution that installs it.

    Raises:
        NotInstalled: If it is not there.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and module.split(".")[0] != error.name.split(".")[0]:
            raise
        raise NotInstalled(
            f"this integration needs {module.split('.')[0]!r}, which is not installed. "
            f"Run: pip install 'keras-autofix[{extra}]'"
        ) from error

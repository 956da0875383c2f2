"""What a text names: `module.py:function` and `package.module:function` are code, everything else is not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from autofix.errors import FixYourCall

SKLEARN = "sklearn:"
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Code:
    """A function of the user's.

    Attributes:
        module: A `.py` file, or the dotted name of a module.
        function: Its name.
    """

    module: str
    function: str

    @property
    def is_file(self) -> bool:
        """Whether the module is named by its file."""
        return self.module.endswith(".py")


def names_code(spec: str) -> bool:
    """Whether a text names a function of the user's, which will be run."""
    return code_of(spec) is not None


def code_of(spec: str) -> Code | None:
    """Returns the function that a text names, None where it names a file, a folder or a data set of scikit-learn.

    Raises:
        FixYourCall: If it begins like code, but names no function.
    """
    if spec.startswith(SKLEARN):
        return None
    if spec.endswith(".py"):
        raise FixYourCall(f"a Python file needs the name of a function. Received: {spec!r}. Write {spec}:FUNCTION.")
    module, colon, function = spec.rpartition(":")
    if not colon or not (module.endswith(".py") or DOTTED.fullmatch(module)):
        return None
    if not NAME.fullmatch(function):
        raise FixYourCall(f"{spec!r} must end in the name of a function, such as {module}:build_model.")
    return Code(module, function)


def existing(spec: str, what: str) -> Path:
    """Returns the path of a file or folder that is there.

    Raises:
        FixYourCall: If there is none.
    """
    path = Path(spec)
    try:
        found = path.exists()
    except (OSError, ValueError) as error:
        raise FixYourCall(f"{what} {spec[:80]!r} cannot be looked up: {error}. Check the path.") from error
    if not found:
        beside = sorted(item.name for item in path.parent.iterdir()) if path.parent.is_dir() else []
        from autofix.errors import did_you_mean

        raise FixYourCall(
            f"there is no {what} {spec!r}.{did_you_mean(path.name, beside)} Check the path; "
            "a function is named module.py:function."
        )
    return path

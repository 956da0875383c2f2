"""Code: a repair as a Keras script, and as a diff of the user's own script."""

from __future__ import annotations

from autofix.code.script import to_code

__all__ = ["to_code"]

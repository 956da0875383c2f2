"""Prints `docs/code.md` anew: what `autofix patch` says about the example on it.

Run `python -m tests.docs.code > code.md && mv code.md docs/code.md` after a change to what it prints.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from autofix.change import Patch
from autofix.cli import main
from autofix.recipe import Recipe

PAGE = Path(__file__).parents[2] / "docs" / "code.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```\n", re.DOTALL)
# The blocks of the page in their order: what the user has, and what is printed.
SHELL, SCRIPT, PATCH, DIFF, HAND, CODE = range(6)


def page(text: str) -> str:
    """The page with its three printed blocks made anew from the script and the patch on it."""
    blocks = [match.group(2) for match in BLOCK.finditer(text)]
    printed = _printed(blocks[SCRIPT], blocks[PATCH])
    fresh = iter(printed.get(place, block) for place, block in enumerate(blocks))
    return BLOCK.sub(lambda match: f"```{match.group(1)}\n{next(fresh)}```\n", text)


def _printed(script: str, patch: str) -> dict[int, str]:
    recipe = _recipe(script)
    with tempfile.TemporaryDirectory() as name:
        run = Path(name) / "runs" / "churn"
        run.mkdir(parents=True)
        (run / "patch.yaml").write_text(Patch.from_yaml(patch).to_yaml())
        (run / "metrics.json").write_text(json.dumps({"metric": "balanced_accuracy", "recipe": recipe.to_dict()}))
        with contextlib.chdir(name):
            Path("train.py").write_text(script)
            told = CliRunner().invoke(main, ["patch", "train.py", "--run", str(run)])
            code = CliRunner().invoke(main, ["patch", "--run", str(run)])
    return {DIFF: told.stdout, HAND: told.stderr, CODE: code.stdout}


def _recipe(script: str) -> Recipe:
    """The recipe of the example, as it is in a fresh process."""
    import keras

    keras.backend.clear_session()
    names: dict[str, Any] = {"x": None, "y": None}
    own = keras.Model.fit
    keras.Model.fit = lambda *arguments, **settings: None
    try:
        exec(script, names)  # noqa: S102 (ours)
    finally:
        keras.Model.fit = own
    return Recipe.of(names["model"], fit={"epochs": 5})


if __name__ == "__main__":
    sys.stdout.write(page(PAGE.read_text(encoding="utf-8")))

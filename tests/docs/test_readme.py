"""What the README says of a call is what the call takes."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import autofix

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_arguments_and_defaults_of_a_repair():
    (block,) = (one for one in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "    model,  #" in one)
    call = ast.parse(block).body[0].value
    shown = {one.arg: ast.literal_eval(one.value) for one in call.keywords}
    parameters = inspect.signature(autofix.repair).parameters.values()
    assert [one.id for one in call.args] == [one.name for one in parameters if one.default is inspect.Parameter.empty]
    assert shown == {one.name: one.default for one in parameters if one.default is not inspect.Parameter.empty}


def test_two_commands_are_fenced_as_such():
    assert len(re.findall(r"^```sh$", README, re.MULTILINE)) == 2

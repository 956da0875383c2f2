"""Whatever is wrong with what a command is given, it ends in a message with the way out and the right exit code.

No case runs code that is in a file, and none leaves anything behind.
"""

from __future__ import annotations

import pytest

from tests.cli import bad_data, bad_models, bad_words
from tests.cli.hostile import CANARY, everything_in

CASES = [*bad_models.CASES, *bad_data.CASES, *bad_words.CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_message_and_exit_code(case, command, models, tmp_path):
    case.make(tmp_path, models)
    (tmp_path / CANARY).unlink(missing_ok=True)
    before = everything_in(tmp_path)
    given = case.arguments.replace("MODEL", str(models / "plain.keras")).replace(
        "DATA", f"--data {models / 'data.npz'}"
    )
    result = command(*given.split(" "))
    assert result.exit_code == case.code, (result.output, result.exc_info)
    for word in case.says:
        assert word in result.stderr
    assert "Traceback" not in result.output
    assert not result.stdout
    left = {name for name in everything_in(tmp_path) - before if "__pycache__" not in name}
    assert not left
    assert not (tmp_path / CANARY).exists()


def test_there_are_at_least_sixty():
    assert len({case.name for case in CASES}) == len(CASES) >= 60

"""The gallery's own scripts, repaired, patched and run."""

import pytest

from tests.code.gallery import main


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_patched_scripts_reach_the_repaired_score():
    assert main([]) == 0

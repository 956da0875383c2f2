"""What every strategy is held to, for the built-in ones and for third parties' own.

Example:
    ```python
    import pytest

    from autofix import testing
    from my_strategies import MyStrategy


    @pytest.mark.parametrize("name", testing.CASES)
    def test_contract(name):
        testing.check_strategy(MyStrategy(), testing.small_case(name))
    ```
"""

from __future__ import annotations

from autofix.testing.cases import CASES, SmallCase, case_for, small_case, small_cases
from autofix.testing.checks import check_file, check_patch, check_space, check_strategy, check_trains
from autofix.testing.numbers import facts_for

__all__ = [
    "CASES",
    "SmallCase",
    "case_for",
    "check_file",
    "check_patch",
    "check_space",
    "check_strategy",
    "check_trains",
    "facts_for",
    "small_case",
    "small_cases",
]

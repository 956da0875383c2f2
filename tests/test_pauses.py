"""Garbage collection is short meanwhile, and afterwards as it was."""

import gc

import pytest

from autofix.pauses import short_pauses


@pytest.fixture(autouse=True)
def thawed():
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_what_was_there_is_left_out_meanwhile_alone():
    with short_pauses():
        assert gc.get_freeze_count() > 1000
    assert gc.get_freeze_count() == 0


def test_an_error_on_the_way_changes_nothing():
    with pytest.raises(ValueError, match="on the way"), short_pauses():
        raise ValueError("on the way")
    assert gc.get_freeze_count() == 0


def test_objects_that_somebody_else_has_frozen_stay_so():
    gc.freeze()
    before = gc.get_freeze_count()
    with short_pauses():
        assert gc.get_freeze_count() <= before
    assert gc.get_freeze_count() > 0

"""The reference is what the docstrings say."""

from pathlib import Path

from tests.docs.reference import page

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"


def test_reference_is_current():
    told = page()
    assert PAGE.read_text(encoding="utf-8") == told.rstrip() + "\n", (
        "print it again: python -m tests.docs.reference > docs/reference.md"
    )
    for name in ("## repair", "### RepairResult.save", "| `HEALTHY` |", "| `FixYourData` |"):
        assert name in told

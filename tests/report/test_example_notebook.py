"""The example notebook: what is committed has run and is what the code shows; run anew with `-m slow`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs nbformat, which nbclient brings: `pip install nbclient`")
ROOT = Path(__file__).parents[2]
PATH = ROOT / "examples" / "notebooks" / "repair.ipynb"


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def kinds(notebook) -> list[list[tuple[str, tuple[str, ...]]]]:
    """What each cell put out, by kind: streams apart, which are TensorFlow's."""
    return [
        [(output.output_type, tuple(sorted(output.data))) for output in cell.outputs if output.output_type != "stream"]
        for cell in code_cells(notebook)
    ]


def html_of(notebook) -> str:
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return "".join(output.data.get("text/html", "") for output in outputs if "data" in output)


@pytest.fixture
def committed():
    return nbformat.read(PATH, as_version=4)


def test_committed_has_run(committed):
    nbformat.validate(committed)
    cells = code_cells(committed)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert "error" not in {output.output_type for cell in cells for output in cell.outputs}
    assert PATH.stat().st_size < 100_000


def test_committed_shows_what_the_code_shows(committed, reports):
    made = reports["repaired"].result
    shown = html_of(committed)
    for part in ("REPAIRED", "What was wrong", "What was changed", "likely causes", "without it:", "ended · run"):
        assert part in shown
    for made_now in (made._repr_html_(), made.diagnosis[0]._repr_html_(), made.patch._repr_html_()):
        assert made_now.split(">", 1)[0] in shown


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_runs(committed, tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    # The kernel is another process: it is to import the tree that is tested, whatever is installed.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "strategies")]))
    expected = kinds(committed)
    client = nbclient.NotebookClient(
        committed, timeout=800, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    assert kinds(committed) == expected
    assert "REPAIRED" in html_of(committed)
    assert (tmp_path / "report.html").stat().st_size < 3_000_000

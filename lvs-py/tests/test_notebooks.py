"""The notebooks run, and show tables and plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs").glob("*.ipynb"))


@pytest.mark.filterwarnings("ignore")  # of Jupyter's own packages
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_and_shows_what_it_makes(notebook: Path) -> None:
    cells: Any = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    assert not any(cell.get("outputs") for cell in cells.cells), "outputs are not kept in the repository"
    NotebookClient(cells, timeout=300, kernel_name="python3").execute()
    for cell in cells.cells:
        if cell.cell_type == "code":
            kind = "image/png" if cell.source.splitlines()[-1].startswith("plot.") else "text/html"
            assert any(kind in output.get("data", {}) for output in cell.outputs), cell.source


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS

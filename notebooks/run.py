"""Run a notebook top to bottom and keep its results in it, without what differs from run to run.

$ make notebook
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient


def run(path: Path, parameters: Mapping[str, Any] | None = None) -> nbformat.NotebookNode:
    """The notebook with its results; ``parameters`` are assigned after the cell that is tagged so.

    Raises nbclient's CellExecutionError for the first cell that fails.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    if parameters:
        (cell,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", ())]
        cell.source += "".join(f"\n{name} = {value!r}" for name, value in parameters.items())
    patience = {"timeout": 1800, "startup_timeout": 600, "iopub_timeout": 600}  # seconds: a busy machine is slow
    folder = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, record_timing=False, resources=folder, **patience).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":  # progress bars and the like
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
    return notebook


if __name__ == "__main__":
    for name in sys.argv[1:]:
        nbformat.write(run(Path(name)), name)  # type: ignore[no-untyped-call]

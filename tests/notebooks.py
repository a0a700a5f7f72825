"""Notebooks: run as a reader would, and kept without what differs from run to run.

`python -m tests.notebooks [NAME ...]` runs them and writes their outputs into `notebooks/`.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SECONDS = 600


def run(path: Path, folder: Path) -> NotebookNode:
    """The notebook after all its cells, in a kernel of the running interpreter, whatever kernels are installed.

    Args:
        path: The notebook; its file is not changed.
        folder: Where it runs.

    Raises:
        CellExecutionError: Of the first cell that fails.
    """
    notebook = nbformat.read(path, as_version=4)
    kernel = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = NotebookClient(notebook, km=kernel, timeout=SECONDS, resources={"metadata": {"path": str(folder)}})
    # As the command `biosig` has it: threads that spin while they wait are many times slower beside other work.
    client.execute(env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"})
    return tidy(notebook)


def tidy(notebook: NotebookNode) -> NotebookNode:
    """Without times, widgets, what went to standard error, and paths of the machine."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        kept = [one for one in cell.outputs if one.get("name") != "stderr"]
        for output in kept:
            _without_paths(output)
        cell.outputs = kept
    return notebook


def pictures(notebook: NotebookNode) -> int:
    """How many outputs are pictures."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def _without_paths(output: NotebookNode) -> None:
    where = re.compile(re.escape(tempfile.gettempdir()) + r"/[\w.-]+")
    texts = output.get("data", output)
    for kind, text in texts.items():
        if isinstance(text, str) and kind != "image/png":
            texts[kind] = where.sub("FOLDER", text)


if __name__ == "__main__":
    for name in sys.argv[1:] or [path.name for path in NOTEBOOKS]:
        with tempfile.TemporaryDirectory() as place:
            nbformat.write(run(FOLDER / name, Path(place)), FOLDER / name)

"""Every notebook runs to its end, and its file holds what it shows."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.notebooks import FOLDER, NOTEBOOKS, pictures, run


@pytest.fixture(autouse=True)
def _nothing_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_its_file_shows(path: Path, tmp_path: Path) -> None:
    kept, made = nbformat.read(path, as_version=4), run(path, tmp_path)
    assert pictures(made) == pictures(kept) > 0
    for one, other in zip(kept.cells, made.cells, strict=True):
        assert [output.output_type for output in one.get("outputs", [])] == [
            output.output_type for output in other.get("outputs", [])
        ], one.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_whole_and_without_traces_of_a_machine(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert not any(output.output_type == "error" or output.get("name") == "stderr" for output in cell.outputs)
        texts = [str(output.get("data", {}).get("text/plain", output.get("text", ""))) for output in cell.outputs]
        # Neither of this machine nor of the usual ones.
        places = ("/tmp/", "/home/", "/Users/", str(Path.home()), str(FOLDER.parent))
        assert not any(place in text for text in texts for place in places)
    assert notebook.cells[0].source.startswith("# ")

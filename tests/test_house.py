"""The rules of the house that no linter knows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("ontology", "biosig", "pretrain", "finetune")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_one_idea_a_file(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 500


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_data_is_never_evaluated_or_unpickled(path: Path) -> None:
    calls = re.findall(
        r"(?<![\w.])(?:eval|exec)\(|\bpickle\.loads?\(|torch\.load\(|allow_pickle=True", path.read_text()
    )
    assert not calls


@pytest.mark.parametrize("package", PACKAGES)
def test_types_ship(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


@pytest.mark.parametrize("package", ["ontology", "biosig"])
def test_import_is_light(package: str) -> None:
    code = f"import sys, {package}; print([m for m in ('torch', 'mne', 'neurokit2', 'matplotlib') if m in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"

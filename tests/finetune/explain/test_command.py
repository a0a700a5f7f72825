"""`biosig predict --explain`: a picture of each recording and finding, and words."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from biosig.cli import build
from biosig.store import Store
from finetune.adaptation.fit import Tuning, finetune
from finetune.diagnosis.diagnoser import Diagnoser
from tests.networks import simulated


@pytest.fixture(scope="module")
def saved(model: Path, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diagnoser") / "diagnoser"
    finetune(model, Store(store), Tuning(min_positives=2, draws=10)).diagnoser.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return [str(path) for path in sorted(simulated(tmp_path_factory.mktemp("new"), 2, seed=77).rglob("*.hea"))]


@pytest.mark.parametrize("method", ["gradients", "occlusion"])
def test_each_recording_and_finding_is_drawn(saved: Path, files: list[str], tmp_path: Path, method: str) -> None:
    concept = Diagnoser.from_pretrained(saved).config.concepts[1]
    wanted = ["--explain", "top", "--explain", concept.term.upper(), "--method", method, "--out", str(tmp_path)]
    asked = CliRunner().invoke(build(), ["predict", str(saved), *files[: 1 + (method == "gradients")], *wanted])
    assert asked.exit_code == 0, asked.output
    pictures = {path.name for path in tmp_path.glob("*.png")}
    for file in files[: 1 + (method == "gradients")]:
        assert f"{Path(file).stem}-{concept.abbreviation}.png" in pictures
        assert sum(name.startswith(f"{Path(file).stem}-") for name in pictures) >= 1
    assert f"{concept.term}: " in asked.output
    assert "most of it: " in asked.output
    assert "training records most like it" in asked.output


def test_without_a_folder_pictures_go_to_predictions(
    saved: Path, files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = CliRunner().invoke(build(), ["predict", str(saved), files[0], "--explain", "top"])
    assert asked.exit_code == 0, asked.output
    assert [path.parent.name for path in tmp_path.rglob("*.png")] == ["predictions"]
    assert not (tmp_path / "predictions" / "predictions.csv").exists()


def test_a_misspelt_finding_is_named_before_anything_is_drawn(saved: Path, files: list[str], tmp_path: Path) -> None:
    asked = CliRunner().invoke(
        build(), ["predict", str(saved), *files, "--explain", "sinus rythm", "--out", str(tmp_path / "out")]
    )
    assert "no finding 'sinus rythm'" in str(asked.exception)
    assert not (tmp_path / "out").exists()

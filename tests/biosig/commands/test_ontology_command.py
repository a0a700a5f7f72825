"""`biosig ontology` as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from biosig.cli import build, main
from biosig.simulate import write_corpus
from biosig.store import prepare
from ontology import read_owl


def said(*arguments: str) -> str:
    result = CliRunner().invoke(build(), ["ontology", *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stop:
        main(["ontology", *arguments])
    assert stop.value.code == 2
    return capsys.readouterr().err.strip()


@pytest.mark.parametrize("command", ["show", "path", "coverage", "draw", "convert"])
def test_each_command_has_an_example(command: str) -> None:
    assert f"Example: biosig ontology {command}" in said(command, "--help")


@pytest.mark.parametrize("name", ["atrial fibrillation", "AF", "164889003", "afib", "(AFIB"])
def test_a_concept_is_shown_by_any_name(name: str) -> None:
    output = said("show", name)
    assert "atrial fibrillation (AF)" in output
    assert "is a atrial fibrillation or flutter (ATA), rhythm" in output
    assert "in scp-ecg AFIB" in output


def test_shown_by_a_code_and_from_another_graph() -> None:
    assert "'SBRAD' is a code of scp-ecg" in said("show", "SBRAD")
    assert "biosig:stage-n2" in said("show", "N2")
    assert "is a bundle branch block (BBB), conduction" in said("show", "LBBB", "--graph", "cardiac")


def test_a_misspelt_name_suggests_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean 'atrial fibrillation'" in refused(capsys, "show", "atrial fibrilation")
    assert "did you mean 'sinus rhythm'" in refused(capsys, "path", "AF", "sinus rythm")
    assert "did you mean 'cardiac'" in refused(capsys, "path", "AF", "SB", "--graph", "cardic")
    assert "did you mean 'left bundle branch block'" in refused(capsys, "show", "left bundle")
    assert "'joy' is in emotion" in refused(capsys, "path", "AF", "joy")
    assert "in what way is not said" in refused(capsys, "show", "R94.31")


def test_a_path_goes_up_and_down() -> None:
    output = said("path", "SBRAD", "STach")
    assert output == (
        "sinus bradycardia (SB) ↑ is a kind of (rhythm) rhythm of sinus origin (SINUS) "
        "↓ has the kind (rhythm) sinus tachycardia (STach) "
        "distance 2 steps; lowest common ancestor: rhythm of sinus origin"
    )
    assert "distance 0 steps" in said("path", "AF", "AF")
    assert "lowest common ancestor: high arousal" in said("path", "joy", "fear")


def test_coverage_of_a_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_corpus(tmp_path / "new", 3, seed=2, workers=1, progress=False)
    prepare("simulated", tmp_path / "new", tmp_path / "store", workers=1, progress=False)
    output = said("coverage", str(tmp_path / "store"))
    assert "100.0 %" in output
    assert "3 of 3" in output
    assert "sleep" not in said("coverage", str(tmp_path / "store"), "--graph", "cardiac")
    assert "no-store" in refused(capsys, "coverage", str(tmp_path / "no-store"))


def test_draw_and_convert(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "wrote" in said("convert", "cardiac", str(tmp_path / "part.nt"), "--descendants-of", "conduction")
    assert "BBB" in {concept.abbreviation for concept in read_owl(tmp_path / "part.nt")}
    assert "wrote" in said("draw", str(tmp_path / "part.svg"), "--graph", str(tmp_path / "part.nt"))
    assert "bundle branch block" in (tmp_path / "part.svg").read_text()
    assert "picture ending in" in refused(capsys, "draw", str(tmp_path / "part.txt"))


def test_a_graph_is_coloured_by_predictions(tmp_path: Path) -> None:
    table, out = tmp_path / "predictions.csv", tmp_path / "scored.svg"
    lines = ["a/8.hea,164889003,AF,0.93", "a/8.hea,426783006,SR,0.04", "9.hea,164889003,AF,0.12", "9.hea,1,none,0.5"]
    table.write_text("\n".join(["file,concept,term,probability", *lines]), encoding="utf-8")
    said("draw", str(out), "--scores", str(table), "--of", "8.hea")
    text = out.read_text(encoding="utf-8")
    assert "0.93" in text
    assert "0.12" not in text
    assert "8 on the cardiac graph" in text
    said("draw", str(out), "--scores", str(table), "--of", "9")
    assert "0.12" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "columns: expected concept, and probability or score, got []"),
        ("concept,name\n164889003,AF", "columns: expected concept, and probability or score"),
        ("concept,score\n164889003,2", "score of 164889003: expected a number from 0 to 1, got '2'"),
        ("concept,score\n164889003,", "score of 164889003: expected a number from 0 to 1"),
        ("concept,score\n164889003,0\n164889003,1", "concept: expected each once"),
        ("file,concept,score\na,164889003,0\nb,164889003,1", "file: expected one of a, b (say which with --of)"),
    ],
)
def test_a_table_of_no_scores_is_one_line(
    content: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text(content, encoding="utf-8")
    assert words in refused(capsys, "draw", str(tmp_path / "x.svg"), "--scores", str(table))

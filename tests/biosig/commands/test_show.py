"""`biosig show` and `biosig simulate` as a user types them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from biosig.cli import main
from biosig.simulate import write_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("show") / "new", 3, seed=2, workers=1, progress=False)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    return int(stop.value.code or 0)


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height from the header of a PNG."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


def test_a_file_is_told_and_drawn(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep" / "picture.png"
    assert run("show", str(corpus / "000" / "sim000001.hea"), "--out", str(out)) == 0
    told = capsys.readouterr().out
    for words in ("sim000001", "aVR aVL aVF", "500 Hz", "10 s", "/min", "quality"):
        assert words in told
    width, height = picture_size(out)
    assert width / 150 * 25.4 == pytest.approx(25 * 10 + 12 + 8, abs=6)  # ten seconds, the pulse, borders
    assert height > 300


@pytest.mark.parametrize("record", ["sim000002", "2"])
def test_a_record_of_a_corpus_by_name_or_number(corpus: Path, record: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", str(corpus), "--corpus", "simulated", "--record", record) == 0
    told = capsys.readouterr().out
    header = (corpus / "000" / "sim000002.hea").read_text(encoding="utf-8")
    subject = header.split("#Subject: ")[1].split("\n")[0]
    assert "sim000002" in told
    assert subject in told


def test_without_an_extension_it_is_still_found(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", str(corpus / "000" / "sim000000")) == 0
    assert "sim000000" in capsys.readouterr().out


def test_the_second_record_of_a_store(corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = pytest.importorskip("biosig.store")
    store.prepare("simulated", corpus, tmp_path / "a.store", workers=1, progress=False)
    assert run("show", str(tmp_path / "a.store"), "--record", "1", "--out", str(tmp_path / "a.svg")) == 0
    assert "sim000001" in capsys.readouterr().out
    assert "<svg" in (tmp_path / "a.svg").read_text(encoding="utf-8")[:1000]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.edf"], "none.edf: no such file"),
        (["{corpus}", "--record", "sim000009"], "no record 'sim000009' among 3"),
        (["{corpus}/000/sim000000.hea", "--corpus", "simulated"], "name it with --record"),
        (["{corpus}/000/sim000000.hea", "--out", "x.bmp"], "expected a picture ending in"),
        (["{corpus}/000/sim000000.hea", "--out", "x.png", "--start", "99"], "expected a start from 0 to 10 s"),
        (["{corpus}/000/sim000000.hea", "--out", "x.png", "--layout", "wide"], "expected a layout such as"),
        (["{corpus}", "--corpus", "simulatd"], "did you mean 'simulated'"),
    ],
)
def test_what_cannot_be_shown_is_one_line(
    arguments: list[str], words: str, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("show", *(argument.format(corpus=corpus) for argument in arguments)) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.strip().count("\n") == 0


def test_markup_in_a_report_is_shown_as_it_stands(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for ending in ("hea", "dat"):
        shutil.copy(corpus / "000" / f"sim000000.{ending}", tmp_path)
    header = tmp_path / "sim000000.hea"
    text = header.read_text(encoding="utf-8")
    header.write_text(text.split("#Report")[0] + "#Report: [red]$x^{[/red] 50 % [/]\n", encoding="utf-8")
    assert run("show", str(header), "--out", str(tmp_path / "a.png")) == 0
    assert "[red]$x^{[/red] 50 % [/]" in capsys.readouterr().out


def test_simulate_writes_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--records", "3", "--seed", "5", "--rate", "100", "--duration", "4", "--workers", "1"]
    assert run("simulate", str(tmp_path / "new"), *arguments) == 0
    assert "3 simulated ECGs" in capsys.readouterr().out
    lines = (tmp_path / "new" / "RECORDS").read_text(encoding="utf-8").split()
    assert len(lines) == 3
    samples = np.fromfile(tmp_path / "new" / f"{lines[2]}.dat", "<i2")
    assert len(samples) == 12 * 400
    assert run("simulate", str(tmp_path / "new"), *arguments) == 2
    assert "expected a new or empty folder" in capsys.readouterr().err


@pytest.mark.real
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ecg/ludb", "--corpus", "ludb", "--record", "8"], ["atrial fibrillation", "79 /min"]),
        (["ecg/mitdb", "--corpus", "mitdb", "--record", "208", "--start", "20"], ["MLII V1", "V x992"]),
        (["ecg/ptb-xl", "--corpus", "ptb-xl", "--layout", "6x2"], ["NORM (100 %)", "sinusrhythmus"]),
        (["ecg/cinc2021/georgia/E07938.hea"], ["premature atrial contraction"]),
        (["eeg/eegmat/Subject00_1.edf", "--start", "30"], ["Fp1 Fp2", "500 Hz"]),
        (["eeg/eegmat/Subject00_1.edf", "--layout", "topomap"], ["Fp1 Fp2"]),
    ],
)
def test_real_recordings(
    biosig_data: Path, tmp_path: Path, arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path, *options = arguments
    assert run("show", str(biosig_data / path), *options, "--out", str(tmp_path / "a.png")) == 0
    told = capsys.readouterr().out
    assert all(word in told for word in words)
    assert picture_size(tmp_path / "a.png")[0] > 800

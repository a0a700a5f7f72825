"""`biosig simulate`: ECG as ever, EEG by another kind, and no option of one for the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosig.cli import main
from biosig.corpora import CORPORA


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        main(["simulate", *arguments])
        status = 0
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_ecg_is_the_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "ecg"
    arguments = (str(folder), "--records", "2", "--rate", "100", "--duration", "2", "--workers", "1")
    status, out, _ = run(capsys, *arguments)
    assert status == 0
    assert f"{folder}: 2 simulated ECGs with" in out
    assert "100 Hz, 2 s" in out
    assert [entry.record_id for entry in CORPORA["simulated"].find(folder)] == ["sim000000", "sim000001"]


def test_eeg_with_everything_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "eeg"
    said = "--kind eeg --subjects 2 --stimuli 3 --classes 3 --electrodes Cz,O1 --latency drifting --spread 1"
    said += " --snr 3 --strength 0 --rate 64 --duration 3 --seed 5 --workers 1"
    status, out, _ = run(capsys, str(folder), *said.split())
    assert status == 0
    assert out.splitlines()[-1] == (
        f"{folder}: 6 simulated EEGs, 2 subjects x 3 stimuli, 2 electrodes, 64 Hz, 3 s, drifting latencies up to 1 s"
    )
    corpus = CORPORA["simulated-eeg"]
    recordings = [corpus.read(entry) for entry in corpus.find(folder)]
    assert {one.subject_id for one in recordings} == {"S0000", "S0001"}
    assert {one.codes[0].code for one in recordings} == {"class-1", "class-2", "class-3"}
    assert all(one.channels == ("Cz", "O1") and one.sampling_rate == 64 and one.duration == 3 for one in recordings)
    assert all(len(one.meta["latency"]) == 4 for one in recordings)


@pytest.mark.parametrize(("cap", "first"), [("14", "AF3"), ("19", "Fp1"), ("62", "Fp1")])
def test_a_cap_by_its_size(tmp_path: Path, capsys: pytest.CaptureFixture[str], cap: str, first: str) -> None:
    size = ("--kind", "eeg", "--subjects", "1", "--stimuli", "1", "--duration", "1", "--workers", "1")
    assert run(capsys, str(tmp_path / "eeg"), *size, "--electrodes", cap)[0] == 0
    corpus = CORPORA["simulated-eeg"]
    (entry,) = corpus.find(tmp_path / "eeg")
    recording = corpus.read(entry)
    assert (len(recording.channels), recording.channels[0]) == (int(cap), first)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--spread", "1"), "--spread: an option of another --kind than ecg"),
        (("--kind", "eeg", "--records", "5"), "--records: an option of another --kind than eeg"),
        (("--kind", "eeg", "--electrodes", "15"), "--electrodes: expected one of 14, 19, 32, 62 or names, got 15"),
        (("--kind", "eeg", "--electrodes", "Cz,II"), "electrodes: expected names of the 10-05 system, got 'II'"),
    ],
)
def test_what_does_not_fit_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    status, _, err = run(capsys, str(tmp_path / "new"), *arguments)
    assert status == 2
    assert message in err
    assert not (tmp_path / "new").exists()

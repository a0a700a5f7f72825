"""`biosig prepare` as a user types it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from biosig.cli import build, main
from biosig.preprocess import Resample
from biosig.presets import PRESETS, load
from biosig.store import Store
from tests.biosig.store.fake import FakeCorpus, write_corpus, write_record


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from biosig.corpora import CORPORA

    monkeypatch.setitem(CORPORA._entries, "fake", FakeCorpus())
    return write_corpus(tmp_path / "source", 3)


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["prepare", "fake", *map(str, arguments), "--workers", "0"])
    return int(stop.value.code or 0)


def test_a_preset_goes_into_the_store(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(source, tmp_path / "a") == 0
    assert Store(tmp_path / "a").info.preprocessing == load("raw-250")
    assert run(source, tmp_path / "b", "--preprocessing", "eeg", "--rate", 100) == 0
    info = Store(tmp_path / "b").info
    assert info.preprocessing == load("eeg").at_rate(100)
    assert info.preprocessing.steps[0] == Resample(rate=100)
    assert "3 records read, 1 skipped" in capsys.readouterr().out


def test_steps_of_a_file_go_into_the_store(source: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("steps: [{kind: bandpass, low: 1, high: 30}]")
    assert run(source, tmp_path / "a", "--preprocessing", file, "--rate", 100) == 0
    assert [step.kind for step in Store(tmp_path / "a").info.preprocessing.steps] == ["bandpass", "resample"]
    assert Store(tmp_path / "a").rates[0] == 100


@pytest.mark.parametrize(
    ("given", "message"),
    [("egg", "no preprocessing preset named 'egg'"), ("no.yaml", "no.yaml: no such file")],
)
def test_a_pipeline_that_is_not_there_leaves_nothing_behind(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str, message: str
) -> None:
    assert run(source, tmp_path / "a", "--preprocessing", given) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_events_are_counted(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(source, tmp_path / "a") == 0
    out = capsys.readouterr().out
    assert "6 events in 3 records, 3 of them presentations of 1 stimuli" in out
    rows = re.findall(r"│ (\S+) +│ +(\d+) +│ +(\d+)", out)
    assert rows == [("(AFIB", "3", "3"), ("N", "3", "3")]


def test_records_without_events_say_so(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "late.yaml"
    file.write_text("steps: [{kind: crop, start: 3.5}]")
    write_record(source, "r003", np.ones((1, 3000), np.float32))
    assert run(source, tmp_path / "a", "--preprocessing", file) == 0
    out = capsys.readouterr().out
    assert "0 events in 0 records" in out
    assert "code" not in out


def test_help_lists_the_presets() -> None:
    output = CliRunner().invoke(build(), ["prepare", "--help"], env={"COLUMNS": "200"}).output
    for name in PRESETS:
        assert f"{name}:" in output

"""The command line as a stranger meets it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import wfdb
from typer.testing import CliRunner

from biosig.cli import build, main
from biosig.errors import RecordError
from biosig.simulate import write_corpus

COMMANDS = (
    "corpora",
    "download",
    "simulate",
    "prepare",
    "audit",
    "show",
    "ontology",
    "recipes",
    "pretrain",
    "embed",
    "browse",
    "evaluate",
    "finetune",
    "predict",
    "outcome",
    "delineate",
    "beats",
    "stages",
    "emotion",
    "export",
    "model-page",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(build(), [command, "--help"], env={"COLUMNS": "120"})
    assert result.exit_code == 0, result.output
    assert f"biosig {command}" in result.output.split("Usage", 1)[1].split("\n", 1)[1], "no example in the help"


def test_commands_come_in_the_order_of_the_work() -> None:
    output = CliRunner().invoke(build(), ["--help"]).output
    listed = re.findall(r"^\W*([a-z-]+)  ", output.split("Commands", 1)[1], re.MULTILINE)
    assert [command for command in listed if command in COMMANDS] == list(COMMANDS)


def test_names_and_texts_of_others_neither_break_lines_nor_command_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["show", str(tmp_path / "a\nb\x1b[31m.edf")])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("a\\nb\\x1b[31m.edf: no such file or folder")
    wfdb.wrsamp("r", 100, ["mV"], ["I"], np.zeros((50, 1)), fmt=["16"], write_dir=str(tmp_path))
    with (tmp_path / "r.hea").open("a") as header:
        header.write("# \x1b]0;title\x07 [/] \x1b[31mred\n")
    with pytest.raises(SystemExit):
        main(["show", str(tmp_path / "r.hea")])
    shown = capsys.readouterr().out
    assert r"\x1b]0;title\x07 [/] \x1b[31mred" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("audit .", "not a store: no store.json in the folder"),
        ("prepare simulated a b --rate inf", "--rate: expected a positive number of Hz, got inf"),
    ],
)
def test_odd_arguments_are_one_line(
    command: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(command.split())
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_folders_that_rich_would_take_for_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_corpus(tmp_path / "a", 1, seed=0, sampling_rate=100.0, duration=4.0, progress=False)
    for command in (f"prepare simulated {tmp_path}/a {tmp_path}/[/b] --workers 1", f"audit {tmp_path}/[/b]"):
        with pytest.raises(SystemExit) as stop:
            main(command.split())
        assert stop.value.code == 0
    assert "[/b]" in capsys.readouterr().out


def test_an_error_of_the_user_is_one_line_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["show", "no-such-file.edf"])
    assert stop.value.code == 2
    message = capsys.readouterr().err.strip()
    assert "no-such-file.edf" in message
    assert "Traceback" not in message


def test_help_does_not_wait_for_heavy_libraries() -> None:
    heavy = {"torch", "mne", "neurokit2", "matplotlib", "sklearn", "transformers", "lightning_fabric", "owlready2"}
    code = f"import sys; from biosig.cli import build; build(); print(sorted({heavy} & set(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def test_version() -> None:
    assert CliRunner().invoke(build(), ["--version"]).output.startswith("biosig 0.")


def test_record_error_names_file_field_and_value_in_one_line() -> None:
    error = RecordError("some/folder/a.hea", "sampling rate", "a positive number of Hz", "x" * 500)
    assert str(error).startswith("a.hea: sampling rate: expected a positive number of Hz, got 'xxx")
    assert len(str(error)) < 200

"""`biosig corpora` lists everything there is, and shows one corpus with what to cite."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from biosig.commands.corpora import corpora
from biosig.corpora import CORPORA
from biosig.recording import Modality
from biosig.splits import Split
from ontology.registry import UnknownNameError

APP = typer.Typer()
APP.command()(corpora)
# Wide enough that no cell is wrapped.
WIDE = {"COLUMNS": "400"}


def shown(*arguments: str) -> str:
    result = CliRunner().invoke(APP, arguments, env=WIDE, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_the_list_has_every_corpus() -> None:
    output = shown()
    for name in CORPORA:
        (line,) = (line for line in output.splitlines() if line.startswith(f"│ {name} "))
        assert CORPORA[name].title in line
        assert CORPORA[name].licence in line


@pytest.mark.parametrize("name", sorted(CORPORA))
def test_one_corpus_is_shown_whole(name: str) -> None:
    output, corpus = shown(name), CORPORA[name]
    for text in (corpus.title, corpus.licence, corpus.url, corpus.citation[:120]):
        assert text in output
    assert f"train: {' '.join(map(str, corpus.split.train))}" in output


def test_text_in_brackets_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd:
        name, title, licence, citation, url = "odd", "[bold]title[/]", "[red]", "[/nothing]", "https://odd"
        modality, split, sampling_rates = (Modality.EEG,), Split(), ()

    monkeypatch.setitem(CORPORA._entries, "odd", Odd())
    assert "[bold]title[/]" in shown()
    assert "[/nothing]" in shown("odd")


def test_an_unknown_name_is_told_its_neighbour() -> None:
    with pytest.raises(UnknownNameError, match=r"no corpus named 'ptbxl' \(did you mean 'ptb-xl'"):
        CliRunner().invoke(APP, ["ptbxl"], catch_exceptions=False)


def test_importing_the_command_imports_nothing_heavy() -> None:
    code = "import sys, biosig.commands.corpora; print({'numpy', 'torch', 'mne', 'wfdb', 'pandas'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"

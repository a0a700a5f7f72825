"""The command: killed in the middle and run again, what it prints, whom it sends elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from biosig.commands.download import download
from biosig.corpora import CORPORA
from biosig.download import DownloadError, address
from biosig.errors import CorpusError
from tests.biosig.download.conftest import Server, answer

APP = typer.Typer()
APP.command()(download)
FILE = "first/r01.dat"
PROGRAM = "import sys, typer; from biosig.commands.download import download; sys.argv[0] = 'd'; typer.run(download)"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(APP, arguments, catch_exceptions=False, env={"COLUMNS": "200"})
    assert result.exit_code == 0
    return result.output


def test_it_prints_what_it_did(server: Server, tmp_path: Path) -> None:
    output = run("ludb", str(tmp_path / "c"), "--from", server.base.rstrip("/"))
    size = sum(map(len, server.files.values())) / 1e6
    assert (
        f"{len(server.files)} files: {len(server.files)} fetched ({size:.1f} MB), 0 there already, 0 failed" in output
    )
    assert f"0 fetched (0.0 MB), {len(server.files)} there already" in run(
        "ludb", str(tmp_path / "c"), "--from", server.base
    )


def test_a_failure_is_an_error_that_names_the_file(server: Server, tmp_path: Path) -> None:
    server.faults[FILE] = [lambda handler, _: answer(handler, 403, b"<html>", kind="text/html")]
    with pytest.raises(DownloadError, match=r"1 files could not be had \(first/r01.dat\)"):
        run("ludb", str(tmp_path / "c"), "--from", server.base)


def test_killed_in_the_middle_and_run_again(server: Server, tmp_path: Path) -> None:
    content, stuck, release = server.files[FILE], Event(), Event()
    sent = 2 * len(content) // 3

    def hangs(handler: Any, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:sent])
        handler.wfile.flush()
        stuck.set()
        release.wait(60)
        handler.close_connection = True

    server.files = {name: server.files[name] for name in (FILE, "RECORDS")}
    server.faults[FILE] = [hangs]
    command = [sys.executable, "-c", PROGRAM, "ludb", str(tmp_path), "--from", server.base, "--threads", "1"]
    part = tmp_path / f"{FILE}.part"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        assert stuck.wait(60)
        while not part.exists() or not part.stat().st_size:
            assert process.poll() is None
        process.kill()
    release.set()
    kept = part.stat().st_size
    assert 0 < kept <= sent
    assert part.read_bytes() == content[:kept]
    assert not (tmp_path / FILE).exists()
    run("ludb", str(tmp_path), "--from", server.base)
    assert server.ranges == [f"bytes={kept}-"]
    assert (tmp_path / FILE).read_bytes() == content
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("base", ["file:///etc", "ludb", "https://", "ftp://host/c", "http://[1"])
def test_an_address_that_is_none(base: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="--from: expected an address"):
        run("ludb", str(tmp_path), "--from", base)


def test_every_corpus_has_an_address_or_says_how_it_is_had() -> None:
    for corpus in (CORPORA[name] for name in CORPORA):
        if hasattr(corpus, "access"):
            with pytest.raises(CorpusError, match=re.escape(corpus.access)):
                address(corpus)
        else:
            assert address(corpus).startswith("https://physionet.org/files/")
    assert address(CORPORA["ptb-xl"]) == "https://physionet.org/files/ptb-xl/1.0.3/"
    with pytest.raises(
        CorpusError, match=r"seed cannot be downloaded by this command: .* sign the licence .* see https"
    ):
        run("seed", "nowhere")


def test_a_destination_that_is_a_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"")
    with pytest.raises(CorpusError, match="expected a folder to download to, found a file"):
        run("ludb", str(tmp_path / "c"), "--from", server.base)

"""Everything a server can do wrong: nothing wrong is accepted, nothing that came is lost."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from biosig.download import DownloadError, Summary, download
from biosig.download import fetch as fetching
from biosig.download.fetch import Web
from biosig.errors import CorpusError
from tests.biosig.download.conftest import Server, answer

FILE = "second/r04.dat"


def fetch(server: Server, destination: Path, **options: Any) -> Summary:
    return download(server.base, destination, web=Web(backoff=0.001, timeout=5.0, attempts=3), threads=3, **options)


def held(destination: Path) -> dict[str, bytes]:
    return {p.relative_to(destination).as_posix(): p.read_bytes() for p in destination.rglob("*") if p.is_file()}


def drops(share: float) -> Callable[[Any, bytes], None]:
    """Says the whole length, ends in the middle of what was asked for."""

    def fault(handler: Any, content: bytes) -> None:
        asked = handler.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(content) - start))
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        handler.end_headers()
        handler.wfile.write(content[start : start + int(share * (len(content) - start))])
        handler.close_connection = True

    return fault


def truncates(handler: Any, content: bytes) -> None:
    answer(handler, 200, content[: len(content) // 2])


def lies(handler: Any, content: bytes) -> None:
    answer(handler, 200, bytes(len(content)))


def is_busy(handler: Any, content: bytes) -> None:
    answer(handler, 503, b"")


def ignores_range(handler: Any, content: bytes) -> None:
    answer(handler, 200, content)


def sends_another_range(handler: Any, content: bytes) -> None:
    answer(handler, 206, content[7:], Content_Range=f"bytes 7-{len(content) - 1}/{len(content)}")


def moves_within(handler: Any, content: bytes) -> None:
    answer(handler, 302, b"", Location="/c/elsewhere")


def lies_in_a_range(handler: Any, content: bytes) -> None:
    start = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-"))
    span = f"bytes {start}-{len(content) - 1}/{len(content)}"
    answer(handler, 206, bytes(len(content) - start), Content_Range=span)


def test_a_whole_corpus_and_nothing_twice(server: Server, tmp_path: Path) -> None:
    summary = fetch(server, tmp_path / "c")
    assert summary == Summary(len(server.files), len(server.files), sum(map(len, server.files.values())), ())
    assert held(tmp_path / "c") == {**server.files, "SHA256SUMS.txt": server.sums()}
    (tmp_path / "c" / FILE).write_bytes(b"damaged since")
    (tmp_path / "c" / "table.csv").unlink()
    server.asked.clear()
    assert fetch(server, tmp_path / "c").fetched == 2
    assert set(server.asked) == {"SHA256SUMS.txt", FILE, "table.csv"}
    assert held(tmp_path / "c") == {**server.files, "SHA256SUMS.txt": server.sums()}


def test_the_first_records(server: Server, tmp_path: Path) -> None:
    fetch(server, tmp_path, records=2)
    wanted = {f"first/r0{n}.{ending}" for n in (0, 1) for ending in ("hea", "dat")}
    assert set(held(tmp_path)) == wanted | {"table.csv", "RECORDS", "SHA256SUMS.txt", "first/notes.txt"}


@pytest.mark.parametrize(
    "faults",
    [
        [drops(0.0)],
        [drops(0.5), drops(0.5), drops(0.5), drops(0.5), drops(0.5), drops(0.5)],
        [truncates],
        [lies],
        [is_busy, is_busy],
        [drops(0.5), ignores_range],
        [drops(0.5), sends_another_range],
        [drops(0.5), lies_in_a_range],
        [moves_within],
        [lies, drops(0.3), truncates],
    ],
    ids=[
        *("at-once", "six-drops", "truncated", "wrong-bytes", "busy", "no-range", "other-range", "false-range"),
        *("redirect", "all"),
    ],
)
def test_what_passes_is_mended(server: Server, tmp_path: Path, faults: list[Callable[[Any, bytes], None]]) -> None:
    server.files["elsewhere"] = server.files[FILE]
    server.faults[FILE] = faults
    summary = fetch(server, tmp_path)
    assert not summary.failed
    assert held(tmp_path) == {**server.files, "SHA256SUMS.txt": server.sums()}
    assert not server.faults[FILE]


def test_dropped_connections_cost_no_byte(server: Server, tmp_path: Path) -> None:
    server.faults[FILE] = [drops(0.5), drops(0.5), drops(0.5)]
    assert fetch(server, tmp_path).moved == sum(map(len, server.files.values()))
    size = len(server.files[FILE])
    # The first drop is answered with a range of one half; the last of them is served as asked.
    assert server.ranges == [f"bytes={size - size // 8}-"]


def refuses(handler: Any, content: bytes) -> None:
    answer(handler, 403, b"<html>sign in</html>", kind="text/html")


def shows_a_page(handler: Any, content: bytes) -> None:
    answer(handler, 200, b"<html>proxy</html>", kind="text/html; charset=utf-8")


def moves_to_another_host(handler: Any, content: bytes) -> None:
    answer(handler, 302, b"", Location="http://127.0.0.2:1/c/x")


def never_ends(handler: Any, content: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    with suppress(OSError):
        while True:
            handler.wfile.write(bytes(1 << 16))


never_ends.forever = True  # type: ignore[attr-defined]


def drips(handler: Any, content: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    with suppress(OSError):
        for place in range(len(content)):
            handler.wfile.write(content[place : place + 1])
            time.sleep(0.05)


drips.forever = True  # type: ignore[attr-defined]


def moves_in_circles(handler: Any, content: bytes) -> None:
    answer(handler, 302, b"", Location=handler.path)


def moves_to_a_file(handler: Any, content: bytes) -> None:
    answer(handler, 302, b"", Location="file:///etc/passwd")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (refuses, "refuses it \\(403\\): the corpus may need an account"),
        (shows_a_page, "a web page instead of the file"),
        (moves_to_another_host, "expected https or the same host"),
        (moves_to_a_file, "expected https or the same host"),
        (moves_in_circles, "redirected more than 5 times"),
        (lies, "expected SHA-256 .* 3 times"),
        (truncates, "expected SHA-256 .* 3 times"),
        (drops(0.0), "the connection (failed|ended) .* 3 times"),
        (is_busy, "answers 503, 3 times"),
    ],
    ids=["403", "page", "host", "file", "circles", "lies", "truncates", "drops", "busy"],
)
def test_what_stays_fails_by_name_and_the_rest_arrives(
    server: Server, tmp_path: Path, fault: Callable[[Any, bytes], None], reason: str
) -> None:
    server.faults[FILE] = [fault] * 20
    ((name, said),) = fetch(server, tmp_path).failed
    assert name == FILE
    assert re.search(reason, said)
    assert "\n" not in said
    rest = {name: content for name, content in server.files.items() if name != FILE}
    assert {n: c for n, c in held(tmp_path).items() if not n.endswith(".part")} == {
        **rest,
        "SHA256SUMS.txt": server.sums(),
    }
    server.faults.clear()
    assert not fetch(server, tmp_path).failed
    assert held(tmp_path) == {**server.files, "SHA256SUMS.txt": server.sums()}


@pytest.mark.parametrize(("fault", "reason"), [(never_ends, "expected at most"), (drips, "bytes in .* s, 3 times")])
def test_a_server_that_keeps_us_busy_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[[Any, bytes], None], reason: str
) -> None:
    monkeypatch.setattr(fetching, "_UNSIZED", 1 << 20)
    server.faults[FILE] = [fault]
    summary = download(server.base, tmp_path, web=Web(backoff=0.001, timeout=0.3, attempts=3), threads=3)
    ((name, said),) = summary.failed
    assert name == FILE
    assert re.search(reason, said)
    server.faults.clear()
    assert not fetch(server, tmp_path).failed
    assert held(tmp_path) == {**server.files, "SHA256SUMS.txt": server.sums()}


def test_a_disk_that_fills_up_ends_the_file_and_keeps_its_part(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.statvfs(tmp_path)
    free = [real]
    full = os.statvfs_result((real.f_bsize, 4096, *real[2:4], 100, *real[5:10]))
    monkeypatch.setattr(fetching, "_LOOK", 1 << 16)
    monkeypatch.setattr(os, "statvfs", lambda _: free.pop() if free else full)
    with pytest.raises(DownloadError, match="free on the disk"):
        Web(attempts=1).fetch(server.base + FILE, tmp_path / "r", hashlib.sha256(server.files[FILE]).hexdigest())
    monkeypatch.undo()
    (part,) = tmp_path.iterdir()
    assert server.files[FILE].startswith(part.read_bytes())
    Web(attempts=1).fetch(server.base + FILE, tmp_path / "r", hashlib.sha256(server.files[FILE]).hexdigest())
    assert (tmp_path / "r").read_bytes() == server.files[FILE]


def test_a_list_that_changed_is_said_and_its_files_are_fetched_again(server: Server, tmp_path: Path) -> None:
    fetch(server, tmp_path)
    server.files[FILE] = b"revised"
    summary = fetch(server, tmp_path)
    assert (summary.changed, summary.fetched) == (1, 1)
    assert "1 have another checksum than in the list of before" in str(summary)
    assert held(tmp_path) == {**server.files, "SHA256SUMS.txt": server.sums()}


@pytest.mark.parametrize(
    ("asked", "location", "there"),
    [
        ("https://a.org/x/y", "http://a.org/x/y", None),
        ("https://a.org/x/y", "//b.org/z", "https://b.org/z"),
        ("https://a.org/x/y", "https://b.org/z", "https://b.org/z"),
        ("http://a.org/x/y", "http://b.org/z", None),
        ("https://a.org/x/y", "ftp://a.org/z", None),
        ("https://a.org/x/y", "", None),
        ("https://a.org/x/y", "../../../../z", "https://a.org/z"),
    ],
)
def test_where_a_redirect_may_lead(asked: str, location: str, there: str | None) -> None:
    if there is not None:
        assert fetching._redirected(asked, location, asked) == there
        return
    with pytest.raises(DownloadError, match="expected https or the same host"):
        fetching._redirected(asked, location, asked)


def drops_and_sends_another_range(handler: Any, content: bytes) -> None:
    (sends_another_range if handler.headers.get("Range") else drops(0.5))(handler, content)


def test_a_server_that_goes_in_circles_is_given_up(server: Server, tmp_path: Path) -> None:
    server.faults[FILE] = [drops_and_sends_another_range] * 50
    assert [name for name, _ in fetch(server, tmp_path).failed] == [FILE]
    assert len(server.faults[FILE]) > 40


def test_a_part_longer_than_the_file_and_a_part_that_is_all_of_it(server: Server, tmp_path: Path) -> None:
    whole, other = tmp_path / f"{FILE}.part", tmp_path / "first/r00.dat.part"
    for part in (whole, other):
        part.parent.mkdir(parents=True)
    whole.write_bytes(server.files[FILE])
    other.write_bytes(server.files["first/r00.dat"] + b"more")
    fetch(server, tmp_path)
    assert held(tmp_path) == {**server.files, "SHA256SUMS.txt": server.sums()}
    assert server.asked[FILE] == 0


@pytest.mark.parametrize("made", ["folder", "file", "part"])
def test_links_in_the_destination_are_not_followed(server: Server, tmp_path: Path, made: str) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "c"
    outside.mkdir()
    inside.mkdir()
    (outside / "r00.dat").write_bytes(b"mine")
    if made == "folder":
        (inside / "first").symlink_to(outside)
    else:
        (inside / "first").mkdir()
        name = "r00.dat" if made == "file" else "r00.dat.part"
        (inside / "first" / name).symlink_to(outside / "r00.dat")
    if made == "part":
        assert [name for name, _ in fetch(server, inside).failed] == ["first/r00.dat"]
    else:
        with pytest.raises(CorpusError, match="found a link"):
            fetch(server, inside)
    assert held(outside) == {"r00.dat": b"mine"}


def test_a_full_disk_is_found_out_first(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(tmp_path)
    few = os.statvfs_result((real.f_bsize, 4096, *real[2:4], 100, *real[5:10]))
    monkeypatch.setattr(os, "statvfs", lambda _: few)
    with pytest.raises(DownloadError, match="GB free on the disk; fetch part of the corpus"):
        fetch(server, tmp_path / "c")
    assert not held(tmp_path / "c")


def test_a_list_with_a_path_outside_writes_nothing(server: Server, tmp_path: Path) -> None:
    bad = f"{hashlib.sha256(b'x').hexdigest()}  ../evil\n".encode()
    server.faults["SHA256SUMS.txt"] = [lambda handler, _: answer(handler, 200, bad)]
    with pytest.raises(CorpusError, match="path inside the corpus"):
        fetch(server, tmp_path / "c")
    assert not list(tmp_path.iterdir())

"""A whole corpus, or its first records: list, disk space, files side by side, what failed by name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from statistics import fmean
from urllib.parse import quote

from biosig.download.fetch import DownloadError, Web
from biosig.download.listing import RECORDS, SUMS, Listed, first_records, parse_sums
from biosig.errors import CorpusError

# Files whose size is asked for, to know about how much is coming: a corpus has tens of thousands.
_ASKED = 64


@dataclass(frozen=True)
class Summary:
    """What a download did.

    Attributes:
        files: Of the list, or of the subset asked for.
        fetched: Of them brought now; the others were there and right, or failed.
        moved: Bytes that came over the network.
        failed: Path and reason of each file that could not be had.
        changed: Files that had another checksum in the list that a former call brought.
    """

    files: int
    fetched: int
    moved: int
    failed: tuple[tuple[str, str], ...]
    changed: int = 0

    def __str__(self) -> str:
        there = self.files - self.fetched - len(self.failed)
        said = f"{self.files} files: {self.fetched} fetched ({self.moved / 1e6:.1f} MB), {there} there already"
        since = f"; {self.changed} have another checksum than in the list of before" if self.changed else ""
        return f"{said}, {len(self.failed)} failed{since}"


def download(
    base: str,
    destination: Path,
    *,
    web: Web,
    records: int | None = None,
    folder: str = "",
    threads: int = 8,
    begun: Callable[[int], object] = lambda _: None,
    gained: Callable[[int], object] = lambda _: None,
    done: Callable[[str], object] = lambda _: None,
) -> Summary:
    """Bring the files that `SHA256SUMS.txt` lists to a folder. A second call fetches only what is missing or wrong.

    Args:
        base: Address of the corpus' folder, ending in a slash.
        destination: Made if it is not there.
        web: Connections.
        records: Only the first so many; `None` for everything.
        folder: Only records below it; see `first_records`.
        threads: Files at a time.
        begun: Called with the number of files.
        gained: Called with the number of bytes of each piece, from several threads.
        done: Called with the path of each file that is there.

    Raises:
        DownloadError: If the list cannot be had, or the disk has no room.
        CorpusError: If the list is damaged, or the destination is a file.
    """
    if destination.exists() and not destination.is_dir():
        raise CorpusError(f"{destination}: expected a folder to download to, found a file")
    sums = web.text(base + SUMS)
    files = parse_sums(sums)
    former = _former(destination / SUMS)
    changed = sum(former.get(one.path, one.sha256) != one.sha256 for one in files)
    if records is not None or folder:
        files = first_records(
            files, web.text(base + RECORDS), len(files) if records is None else records, folder=folder
        )
    destination.mkdir(parents=True, exist_ok=True)
    targets = [(listed, _target(destination, listed)) for listed in files]
    missing = [(listed, target) for listed, target in targets if not target.exists()]
    _check_room(base, destination, [listed for listed, _ in missing], web, threads)
    begun(len(files))

    def one(listed: Listed, target: Path) -> int | None:
        if _is_right(target, listed.sha256):
            return None
        target.parent.mkdir(parents=True, exist_ok=True)
        return web.fetch(base + quote(str(listed.path)), target, listed.sha256, gained)

    fetched = moved = 0
    failed: list[tuple[str, str]] = []
    with ThreadPoolExecutor(threads) as pool:
        futures = {pool.submit(one, listed, target): str(listed.path) for listed, target in targets}
        try:
            for future in as_completed(futures):
                try:
                    brought = future.result()
                except DownloadError as error:
                    failed.append((futures[future], str(error)))
                    continue
                fetched, moved = fetched + (brought is not None), moved + (brought or 0)
                done(futures[future])
        except BaseException:
            web.stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    # Last, so that a list lies only beside files it was used for.
    _write(destination / SUMS, sums)
    return Summary(len(files), fetched, moved, tuple(sorted(failed)), changed)


def _former(path: Path) -> dict[PurePosixPath, str]:
    """The checksums that a former call brought; of a list that is gone or damaged, none."""
    try:
        return {one.path: one.sha256 for one in parse_sums(path.read_text(encoding="utf-8"))}
    except (OSError, ValueError):
        return {}


def _target(destination: Path, listed: Listed) -> Path:
    """Where a file goes; no link below the destination is followed."""
    target = destination.joinpath(*listed.path.parts)
    for place in (target, *target.parents):
        if place == destination:
            return target
        if place.is_symlink() or (place != target and place.exists() and not place.is_dir()):
            raise CorpusError(f"{place}: expected a folder or nothing, found a link or a file")
        if place == target and place.is_dir():
            raise CorpusError(f"{place}: expected a file or nothing, found a folder")
    raise AssertionError  # the destination is a parent of every target


def _is_right(target: Path, sha256: str) -> bool:
    if not target.exists():
        return False
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _check_room(base: str, destination: Path, missing: Sequence[Listed], web: Web, threads: int) -> None:
    """Refuse what the disk cannot hold, from the sizes of some of the files (all of them if they are few)."""
    asked = missing[:: -(-len(missing) // _ASKED)] if missing else []
    with ThreadPoolExecutor(threads) as pool:
        sizes = [
            size for size in pool.map(lambda one: web.size(base + quote(str(one.path))), asked) if size is not None
        ]
    space = os.statvfs(destination)
    free, wanted = space.f_bavail * space.f_frsize, (fmean(sizes) if sizes else 0.0) * len(missing)
    if wanted > free:
        raise DownloadError(
            f"{destination}: about {wanted / 1e9:.1f} GB wanted, {free / 1e9:.1f} GB free on the disk; "
            "fetch part of the corpus with --records"
        )


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    if part.is_symlink() or path.is_symlink():
        raise CorpusError(f"{path}: expected a file or nothing, found a link")
    part.write_text(text, encoding="utf-8", newline="")
    part.replace(path)

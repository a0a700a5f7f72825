"""What a corpus says it holds: paths with their SHA-256, and which of them make up its first records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from biosig.errors import CorpusError

SUMS, RECORDS = "SHA256SUMS.txt", "RECORDS"
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz")
_LONGEST_PATH = 1_000
# Names that Windows reserves or that mean a stream or a drive there are refused everywhere: a list is for all of us.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f:\\]")


@dataclass(frozen=True)
class Listed:
    """A file of the list.

    Attributes:
        path: Relative to the corpus, of plain names only.
        sha256: 64 hexadecimal digits in lower case.
    """

    path: PurePosixPath
    sha256: str


def parse_sums(text: str) -> list[Listed]:
    """The files of a `SHA256SUMS.txt`: a line is 64 digits, two spaces and a path.

    Raises:
        CorpusError: For a line of another form, a path that could leave the folder, two sums of one path, or none.
    """
    found: dict[PurePosixPath, Listed] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise CorpusError(f"{SUMS}: line {number}: expected 64 digits and a path, got {line[:80]!r}")
        listed = Listed(inside(match[2], f"{SUMS}: line {number}"), match[1].lower())
        if found.setdefault(listed.path, listed) != listed:
            raise CorpusError(f"{SUMS}: line {number}: a second sum of {str(listed.path)!r}")
    if not found:
        raise CorpusError(f"{SUMS}: expected files, found none")
    files = set(found)
    for path in found:
        if files.intersection(path.parents):
            raise CorpusError(f"{SUMS}: {str(path)!r} lies in another file of the list")
    return list(found.values())


def inside(text: str, where: str) -> PurePosixPath:
    """A path that stays in the folder it is joined to.

    Raises:
        CorpusError: If it is absolute, climbs with `..`, or holds what is no part of a name.
    """
    raw = text.removeprefix("./")
    parts = raw.split("/")
    plain = all(part.strip() == part and part not in {"", ".", ".."} for part in parts)
    if not plain or _FORBIDDEN.search(raw) or len(raw) > _LONGEST_PATH or raw.endswith(".part"):
        raise CorpusError(f"{where}: expected a path inside the corpus, got {text[:120]!r}")
    return PurePosixPath(raw)


def first_records(files: Iterable[Listed], records: str, count: int, *, folder: str = "") -> list[Listed]:
    """The files of the first records of a corpus, whole, and what belongs to no record but may be needed to read them.

    A file belongs to a record if it has its path, with any ending. Files of no record are taken from the root
    (archives aside, they hold the corpus again) and from folders of which a record was taken: summaries, hypnograms.

    Args:
        files: Of the list.
        records: The text of `RECORDS`; a line is a record, or a folder `g1/` whose records are its headers.
        count: How many records; in the order of `RECORDS`.
        folder: Only records below it, `records500/`; the other records are left out altogether.

    Raises:
        CorpusError: If `RECORDS` names nothing that is in the list.
    """
    files = list(files)
    owners: dict[PurePosixPath, list[Listed]] = {}
    for listed in files:
        for name in _possible_records(listed.path):
            owners.setdefault(name, []).append(listed)
    order = [name for name in _order(files, records) if name in owners]
    if not order:
        raise CorpusError(f"{RECORDS}: expected records of {SUMS}, found none")
    taken = [name for name in order if str(name).startswith(folder)][:count]
    if not taken:
        raise CorpusError(f"{RECORDS}: expected records below {folder!r}, found none")
    owned = {listed.path for name in order for listed in owners[name]}
    chosen = {listed.path for name in taken for listed in owners[name]}
    places = {parent for name in taken for parent in name.parents}
    chosen |= {
        listed.path
        for listed in files
        if listed.path not in owned and listed.path.parent in places and not listed.path.name.endswith(_ARCHIVES)
    }
    return [listed for listed in files if listed.path in chosen]


def _possible_records(path: PurePosixPath) -> Iterable[PurePosixPath]:
    """`a/b.edf.seizures`: the path itself, `a/b.edf` and `a/b`."""
    while True:
        yield path
        if not path.suffix:
            return
        path = path.with_suffix("")


def _order(files: Iterable[Listed], records: str) -> Iterable[PurePosixPath]:
    headers: Mapping[PurePosixPath, list[PurePosixPath]] | None = None
    for number, line in enumerate(records.splitlines(), 1):
        if not line.strip():
            continue
        name = inside(line.strip().rstrip("/"), f"{RECORDS}: line {number}")
        if not line.strip().endswith("/"):
            yield name
            continue
        if headers is None:
            headers = _headers(files)
        yield from headers.get(name, ())


def _headers(files: Iterable[Listed]) -> dict[PurePosixPath, list[PurePosixPath]]:
    """Records with a WFDB header below each folder."""
    found: dict[PurePosixPath, list[PurePosixPath]] = {}
    for path in sorted(listed.path for listed in files):
        if path.suffix == ".hea":
            for parent in path.parents:
                found.setdefault(parent, []).append(path.with_suffix(""))
    return found

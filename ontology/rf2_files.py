"""The files of a SNOMED-CT RF2 snapshot: found by name in a folder or a zip, opened one at a time, never unpacked."""

from __future__ import annotations

import contextlib
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from ontology.errors import OntologyError

# Text of RF2 shrinks four to ten times. What shrinks far more was made to fill a disk or a memory.
_MAX_RATIO, _HARMLESS = 100, 1 << 20


@dataclass(frozen=True)
class Table:
    """One kind of RF2 file.

    Attributes:
        stem: How its name begins.
        columns: Its header.
        read: Those of them that are read.
        partitions: Second and third digit from the right in identifiers of its rows; none if those are UUIDs.
    """

    stem: str
    columns: tuple[str, ...]
    read: frozenset[str]
    partitions: tuple[int, ...] = ()


def _table(stem: str, columns: str, read: str = "", partitions: tuple[int, ...] = ()) -> Table:
    every = ("id", "effectiveTime", "active", "moduleId")
    return Table(stem, (*every, *columns.split()), frozenset(("id", "active", *read.split())), partitions)


CONCEPT = _table("sct2_Concept_Snapshot", "definitionStatusId", partitions=(0, 10))
DESCRIPTION = _table(
    "sct2_Description_Snapshot",
    "conceptId languageCode typeId term caseSignificanceId",
    read="conceptId typeId term",
    partitions=(1, 11),
)
RELATIONSHIP = _table(
    "sct2_Relationship_Snapshot",
    "sourceId destinationId relationshipGroup typeId characteristicTypeId modifierId",
    read="sourceId destinationId typeId",
    partitions=(2, 12),
)
LANGUAGE = _table(
    "der2_cRefset_LanguageSnapshot",
    "refsetId referencedComponentId acceptabilityId",
    read="refsetId referencedComponentId acceptabilityId",
)


@dataclass(frozen=True)
class Part:
    """One file of a release.

    Attributes:
        name: Its name without folders.
        size: Bytes when unpacked.
        open: Opens it for reading.
    """

    name: str
    size: int
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Release:
    """What a folder or zip holds."""

    name: str
    parts: Sequence[Part]

    def find(self, table: Table, language: str = "") -> Part | None:
        """The one file of a kind, and language, if it is there.

        Raises:
            OntologyError: If there are several.
        """
        suffix = f"-{re.escape(language)}" if language else ""
        pattern = re.compile(rf"x?{table.stem}{suffix}_.*\.txt", re.IGNORECASE)
        found = [part for part in self.parts if pattern.fullmatch(part.name)]
        if len(found) > 1:
            names = ", ".join(sorted(part.name for part in found))
            raise OntologyError(f"{self.name}: expected one release, found {len(found)} files of a kind: {names}")
        return found[0] if found else None

    def languages(self) -> list[str]:
        """The languages that there are descriptions in."""
        pattern = re.compile(rf"x?{DESCRIPTION.stem}-([^_]+)_.*\.txt", re.IGNORECASE)
        return sorted({match[1] for part in self.parts if (match := pattern.fullmatch(part.name))})

    def require(self, language: str) -> tuple[Part, Part, Part, Part]:
        """The files of concepts, relationships, descriptions and the language refset.

        Raises:
            OntologyError: If any is missing; all of those are named.
        """
        wanted = ((CONCEPT, ""), (RELATIONSHIP, ""), (DESCRIPTION, language), (LANGUAGE, language))
        found = [(self.find(table, tongue), table, tongue) for table, tongue in wanted]
        if missing := [f"{table.stem}{'-' * bool(tongue)}{tongue}_*.txt" for part, table, tongue in found if not part]:
            languages = f"; languages there are: {there}" if (there := ", ".join(self.languages())) else ""
            raise OntologyError(
                f"{self.name}: expected an RF2 snapshot, found no {' and no '.join(missing)}{languages}"
            )
        concepts, relationships, descriptions, refset = (part for part, _, _ in found if part)
        return concepts, relationships, descriptions, refset


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Release]:
    """The files under a folder or in a zip. Nothing is written anywhere.

    Raises:
        OntologyError: If it is neither, or a zip with members that lead out of it, are encrypted or shrink too well.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*.txt") if file.is_file())
        yield Release(path.name, [Part(file.name, file.stat().st_size, partial(io.FileIO, file)) for file in files])
        return
    try:
        archive = zipfile.ZipFile(path)
    # Versions that are not known and names that are not in the encoding they say have errors of their own.
    except (OSError, zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        raise OntologyError(f"{path.name}: expected a folder or a zip with an RF2 snapshot: {error}") from None
    with archive:
        members = [member for member in archive.infolist() if not member.filename.endswith("/")]  # may be empty
        yield Release(path.name, [_part(path.name, archive, member) for member in members])


def _part(zip_name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Part:
    where, way = f"{zip_name}: {member.filename!r}", PurePosixPath(member.filename)
    if not way.parts or way.is_absolute() or ".." in way.parts or "\\" in member.orig_filename or ":" in way.parts[0]:
        raise OntologyError(f"{where}: expected a path within the zip")
    if member.file_size > max(_HARMLESS, _MAX_RATIO * member.compress_size):
        raise OntologyError(
            f"{where}: expected text, which shrinks to a tenth, got {member.file_size} bytes in {member.compress_size}"
        )
    if member.flag_bits & 1:
        raise OntologyError(f"{where}: expected a file that is not encrypted")
    return Part(way.name, member.file_size, partial(archive.open, member))

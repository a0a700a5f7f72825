"""Everything that can be wrong with an RF2 snapshot, named to its file, line and column."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from ontology import OntologyError, read_rf2
from tests.ontology.rf2_release import (
    ACCEPTABLE,
    CONCEPT,
    DESCRIPTION,
    FSN,
    GB,
    HEADERS,
    LANGUAGE,
    PREFERRED,
    RELATIONSHIP,
    ROOT,
    SYNONYM,
    US,
    Rows,
    concept,
    concept_id,
    description,
    description_id,
    pack,
    relationship,
    relationship_id,
    save,
    small,
)


def refused(rows: Rows, folder: Path, message: str) -> None:
    with pytest.raises(OntologyError, match=message):
        read_rf2(save(rows, folder))


def test_files_are_named_when_missing(rows: Rows, tmp_path: Path) -> None:
    folder = save(rows, tmp_path / "release")
    (folder / RELATIONSHIP).unlink()
    with pytest.raises(OntologyError, match=r"release: .* found no sct2_Relationship_Snapshot_\*.txt"):
        read_rf2(folder)
    (folder / LANGUAGE).unlink()
    with pytest.raises(OntologyError, match=r"sct2_Relationship_\S+ and no der2_cRefset_LanguageSnapshot-en_\*.txt"):
        read_rf2(pack(folder, tmp_path / "release.zip"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(OntologyError, match="sct2_Concept_Snapshot"):
        read_rf2(tmp_path / "empty")


def test_two_releases_in_one_folder_are_refused(rows: Rows, tmp_path: Path) -> None:
    save(rows, tmp_path / "a")
    save(rows, tmp_path / "b")
    with pytest.raises(OntologyError, match="expected one release, found 2 files of a kind: sct2_Concept"):
        read_rf2(tmp_path)


def test_an_unknown_language_is_refused(rows: Rows, tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match=r"sct2_Description_Snapshot-tlh_\*.txt.*languages there are: en"):
        read_rf2(save(rows, tmp_path), language="tlh")


def test_an_unknown_refset_is_refused(rows: Rows, tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match=rf"refsetId: expected {concept_id(8)} .* got {GB}, {US}"):
        read_rf2(save(rows, tmp_path), refsets=[concept_id(8)])


@pytest.mark.parametrize("field", ["descendants_of", "ancestors_of"])
def test_concepts_that_are_not_there_cannot_be_asked_for(rows: Rows, tmp_path: Path, field: str) -> None:
    folder = save(rows, tmp_path)
    with pytest.raises(OntologyError, match=f"{field}: .*sct2_Concept.*got '{concept_id(9)}'"):
        read_rf2(folder, **{field: [concept_id(1), concept_id(9)]})  # type: ignore[arg-type]
    with pytest.raises(OntologyError, match=f"{field}: .* got none"):
        read_rf2(folder, **{field: []})  # type: ignore[arg-type]


def test_a_path_that_is_no_release(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    for path in (tmp_path / "file", tmp_path / "nowhere"):
        with pytest.raises(OntologyError, match=f"{path.name}: expected a folder or a zip"):
            read_rf2(path)


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("column", range(5))
def test_a_wrong_header_is_refused_by_column(rows: Rows, tmp_path: Path, name: str, column: int) -> None:
    path = save(rows, tmp_path) / name
    header, rest = path.read_text().split("\n", maxsplit=1)
    right = header.rstrip().split("\t")
    wrong = "\t".join([*right[:column], "wrong", *right[column + 1 :]])
    message = f"{path.name}: line 1: column {column + 1}: expected '{right[column]}', got "
    for text, found in ((wrong, "'wrong'"), ("\t".join(right[:column]), "")):
        path.write_text(f"{text}\n{rest}")
        with pytest.raises(OntologyError, match=message + found):
            read_rf2(tmp_path)
    path.write_text(f"{header}\tmore\n{rest}")
    with pytest.raises(OntologyError, match=f"line 1: column {len(right) + 1}: expected the end of the line"):
        read_rf2(tmp_path)


def test_a_mark_of_the_byte_order_is_no_part_of_the_header(rows: Rows, tmp_path: Path) -> None:
    folder = save(rows, tmp_path)
    before = read_rf2(folder)
    (folder / CONCEPT).write_bytes(b"\xef\xbb\xbf" + (folder / CONCEPT).read_bytes())
    assert read_rf2(folder) == before


@pytest.mark.parametrize("name", HEADERS)
def test_a_truncated_line_is_refused_by_the_column_it_lacks(rows: Rows, tmp_path: Path, name: str) -> None:
    path = save(rows, tmp_path) / name
    lines, columns = path.read_text().splitlines(), HEADERS[name].split()
    for kept in (1, 3, len(columns) - 1):
        path.write_text("\r\n".join([*lines[:3], "\t".join(lines[3].split("\t")[:kept]), *lines[4:], ""]))
        message = f"{path.name}: line 4: {columns[kept]}: expected {len(columns)} columns, got '{kept} columns'"
        with pytest.raises(OntologyError, match=message):
            read_rf2(tmp_path)
    for extra in (["", *lines[4:]], [lines[3] + "\tmore", *lines[4:]]):
        path.write_text("\r\n".join([*lines[:3], *extra, ""]))
        with pytest.raises(OntologyError, match=f"{path.name}: line 4: .* {len(columns)} columns, got"):
            read_rf2(tmp_path)


@pytest.mark.parametrize("name", HEADERS)
def test_a_file_cut_within_its_last_field_is_refused(rows: Rows, tmp_path: Path, name: str) -> None:
    path = save(rows, tmp_path) / name
    before, whole = read_rf2(tmp_path), path.read_bytes()
    path.write_bytes(whole.removesuffix(b"\r\n"))
    assert read_rf2(tmp_path) == before
    path.write_bytes(whole.removesuffix(b"\r\n")[:-2])
    last = HEADERS[name].split()[-1]
    with pytest.raises(OntologyError, match=f"{path.name}: line {len(rows[name]) + 1}: {last}: .*at the end"):
        read_rf2(tmp_path)


@pytest.mark.parametrize(
    ("name", "column", "bad", "expected"),
    [
        (CONCEPT, "id", "12x4", "a SNOMED-CT identifier of 6 to 18 digits"),
        (CONCEPT, "id", "", "a SNOMED-CT identifier"),
        (CONCEPT, "id", "١٦٤٨٨٩٠٠٣", "a SNOMED-CT identifier"),
        (CONCEPT, "id", "0164889003", "a SNOMED-CT identifier"),
        (CONCEPT, "id", "9" * 19, "a SNOMED-CT identifier"),
        (CONCEPT, "id", "-64889003", "a SNOMED-CT identifier"),
        (CONCEPT, "id", description_id(1), "partition 00 or 10"),
        (CONCEPT, "active", "2", "0 or 1"),
        (CONCEPT, "active", "", "0 or 1"),
        (DESCRIPTION, "id", "abc", "a SNOMED-CT identifier"),
        (DESCRIPTION, "id", concept_id(1), "partition 01 or 11"),
        (DESCRIPTION, "conceptId", "abc", "a SNOMED-CT identifier"),
        (DESCRIPTION, "typeId", "900000000000550004", f"{FSN} or {SYNONYM}"),
        (DESCRIPTION, "term", "", "a name"),
        (DESCRIPTION, "term", " ", "a name"),
        (DESCRIPTION, "term", "be\x07ll", "no control characters"),
        (RELATIONSHIP, "id", "1.5", "a SNOMED-CT identifier"),
        (RELATIONSHIP, "id", description_id(1), "partition 02 or 12"),
        (RELATIONSHIP, "sourceId", concept_id(9), "an active concept of sct2_Concept_Snapshot"),
        (RELATIONSHIP, "destinationId", "abc", "an active concept of sct2_Concept_Snapshot"),
        (RELATIONSHIP, "typeId", "is a", "a SNOMED-CT identifier"),
        (LANGUAGE, "id", "abc", "a UUID"),
        (LANGUAGE, "refsetId", "abc", "a SNOMED-CT identifier"),
        (LANGUAGE, "referencedComponentId", "abc", "a SNOMED-CT identifier"),
        (LANGUAGE, "acceptabilityId", "1", f"{PREFERRED} or {ACCEPTABLE}"),
    ],
)
def test_a_wrong_field_is_refused_by_file_line_and_column(  # noqa: PLR0917 - of which four are one case
    rows: Rows, tmp_path: Path, name: str, column: str, bad: str, expected: str
) -> None:
    place = HEADERS[name].split().index(column)
    row = rows[name][2]
    rows[name][2] = (*row[:place], bad, *row[place + 1 :])
    refused(rows, tmp_path, rf"^{Path(name).name}: line 4: {column}: expected .*{expected}.*, got '.*'$")


@pytest.mark.parametrize("active", ["0", "1"])
@pytest.mark.parametrize("name", [CONCEPT, DESCRIPTION, RELATIONSHIP])
def test_a_wrong_check_digit_is_refused(rows: Rows, tmp_path: Path, name: str, active: str) -> None:
    id_, time, _, *rest = rows[name][3]
    wrong = id_[:-1] + str((int(id_[-1]) + 1) % 10)
    rows[name][3] = (wrong, time, active, *rest)
    refused(rows, tmp_path, rf"^{Path(name).name}: line 5: id: expected .*right check digit, got '{wrong}'$")


@pytest.mark.parametrize("active", ["0", "1"])
@pytest.mark.parametrize("name", HEADERS)
def test_a_second_row_for_an_identifier_is_refused(rows: Rows, tmp_path: Path, name: str, active: str) -> None:
    id_, time, _, *rest = rows[name][1]
    rows[name].append((id_, time, active, *rest))
    last = len(rows[name]) + 1
    found = f"{id_.replace('-', '')}, which line 3 has too"
    refused(rows, tmp_path, rf"^{Path(name).name}: line {last}: id: expected one row for each .*got '{found}'$")


def test_bytes_that_are_no_utf_8_are_refused_by_line(rows: Rows, tmp_path: Path) -> None:
    path = save(rows, tmp_path) / DESCRIPTION
    path.write_bytes(path.read_bytes().replace(b"Other name 2", b"Other \xe9name 2"))
    with pytest.raises(OntologyError, match=r"sct2_Description\S+: line 7: term: expected UTF-8"):
        read_rf2(tmp_path)


def test_an_endless_line_is_refused(rows: Rows, tmp_path: Path) -> None:
    path = save(rows, tmp_path) / DESCRIPTION
    path.write_bytes(path.read_bytes().replace(b"Other name 2", b"x" * 300_000))
    with pytest.raises(OntologyError, match=r"sct2_Description\S+: line 7: line: expected less than 65536"):
        read_rf2(tmp_path)


def test_a_concept_without_a_name_is_refused(rows: Rows, tmp_path: Path) -> None:
    del rows[DESCRIPTION][3:6]
    refused(rows, tmp_path, f"sct2_Description.* name of concept {concept_id(2)}, got none")


@pytest.mark.parametrize("is_a", [[(1, 2), (2, 1)], [(1, 1)], [(2, 1), (3, 2), (1, 3)]])
def test_a_cycle_is_refused(tmp_path: Path, is_a: list[tuple[int, int]]) -> None:
    refused(small(3, is_a), tmp_path, "is-a edges form a cycle: ")


def test_in_an_edition_everything_is_a_kind_of_something(rows: Rows, tmp_path: Path) -> None:
    rows[CONCEPT].append(concept(ROOT))
    rows[DESCRIPTION].append(description(description_id(99), ROOT, FSN, "Root (root)"))
    rows[RELATIONSHIP].append(relationship(relationship_id(99), concept_id(1), ROOT))
    assert read_rf2(save(rows, tmp_path / "whole")).roots == (ROOT,)
    del rows[RELATIONSHIP][4]
    refused(rows, tmp_path / "less", rf"sct2_Relationship\S+: .* none of {concept_id(5)} \(1 such\)")


def test_an_edition_without_relationships_or_concepts(rows: Rows, tmp_path: Path) -> None:
    rows[RELATIONSHIP].clear()
    graph = read_rf2(save(rows, tmp_path / "loose"))
    assert graph.edges == ()
    assert len(graph.orphans) == 5
    nothing: Rows = {name: [] for name in HEADERS}
    refused(nothing, tmp_path / "empty", r"sct2_Concept\S+: expected active concepts, got none")


def repack(source: Path, target: Path, change: Callable[[zipfile.ZipInfo, bytes], tuple[str, bytes]]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for member_ in old.infolist():
            name, data = change(member_, old.read(member_))
            new.writestr(name, data)
    return target


@pytest.mark.parametrize("name", ["../sct2_Concept_x.txt", "/etc/passwd", "a/../../b.txt", "C:/b.txt", "a\\..\\b.txt"])
def test_names_that_lead_out_of_a_zip_are_refused(rows: Rows, tmp_path: Path, name: str) -> None:
    archive = pack(save(rows, tmp_path / "release"), tmp_path / "release.zip")
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr(name, "text")
    with pytest.raises(OntologyError, match=r"release.zip: .*: expected a path within the zip"):
        read_rf2(archive)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["release", "release.zip"]


def test_a_zip_bomb_is_refused_before_it_is_opened(rows: Rows, tmp_path: Path) -> None:
    archive = pack(save(rows, tmp_path / "release"), tmp_path / "release.zip")
    bomb = repack(
        archive,
        tmp_path / "bomb.zip",
        lambda old, data: (old.filename, data + b"\0" * 20_000_000 * old.filename.endswith(Path(DESCRIPTION).name)),
    )
    with (
        patch("zipfile.ZipFile.open", side_effect=AssertionError("opened")),
        pytest.raises(OntologyError, match=r"bomb.zip: .*sct2_Description.* got 2\d{7} bytes in \d{5}$"),
    ):
        read_rf2(bomb)


def test_a_damaged_zip_is_refused(rows: Rows, tmp_path: Path) -> None:
    archive = pack(save(rows, tmp_path / "release"), tmp_path / "release.zip")
    with zipfile.ZipFile(archive) as file:
        member_ = next(one for one in file.infolist() if one.filename.endswith(Path(RELATIONSHIP).name))
    data = bytearray(archive.read_bytes())
    start = member_.header_offset + 30 + len(member_.filename) + member_.compress_size // 2
    data[start : start + 8] = b"\xff" * 8
    archive.write_bytes(data)
    with pytest.raises(OntologyError, match=r"sct2_Relationship"):
        read_rf2(archive)


def test_an_encrypted_zip_is_refused(rows: Rows, tmp_path: Path) -> None:
    archive = pack(save(rows, tmp_path / "release"), tmp_path / "release.zip")
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as file:
        place = data.index(Path(CONCEPT).name.encode(), file.start_dir)
    # The flags are in the eighth byte of the entry that has its name in the forty-sixth.
    data[data.rindex(b"PK\x01\x02", 0, place) + 8] |= 1
    archive.write_bytes(data)
    with pytest.raises(OntologyError, match="expected a file that is not encrypted"):
        read_rf2(archive)


def test_a_file_that_may_not_be_read(rows: Rows, tmp_path: Path) -> None:
    save(rows, tmp_path)
    with (
        patch("ontology.rf2_files.io.FileIO", side_effect=PermissionError("not yours")),
        pytest.raises(OntologyError, match=r"^sct2_Concept\S+: cannot be read: not yours$"),
    ):
        read_rf2(tmp_path)

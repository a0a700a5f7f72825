"""RF2 snapshots made here, read back; and everything that can be wrong with one, named to its line and column."""

from __future__ import annotations

import itertools
import os
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontology import ConceptGraph, OntologyError, read_rf2
from ontology.identifiers import check_digit
from tests.ontology.rf2_release import (
    ACCEPTABLE,
    CONCEPT,
    DESCRIPTION,
    FSN,
    GB,
    HEADERS,
    IS_A,
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
    generate,
    identifiers,
    member,
    pack,
    relationship,
    relationship_id,
    save,
    small,
)

# 1 over 2 and 3, which are both over 4; 5 is under 3 alone.
DIAMOND = ((2, 1), (3, 1), (4, 2), (4, 3), (5, 3))


@pytest.fixture
def rows() -> Rows:
    return small(5, DIAMOND)


def edges(graph: ConceptGraph) -> set[tuple[str, str]]:
    return {(edge.child, edge.parent) for edge in graph.edges}


def ids(*numbers: int) -> set[str]:
    return {concept_id(number) for number in numbers}


def refused(rows: Rows, folder: Path, message: str) -> None:
    with pytest.raises(OntologyError, match=message):
        read_rf2(save(rows, folder))


def test_concepts_edges_and_names(rows: Rows, tmp_path: Path) -> None:
    graph = read_rf2(save(rows, tmp_path))
    assert graph.ids == graph.observed == tuple(concept_id(number) for number in range(1, 6))
    assert edges(graph) == {(concept_id(child), concept_id(parent)) for child, parent in DIAMOND}
    assert graph.parents(concept_id(4)) == (concept_id(2), concept_id(3))
    assert graph.roots == (concept_id(1),)
    assert graph[concept_id(2)].term == "Name 2"
    assert graph[concept_id(2)].synonyms == ("Full name 2", "Other name 2")
    assert graph.find("full NAME 2").id == concept_id(2)


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_folder_and_a_zip_of_it_say_the_same(rows: Rows, tmp_path: Path, end: str) -> None:
    folder = save(rows, tmp_path / "release", end=end)
    assert read_rf2(pack(folder, tmp_path / "release.zip")) == read_rf2(folder) == read_rf2(str(folder))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_graph_comes_back(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 12))
    pairs = list(itertools.combinations(range(1, size + 1), 2))
    drawn = data.draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    order = data.draw(st.permutations(range(1, size + 1)))
    is_a = [(order[high - 1], order[low - 1]) for low, high in drawn]
    with tempfile.TemporaryDirectory() as folder:
        graph = read_rf2(save(small(size, is_a), Path(folder)))
    assert set(graph.ids) == ids(*range(1, size + 1))
    assert edges(graph) == {(concept_id(child), concept_id(parent)) for child, parent in is_a}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_restriction_is_the_subgraph(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 10))
    pairs = list(itertools.combinations(range(1, size + 1), 2))
    is_a = [(high, low) for low, high in data.draw(st.lists(st.sampled_from(pairs), unique=True))]
    some = st.none() | st.lists(st.integers(1, size).map(concept_id), min_size=1, unique=True)
    tops, bottoms = data.draw(some), data.draw(some)
    with tempfile.TemporaryDirectory() as folder:
        whole = read_rf2(save(small(size, is_a), Path(folder)))
        part = read_rf2(folder, descendants_of=tops, ancestors_of=bottoms)
    kept = set(whole.ids)
    if tops is not None:
        kept &= set(tops).union(*map(whole.descendants, tops))
    if bottoms is not None:
        kept &= set(bottoms).union(*map(whole.ancestors, bottoms))
    assert part == whole.subgraph(kept)


def test_one_concept_may_be_given_without_a_list(rows: Rows, tmp_path: Path) -> None:
    folder = save(rows, tmp_path)
    assert set(read_rf2(folder, descendants_of=concept_id(3)).ids) == ids(3, 4, 5)
    assert set(read_rf2(folder, ancestors_of=concept_id(4)).ids) == ids(1, 2, 3, 4)
    cone = read_rf2(folder, descendants_of=concept_id(3), ancestors_of=concept_id(4))
    assert set(cone.ids) == ids(3, 4)


def test_inactive_rows_are_passed_over(rows: Rows, tmp_path: Path) -> None:
    before = read_rf2(save(rows, tmp_path / "before"))
    rows[CONCEPT].insert(0, concept(concept_id(6), active="0"))
    rows[RELATIONSHIP].insert(0, relationship(relationship_id(99), concept_id(5), concept_id(2), active="0"))
    # What a retired concept was is still told, and its descriptions stay active.
    rows[RELATIONSHIP].append(relationship(relationship_id(98), concept_id(6), concept_id(2), active="0"))
    rows[DESCRIPTION].append(description(description_id(99), concept_id(6), FSN, "Retired (finding)"))
    rows[DESCRIPTION].append(description(description_id(98), concept_id(5), SYNONYM, "Once a name", active="0"))
    rows[LANGUAGE].insert(0, member(999, US, description_id(17), PREFERRED, active="0"))
    assert read_rf2(save(rows, tmp_path / "after")) == before


def test_other_relationships_are_no_edges_and_a_repeated_one_is_one(rows: Rows, tmp_path: Path) -> None:
    before = read_rf2(save(rows, tmp_path / "before"))
    site = concept_id(77)
    rows[RELATIONSHIP].append(relationship(relationship_id(70), concept_id(1), concept_id(5), site))
    rows[RELATIONSHIP].append(relationship(relationship_id(71), concept_id(4), concept_id(2)))
    assert read_rf2(save(rows, tmp_path / "after")) == before


def language_of(rows: Rows, number: int, refset: str, acceptability: str) -> None:
    """Set the acceptability of a description's row in a refset."""
    id_ = description_id(number)
    rows[LANGUAGE] = [(*row[:6], acceptability) if row[4:6] == (refset, id_) else row for row in rows[LANGUAGE]]


def test_dialects_prefer_different_terms(rows: Rows, tmp_path: Path) -> None:
    # Descriptions 6, 7, 8 are those of concept 2: full, short, other.
    language_of(rows, 7, GB, ACCEPTABLE)
    language_of(rows, 8, GB, PREFERRED)
    folder = save(rows, tmp_path)
    two = concept_id(2)
    assert {name: read_rf2(folder, language=name)[two].term for name in ("en", "en-US", "en-GB", "EN-gb")} == {
        "en": "Name 2",
        "en-US": "Name 2",
        "en-GB": "Other name 2",
        "EN-gb": "Other name 2",
    }
    assert read_rf2(folder, language="en-GB")[two].synonyms == ("Full name 2", "Name 2")
    assert read_rf2(folder, refsets=[GB])[two].term == "Other name 2"


def test_the_second_dialect_stands_in_for_the_first(rows: Rows, tmp_path: Path) -> None:
    language_of(rows, 7, US, ACCEPTABLE)
    language_of(rows, 7, GB, ACCEPTABLE)
    language_of(rows, 8, GB, PREFERRED)
    assert read_rf2(save(rows, tmp_path))[concept_id(2)].term == "Other name 2"


@pytest.mark.parametrize(
    ("full", "term"),
    [
        ("Full name 2 (finding)", "Full name 2"),
        ("Atrium (left) wide (finding)", "Atrium (left) wide"),
        ("No tag", "No tag"),
        ("(finding)", "(finding)"),
        ("Half (open", "Half (open"),
    ],
)
def test_without_a_preferred_term_the_full_name_less_its_tag(rows: Rows, tmp_path: Path, full: str, term: str) -> None:
    for refset in (US, GB):
        language_of(rows, 7, refset, ACCEPTABLE)
    rows[DESCRIPTION][3] = description(description_id(6), concept_id(2), FSN, full)
    concept_ = read_rf2(save(rows, tmp_path))[concept_id(2)]
    assert concept_.term == term
    assert concept_.synonyms == ("Name 2", "Other name 2")


def test_without_either_any_name(rows: Rows, tmp_path: Path) -> None:
    for refset in (US, GB):
        language_of(rows, 7, refset, ACCEPTABLE)
    del rows[DESCRIPTION][3]
    assert read_rf2(save(rows, tmp_path))[concept_id(2)].term == "Name 2"


def test_another_language_falls_back_on_english_full_names(rows: Rows, tmp_path: Path) -> None:
    folder = save(rows, tmp_path)
    refset, swedish = concept_id(500), description_id(900)
    names = {name: folder / name.replace("Snapshot-en", "Snapshot-sv") for name in (DESCRIPTION, LANGUAGE)}
    row = description(swedish, concept_id(2), SYNONYM, "Förmaksflimmer", language="sv")
    for name, one in ((DESCRIPTION, row), (LANGUAGE, member(9000, refset, swedish))):
        names[name].write_text("\t".join(HEADERS[name].split()) + "\r\n" + "\t".join(one) + "\r\n", encoding="utf-8")
    graph = read_rf2(folder, language="sv")
    assert graph[concept_id(2)].names == (concept_id(2), "Förmaksflimmer")
    assert graph[concept_id(3)].names == (concept_id(3), "Full name 3")
    assert read_rf2(folder)[concept_id(2)].term == "Name 2"


def test_terms_are_utf_8_and_quotes_are_letters(rows: Rows, tmp_path: Path) -> None:
    terms = ['The "quoted', "Ménière's 心房颤动", '"']
    for number, term in enumerate(terms, start=1):
        rows[DESCRIPTION][3 * number - 2] = description(
            description_id(3 * number + 1), concept_id(number), SYNONYM, term
        )
    graph = read_rf2(save(rows, tmp_path))
    assert [graph[concept_id(number)].term for number in (1, 2, 3)] == terms
    assert len(graph) == 5


def test_blocks_of_lines_may_end_anywhere(rows: Rows, tmp_path: Path) -> None:
    folder = save(rows, tmp_path)
    whole = read_rf2(folder)
    for size in range(1, 200, 7):
        with patch("ontology.rf2_rows._BLOCK", size):
            assert read_rf2(folder) == whole


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


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whoever is root reads everything")
def test_a_file_that_may_not_be_read(rows: Rows, tmp_path: Path) -> None:
    path = save(rows, tmp_path) / CONCEPT
    path.chmod(0)
    with pytest.raises(OntologyError, match=r"sct2_Concept\S+: cannot be read: .*Permission denied"):
        read_rf2(tmp_path)


def test_progress_is_shown_when_asked_for(rows: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = save(rows, tmp_path / "release")
    archive = pack(folder, tmp_path / "release.zip")
    assert read_rf2(folder) == read_rf2(archive)
    assert capsys.readouterr() == ("", "")
    for path in (folder, archive):
        assert read_rf2(path, progress=True) == read_rf2(path)
        shown = capsys.readouterr().err
        assert "sct2_Description" in shown
        assert "100%" in shown


@pytest.mark.slow
def test_a_release_of_twenty_thousand_concepts(tmp_path: Path) -> None:
    folder = generate(tmp_path / "release", concepts=20_000, relationships=68_000, seed=1)
    graph = read_rf2(folder)
    assert len(graph) == 20_000
    assert graph.roots == (ROOT,)
    assert graph.orphans == ()
    stated = [line.split("\t") for line in (folder / RELATIONSHIP).read_text().splitlines()]
    active = [row for row in stated if row[2] == "1"]
    assert len(active) == 68_000
    assert edges(graph) == {(row[4], row[5]) for row in active if row[7] == IS_A}
    assert len(graph.descendants(ROOT)) == 19_999
    assert read_rf2(pack(folder, tmp_path / "release.zip")) == graph

    some = list(graph.ids[::200])
    cone = read_rf2(folder, ancestors_of=some)
    assert set(cone.ids) == set(some).union(*map(graph.ancestors, some))
    assert graph.subgraph(cone.ids) == cone


def test_made_up_identifiers_are_right(tmp_path: Path) -> None:
    folder = generate(tmp_path, concepts=50, relationships=170)
    assert len(read_rf2(folder)) == 50
    assert identifiers([7], 10) == [concept_id(7)]
    for id_ in (concept_id(7), description_id(70), relationship_id(7_000_000)):
        assert id_[-1] == check_digit(id_[:-1])

"""RF2 snapshots made here, read back."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontology import ConceptGraph, read_rf2
from ontology.identifiers import check_digit
from tests.ontology.rf2_release import (
    ACCEPTABLE,
    CONCEPT,
    DESCRIPTION,
    DIAMOND,
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


def edges(graph: ConceptGraph) -> set[tuple[str, str]]:
    return {(edge.child, edge.parent) for edge in graph.edges}


def ids(*numbers: int) -> set[str]:
    return {concept_id(number) for number in numbers}


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


def test_a_language_without_any_preference_has_full_names(rows: Rows, tmp_path: Path) -> None:
    for name in (DESCRIPTION, LANGUAGE):
        rows[name.replace("Snapshot-en", "Snapshot-da")] = []
    graph = read_rf2(save(rows, tmp_path), language="da")
    assert [concept_.names[1:] for concept_ in graph] == [(f"Full name {number}",) for number in range(1, 6)]

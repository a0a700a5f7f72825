"""What each database annotates, against the published counts and against what its sample says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ontology import OntologyError, UnknownNameError, annotated, annotation, cardiac, concepts, vocabulary
from ontology.annotation import counts, named

SNOMED = frozenset({"snomed-ct"})
DATABASES = {
    "cpsc_2018": "A", "cpsc_2018_extra": "Q", "st_petersburg_incart": "I", "ptb": "S", "ptb-xl": "HR", "georgia": "E",
    "chapman_shaoxing": "JS", "ningbo": "JS",
}  # fmt: skip


def says(database: str, name: str) -> bool:
    return cardiac().find(name).id in annotated("cinc2021", database, SNOMED)


def test_the_traps_of_the_counts() -> None:
    assert not says("ningbo", "AF")
    assert says("ningbo", "AFL")
    assert not says("ptb-xl", "PVC")
    assert says("ptb-xl", "VEB")
    assert says("georgia", "PVC"), "as 17338001, which stands for it"
    assert says("ptb-xl", "RBBB"), "as 713427006, which stands for it"
    assert not says("st_petersburg_incart", "PVC"), "its bigeminy implies some, its other beats are 164884008"
    names = {cardiac()[id_].abbreviation for id_ in annotated("cinc2021", "cpsc_2018", SNOMED)}
    assert names == {"AF", "IAVB", "LBBB", "NSR", "PAC", "RBBB", "STD", "STE", "VEB"}


def test_counts_are_those_published() -> None:
    total = {id_: sum(counts("cinc2021", database).get(id_, 0) for database in DATABASES) for id_ in cardiac().observed}
    for name, records in {"AF": 5255, "NSR": 28971, "LAD": 7631, "VEB": 1944, "LAE": 1299, "WPW": 160}.items():
        assert total[cardiac().find(name).id] == records
    assert {database for database in DATABASES if counts("cinc2021", database)} == set(DATABASES)
    assert counts("cinc2021", "nowhere") == {}
    codes = {code for database in DATABASES for code in counts("cinc2021", database)}
    assert len(codes) == 133


def test_words_say_what_words_can_say() -> None:
    assert annotated("cinc2021", "cpsc_2018", frozenset({"cpsc-2018"})) == vocabulary("cpsc-2018")
    both = annotated("cinc2021", "cpsc_2018", frozenset({"cpsc-2018", "snomed-ct"}))
    assert both == vocabulary("cpsc-2018") | annotated("cinc2021", "cpsc_2018", SNOMED)


def test_elsewhere_the_system_decides_and_without_codes_nothing_is_known() -> None:
    assert annotated("folder", "", SNOMED) == vocabulary("snomed-ct")
    assert annotated("ptb-xl", "", frozenset({"scp-ecg"})) == vocabulary("scp-ecg")
    axis = annotated("ptb-xl", "", frozenset({"scp-ecg", "ptb-xl-axis"})) - vocabulary("scp-ecg")
    assert {cardiac()[id_].abbreviation for id_ in axis if id_ in cardiac()} == {"LAD", "RAD"}
    for corpus, database in (("folder", ""), ("cinc2021", "ningbo")):
        assert annotated(corpus, database, frozenset()) == frozenset()
    with pytest.raises(UnknownNameError, match="no coding system named 'scp'"):
        annotated("ptb-xl", "", frozenset({"scp"}))


def test_a_code_names_itself_and_implies_more() -> None:
    assert concepts("snomed-ct", "164867002") == {"164867002", "164865005"}
    assert named("snomed-ct", "164867002") == {"164867002"}
    assert named("snomed-ct", "713427006") == {"59118001"}
    assert named("scp-ecg", "AMI") == {"54329005", "164865005"}
    assert named("snomed-ct", "nothing") == frozenset()


@pytest.mark.parametrize("row", ["c,s,164889003,0,why", "c,s,164889003,5,", "c,s,1,5,why", "c,s,164889003,many,why"])
def test_a_faulty_row_is_refused(row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.csv").write_text(f"corpus,sub_corpus,code,records,provenance\n{row}\n")
    monkeypatch.setattr(annotation, "_TABLE", tmp_path / "own.csv")
    annotation._rows.cache_clear()
    with pytest.raises(OntologyError, match=r"own\.csv:2: expected a SNOMED-CT code, a count and a provenance"):
        counts("c", "s")
    monkeypatch.undo()
    annotation._rows.cache_clear()
    assert counts("cinc2021", "ptb")


@pytest.mark.real
def test_every_code_of_the_sample_is_annotated_where_it_occurs(biosig_data: Path) -> None:
    from biosig.corpora.cinc2021 import sub_corpus

    seen = 0
    for path in (biosig_data / "ecg/cinc2021").rglob("*.hea"):
        dx = re.search(r"^#\s*Dx:(.*)$", path.read_text(), re.MULTILINE)
        database = sub_corpus(path.stem)
        for code in dx[1].split(",") if dx else ():
            if code.strip().isdecimal():
                assert named("snomed-ct", code) <= annotated("cinc2021", database, SNOMED), (path.stem, code)
                seen += 1
    assert seen > 200

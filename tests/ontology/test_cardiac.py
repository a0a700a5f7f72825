"""The shipped graph: what it must hold, and that it is what its tables say."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

import ontology
from ontology import OntologyError, cardiac
from ontology.crosswalk import entries
from ontology.curate import FOLDER, from_tables
from ontology.graph import Kind
from ontology.identifiers import is_snomed

SCORED = [
    "164889003", "164890007", "6374002", "426627000", "270492004", "713426002", "39732003", "445118002",
    "164909002", "251146004", "698252002", "426783006", "284470004", "10370003", "365413008", "427172004",
    "164947007", "111975006", "164917005", "47665007", "59118001", "427393009", "426177001", "427084000",
    "164934002", "59931005",
]  # fmt: skip
BESIDE = [
    "164873001", "89792004", "67741000119109", "164865005", "429622005", "164931005", "428750005", "55930002",
    "164884008", "195042002", "27885002", "251120003", "445211001", "74390002",
]  # fmt: skip


def test_exactly_the_forty_concepts_are_observed() -> None:
    assert len(cardiac().observed) == 40
    assert set(cardiac().observed) == {*SCORED, *BESIDE}
    assert cardiac() is cardiac()


def test_organisers_are_marked_and_local_unless_the_identifier_is_in_the_codes_of_the_challenge() -> None:
    organisers = [concept for concept in cardiac() if concept.organiser]
    assert len(organisers) == 15
    certain = {"271921002", *(code for code in entries("snomed-ct") if code.isdigit())}
    for concept in organisers:
        assert concept.id in certain if is_snomed(concept.id) else concept.id.startswith("biosig:")


def test_everything_hangs_from_one_root() -> None:
    graph = cardiac()
    roots = [id_ for id_ in graph.ids if not graph.parents(id_)]
    assert roots == ["271921002"]
    assert graph.descendants(roots[0]) == set(graph.ids) - set(roots)
    assert all(graph.children(id_) for id_ in graph.ids if graph[id_].organiser)
    assert {edge.kind for edge in graph.edges} == {Kind.RHYTHM, Kind.CONDUCTION, Kind.REPOLARISATION, Kind.STRUCTURE}


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        ("LBBB", "bundle branch block"),
        ("RBBB", "BBB"),
        ("SB", "bradycardia"),
        ("NSR", "rhythm of sinus origin"),
        ("VEB", "PVC"),
        ("IAVB", "prolonged PR interval"),
        ("CHB", "AV block"),
        ("TInv", "TAb"),
        ("STE", "STC"),
        ("AF", "atrial tachyarrhythmia"),
        ("LVH", "ventricular hypertrophy"),
        ("MI", "sign of myocardial infarction"),
        ("LAnFB", "intraventricular conduction abnormality"),
    ],
)
def test_what_a_cardiologist_expects(child: str, parent: str) -> None:
    graph = cardiac()
    assert graph.find(parent).id in graph.ancestors(graph.find(child).id)


def test_kin_are_nearer_than_strangers() -> None:
    graph = cardiac()

    def apart(a: str, b: str) -> float:
        return graph.distance(graph.find(a).id, graph.find(b).id)

    assert apart("AF", "AFL") < apart("AF", "NSR") < apart("AF", "RBBB")
    assert apart("LBBB", "RBBB") < apart("LBBB", "IAVB") < apart("LBBB", "LVH")
    assert apart("MI", "QAb") < apart("MI", "LAD")


def test_a_row_without_provenance_is_refused(tmp_path: Path) -> None:
    concepts, is_a = tmp_path / "concepts.csv", tmp_path / "is_a.csv"
    header = "id,abbreviation,term,synonyms,organiser,provenance\n"
    is_a.write_text("child,parent,kind,reason\n")
    concepts.write_text(f"{header}test:a,A,term,,0,\n")
    with pytest.raises(OntologyError, match=r"concepts\.csv:2: provenance is empty"):
        from_tables(concepts, is_a)
    concepts.write_text(f"{header}test:a,A,term,one;other,1,known\n")
    graph = from_tables(concepts, is_a)
    assert graph["test:a"].synonyms == ("one", "other")
    assert graph["test:a"].organiser


def test_no_table_has_a_cell_with_stray_space() -> None:
    for path in [*FOLDER.glob("*.csv"), *(FOLDER / "crosswalks").glob("*.csv")]:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        assert all(len(row) == len(rows[0]) for row in rows), path.name
        assert all(cell == " ".join(cell.split()) for row in rows for cell in row), path.name


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, ontology; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "networkx", "owlready2", "jaxtyping", "torch"} & set(loaded)


def test_every_public_name_is_there_and_no_other() -> None:
    for name in ontology.__all__:
        assert getattr(ontology, name) is not None
        assert name in dir(ontology)
    with pytest.raises(AttributeError, match="no attribute 'melody'"):
        ontology.melody  # noqa: B018 - looking it up is the test

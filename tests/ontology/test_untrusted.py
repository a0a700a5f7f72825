"""A hostile OWL file reaches neither the network, nor the disk, nor Python."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontology import OntologyError, cardiac, read_owl
from ontology.untrusted import Format, screen

RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:owl="http://www.w3.org/2002/07/owl#" '
    'xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#" xmlns:o="http://www.lesfleursdunormal.fr/static/_downloads/'
    'owlready_ontology.owl#">{body}<owl:Class rdf:about="http://example.com/a"/></rdf:RDF>'
)
_watching: list[list[str]] = []


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _watching and (
        event in ("open", "import", "exec") or event.startswith(("socket.", "urllib.", "subprocess.", "os."))
    ):
        _watching[-1].append(f"{event} {arguments[0]}")


@pytest.fixture(scope="session")
def audit() -> None:
    sys.addaudithook(_audit)


@pytest.fixture
def watched(audit: None) -> Iterator[Callable[[], list[str]]]:
    """What the process asks of the system from here on."""
    cardiac()  # what is imported on first use is imported now
    _watching.append([])
    yield lambda: list(_watching[-1])
    _watching.clear()


@pytest.mark.parametrize("notation", ["rdfxml", "owlxml", "ntriples"])
def test_imports_and_python_modules_are_never_followed(
    notation: str, tmp_path: Path, watched: Callable[[], list[str]]
) -> None:
    other, module = tmp_path / "other.owl", "antigravity"
    other.write_text(RDF.format(body='<owl:Class rdf:about="http://example.com/stolen"/>'))
    onto = "http://www.lesfleursdunormal.fr/static/_downloads/owlready_ontology.owl#"
    targets = [other.as_uri(), "http://127.0.0.1:9/x.owl", onto, "http://purl.org/dc/terms/"]
    type_, owl = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type", "http://www.w3.org/2002/07/owl#"
    triples = [
        ("http://example.com/o", type_, f"<{owl}Ontology>"),
        *(("http://example.com/o", f"{owl}imports", f"<{target}>") for target in targets),
        ("http://example.com/o", f"{onto}python_module", f'"{module}"'),
        ("http://example.com/a", type_, f"<{owl}Class>"),
    ]
    texts = {
        "rdfxml": RDF.format(
            body='<owl:Ontology rdf:about="http://example.com/o">'
            + "".join(f'<owl:imports rdf:resource="{target}"/>' for target in targets)
            + f"<o:python_module>{module}</o:python_module></owl:Ontology>"
        ),
        "owlxml": '<Ontology xmlns="http://www.w3.org/2002/07/owl#" ontologyIRI="http://example.com/o">'
        + "".join(f"<Import>{target}</Import>" for target in targets)
        + f'<Annotation><AnnotationProperty IRI="{onto}python_module"/><Literal>{module}</Literal></Annotation>'
        + '<Declaration><Class IRI="http://example.com/a"/></Declaration></Ontology>',
        "ntriples": "".join(f"<{subject}> <{link}> {target} .\n" for subject, link, target in triples),
    }
    path = tmp_path / "hostile.owl"
    path.write_text(texts[notation])
    start = len(watched())
    graph = read_owl(path)
    asked = watched()[start:]
    assert graph.ids == ("http://example.com/a",)
    assert [event for event in asked if not event.startswith("open")] == []
    assert asked == [f"open {path}"]
    assert module not in sys.modules


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE rdf:RDF SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE rdf:RDF PUBLIC "-//X//Y" "x.dtd">',
        '<!DOCTYPE rdf:RDF [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE rdf:RDF [<!ENTITY x PUBLIC "a" "http://127.0.0.1:9/">]>',
        '<!DOCTYPE rdf:RDF [<!ENTITY % x SYSTEM "http://127.0.0.1:9/"> %x;]>',
        "<!DOCTYPE rdf:RDF [<!ENTITY % x \"<!ENTITY y 'z'>\"> %x;]>",
        '<!DOCTYPE rdf:RDF [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>',
        f'<!DOCTYPE rdf:RDF [<!ENTITY a "{"x" * 2000}">]>',
        "<!DOCTYPE rdf:RDF [" + "".join(f'<!ENTITY e{n} "x">' for n in range(300)) + "]>",
    ],
)
def test_entities_that_reach_out_or_explode_are_refused(
    declaration: str, tmp_path: Path, watched: Callable[[], list[str]]
) -> None:
    path = tmp_path / "hostile.owl"
    path.write_text(declaration + RDF.format(body=""))
    start = len(watched())
    with pytest.raises(OntologyError, match=r"hostile\.owl: refused: the file declares"):
        read_owl(path)
    assert watched()[start:] == [f"open {path}"]


def test_short_internal_entities_are_how_editors_abbreviate(tmp_path: Path) -> None:
    path = tmp_path / "editor.owl"
    declaration = '<!DOCTYPE rdf:RDF [<!ENTITY ex "http://example.com/">]>'
    path.write_text(declaration + RDF.format(body='<owl:Class rdf:about="&ex;b"/>'))
    assert read_owl(path).ids == ("http://example.com/a", "http://example.com/b")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<a><b></a>", "expected well-formed XML: mismatched tag"),
        (b"<?xml version='1.0' encoding='klingon'?><a/>", "expected well-formed XML"),
        (b"<html></html>", "expected rdf:RDF or owl:Ontology as the root element, got 'html'"),
        (b"<!-- nothing -->", "expected well-formed XML: no element found"),
        (b"Prefix(:=<http://x>)\nOntology(<http://x>)", "line 1: expected a triple of N-Triples"),
        (b"<http://a> <http://b> <http://c>\n", "line 1: expected a triple"),
        (b'# note\n\n<http://a> <http://b> "open .\n', "line 3: expected a triple"),
        (b'<http://a> <http://b> "\xff" .\n', "N-Triples in UTF-8: byte 23"),
        (b"\x00\x01\x02", "expected a triple"),
    ],
)
def test_what_is_not_owl_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(OntologyError, match=message):
        screen(data)


def test_the_format_is_told_from_the_content() -> None:
    rdf, triples = RDF.format(body="").encode(), b"<http://a> <http://b> <http://c> ."
    assert screen(rdf) == (Format.RDF_XML, rdf)
    assert screen(b"\xef\xbb\xbf\n<!-- note -->" + rdf)[0] is Format.RDF_XML
    assert screen(b'<Ontology xmlns="http://www.w3.org/2002/07/owl#"/>')[0] is Format.OWL_XML
    assert screen(triples)[0] is Format.N_TRIPLES
    assert screen(b"_:a <http://b> _:c .")[0] is Format.N_TRIPLES
    assert screen(b"<urn:a> <urn:b> _:c .")[0] is Format.N_TRIPLES
    assert screen(b"") == (Format.N_TRIPLES, b"")


def test_triples_come_out_in_the_plainest_spacing() -> None:
    loose = b'\xef\xbb\xbf  <http://a>\t<http://b>   "x . \\" y"@en-GB.  # why\r\n#\r\r_:n1 <http://b> "1"^^<http://t>.'
    assert screen(loose)[1] == b'<http://a> <http://b> "x . \\" y"@en-GB .\n_:n1 <http://b> "1"^^<http://t> .\n'


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: f"<{text}".encode("utf-8", "ignore")))
def test_any_bytes_are_taken_or_refused_in_one_line(data: bytes) -> None:
    said = ""
    try:
        screen(data)
    except OntologyError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1

"""The page and the figure of the cardiac graph say what the graph is now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from biosig.plot import save
from biosig.plot.concepts import concept_graph
from ontology import KERNELS, cardiac
from ontology.describe import cardiac_page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_up_to_date() -> None:
    said = (DOCS / "cardiac_graph.md").read_text(encoding="utf-8")
    assert said == cardiac_page(), "run: python -m ontology.describe docs/cardiac_graph.md"


def test_the_page_has_every_concept_and_edge_once() -> None:
    page, graph = cardiac_page(), cardiac()
    for concept in graph:
        assert page.count(f"| {concept.id} |") == 1
    edges = page.split("## Edges")[1]
    assert edges.count("\n|") == 2 + len(graph.edges)
    for edge in graph.edges:
        assert f"| {graph[edge.child].term} | {graph[edge.parent].term} | {edge.kind} |" in edges
    assert "| RBBB | 59118001 | right bundle branch block | bundle branch block | 4,830 |" in page, "3,051 and 1,779"


def test_the_figure_is_up_to_date(tmp_path: Path) -> None:
    drawn = save(concept_graph(cardiac(), title="The cardiac graph"), tmp_path / "now.svg").read_text(encoding="utf-8")
    shown = (DOCS / "images/cardiac_graph.svg").read_text(encoding="utf-8")
    # Releases of matplotlib write the same picture differently.
    for what in (r">([^<>\n]+)</text>", r"stroke: (#\w+)", r"<g id=\"(patch)_"):
        assert re.findall(what, shown) == re.findall(what, drawn), (
            "run: biosig ontology draw docs/images/cardiac_graph.svg"
        )
    assert (DOCS / "cardiac_graph.md").read_text(encoding="utf-8").count("images/cardiac_graph.svg") == 1


def test_the_page_of_the_kernels_has_their_values() -> None:
    section = (DOCS / "kernels.md").read_text(encoding="utf-8").split("\n## ")[1]
    title, _, *rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    pairs = [name.split(", ") for name in title[1:-1]]
    found = {row[0].partition(",")[0]: [float(cell) for cell in row[1:]] for row in rows}
    assert found.keys() == set(KERNELS)
    graph = cardiac()
    for name, values in found.items():
        kernel = KERNELS[name](graph)
        alike = [kernel[graph.index(graph.find(a).id), graph.index(graph.find(b).id)] for a, b in pairs]
        moved = 0.5 * (1 - 1 / kernel.sum(1)).mean()
        assert values == pytest.approx([*alike, moved], abs=0.0051), name

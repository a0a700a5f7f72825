"""The picture of a graph: nothing overlaps, everything is there, the order is that of is-a."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch, PathPatch

from biosig.errors import BiosigError
from biosig.plot import save
from biosig.plot.concepts import _COLOURS, MOST_CONCEPTS, concept_graph, layers
from ontology import GRAPHS, Concept, ConceptGraph, cardiac


@pytest.mark.parametrize("name", list(GRAPHS))
def test_every_concept_has_a_place_right_of_its_parents(name: str) -> None:
    graph = GRAPHS[name]()
    depth, height = layers(graph)
    assert set(depth) == set(height) == set(graph.ids)
    for edge in graph.edges:
        assert depth[edge.child] > depth[edge.parent]
    for one, other in combinations(graph.ids, 2):
        assert depth[one] != depth[other] or abs(height[one] - height[other]) >= 1


@pytest.mark.parametrize("name", list(GRAPHS))
def test_all_is_drawn_within_the_page_and_texts_within_their_boxes(name: str) -> None:
    graph = GRAPHS[name]()
    figure = concept_graph(graph, title=name)
    axes = figure.axes[0]
    boxes = [patch for patch in axes.patches if isinstance(patch, FancyBboxPatch)]
    lines = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    assert len(boxes) == len(graph)
    drawn = sorted(to_hex(line.get_edgecolor()) for line in lines)
    assert drawn == sorted(_COLOURS[edge.kind] for edge in graph.edges)
    dashed = sum(box.get_linestyle() != "-" for box in boxes)
    assert dashed == len(graph) - len(graph.observed)
    renderer = figure.canvas.get_renderer()
    frames = [box.get_window_extent(renderer) for box in boxes]
    for text in axes.texts[: -1 if axes.texts[-1].get_text() == name else None]:
        here = text.get_window_extent(renderer)
        centre = ((here.x0 + here.x1) / 2, (here.y0 + here.y1) / 2)
        (frame,) = [frame for frame in frames if frame.contains(*centre)]
        assert frame.x0 <= here.x0
        assert here.x1 <= frame.x1, text.get_text()
    page = figure.bbox
    for artist in (*boxes, *axes.texts, axes.get_legend()):
        extent = artist.get_window_extent(renderer)
        assert page.x0 <= extent.x0 <= extent.x1 <= page.x1
        assert page.y0 <= extent.y0 <= extent.y1 <= page.y1


def test_all_names_are_said_and_the_file_is_the_same_each_time(tmp_path: Path) -> None:
    one, two = (save(concept_graph(cardiac()), tmp_path / f"{name}.svg").read_bytes() for name in "ab")
    assert one == two
    text = one.decode()
    for concept in cardiac():
        if not concept.organiser:
            assert f">{concept.abbreviation}<" in text


def test_no_graph_and_too_large_a_graph() -> None:
    for size in (0, MOST_CONCEPTS + 1):
        with pytest.raises(BiosigError, match=f"expected a graph of 1 to {MOST_CONCEPTS} concepts to draw, got {size}"):
            concept_graph(ConceptGraph(Concept(f"x:{number}", f"t{number}") for number in range(size)))
    assert concept_graph(ConceptGraph([Concept("x:alone", "alone")])).axes


def test_scores_are_shades_and_numbers() -> None:
    graph = cardiac()
    af, sinus = graph.find("AF").id, graph.find("NSR").id
    figure = concept_graph(graph, scores={af: 0.93, sinus: 0.04})
    boxes = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyBboxPatch)]
    shade = {one.id: sum(box.get_facecolor()[:3]) for one, box in zip(graph, boxes, strict=True)}
    assert shade[af] < min(shade[one] for one in graph.ids if one != af)
    texts = {text.get_text(): text for text in figure.axes[0].texts}
    assert {"0.93", "0.04"} <= set(texts)
    assert to_hex(texts["0.93"].get_color()) == "#ffffff"
    assert to_hex(texts["0.04"].get_color()) == "#000000"
    renderer = figure.canvas.get_renderer()
    number = texts["0.93"].get_window_extent(renderer)
    others = [text for text in figure.axes[0].texts if text is not texts["0.93"]]
    assert not any(number.overlaps(text.get_window_extent(renderer)) for text in others)


@pytest.mark.parametrize("bad", [{"1": 0.5}, {"164889003": 1.5}, {"164889003": float("nan")}])
def test_scores_of_nothing_or_beyond_one_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(BiosigError, match="scores: expected 0 to 1 for concepts of the graph"):
        concept_graph(cardiac(), scores=bad)

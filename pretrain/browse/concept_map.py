"""The graph of concepts as boxes and lines in the page, coloured by the score of a record or the number of records."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from biosig.plot.concepts import MOST_CONCEPTS, layers
from ontology.graph import ConceptGraph

# Pixels.
_WIDTH, _HEIGHT, _ROW, _COLUMN, _MARGIN = 184, 34, 40, 226, 8
_LETTERS = 29
# Shades from none to most.
SHADES = 8


@dataclass(frozen=True)
class Box:
    """A concept.

    Attributes:
        x, y: Its upper left corner.
        lines: What is written in it.
        shade: From 0 to `SHADES`; None: not coloured.
        note: A number below the words.
    """

    concept: str
    term: str
    x: float
    y: float
    lines: tuple[str, ...]
    organiser: bool
    labelled: bool
    shade: int | None
    note: str


@dataclass(frozen=True)
class ConceptMap:
    """A graph laid out.

    Attributes:
        width, height: Of the whole.
        box_width, box_height: Of each concept.
        boxes: The concepts, from the top of each column down.
        lines: The paths of the is-a edges.
    """

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[str, ...]
    box_width: float = _WIDTH
    box_height: float = _HEIGHT


def concept_map(
    graph: ConceptGraph, shares: Mapping[str, float], notes: Mapping[str, str], labelled: frozenset[str] = frozenset()
) -> ConceptMap | None:
    """Lay a graph out; None where it is too large for a page.

    Args:
        graph: What to show.
        shares: How dark a box is, from 0 to 1; those without are not coloured.
        notes: A number for each box.
        labelled: Boxes with a thick border.
    """
    if not 0 < len(graph) <= MOST_CONCEPTS:
        return None
    depth, height = layers(graph)
    place = {id_: (_MARGIN + depth[id_] * _COLUMN, _MARGIN + height[id_] * _ROW) for id_ in graph.ids}
    boxes = []
    for id_ in sorted(graph.ids, key=lambda one: (depth[one], height[one])):
        concept, share = graph[id_], shares.get(id_)
        words = textwrap.wrap(concept.term, _LETTERS, max_lines=2, placeholder=" …")
        boxes.append(
            Box(
                id_,
                concept.term,
                *place[id_],
                tuple(words),
                concept.organiser,
                id_ in labelled,
                None if share is None else round(share * SHADES),
                notes.get(id_, ""),
            )
        )
    lines = []
    for edge in graph.edges:
        (x0, y0), (x1, y1) = place[edge.parent], place[edge.child]
        x0, y0, y1 = x0 + _WIDTH, y0 + _HEIGHT / 2, y1 + _HEIGHT / 2
        bend = (_COLUMN - _WIDTH) * 0.6
        lines.append(f"M{x0:g} {y0:g}C{x0 + bend:g} {y0:g} {x1 - bend:g} {y1:g} {x1:g} {y1:g}")
    right, bottom = max(x for x, _ in place.values()), max(y for _, y in place.values())
    return ConceptMap(right + _WIDTH + _MARGIN, bottom + _HEIGHT + _MARGIN, tuple(boxes), tuple(lines))

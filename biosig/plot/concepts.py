"""A concept graph as a picture: what is a kind of what, read from left to right."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path as Curve

from biosig.errors import BiosigError
from biosig.plot.output import new_figure
from ontology.concept import Concept, Edge, Kind
from ontology.graph import ConceptGraph

# More than this no page holds.
MOST_CONCEPTS = 400

# Millimetres.
_BOX_WIDTH, _BOX_HEIGHT, _ROW, _COLUMN, _MARGIN, _LEGEND = 42.0, 7.8, 8.8, 60.0, 5.0, 11.0
_LETTERS_A_LINE = 36
# Of scores: white to the blue of the boxes' edges; letters on more than that are white.
_SHADES, _DARK = LinearSegmentedColormap.from_list("scores", ["#ffffff", "#b9d3e8", "#1d5d94"]), 0.88
# Okabe and Ito's colours tell apart for colour-blind readers too; kinds of the heart and of the brain never meet.
_COLOURS: Mapping[Kind, str] = {
    Kind.RHYTHM: "#d55e00",
    Kind.CONDUCTION: "#0072b2",
    Kind.REPOLARISATION: "#009e73",
    Kind.STRUCTURE: "#cc79a7",
    Kind.STAGE: "#0072b2",
    Kind.ONSET: "#d55e00",
    Kind.AWARENESS: "#009e73",
    Kind.SEMIOLOGY: "#cc79a7",
    Kind.VALENCE: "#d55e00",
    Kind.AROUSAL: "#0072b2",
    Kind.EMOTION: "#009e73",
    Kind.OTHER: "#777777",
}


def concept_graph(graph: ConceptGraph, *, scores: Mapping[str, float] | None = None, title: str = "") -> Figure:
    """Draw a graph in layers: a concept stands right of everything that it is a kind of.

    Lines have the colour of the kind of is-a; organisers, which no recording carries as a label, are dashed and in
    italics. A concept with several parents stands beside the deepest of them; lines to the others are dashed.

    Args:
        graph: What to draw.
        scores: From 0 to 1, of some concepts, such as the probabilities of a record: the higher, the darker the box,
            with the number in its corner.
        title: Above the picture.

    Raises:
        BiosigError: If there are no concepts or too many for a page, or a score is none of the graph's concepts or not
            from 0 to 1.
    """
    for id_, score in (scores or {}).items():
        if id_ not in graph or not 0 <= score <= 1:
            raise BiosigError(f"scores: expected 0 to 1 for concepts of the graph, got {score:g} for {id_}")
    if not 0 < len(graph) <= MOST_CONCEPTS:
        raise BiosigError(f"expected a graph of 1 to {MOST_CONCEPTS} concepts to draw, got {len(graph)}")
    depth, height = layers(graph)
    rows, columns = max(height.values()) + 1, max(depth.values()) + 1
    page = (
        2 * _MARGIN + (columns - 1) * _COLUMN + _BOX_WIDTH,
        2 * _MARGIN + _LEGEND + rows * _ROW + (_LEGEND if title else 0),
    )
    figure = new_figure(*page)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, page[0])
    axes.set_ylim(page[1], 0)
    axes.axis("off")
    top = _MARGIN + (_LEGEND if title else 0)
    place = {
        id_: (_MARGIN + depth[id_] * _COLUMN, top + height[id_] * _ROW + (_ROW - _BOX_HEIGHT) / 2) for id_ in graph.ids
    }
    near = _nearest_parents(graph, depth)
    for edge in graph.edges:
        _draw_edge(axes, edge, place, first=near[edge.child] == edge.parent)
    for concept in graph:
        _draw_concept(axes, concept, *place[concept.id], (scores or {}).get(concept.id))
    if title:
        axes.text(_MARGIN, _MARGIN + 3, title, fontsize=11, va="center", parse_math=False)
    _draw_legend(axes, graph, page[1] - _MARGIN - _LEGEND / 2)
    return figure


def layers(graph: ConceptGraph) -> tuple[dict[str, int], dict[str, float]]:
    """Column and row of every concept.

    The column is the longest way from a root. Concepts without kinds of their own get a row each, those above stand in
    the middle of theirs; siblings are ordered so that lines to further parents stay short.
    """
    down = graph.to_networkx().reverse(copy=False)
    depth = {id_: column for column, layer in enumerate(nx.topological_generations(down)) for id_ in layer}
    near = _nearest_parents(graph, depth)
    below: dict[str, list[str]] = {id_: [] for id_ in graph.ids}
    for id_ in graph.ids:
        if near[id_]:
            below[near[id_]].append(id_)
    roots = list(graph.roots)
    height = _rows(roots, below)
    for _ in range(6):
        wanted = _pull(graph, near, below, height)
        for siblings in (roots, *below.values()):
            siblings.sort(key=wanted.__getitem__)
        height = _rows(roots, below)
    return depth, height


def _nearest_parents(graph: ConceptGraph, depth: Mapping[str, int]) -> dict[str, str]:
    """The deepest parent of each concept, the first of several; none of a root."""
    return {id_: max(graph.parents(id_), key=depth.__getitem__, default="") for id_ in graph.ids}


def _rows(roots: Sequence[str], below: Mapping[str, Sequence[str]]) -> dict[str, float]:
    height: dict[str, float] = {}
    row = 0

    def visit(id_: str) -> float:
        nonlocal row
        if not below[id_]:
            height[id_] = float(row)
            row += 1
        else:
            spread = [visit(child) for child in below[id_]]
            height[id_] = (spread[0] + spread[-1]) / 2
        return height[id_]

    for root in roots:
        visit(root)
    return height


def _pull(
    graph: ConceptGraph, near: Mapping[str, str], below: Mapping[str, Sequence[str]], height: Mapping[str, float]
) -> dict[str, float]:
    """Where each branch would like to be: where the other ends of the lines are that leave it."""
    ends: dict[str, list[float]] = {id_: [] for id_ in graph.ids}
    for edge in graph.edges:
        if near[edge.child] != edge.parent:
            for here, there in ((edge.child, edge.parent), (edge.parent, edge.child)):
                climber = here
                while climber:
                    # A line within a branch does not pull the branch.
                    if climber != there and climber not in graph.ancestors(there):
                        ends[climber].append(height[there])
                    climber = near[climber]
    return {id_: sum(found) / len(found) if (found := ends[id_]) else height[id_] for id_ in below}


def _draw_edge(axes: Axes, edge: Edge, place: Mapping[str, tuple[float, float]], *, first: bool) -> None:
    (x0, y0), (x1, y1) = place[edge.parent], place[edge.child]
    start, end = (x0 + _BOX_WIDTH, y0 + _BOX_HEIGHT / 2), (x1, y1 + _BOX_HEIGHT / 2)
    bend = (_COLUMN - _BOX_WIDTH) * 0.55
    curve = Curve(
        [start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end],
        [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4],
    )
    axes.add_patch(
        PathPatch(curve, fill=False, color=_COLOURS[edge.kind], lw=1.1, ls="-" if first else (0, (4, 2)), zorder=1)
    )


def _draw_concept(axes: Axes, concept: Concept, x: float, y: float, score: float | None) -> None:
    plain = "white" if concept.organiser else "#eef3f8"
    axes.add_patch(
        FancyBboxPatch(
            (x, y),
            _BOX_WIDTH,
            _BOX_HEIGHT,
            boxstyle="round,pad=0,rounding_size=1.2",
            facecolor=plain if score is None else _SHADES(score),
            edgecolor="#888888" if concept.organiser else "#33506b",
            lw=0.8,
            ls=(0, (3, 2)) if concept.organiser else "-",
            zorder=2,
        )
    )
    ink = "white" if score is not None and score > _DARK else "black"
    style: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 3, "parse_math": False, "color": ink}
    if score is not None:
        axes.text(
            x + _BOX_WIDTH - 0.8, y + 0.6, f"{score:.2f}", **{**style, "ha": "right", "va": "top"}, fontsize=5.4
        )  # fmt: skip
    lines = textwrap.wrap(concept.term, _LETTERS_A_LINE, max_lines=2, placeholder=" ...")
    middle = x + _BOX_WIDTH / 2
    if concept.organiser or not concept.abbreviation:
        slant = "italic" if concept.organiser else "normal"
        axes.text(middle, y + _BOX_HEIGHT / 2, "\n".join(lines), fontsize=6, style=slant, **style)
        return
    short, size = (0.28, 5.8 if len(concept.term) < 31 else 5.4) if len(lines) == 1 else (0.23, 5.0)
    axes.text(middle, y + _BOX_HEIGHT * short, concept.abbreviation, fontsize=6.4, fontweight="bold", **style)
    axes.text(middle, y + _BOX_HEIGHT * (short + 0.43), "\n".join(lines), fontsize=size, linespacing=0.95, **style)


def _draw_legend(axes: Axes, graph: ConceptGraph, y: float) -> None:
    kinds = [kind for kind in Kind if any(edge.kind is kind for edge in graph.edges)]
    handles = [Line2D([], [], color=_COLOURS[kind], lw=1.4, label=f"is a, {kind}") for kind in kinds]
    if len({edge.child for edge in graph.edges}) < len(graph.edges):
        handles.append(Line2D([], [], color="#777777", lw=1.4, ls=(0, (4, 2)), label="a further parent"))
    box: dict[str, Any] = {"ls": "", "marker": "s", "markersize": 7}
    handles.append(
        Line2D(
            [],
            [],
            markerfacecolor="#eef3f8",
            markeredgecolor="#33506b",
            label=f"observed ({len(graph.observed)})",
            **box,
        )
    )
    if organisers := len(graph) - len(graph.observed):
        label = f"organiser, italic ({organisers})"
        handles.append(Line2D([], [], markerfacecolor="white", markeredgecolor="#888888", label=label, **box))
    axes.legend(
        handles=handles,
        loc="center left",
        bbox_to_anchor=(_MARGIN, y),
        bbox_transform=axes.transData,
        ncols=len(handles),
        fontsize=6.4,
        frameon=False,
        handlelength=2.2,
        columnspacing=1.6,
        borderaxespad=0,
    )

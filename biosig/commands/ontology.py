"""`biosig ontology`: look into concept graphs, draw them, convert them, and see what they know of a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from ontology.concept import Concept
    from ontology.coverage import Coverage
    from ontology.graph import ConceptGraph
    from ontology.lookup import Found

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Concept graphs: what a name or code means, how two concepts are related, what a graph knows of a store.

    Example: `biosig ontology show AFIB`
    """,
)

_Graph = Annotated[
    str,
    typer.Option("--graph", help="A graph of the package (`cardiac`, `sleep`, `seizure`, `emotion`) or an OWL file."),
]
_AnyGraph = Annotated[
    str, typer.Option("--graph", help="Look in this graph or OWL file only; by default in all of the package.")
]
_MOST_CODES = 8
_MOST_OTHERS = 20


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A name, abbreviation, identifier, or code of any crosswalk.")],
    graph: _AnyGraph = "",
) -> None:
    """Show a concept: its names, what it is a kind of, its kinds, and the codes that state it.

    Example: `biosig ontology show "atrial fibrillation"`
    """
    from rich.console import Console

    from ontology.lookup import codes_of

    console = Console()
    where, (found,) = _found(graph, name)
    if found.how:
        console.print(f"{name!r} is a code of {', '.join(found.how)}", markup=False, highlight=False)
    for concept in found.concepts:
        console.print(_card(concept, where, codes_of(concept.id)))


@app.command()
def path(
    a: Annotated[str, typer.Argument(help="A name, abbreviation, identifier or code.")],
    b: Annotated[str, typer.Argument(help="Another one.")],
    graph: _AnyGraph = "",
) -> None:
    """Show the shortest way between two concepts, and what both are.

    Example: `biosig ontology path AF "left bundle branch block"`
    """
    from itertools import pairwise

    import networkx as nx
    from rich.console import Console
    from rich.text import Text

    from ontology.lookup import one

    console, (within, _) = Console(), _found(graph, a, b)
    start, end = one(a, within), one(b, within)
    both_ways = within.to_networkx().to_undirected()
    if not nx.has_path(both_ways, start.id, end.id):
        console.print(f"no path leads from {start.term} to {end.term}", markup=False, highlight=False)
        return
    way = nx.shortest_path(both_ways, start.id, end.id)
    console.print(_name(start))
    for before, here in pairwise(way):
        up = here in within.parents(before)
        low, high = (before, here) if up else (here, before)
        kind = next(edge.kind for edge in within.edges if (edge.child, edge.parent) == (low, high))
        arrow = "is a kind of" if up else "has the kind"
        console.print(Text.assemble((f"  {'↑' if up else '↓'} {arrow} ({kind}) ", "dim"), _name(within[here])))
    common = sorted(within.lowest_common_ancestors(start.id, end.id), key=within.index)
    steps = len(way) - 1
    console.print(
        f"distance {steps} {'step' if steps == 1 else 'steps'}; lowest common ancestor: "
        f"{', '.join(within[id_].term for id_ in common) or 'none'}",
        highlight=False,
        markup=False,
    )


@app.command()
def coverage(
    store: Annotated[list[Path], typer.Argument(help="One store or several, as `biosig prepare` writes them.")],
    graph: Annotated[
        list[str] | None, typer.Option("--graph", help="A graph of the package or an OWL file; by default all.")
    ] = None,
) -> None:
    """Print what share of the labels of a store each graph knows, and why it does not know the others.

    A label is one code on one record. Codes are brought to the concepts of a graph by the crosswalks.

    Example: `biosig ontology coverage stores/ptb-xl --graph cardiac`
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from biosig.store import Store
    from ontology.coverage import coverage as cover
    from ontology.shipped import GRAPHS

    console = Console()
    graphs = {name: _load(name) for name in graph or GRAPHS}
    for each in store:
        opened = Store(each)
        labels = [[(code["system"], code["code"]) for code in codes] for codes in opened.records["codes"]]
        found = {name: cover(labels, within) for name, within in graphs.items()}
        title = f"{opened.info.corpus.name} in {each}: {len(labels):,} records"
        table = Table("graph", title=title, title_justify="left")
        for column in ("labels known", "share", "codes known", "records reached"):
            table.add_column(column, justify="right")
        for name, one in found.items():
            table.add_row(Text(name), *_counts(one))
        console.print(table)
        best = max(found, key=lambda name: found[name].known)
        _print_others(console, best, found[best])


@app.command()
def draw(
    out: Annotated[Path, typer.Argument(help="Picture to write: .png, .svg or .pdf.")],
    graph: _Graph = "cardiac",
    scores: Annotated[
        Path | None,
        typer.Option(help="Colour concepts by a CSV with `concept` and `probability` or `score`, 0 to 1."),
    ] = None,
    of: Annotated[str, typer.Option(help="Of a table of several recordings, the `file` that is drawn.")] = "",
) -> None:
    """Draw a graph from left to right; the colour of a line is the kind of is-a, organisers are dashed.

    The `predictions.csv` of `biosig predict` is such a table. Its concepts that are not in the graph are left out.

    Example: `biosig ontology draw cardiac.svg`, or
    `biosig ontology draw answer.png --scores predictions/predictions.csv`
    """
    from rich.console import Console

    from biosig.commands.scores import read_scores
    from biosig.plot import save
    from biosig.plot.concepts import concept_graph

    console = Console()
    title = f"The {graph} graph" if _is_shipped(graph) else Path(graph).name
    with console.status("drawing"):
        drawn = _load(graph)
        known = None
        if scores is not None:
            record, found = read_scores(scores, of)
            known = {concept: score for concept, score in found.items() if concept in drawn}
            title = f"{record or scores.name} on the {graph} graph"
        save(concept_graph(drawn, scores=known, title=title), out)
    console.print(f"wrote {out}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def convert(
    source: Annotated[
        str, typer.Argument(help="An OWL file, an RF2 snapshot (folder or zip), a `_concepts.csv`, or a shipped graph.")
    ],
    dest: Annotated[
        Path, typer.Argument(help=".owl or .rdf (RDF/XML), .owx (OWL/XML), .nt (N-Triples), or .csv (two tables).")
    ],
    descendants_of: Annotated[
        list[str] | None, typer.Option(help="Only this concept and all kinds of it; can be repeated.")
    ] = None,
    ancestors_of: Annotated[
        list[str] | None, typer.Option(help="Only this concept and all that it is a kind of; can be repeated.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the names, for RF2.")] = "en-US",
) -> None:
    """Convert a concept graph, or a part of it.

    The tables `NAME_concepts.csv` and `NAME_is_a.csv` have the columns of this package's own, for a person to edit.

    Example: `biosig ontology convert SnomedCT_InternationalRF2.zip heart.owl --descendants-of 301095005`
    """
    from rich.console import Console

    from ontology.convert import convert as change

    console = Console()
    graph, written = change(
        source,
        dest,
        descendants_of=descendants_of or None,
        ancestors_of=ancestors_of or None,
        language=language,
        progress=console.is_terminal,
    )
    files = " and ".join(map(str, written))
    console.print(
        f"wrote {files}: {len(graph):,} concepts ({len(graph.observed):,} observed), {len(graph.edges):,} is-a edges",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _load(name: str) -> ConceptGraph:
    from ontology.convert import load

    return load(name)


def _is_shipped(name: str) -> bool:
    from ontology.shipped import GRAPHS

    return name in GRAPHS


def _found(graph: str, *names: str) -> tuple[ConceptGraph, tuple[Found, ...]]:
    """What names mean in the given graph, or in the first of the package that knows all of them."""
    from ontology.lookup import everywhere, look_up

    if not graph:
        return everywhere(*names)
    within = _load(graph)
    return within, tuple(look_up(name, within) for name in names)


def _name(concept: Concept) -> str:
    return f"{concept.term} ({concept.abbreviation})" if concept.abbreviation else concept.term


def _card(concept: Concept, graph: ConceptGraph, codes: dict[str, tuple[str, ...]]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    from ontology.prompts import description

    def names(ids: tuple[str, ...], child: bool) -> str:
        kinds = {(edge.child, edge.parent): edge.kind for edge in graph.edges}
        pairs = [((concept.id, id_) if child else (id_, concept.id)) for id_ in ids]
        return "\n".join(f"{_name(graph[id_])}, {kinds[pair]}" for id_, pair in zip(ids, pairs, strict=True))

    table = Table.grid(padding=(0, 2))
    direct = graph.parents(concept.id)
    further = sorted(graph.ancestors(concept.id) - set(direct), key=graph.index)
    rows = {
        "concept": _name(concept),
        "id": concept.id,
        "synonyms": ", ".join(concept.synonyms),
        "looks like": description(concept.id),
        "is a": names(direct, child=True),
        "and so a": ", ".join(graph[id_].term for id_ in further),
        "has kinds": names(graph.children(concept.id), child=False),
        "role": "organiser: groups others, is no label of its own" if concept.organiser else "observed: a label",
    }
    for title, text in rows.items():
        if text:
            table.add_row(Text(title, style="bold"), Text(text))
    for system, found in codes.items():
        more = f" and {len(found) - _MOST_CODES} more" if len(found) > _MOST_CODES else ""
        table.add_row(Text(f"in {system}", style="bold"), Text("; ".join(found[:_MOST_CODES]) + more))
    return table


def _counts(found: Coverage) -> tuple[str, ...]:
    share = f"{100 * found.share:.1f} %" if found.labels else "-"
    return (
        f"{found.known:,} of {found.labels:,}",
        share,
        f"{found.known_codes:,} of {found.codes:,}",
        f"{found.known_records:,} of {found.records:,}",
    )


def _print_others(console: Console, graph: str, found: Coverage) -> None:
    from rich.table import Table
    from rich.text import Text

    if not found.others:
        return
    table = Table("labels", "system", "code", "why", title=Text(f"Not in the {graph} graph"), title_justify="left")
    for system, code, labels, reason in found.others[:_MOST_OTHERS]:
        table.add_row(f"{labels:,}", Text(system), Text(code), Text(reason))
    console.print(table)
    if len(found.others) > _MOST_OTHERS:
        rest = found.others[_MOST_OTHERS:]
        console.print(f"... and {len(rest)} more codes of {sum(labels for _, _, labels, _ in rest):,} labels")

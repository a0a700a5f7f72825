"""What the pages say of records: in words, numbers and places, ready for the templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Int64

from biosig.errors import BiosigError
from biosig.recording import Event, Recording
from ontology.crosswalk import SYSTEMS, entries
from ontology.graph import ConceptGraph
from pretrain.browse.catalogue import Catalogue, Entry
from pretrain.browse.concept_map import ConceptMap, concept_map
from pretrain.browse.drawing import View, glimpse
from pretrain.browse.sight import Score, Sight

_MOST_SCORES = 10
_MOST_EVENTS = 30
#: Points of a map: more would take a browser seconds.
MOST_POINTS = 3000
_COLOURS = 8
#: Seconds before an event that a link to it shows.
_LEAD_IN = 2.0


@dataclass(frozen=True)
class Named:
    """A concept by identifier, short name and term."""

    concept: str
    short: str
    term: str


@dataclass(frozen=True)
class Line:
    """A record in a list; `points` of its glimpse are empty where there is none, and `damage` says why."""

    entry: Entry
    concepts: tuple[Named, ...]
    score: float | None
    channel: str
    points: str
    damage: str


@dataclass(frozen=True)
class Happening:
    """Events of one code: how many, and where the next one after the shown stretch begins."""

    code: str
    text: str
    count: int
    next: float | None


@dataclass(frozen=True)
class Known:
    """What the recording itself says."""

    facts: tuple[tuple[str, str], ...]
    duration: float
    happenings: tuple[Happening, ...]


@dataclass(frozen=True)
class Scored:
    """What a model sees of a concept, and whether the record is labelled with it or a kind of it."""

    named: Named
    score: Score
    labelled: bool


@dataclass(frozen=True)
class Drawn:
    """A graph with its colours; `largest` is the number or share that the darkest shade stands for."""

    map: ConceptMap | None
    concepts: int
    scored: bool


@dataclass(frozen=True)
class Point:
    """A record on the map, which is 150 wide and 100 high."""

    x: float
    y: float
    colour: int
    store: str
    record: str
    title: str


@dataclass(frozen=True)
class Scatter:
    """The map: points, and what their colours mean; `shown` of `found` records are drawn."""

    points: tuple[Point, ...]
    legend: tuple[tuple[int, str, int], ...]
    found: int
    projection: str


def named(catalogue: Catalogue, concepts: Sequence[str]) -> tuple[Named, ...]:
    """Concepts in words, in order of their terms."""
    words = catalogue.vocabulary
    return tuple(sorted((Named(one, words.short(one), words.term(one)) for one in concepts), key=lambda n: n.term))


def line(catalogue: Catalogue, row: int, score: float | None) -> Line:
    """A record for the list; a damaged one says so in its place."""
    entry = catalogue.entry(row)
    store, place = catalogue.place(row)
    channel, points, damage = "", "", ""
    try:
        channel, points = glimpse(store, place)
    except (BiosigError, OSError, ValueError) as error:
        damage = str(error) or type(error).__name__
    return Line(entry, named(catalogue, entry.concepts), score, channel, points, damage)


def known(recording: Recording, view: View, corpus: str) -> Known:
    """Rate, channels, codes, comments, and which events there are; the corpus tells what their codes mean."""
    kinds = dict.fromkeys(recording.modality)
    facts = [
        ("rate", f"{recording.sampling_rate:g} Hz, {recording.duration:.6g} s"),
        *((kind.upper() if len(kind) == 3 else str(kind), " ".join(recording.pick(kind).channels)) for kind in kinds),
    ]
    codes = [
        code.code if code.likelihood is None else f"{code.code} ({code.likelihood:g} %)" for code in recording.codes
    ]
    facts += [
        ("codes", ", ".join(codes)),
        ("session", recording.session),
        *((name, str(recording.meta.get(name) or "")) for name in ("device", "source")),
        ("comments", "\n".join(map(str, recording.meta.get("comments", ())))),
    ]
    return Known(
        tuple((name, value) for name, value in facts if value),
        recording.duration,
        _happenings(recording.events, view.start + view.seconds, corpus),
    )


def _happenings(events: Sequence[Event], after: float, corpus: str) -> tuple[Happening, ...]:
    counts = Counter(event.stimulus or event.code or event.text for event in events)
    texts: dict[str, set[str]] = {}
    later: dict[str, float] = {}
    first: dict[str, float] = {}
    for event in sorted(events, key=lambda event: event.onset):
        name = event.stimulus or event.code or event.text
        texts.setdefault(name, set()).add(event.text)
        first.setdefault(name, event.onset)
        if event.onset >= after:
            later.setdefault(name, event.onset)
    return tuple(
        Happening(name, _said_of(name, texts[name], corpus), count, _before(later.get(name, first[name])))
        for name, count in counts.most_common(_MOST_EVENTS)
    )


def _said_of(name: str, texts: set[str], corpus: str) -> str:
    """What the events of a code mean: by the corpus's crosswalk, else what they all say themselves."""
    if corpus in SYSTEMS and (entry := entries(corpus).get(SYSTEMS[corpus].normalise(name))):
        return entry.name
    return next(iter(texts)) if len(texts) == 1 and texts != {name} else ""


def _terms(catalogue: Catalogue, entry: Entry) -> str:
    return ", ".join(one.term for one in named(catalogue, entry.concepts)) or "no concept"


def _before(onset: float) -> float:
    return max(round(onset - _LEAD_IN, 2), 0.0)


def scores(catalogue: Catalogue, sight: Sight | None, entry: Entry) -> list[Scored]:
    """What a model sees in a record: the most unusual concepts, and those that it is labelled with."""
    if sight is None:
        return []
    labelled = frozenset(entry.concepts)
    found = [
        Scored(
            named(catalogue, [score.concept])[0],
            score,
            bool(labelled & catalogue.vocabulary.with_kinds(score.concept)),
        )
        for score in sight.scores(entry.row)
    ]
    return [one for place, one in enumerate(found) if place < _MOST_SCORES or one.labelled]


@cache
def offered(catalogue: Catalogue) -> tuple[tuple[str, str, int], ...]:
    """Concepts that records have, themselves or by a kind of them: identifier, term and how many, commonest first."""
    words = catalogue.vocabulary
    above = {one for concept in catalogue.concepts for g in words.graphs.values() if concept in g
             for one in g.ancestors(concept)}  # fmt: skip
    every = dict.fromkeys([*catalogue.concepts, *sorted(above)])
    found = [(one, words.term(one), catalogue.count(one)) for one in every]
    return tuple(sorted(found, key=lambda each: (-each[2], each[1])))


@cache
def usual_graph(catalogue: Catalogue, sight: Sight | None) -> str:
    """The model's graph where there is one, else the one that knows most labels of these stores."""
    graphs = catalogue.vocabulary.graphs
    if sight is not None and sight.model.graph is not None:
        return next((name for name, one in graphs.items() if one == sight.model.graph), "model")
    return max(graphs, key=lambda name: sum(catalogue.count(c) for c in catalogue.concepts if c in graphs[name]))


def graph(catalogue: Catalogue, sight: Sight | None, shown: ConceptGraph, entry: Entry | None) -> Drawn:
    """A graph coloured by the share of records below one record's score, or by how many records have each concept."""
    labelled = frozenset(entry.concepts) if entry is not None else frozenset[str]()
    if entry is not None:
        found = {score.concept: score for score in (sight.scores(entry.row) if sight else ())}
        shares = {concept: score.share for concept, score in found.items()}
        notes = {concept: f"{100 * score.share:.0f} %" for concept, score in found.items()}
        return Drawn(concept_map(shown, shares, notes, labelled), len(shown), bool(found))
    counts = _counts(catalogue, shown)
    most = max(counts.values(), default=0)
    # Counts span orders of magnitude.
    shares = {concept: np.log1p(count) / np.log1p(most) for concept, count in counts.items() if count}
    notes = {concept: f"{count:,}" for concept, count in counts.items() if count}
    return Drawn(concept_map(shown, shares, notes), len(shown), scored=False)


@cache
def _counts(catalogue: Catalogue, shown: ConceptGraph) -> dict[str, int]:
    return {concept: catalogue.count(concept) for concept in shown.ids}


def scatter(catalogue: Catalogue, sight: Sight, rows: Int64[np.ndarray, " found"]) -> Scatter:
    """Records on the model's map, coloured by concept; of many an even sample.

    Of the commonest concepts each has a colour; a record with several of them has that of the rarest, so that a
    fibrillation is not hidden by a common finding.
    """
    places = sight.map
    there = rows[np.isfinite(places[rows, 0])]
    drawn = (
        there[np.linspace(0, len(there) - 1, MOST_POINTS).round().astype(int)] if len(there) > MOST_POINTS else there
    )
    entries = [catalogue.entry(int(row)) for row in drawn]
    counts = Counter(concept for entry in entries for concept in entry.concepts)
    chosen = [concept for concept, _ in counts.most_common(_COLOURS)]
    colours = [
        1 + chosen.index(min(mine, key=lambda one: (counts[one], one)))
        if (mine := set(entry.concepts) & set(chosen))
        else 0
        for entry in entries
    ]
    whole = places[np.isfinite(places[:, 0])]
    low, high = whole.min(0), whole.max(0)
    at = (places[drawn] - low) / np.where(high > low, high - low, 1)
    points = [
        Point(
            round(float(x) * 150, 2),
            round(100 - float(y) * 100, 2),
            colour,
            entry.store,
            entry.record,
            f"{entry.store} {entry.record}: {_terms(catalogue, entry)}",
        )
        for (x, y), colour, entry in zip(at, colours, entries, strict=True)
    ]
    # The commonest below, so that the rare are seen.
    frequency = Counter(colours)
    points.sort(key=lambda point: (point.colour != 0, -frequency[point.colour]))
    legend = [(k + 1, catalogue.vocabulary.term(concept), frequency[k + 1]) for k, concept in enumerate(chosen)]
    legend.append((0, "other or none", frequency[0]))
    return Scatter(tuple(points), tuple(one for one in legend if one[2]), len(there), str(sight.projection))

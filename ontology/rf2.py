"""SNOMED-CT from a licensed user's RF2 snapshot to a concept graph.

SNOMED-CT is licensed, and none of it is shipped here; its users have a release as a folder or zip. Four of its files
are read, once each: concepts, relationships, descriptions, and the language refset, which says what a concept is called
where. See the SNOMED-CT Release File Specification, chapter 4.
"""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, compress
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from jaxtyping import Bool, Int64
from scipy import sparse
from scipy.sparse import csgraph

from ontology.collector import paused
from ontology.concept import Concept, single_spaced
from ontology.errors import OntologyError
from ontology.graph import ConceptGraph
from ontology.rf2_files import CONCEPT, DESCRIPTION, LANGUAGE, RELATIONSHIP, Part, opened
from ontology.rf2_rows import Rows, Watch, active_rows

ROOT, IS_A = "138875005", "116680003"
FSN, SYNONYM = "900000000000003001", "900000000000013009"
PREFERRED, ACCEPTABLE = "900000000000548007", "900000000000549004"
US_ENGLISH, GB_ENGLISH = "900000000000509007", "900000000000508004"

_DIALECTS = {"en-us": (US_ENGLISH, GB_ENGLISH), "en-gb": (GB_ENGLISH, US_ENGLISH)}
# After the places of refsets.
_FULL, _ANY = 1 << 20, 1 << 21


@paused()
def read_rf2(
    path: str | Path,
    *,
    descendants_of: Collection[str] | str | None = None,
    ancestors_of: Collection[str] | str | None = None,
    language: str = "en-US",
    refsets: Sequence[str] | None = None,
    progress: bool = False,
) -> ConceptGraph:
    """Read the active concepts of an RF2 snapshot, their names, and the is-a edges between them.

    A concept's term is the synonym that a language refset prefers; without one, its fully specified name less the
    semantic tag, in English if the language has none. Its other active names become synonyms. An is-a that two rows
    state is one edge.

    Args:
        path: Folder or zip of a release, at any depth; the full and delta files beside the snapshot are passed over.
        descendants_of: Keep only these concepts and all kinds of them.
        ancestors_of: Keep only these concepts and all that they are a kind of. With both, what is in both: the cone
            between a top and some concepts of interest. Whatever is kept has all its edges, so reachability too.
        language: `en-US`, `en-GB`, or the language in the names of other description files.
        refsets: Identifiers of language refsets, the first choice first; by default those of the dialect, or all that
            the file of another language has.
        progress: Whether to show a progress bar.

    Raises:
        OntologyError: If a file is missing, a line is not what RF2 says (with file, line, column, what was expected and
            what found), the is-a edges form a cycle, or a concept asked for is not there.

    Example:
        >>> read_rf2("SnomedCT_InternationalRF2.zip", descendants_of="102594003")
    """
    dialect = _DIALECTS.get("en-us" if language.lower() == "en" else language.lower())
    tongue = "en" if dialect else language
    with opened(Path(path)) as release, _watching(progress) as watch:
        concept_file, relationship_file, description_file, language_file = release.require(tongue)
        every = chain.from_iterable(rows["id"] for rows in active_rows(concept_file, CONCEPT, watch))
        row = {id_: number for number, id_ in enumerate(every)}
        if not row:
            raise OntologyError(f"{concept_file.name}: expected active concepts, got none")
        children, parents = _is_a(relationship_file, concept_file, row, watch)
        kept = np.ones(len(row), dtype=bool)
        if descendants_of is not None:
            kept &= _reached(len(row), parents, children, _rows("descendants_of", descendants_of, row, concept_file))
        if ancestors_of is not None:
            kept &= _reached(len(row), children, parents, _rows("ancestors_of", ancestors_of, row, concept_file))
        ids = [id_ for id_, keep in zip(row, kept.tolist(), strict=True) if keep]
        within = kept[children] & kept[parents]
        place = np.cumsum(kept) - 1
        children, parents = place[children[within]], place[parents[within]]

        preferred = _preferred(language_file, refsets or dialect, watch)
        names = _Names(ids)
        names.read(description_file, preferred, watch)
        english = release.find(DESCRIPTION, "en")
        if english and english is not description_file:
            names.read(english, preferred, watch, only_full=True)
    return ConceptGraph(
        names.concepts(description_file),
        ((ids[child], ids[parent]) for child, parent in zip(children.tolist(), parents.tolist(), strict=True)),
    )


def _is_a(
    part: Part, concepts: Part, row: Mapping[str, int], watch: Watch
) -> tuple[Int64[np.ndarray, " edge"], Int64[np.ndarray, " edge"]]:
    """Child and parent of each is-a, as rows."""
    ends = array("q"), array("q")
    for rows in active_rows(part, RELATIONSHIP, watch):
        rows.require_ids("typeId")
        is_a = list(map(IS_A.__eq__, rows["typeId"]))
        for end, column in zip(ends, ("sourceId", "destinationId"), strict=True):
            try:
                end.extend(map(row.__getitem__, compress(rows[column], is_a)))
            except KeyError:
                bad = next(place for place, id_ in enumerate(rows[column]) if is_a[place] and id_ not in row)
                rows.refuse(bad, column, f"an active concept of {concepts.name}")
    child, parent = (np.asarray(end) for end in ends)
    pairs = np.divmod(np.unique(child * len(row) + parent), len(row))
    # Where the root of SNOMED-CT is, this is an edition, and everything else is a kind of something.
    loose = np.setdiff1d(np.arange(len(row)), np.append(pairs[0], row.get(ROOT, -1)))
    if ROOT in row and loose.size:
        id_ = next(id_ for id_, number in row.items() if number == loose[0])
        raise OntologyError(f"{part.name}: expected an active is-a of every concept, none of {id_} ({loose.size} such)")
    return pairs[0], pairs[1]


def _rows(field: str, ids: Collection[str] | str, row: Mapping[str, int], concepts: Part) -> list[int]:
    ids = [ids] if isinstance(ids, str) else list(ids)
    if not ids:
        raise OntologyError(f"{field}: expected identifiers of concepts, got none")
    if unknown := [id_ for id_ in ids if id_ not in row]:
        raise OntologyError(f"{field}: expected active concepts of {concepts.name}, got {unknown[0]!r}")
    return [row[id_] for id_ in ids]


def _reached(
    size: int, sources: Int64[np.ndarray, " edge"], targets: Int64[np.ndarray, " edge"], starts: list[int]
) -> Bool[np.ndarray, " row"]:
    """What edges lead to from the starts, which are reached themselves, being joined to one more node."""
    joined = (np.append(sources, np.full(len(starts), size)), np.append(targets, starts))
    links = sparse.csr_array((np.ones(len(joined[0])), joined), shape=(size + 1, size + 1))
    reached = np.zeros(size + 1, dtype=bool)
    reached[csgraph.breadth_first_order(links, size, return_predecessors=False)] = True
    return reached[:size]


def _preferred(part: Part, refsets: Sequence[str] | None, watch: Watch) -> dict[str, int]:
    """The descriptions that refsets prefer, each with the place of the earliest chosen of those."""
    found, there = {id_: set[str]() for id_ in refsets or ()}, set[str]()
    for rows in active_rows(part, LANGUAGE, watch):
        if not there.issuperset(rows["refsetId"]):
            rows.require_ids("refsetId")
            there.update(rows["refsetId"])
        rows.require_ids("referencedComponentId")
        rows.require_one_of("acceptabilityId", {PREFERRED, ACCEPTABLE})
        found |= {id_: set() for id_ in there - found.keys() if not refsets}
        members = zip(rows["refsetId"], rows["referencedComponentId"], strict=True)
        for refset, of in compress(members, map(PREFERRED.__eq__, rows["acceptabilityId"])):
            if refset in found:
                found[refset].add(of)
    if refsets and there.isdisjoint(refsets):
        others = ", ".join(sorted(there)) or "none"
        raise OntologyError(f"{part.name}: refsetId: expected {' or '.join(refsets)} in some active row, got {others}")
    rank: dict[str, int] = {}
    for place, id_ in reversed([*enumerate(refsets or sorted(found, key=int))]):
        rank.update(dict.fromkeys(found[id_], place))
    return rank


class _Names:
    """What concepts are called: by the synonym preferred first, else their full name, else any."""

    def __init__(self, ids: list[str]) -> None:
        self._ids = ids
        self._row = {id_: number for number, id_ in enumerate(ids)}
        self._rank = [_ANY + 1] * len(ids)
        self._term = [""] * len(ids)
        self._all: list[tuple[str, ...]] = [()] * len(ids)

    def read(self, part: Part, preferred: Mapping[str, int], watch: Watch, *, only_full: bool = False) -> None:
        """Take the names from a description file; the full ones alone, where it is of another language."""
        for rows in active_rows(part, DESCRIPTION, watch):
            rows.require_ids("conceptId")
            rows.require_one_of("typeId", {FSN, SYNONYM})
            fields = zip(rows["conceptId"], rows["typeId"], rows["id"], rows["term"], strict=True)
            for number, (concept, type_, id_, name) in enumerate(fields):
                row = self._row.get(concept)
                if row is None or (only_full and type_ != FSN):
                    continue
                if not (name.strip() and name.isprintable()):
                    _check_name(rows, number)
                rank, plain = (_FULL, _untagged(name)) if type_ == FSN else (preferred.get(id_, _ANY), name)
                if rank < self._rank[row]:
                    self._rank[row], self._term[row] = rank, plain
                if not only_full:
                    self._all[row] += (plain,)

    def concepts(self, part: Part) -> Iterator[Concept]:
        """The concepts, each given once.

        Raises:
            OntologyError: If one has no name at all.
        """
        for number, (id_, term) in enumerate(zip(self._ids, self._term, strict=True)):
            if not term:
                raise OntologyError(f"{part.name}: expected an active name of concept {id_}, got none")
            yield Concept(id_, term, synonyms=tuple({*self._all[number]} - {term}))
            self._all[number] = ()


def _untagged(full_name: str) -> str:
    """`Mitral valve (structure) stenosis (disorder)` less ` (disorder)`."""
    name, _, tag = full_name.rpartition("(")
    return name.rstrip() if tag.endswith(")") and not name.isspace() and name else full_name


def _check_name(rows: Rows, number: int) -> None:
    name = rows["term"][number]
    if any("\ud800" <= character <= "\udfff" for character in name):
        rows.refuse(number, "term", "UTF-8")
    try:
        plain = single_spaced(name)
    except OntologyError:
        rows.refuse(number, "term", "no control characters")
    if not plain:
        rows.refuse(number, "term", "a name")


@contextlib.contextmanager
def _watching(progress: bool) -> Iterator[Watch]:
    if not progress:
        yield lambda file, _: file
        return
    from rich.console import Console  # noqa: PLC0415 - only for those who look at it
    from rich.progress import Progress  # noqa: PLC0415 - as above

    with Progress(console=Console(stderr=True)) as bar:
        yield lambda file, part: bar.wrap_file(cast("BinaryIO", file), total=part.size, description=part.name)

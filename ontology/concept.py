"""What a concept graph is made of: concepts and is-a edges."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from ontology.errors import OntologyError
from ontology.identifiers import is_snomed

# What RFC 3987 calls an absolute IRI, nearly.
_LOCAL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
# What XML cannot hold.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Kind(StrEnum):
    """In what sense a child is a kind of its parent; the first four are of the heart, the others of the brain."""

    RHYTHM = "rhythm"
    CONDUCTION = "conduction"
    REPOLARISATION = "repolarisation"
    STRUCTURE = "structure"
    STAGE = "stage"
    ONSET = "onset"
    AWARENESS = "awareness"
    SEMIOLOGY = "semiology"
    VALENCE = "valence"
    AROUSAL = "arousal"
    EMOTION = "emotion"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Concept:
    """One clinical idea. White space in its names is made single spaces.

    Attributes:
        id: A SNOMED-CT identifier (digits), or an IRI or `prefix:name` for what SNOMED-CT does not name.
        term: What a clinician calls it.
        abbreviation: The short form, where there is one.
        synonyms: Other names; kept sorted, because OWL has no order.
        organiser: Whether it only groups others, and is no label of its own.

    Raises:
        OntologyError: If the identifier is neither of the two forms or fails its check digit, or a name is missing or
            holds control characters.
    """

    id: str
    term: str
    abbreviation: str = ""
    synonyms: tuple[str, ...] = ()
    organiser: bool = False

    def __post_init__(self) -> None:
        if self.id.isdigit() and not is_snomed(self.id):
            raise OntologyError(f"{self.id}: not a SNOMED-CT concept identifier (length, partition or check digit)")
        if not self.id.isdigit() and not _LOCAL.fullmatch(self.id):
            raise OntologyError(f"{self.id!r}: expected a SNOMED-CT identifier, an IRI or prefix:name")
        for field in ("term", "abbreviation"):
            object.__setattr__(self, field, self._plain(getattr(self, field)))
        object.__setattr__(self, "synonyms", tuple(sorted({self._plain(name) for name in self.synonyms} - {""})))
        if not self.term:
            raise OntologyError(f"{self.id}: a concept needs a term")

    def _plain(self, name: str) -> str:
        try:
            return single_spaced(name)
        except OntologyError as error:
            raise OntologyError(f"{self.id}: {error}") from None

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it can be found by."""
        return tuple(filter(None, (self.id, self.abbreviation, self.term, *self.synonyms)))


def single_spaced(name: str) -> str:
    """A name as concepts have it.

    Raises:
        OntologyError: If it holds control characters other than white space, or halves of surrogate pairs.
    """
    plain = " ".join(name.split())
    # Nothing printable is a control character, and this is the faster question.
    if not plain.isprintable() and _CONTROL.search(plain):
        raise OntologyError(f"control character in the name {name!r}")
    return plain


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """`child` is a kind of `parent`."""

    child: str
    parent: str
    kind: Kind = Kind.OTHER


IsA: TypeAlias = tuple[str, str] | tuple[str, str, str] | Edge


def as_edge(given: IsA) -> Edge:
    """An edge from any of the ways to write one."""
    if isinstance(given, Edge):
        return given
    try:
        return Edge(given[0], given[1], Kind(given[2]) if len(given) == 3 else Kind.OTHER)
    except ValueError:
        legal = ", ".join(Kind)
        raise OntologyError(f"is-a edge {given[0]} -> {given[1]}: kind {given[2:]!r} is none of {legal}") from None

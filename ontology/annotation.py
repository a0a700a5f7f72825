"""What a corpus annotates at all: elsewhere the absence of a label says nothing.

A coding system can express more than its users write down. All eight databases of CinC 2021 are coded in SNOMED-CT, yet
Ningbo has no record of atrial fibrillation among 34,905, PTB-XL none of premature ventricular contractions (they are
164884008 there), and CPSC 2018 names nine classes and no more. To read these as absent teaches a model the hospital.

`annotated.csv` lists how many records of each database carry each code: corpus, sub_corpus, code, records, provenance.
A code without a row does not occur.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

from ontology.crosswalk import SYSTEMS, concepts, vocabulary
from ontology.errors import OntologyError

_TABLE = Path(__file__).parent / "annotated.csv"
# The system of the codes in the table.
_SYSTEM = "snomed-ct"


@lru_cache(maxsize=1024)
def annotated(corpus: str, sub_corpus: str, systems: frozenset[str]) -> frozenset[str]:
    """The concepts that are said of a record if they are there, so that silence about them means absence.

    For SNOMED-CT codes of a database that `annotated.csv` lists: the concepts of the codes that occur in it, however
    seldom, those scored as equal counted as one. What such a code merely implies is not among them: that bigeminy is of
    premature beats does not make a database without a code for premature beats annotate them. For other databases and
    systems: all that the system can express.

    Args:
        corpus: As the registry of corpora calls it.
        sub_corpus: The database within it; empty if there are none.
        systems: In which coding systems the record is coded. None at all, as with an empty `#Dx:`: nothing is known.

    Raises:
        UnknownNameError: If there is no such coding system.

    Example:
        >>> atrial_fibrillation = "164889003"
        >>> atrial_fibrillation in annotated("cinc2021", "ningbo", frozenset({"snomed-ct"}))
        False
    """
    listed = _listed().get((corpus, sub_corpus))
    found = frozenset[str]()
    for system in systems:
        found |= listed if listed is not None and system == _SYSTEM else vocabulary(system)
    return found


@lru_cache(maxsize=65_536)
def named(system: str, code: str) -> frozenset[str]:
    """The concepts that a code names, without those that it only implies.

    Raises:
        UnknownNameError: If there is no such coding system.
    """
    stated, itself = concepts(system, code), SYSTEMS[system].normalise(code)
    return frozenset((itself,)) if itself in stated else stated


def counts(corpus: str, sub_corpus: str) -> dict[str, int]:
    """How many records of a database carry each SNOMED-CT code; empty for databases that the table does not list."""
    return {
        row["code"]: int(row["records"])
        for row in _rows()
        if (row["corpus"], row["sub_corpus"]) == (corpus, sub_corpus)
    }


def databases(corpus: str) -> tuple[str, ...]:
    """The databases of a corpus that the table lists, in its order."""
    return tuple(dict.fromkeys(row["sub_corpus"] for row in _rows() if row["corpus"] == corpus))


@lru_cache(maxsize=1)
def _listed() -> dict[tuple[str, str], frozenset[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for row in _rows():
        found.setdefault((row["corpus"], row["sub_corpus"]), set()).update(named(_SYSTEM, row["code"]))
    return {database: frozenset(said) for database, said in found.items()}


@lru_cache(maxsize=1)
def _rows() -> tuple[dict[str, str], ...]:
    """The table.

    Raises:
        OntologyError: If a row is incomplete, has an unlisted code, or counts nothing.
    """
    with _TABLE.open(encoding="utf-8", newline="") as file:
        rows = tuple(csv.DictReader(file))
    for number, row in enumerate(rows, start=2):
        if not (
            row["provenance"] and row["records"].isdecimal() and int(row["records"]) and concepts(_SYSTEM, row["code"])
        ):
            raise OntologyError(
                f"{_TABLE.name}:{number}: expected a SNOMED-CT code, a count and a provenance, got {row}"
            )
    return rows

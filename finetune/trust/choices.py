"""Choices that a command offers, without what they need when they are carried out."""

from __future__ import annotations

from enum import StrEnum

# What the licences begin with that let anybody have the records, and so what was computed of them.
_OPEN = ("cc0", "cc by", "odc-by", "odbl", "pddl", "apache-2.0", "mit")
_CLOSED = ("cc by-nc", "cc by-nd", "cc by-nc-nd")


class Remember(StrEnum):
    """Whether a diagnoser keeps vectors, names and findings of its training records.

    `auto`: if the corpus has an open licence; of a person's own recordings nothing is kept. Vectors are not the
    recordings, but whoever has one of them can tell that its person was among the training records, and what they had.
    """

    AUTO = "auto"
    YES = "yes"
    NO = "no"

    def applies(self, licence: str) -> bool:
        """Whether records of a corpus with this licence are kept."""
        said = licence.casefold()
        is_open = said.startswith(_OPEN) and not said.startswith(_CLOSED)
        return self is Remember.YES or (self is Remember.AUTO and is_open)

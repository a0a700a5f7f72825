"""Concepts by name, and the nearest name to a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from ontology.concept import Concept

# Above so many names only those with the same first letter are compared with a misspelt one: it takes a second.
_MANY = 20_000
# Letters that say enough to look for them within names.
_PART = 4


class Names:
    """All names of concepts, whatever their case and spacing."""

    def __init__(self, concepts: Iterable[Concept]) -> None:
        self._ids: dict[str, tuple[str, ...]] = {}
        for concept in concepts:
            one = (concept.id,)
            for name in {name.casefold() for name in concept.names}:
                self._ids[name] = self._ids[name] + one if name in self._ids else one

    def ids(self, text: str) -> tuple[str, ...]:
        """The concepts with this name, in the order they were given in."""
        return self._ids.get(_folded(text), ())

    def hint(self, text: str) -> str:
        """A question about the nearest name, or nothing."""
        return hint(_folded(text), self._ids)


def hint(name: str, names: Collection[str]) -> str:
    """A question about the nearest of some names, or nothing."""
    near = difflib.get_close_matches(name, names if len(names) <= _MANY else _similar(name, names), n=1)
    if not near and len(name) >= _PART:
        near = sorted((other for other in names if name in other), key=len)[:1]
    return f" (did you mean {near[0]!r}?)" if near else ""


def _similar(name: str, names: Iterable[str]) -> list[str]:
    return [other for other in names if other[:1] == name[:1] and abs(len(other) - len(name)) <= 3]


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()

"""The classes of beats of ANSI/AAMI EC57, and who trains and who tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from biosig.corpora.mitdb import DS1, DS2


class Beat(StrEnum):
    """Classes of beats, in the order of all arrays."""

    N = "N"
    S = "S"
    V = "V"
    F = "F"
    Q = "Q"


BEATS = tuple(Beat)
#: What a network may say. Q is in the tables but is never said: DS1 holds eight such beats, two of them alike.
SAID = BEATS[:4]
WORDS = {
    Beat.N: "normal, bundle branch block or supraventricular escape",
    Beat.S: "supraventricular ectopic",
    Beat.V: "ventricular ectopic",
    Beat.F: "fusion of ventricular and normal",
    Beat.Q: "paced or unclassifiable",
}
_SYMBOLS: Mapping[Beat, str] = {Beat.N: "NLRBejn", Beat.S: "AaJS", Beat.V: "VrE", Beat.F: "F", Beat.Q: "/fQ?"}
_CLASS = {symbol: beat for beat, symbols in _SYMBOLS.items() for symbol in symbols}


def beat_class(symbol: str) -> Beat | None:
    """The class of a beat by its MIT-BIH symbol; None for what is no beat (flutter waves, blocked P waves, marks).

    References:
        ANSI/AAMI EC57:2012, Testing and reporting performance results of cardiac rhythm and ST segment measurement
        algorithms.
    """
    return _CLASS.get(symbol)


class Split(StrEnum):
    """Who trains when DS2 tests. Records 201 (DS1) and 202 (DS2) are one person.

    `strict`: DS1 without 201 trains, so that nobody is on both sides.

    `published`: all of DS1 trains, as in the tables of the literature: one person is on both sides.

    References:
        de Chazal et al., IEEE Trans. Biomed. Eng. 51 (2004). doi:10.1109/TBME.2004.827359
    """

    STRICT = "strict"
    PUBLISHED = "published"


def sides(records: Mapping[str, str], split: Split) -> tuple[list[str], list[str]]:
    """Records that train, and records that test.

    Args:
        records: The person of each record.
        split: Which split; paced records, and any that are neither in DS1 nor in DS2, take no side.

    Returns:
        In the order given.
    """
    test = [record for record in records if record in DS2]
    tested = {records[record] for record in test}
    train = [record for record in records if record in DS1]
    if split is Split.STRICT:
        train = [record for record in train if records[record] not in tested]
    return train, test


def validation_folds(counts: Mapping[str, Iterable[int]], k: int) -> list[list[str]]:
    """People dealt into k folds so that each has its share of rare beats.

    In order of their S beats, then V beats, people are dealt forth and back: 1, 2, ..., k, k, ..., 2, 1, 1, ...

    Args:
        counts: Beats of each class of each person, in the order of `BEATS`.
        k: Folds.
    """
    rarest = {person: (-list(own)[1], -list(own)[2], person) for person, own in counts.items()}
    folds: list[list[str]] = [[] for _ in range(k)]
    for place, person in enumerate(sorted(rarest, key=rarest.__getitem__)):
        lap, seat = divmod(place, k)
        folds[seat if lap % 2 == 0 else k - 1 - seat].append(person)
    return folds

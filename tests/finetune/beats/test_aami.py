"""Symbols to classes, and who trains and who tests."""

from __future__ import annotations

import pytest

from biosig.corpora.mitdb import DS1, DS2, PACED
from biosig.plot.beats import BEAT_SYMBOLS
from finetune.beats.aami import BEATS, Beat, Split, beat_class, sides, validation_folds

# Table 1 of EC57, as de Chazal et al. print it, with the supraventricular escape beats of PhysioNet.
TABLE = {"N": "NLRejnB", "S": "AaJS", "V": "VEr", "F": "F", "Q": "/fQ?"}


def test_the_mapping() -> None:
    for kind, symbols in TABLE.items():
        for symbol in symbols:
            assert beat_class(symbol) is Beat(kind)
    for mark in ("!", "x", "~", "|", "+", "[", "]", '"', "(AFIB", ""):
        assert beat_class(mark) is None
    assert all(beat_class(symbol) is not None for symbol in BEAT_SYMBOLS)
    assert tuple(beat.value for beat in BEATS) == tuple("NSVFQ")


def people() -> dict[str, str]:
    return {record: "201" if record == "202" else record for record in sorted(DS1 | DS2 | PACED)}


@pytest.mark.parametrize(("split", "trained", "shared"), [(Split.STRICT, 21, set()), (Split.PUBLISHED, 22, {"201"})])
def test_the_sides(split: Split, trained: int, shared: set[str]) -> None:
    who = people()
    train, test = sides(who, split)
    assert (len(train), len(test)) == (trained, 22)
    assert {who[record] for record in train} & {who[record] for record in test} == shared
    assert not set(train) & set(test)
    assert not (set(train) | set(test)) & PACED


def test_rare_beats_are_dealt_to_all_folds() -> None:
    counts = {f"p{number}": (100, 50 - number if number < 8 else 0, number, 0, 0) for number in range(21)}
    folds = validation_folds(counts, 4)
    assert sorted(person for fold in folds for person in fold) == sorted(counts)
    assert {len(fold) for fold in folds} == {5, 6}
    assert [sum(counts[person][1] > 0 for person in fold) for fold in folds] == [2, 2, 2, 2]
    assert folds[0][:2] == ["p0", "p7"]
    assert validation_folds(dict(reversed(counts.items())), 4) == folds

"""Marks of one lead become waves; three in a row make an interval."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosig.corpora import CORPORA
from biosig.corpora.ludb import waves
from biosig.errors import RecordError
from biosig.recording import Event
from tests.biosig.corpora.synthetic import write_record


def found(symbols: str) -> list[tuple[float, float, str]]:
    marks = [Event(float(time), 0.0, symbol) for time, symbol in enumerate(symbols)]
    return [(wave.onset, wave.duration, wave.code) for wave in waves(marks, "V1")]


@pytest.mark.parametrize(
    ("symbols", "right"),
    [
        ("", []),
        ("(p)", [(1, 0, "p"), (0, 2, "p")]),
        ("(p)(N)", [(1, 0, "p"), (0, 2, "p"), (4, 0, "N"), (3, 2, "N")]),
        ("N)", [(0, 0, "N")]),
        ("(t", [(1, 0, "t")]),
        ("((tt))", [(2, 0, "t"), (3, 0, "t")]),
        ("()()N", [(4, 0, "N")]),
        ("N", [(0, 0, "N")]),
        ("(~)", []),
    ],
)
def test_waves(symbols: str, right: list[tuple[float, float, str]]) -> None:
    assert found(symbols) == right


def test_the_lead_is_the_text() -> None:
    assert {wave.text for wave in waves([Event(0.0, 0.0, "(") for _ in "()"] + [Event(1.0, 0.0, "N")], "aVR")} == {
        "aVR"
    }


def test_a_header_without_diagnoses_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path / "1", ("#<age>: 51", "#<diagnoses>:", "#Rhythm: Sinus rhythm."))
    write_record(tmp_path / "2", ("#<age>: 51",))
    good, bad = CORPORA["ludb"].find(tmp_path)
    assert CORPORA["ludb"].read(good).events == ()
    with pytest.raises(RecordError, match=r"2\.hea: comments: expected a line <diagnoses>:"):
        CORPORA["ludb"].read(bad)

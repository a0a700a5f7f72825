"""Simulated follow-up: the hazard that is written is the hazard that was drawn from, and subjects keep their fate."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from biosig.simulate import diagnoses as dx
from biosig.simulate import write_corpus
from biosig.simulate.corpus import FOLLOW_UP
from biosig.simulate.follow_up import LOG_HAZARD_RATIOS, follow_up


def test_deaths_come_at_the_rate_of_the_hazard() -> None:
    rng = np.random.default_rng(0)
    for concepts, age, sex, expected in (
        (frozenset({dx.SINUS_RHYTHM}), 57.0, "female", 0.0),
        (frozenset({dx.ATRIAL_FIBRILLATION, dx.Q_WAVE}), 67.0, "male", 1.0 + 1.1 + 0.4 + 0.2),
    ):
        found = [follow_up(concepts, age, sex, rng) for _ in range(4000)]
        assert found[0].log_hazard == pytest.approx(expected)
        # Of exponential times the rate is deaths over years watched.
        rate = sum(one.died for one in found) / sum(one.years for one in found)
        assert rate == pytest.approx(0.04 * np.exp(expected), rel=0.08)
        assert max(one.years for one in found) <= 10


def test_the_part_of_the_findings_has_no_age() -> None:
    one, other = (follow_up(frozenset({dx.PACING}), age, "male", np.random.default_rng(0)) for age in (30.0, 90.0))
    assert one.log_hazard_of_findings == other.log_hazard_of_findings == LOG_HAZARD_RATIOS[dx.PACING]
    assert one.log_hazard < other.log_hazard
    assert one.years >= other.years


def test_a_longer_corpus_begins_with_the_shorter_one(tmp_path: Path) -> None:
    lines = []
    for records in (3, 6):
        folder = tmp_path / str(records)
        write_corpus(folder, records, sampling_rate=50.0, duration=1.0, workers=1, progress=False, follow_up=True)
        with (folder / FOLLOW_UP).open(encoding="utf-8") as file:
            lines.append(list(csv.DictReader(file)))
        subjects = {text.split("#Subject: ")[1].split("\n")[0] for text in map(Path.read_text, folder.rglob("*.hea"))}
        assert {line["subject"] for line in lines[-1]} == subjects
    assert lines[1][: len(lines[0])] == lines[0]

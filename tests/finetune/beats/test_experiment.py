"""The whole experiment in small, and MIT-BIH as it is downloaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biosig.errors import BiosigError
from finetune.beats.aami import BEATS, Split
from finetune.beats.cases import Case, read_cases
from finetune.beats.choices import Context
from finetune.beats.experiment import Plan, Result, experiment
from finetune.beats.intake import labelled_strip
from finetune.beats.labeller import BeatLabeller
from finetune.beats.rhythm import windows
from finetune.beats.table import as_table, markdown
from tests.finetune.beats.simulated import BUDGET, person

# Four people of DS1, 201 and 202 who are one, and two more of DS2.
NAMES = ("101", "106", "108", "201", "203", "202", "210", "219")
FIBRILLATING = ("203", "219")


@pytest.fixture(scope="module")
def made() -> tuple[Result, BeatLabeller]:
    cases = []
    for number, name in enumerate(NAMES):
        recording = person(number, name=name, fibrillation=name in FIBRILLATING)
        recording = replace(recording, subject_id="201" if name == "202" else name)
        strip = labelled_strip(recording)
        cases.append(Case(strip, strip if number > 4 else None, windows(recording, strip.peaks)))
    return experiment(cases, Plan(2, (0,), tuple(Split), replace(BUDGET, steps=20), trees=10, draws=20))


def test_every_row_and_nobody_on_both_sides(made: tuple[Result, BeatLabeller]) -> None:
    result, labeller = made
    assert (result.records, len(labeller.networks), len(result.training)) == (8, 2, 4)
    strict = [fact["validation_people"] for fact in result.training if fact["split"] == "strict"]
    assert sorted(person for fold in strict for person in fold) == ["101", "106", "108", "203"]
    names = [(row.split.value, row.name, row.tested, row.train_people) for row in result.rows]
    assert names == [
        ("strict", "majority", "DS2", 4),
        ("strict", "boosted trees", "DS2", 4),
        ("strict", "network", "DS2", 4),
        ("strict", "network", "DS2, R peaks of neurokit2", 4),
        ("strict", "network", "DS1, people left out", 4),
        ("published", "boosted trees", "DS2", 5),
        ("published", "network", "DS2", 5),
    ]
    for row in result.rows:
        assert [one.record for one in row.people] == [*(NAMES[:3] + NAMES[4:5] if "DS1" in row.tested else NAMES[5:])]
        total = np.sum([one.confusion for one in row.people], axis=0)
        np.testing.assert_allclose(total, row.confusion, atol=0.1)
    majority = result.rows[0]
    assert majority.of(BEATS[0]).sensitivity.value == 1
    assert majority.of(BEATS[1]).sensitivity.value == 0
    # The beats that were "found" here are those annotated.
    assert result.rows[3].classes == result.rows[2].classes
    assert Result.model_validate_json(result.model_dump_json()) == result


def test_the_tables(made: tuple[Result, BeatLabeller]) -> None:
    text = markdown(made[0])
    assert "PMC7570975" in text
    assert "who is on both sides there" in text
    assert text.count("| strict | DS2 | network | S |") == 1
    assert "each person by all others" in text
    assert as_table(made[0]).renderables


def test_what_is_not_mitdb_is_refused(store: Path, tmp_path: Path) -> None:
    from finetune.beats.command import beats

    with pytest.raises(BiosigError, match="corpus: expected mitdb, got"):
        read_cases(store, Context.BOTH)
    with pytest.raises(BiosigError, match="exists already"):
        beats(tmp_path, out=tmp_path)


@pytest.mark.real
def test_records_as_they_are_downloaded(biosig_data: Path, tmp_path: Path) -> None:
    """Beats of 209 by class as the publisher's table counts them, and R peaks that neurokit2 finds in 100."""
    for record in ("209", "100"):
        for file in (biosig_data / "ecg/mitdb").glob(f"{record}.*"):
            (tmp_path / file.name).symlink_to(file)
    hundred, training = read_cases(tmp_path, Context.BOTH)
    assert np.bincount(training.strip.labels, minlength=5).tolist() == [2621, 383, 1, 0, 0]
    assert training.found is None
    assert hundred.found is not None
    assert len(hundred.found) == pytest.approx(len(hundred.strip), abs=5)
    early = training.strip.rr[:, 0]
    assert np.median(early[training.strip.labels == 1]) < -0.15
    assert np.median(early[training.strip.labels == 0]) == pytest.approx(0, abs=0.05)

"""Sides of the folds, scores against slow sums, and the command from annotated recordings to a picture."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from biosig.errors import BiosigError
from finetune.delineation.crossval import Plan, Result, cross_validate, read_annotated, sides
from finetune.delineation.delineator import Delineator
from finetune.delineation.rival import neurokit
from finetune.delineation.scores import METRICS, Tally, gains, score
from finetune.delineation.table import as_table, markdown
from finetune.delineation.training import Drawn
from finetune.delineation.waves import WAVES, Annotated, Wave, annotated
from tests.finetune.delineation.simulated import BUDGET, people


def test_everybody_is_tested_once_and_never_seen_before() -> None:
    folds = np.arange(60) % 10 + 1
    tested = []
    for training, validation, test in sides(folds, 5):
        assert sorted([*training, *validation, *test]) == list(range(60))
        assert (len(training), len(validation), len(test)) == (42, 6, 12)
        tested += test.tolist()
    assert sorted(tested) == list(range(60))


def test_too_few_people_are_refused() -> None:
    with pytest.raises(BiosigError, match="fold 1 of 5: expected recordings on every side, got 3 to train"):
        list(sides(np.array([1, 5, 6, 7]), 5))


def random_tally(seed: int) -> tuple[Tally, list[list[tuple[float, float]]]]:
    """Two leads of six people with one QRS each, found 0 to 40 ms late, and the errors of each."""
    rng = np.random.default_rng(seed)
    references, found, errors = [], [], []
    none = np.empty((0, 3))
    for _ in range(6):
        late = rng.uniform(0, 0.04, 2)
        drawn = np.array([[1.0, 1.05, 1.1]])
        one = {Wave.P: none, Wave.QRS: drawn, Wave.T: none}
        references.append({lead: Annotated(one, 0.5, 2) for lead in ("I", "II")})
        shifts = zip(("I", "II"), late, strict=True)
        found.append({lead: {wave: points + shift for wave, points in one.items()} for lead, shift in shifts})
        errors.append((1000 * late).tolist())
    names = ["a", "a", "b", "c", "d", "e"]
    return Tally.of(names, references, found), errors


def test_scores_are_those_of_slow_sums() -> None:
    tally, errors = random_tally(0)
    qrs = next(one for one in score([tally], draws=200) if (one.wave, one.point) == (Wave.QRS, "onset"))
    every = np.ravel(errors)
    assert (qrs.annotated, qrs.found) == (12, 12)
    assert qrs.sensitivity.value == qrs.ppv.value == qrs.f1.value == 1
    assert qrs.mean.value == pytest.approx(every.mean())
    assert qrs.sd.value == pytest.approx(every.std())
    assert qrs.sd.low is not None
    assert qrs.sd.high is not None
    assert qrs.sd.low < qrs.sd.value < qrs.sd.high
    first = next(one for one in score([tally.only("I")], "I", draws=5) if (one.wave, one.point) == (Wave.QRS, "peak"))
    assert first.mean.value == pytest.approx(np.array(errors)[:, 0].mean())
    missing = next(one for one in score([tally], draws=5) if one.wave is Wave.P)
    assert missing.sensitivity.value is missing.sd.value is None


def test_gains_over_oneself_are_nothing() -> None:
    tally, _ = random_tally(1)
    other, errors = random_tally(2)
    for one in gains([tally], tally, draws=20):
        for name in METRICS:
            part = getattr(one, name)
            assert part.value in (0, None)
            assert part.low in (0, None)
    gap = next(one for one in gains([tally], other, draws=20) if (one.wave, one.point) == (Wave.QRS, "onset"))
    mine = next(one for one in score([tally], draws=20) if (one.wave, one.point) == (Wave.QRS, "onset"))
    assert mine.mean.value is not None
    assert gap.mean.value == pytest.approx(mine.mean.value - np.mean(errors))
    with pytest.raises(ValueError, match="same people and leads"):
        gains([tally], tally.only("I"))


def test_neurokit_finds_the_beats_of_a_simulated_heart() -> None:
    recording = people(1, duration=10.0)[0].pick(["II"])
    found, right = neurokit(recording)["II"], annotated(recording)["II"]
    assert abs(len(found[Wave.QRS]) - len(right.waves[Wave.QRS])) <= 2
    flat = people(1)[0].pick(["II"])
    nothing = neurokit(type(flat)(flat.signal * 0, flat.channels, flat.sampling_rate, flat.modality))["II"]
    assert not any(len(nothing[wave]) for wave in WAVES)


@pytest.fixture(scope="module")
def crossed() -> tuple[Result, Delineator]:
    recordings = [one.pick(["I", "II"]) for one in people(12)]
    return cross_validate("simulated", recordings, Plan(2, (0,), replace(BUDGET, steps=30, check_every=30), draws=20))


def test_a_cross_validation_in_small(crossed: tuple[Result, Delineator], tmp_path: Path) -> None:
    result, delineator = crossed
    assert (result.recordings, result.leads, result.folds) == (12, 24, 2)
    assert sum(fold["test"] for fold in result.training) == 12
    assert len(delineator.networks) == 2
    assert len(result.ours) == len(result.neurokit) == 9 * 3
    assert Result.model_validate_json(result.model_dump_json()) == result
    text = markdown(result)
    assert text.count("| neurokit2 |") == 9
    assert "arXiv 2304.06237" in text
    assert as_table(result).renderables


def test_the_command_draws_the_waves_of_a_recording(crossed: tuple[Result, Delineator], tmp_path: Path) -> None:
    import typer

    from biosig.simulate.files import write_record
    from finetune.delineation.command import delineate

    crossed[1].save_pretrained(tmp_path / "model")
    app = typer.Typer()
    app.command()(delineate)
    recording = people(1, seed=5, duration=10.0)[0]
    write_record(recording, tmp_path, steps_per_microvolt=10.0, comments={})
    path = tmp_path / f"{recording.record_id}.hea"
    done = CliRunner().invoke(app, [str(path), "--model", str(tmp_path / "model"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "QRS" in done.output
    with (tmp_path / "out/waves.csv").open() as file:
        lines = list(csv.DictReader(file))
    # Thirty steps teach little: a lead or two may be without a wave.
    found = {line["lead"] for line in lines}
    assert found <= set(recording.channels)
    assert len(found) > len(recording.channels) / 2
    assert all(float(line["onset"]) < float(line["offset"]) for line in lines if line["onset"] and line["offset"])
    assert list((tmp_path / "out").glob("*.png"))
    assert json.loads((tmp_path / "model/delineator.json").read_text())["members"] == 2


def test_a_store_of_a_low_rate_is_refused(store: Path) -> None:
    with pytest.raises(BiosigError, match=r"sampling_rate: expected 250 Hz or more to place edges, got 100"):
        read_annotated(store)


def test_a_folder_that_exists_is_not_written_over(tmp_path: Path) -> None:
    from finetune.delineation.command import delineate

    with pytest.raises(BiosigError, match="exists already"):
        delineate(tmp_path, out=tmp_path)


@pytest.mark.real
def test_ludb_as_it_is_downloaded(biosig_data: Path, tmp_path: Path) -> None:
    """Its waves, and that neurokit2 finds its beats: times and units are those of the file."""
    for record in ("1", "7", "10"):
        for file in (biosig_data / "ecg/ludb/data").glob(f"{record}.*"):
            shutil.copy(file, tmp_path)
    corpus, recordings = read_annotated(tmp_path)
    assert (corpus, [one.record_id for one in recordings]) == ("ludb", ["1", "10", "7"])
    one_lead = [recording.pick(["II"]) for recording in recordings]
    references = [annotated(recording) for recording in one_lead]
    tally = Tally.of(["1", "10", "7"], references, [neurokit(recording) for recording in one_lead])
    matched, missed, _, total, _ = tally.counts[:, WAVES.index(Wave.QRS), 1].T
    assert not missed.any()
    # In one of the three the complex has two peaks.
    assert np.median(np.abs(total / matched)) < 5
    drawn = Drawn.of(recordings)
    assert all(len(own) == 12 for own in drawn.targets)
    # What is drawn as QRS moves far more than what is drawn as nothing.
    for x, names, own in zip(drawn.signal, drawn.names, drawn.targets, strict=True):
        target = own["II"]
        slope = np.abs(np.gradient(x[names.index("II")]))
        inside, outside = target.waves[2] == 1, (target.waves[0] == 1) & (target.known == 1)
        assert slope[inside].mean() > 4 * slope[outside].mean()

"""Irregularity against a slow reference; fibrillation is told from bigeminy; episodes are runs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from biosig.recording import Event, Modality, Recording
from finetune.beats.choices import Context
from finetune.beats.decide import without_fibrillation
from finetune.beats.rhythm import Episode, RhythmModel, Windows, at_beats, episodes, fit, irregularity, windows
from finetune.beats.rhythm_scores import leave_one_out, of_strangers
from tests.finetune.beats.simulated import fibrillating


def slow(rr: list[float]) -> list[float]:
    median = float(np.median(rr))
    apart = [
        math.log(0.005 + float(np.median([abs(rr[i] - rr[i - k]) for i in range(k, len(rr))])) / median)
        for k in (1, 2, 3, 4)
    ]
    here = both = 1
    for i in range(len(rr) - 1):
        for j in range(i + 1, len(rr) - 1):
            if abs(rr[i] - rr[j]) / median < 0.05:
                here += 1
                both += abs(rr[i + 1] - rr[j + 1]) / median < 0.05
    return [*apart, min(apart), -math.log(both / here) + math.log(0.1), math.log(median)]


def test_irregularity_is_that_of_the_formulas() -> None:
    peaks = fibrillating(np.random.default_rng(0), 40)
    np.testing.assert_allclose(irregularity(peaks), slow(np.diff(peaks).tolist()), rtol=1e-9)
    assert np.isnan(irregularity(peaks[:8])).all()


def recording(name: str, peaks: np.ndarray, stretches: list[tuple[float, float, str]]) -> Recording:
    duration = float(peaks[-1]) + 0.5
    events = tuple(Event(begin, end - begin, code) for begin, end, code in stretches)
    shape = np.zeros((1, int(duration * 10)), np.float32)
    return Recording(shape, ("II",), 10.0, (Modality.ECG,), name, name, events=events)


def hearts(seed: int) -> dict[tuple[str, str], Windows]:
    """Sinus rhythm with ventricular bigeminy in it, and fibrillation after sinus rhythm."""
    rng = np.random.default_rng(seed)
    found = {}
    for number in range(3):
        sinus = 0.8 + 0.02 * rng.standard_normal(200)
        bigeminy = np.tile([0.5, 1.1], 60) + 0.02 * rng.standard_normal(120)
        calm = np.cumsum(np.concatenate([sinus, bigeminy]))
        wild = np.concatenate([np.cumsum(sinus), np.cumsum(sinus)[-1] + fibrillating(rng, 250)])
        begin = float(np.cumsum(sinus)[-1])
        one = recording(f"c{number}", calm, [(0.0, calm[-1], "(N")])
        other = recording(f"w{number}", wild, [(0.0, begin, "(N"), (begin, float(wild[-1]), "(AFIB")])
        found |= {(who.record_id, who.subject_id): windows(who, peaks) for who, peaks in ((one, calm), (other, wild))}
    return found


def test_fibrillation_is_told_from_bigeminy_and_sinus_rhythm() -> None:
    model = fit(list(hearts(0).values()))
    score = of_strangers("simulated", model, hearts(0), hearts(1), draws=20)
    assert (score.train_people, score.flutter.value) == (3, None)
    assert score.sensitivity.value is not None
    assert score.sensitivity.value > 0.95
    assert score.specificity.value is not None
    assert score.specificity.value > 0.95
    assert sum(who.fibrillation + who.other for who in score.people) == score.windows
    everybody = leave_one_out("simulated", hearts(2), draws=20)
    assert everybody.auroc.value is not None
    assert everybody.auroc.value > 0.99
    rng = np.random.default_rng(5)
    calm = np.cumsum(0.8 + 0.02 * rng.standard_normal(200))
    peaks = np.concatenate([calm, calm[-1] + fibrillating(rng, 200)])
    (one,) = episodes(peaks, model.probability(at_beats(peaks)))
    assert one.begin == pytest.approx(calm[-1], abs=20)
    assert one.end == pytest.approx(peaks[-1], abs=20)


def test_without_the_future_a_beat_ends_its_window() -> None:
    peaks = fibrillating(np.random.default_rng(0), 120)
    early = at_beats(peaks[:80], Context.PAST)
    np.testing.assert_array_equal(at_beats(peaks, Context.PAST)[:80], early)
    assert not np.array_equal(at_beats(peaks)[:80], at_beats(peaks[:80]), equal_nan=True)
    inside = peaks[(peaks >= peaks[79] - 30) & (peaks <= peaks[79])]
    np.testing.assert_array_equal(early[79], irregularity(inside))
    assert at_beats(np.zeros(0)).shape == (0, 7)


def test_no_beat_is_premature_in_fibrillation() -> None:
    log_p = np.log([[0.2, 0.6, 0.1, 0.1]] * 4)
    found = np.exp(without_fibrillation(log_p, np.array([0.0, 0.5, 1.0, np.nan])))
    np.testing.assert_allclose(found.sum(1), 1)
    np.testing.assert_allclose(found[[0, 3]], np.exp(log_p[[0, 3]]))
    np.testing.assert_allclose(found[1], np.array([0.2, 0.3, 0.1, 0.1]) / 0.7)
    np.testing.assert_allclose(found[2], [0.5, 0, 0.25, 0.25], atol=1e-6)


def test_episodes_are_runs_that_last() -> None:
    peaks = np.arange(60.0)
    p = np.zeros(60)
    p[5:30], p[40:50], p[20] = 0.9, 0.9, 0.5
    p[55] = np.nan
    assert episodes(peaks, p) == [Episode(5.0, 29.0)]
    assert episodes(peaks, np.zeros(60)) == []


def test_one_rhythm_teaches_nothing() -> None:
    calm = {who: one for who, one in hearts(0).items() if who[0].startswith("c")}
    with pytest.raises(ValueError, match="with and without"):
        fit(list(calm.values()))
    model = RhythmModel(mean=(0.0,) * 7, scale=(1.0,) * 7, weights=(0.0,) * 7, intercept=0.0)
    assert np.isnan(model.probability(np.full((1, 7), np.nan))).all()

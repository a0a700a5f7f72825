"""Intervals of waves at known times; a picture and its words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from biosig.simulate import ecg
from finetune.delineation.figure import wave_figure, words
from finetune.delineation.intervals import common, intervals
from finetune.delineation.waves import WAVES, Lead, Wave

LEADS = ("I", "II", "III", "V1")
NONE = np.empty((0, 3))


def heart(*, rr: float = 0.8, beats: int = 10, shifts: Sequence[float] = (0, 0, 0, 0)) -> dict[str, Lead]:
    """PR 160, QRS 90, QT 400 ms in every lead."""
    starts = 0.3 + rr * np.arange(beats)[:, None]
    shape = {Wave.P: (0.0, 0.05, 0.1), Wave.QRS: (0.16, 0.2, 0.25), Wave.T: (0.4, 0.5, 0.56)}
    return {
        lead: {wave: starts + np.array(points) + shift for wave, points in shape.items()}
        for lead, shift in zip(LEADS, shifts, strict=True)
    }


@pytest.mark.parametrize("rr", [0.6, 0.8, 1.2])
def test_known_intervals(rr: float) -> None:
    found = intervals(heart(rr=rr))
    assert found == pytest.approx({"heart_rate": 60 / rr, "pr": 160, "qrs": 90, "qt": 400, "qtc": 400 / rr ** (1 / 3)})
    assert words(found) == f"PR 160 ms, QRS 90 ms, QT 400 ms, QTc {found['qtc']:.0f} ms"


def test_one_odd_lead_changes_little() -> None:
    leads = heart()
    leads["V1"] = {wave: points + np.array([0, 0, 0.2]) * (wave is Wave.T) for wave, points in leads["V1"].items()}
    odd = intervals(leads)
    assert odd["qt"] is not None
    assert 400 <= odd["qt"] < 520


def test_leads_out_of_step_begin_with_the_first_and_end_with_the_last() -> None:
    found = intervals(heart(shifts=(0.0, 0.0, 0.012, 0.012)))
    assert found["qrs"] == pytest.approx(102)
    assert found["heart_rate"] == pytest.approx(75)


def test_a_beat_is_what_half_of_the_leads_show() -> None:
    leads = heart()
    leads["I"] = {**leads["I"], Wave.QRS: np.vstack([leads["I"][Wave.QRS], [[0.8, 0.85, 0.9]]])}
    assert len(common(leads, Wave.QRS)) == 10
    for lead in ("I", "II"):
        leads[lead] = {**leads[lead], Wave.P: NONE}
    assert len(common(leads, Wave.P)) == 10
    leads["III"] = {**leads["III"], Wave.P: NONE}
    assert len(common(leads, Wave.P)) == 0
    assert intervals(leads)["pr"] is None


def test_nothing_is_told_of_nothing() -> None:
    empty = {lead: dict.fromkeys(WAVES, NONE) for lead in LEADS}
    assert set(intervals(empty).values()) == {None}
    assert set(intervals({}).values()) == {None}
    assert words(intervals(empty)) == ""


def test_each_wave_is_shaded_in_its_lead() -> None:
    recording, leads = ecg(seed=3).pick(LEADS), heart(beats=8)
    leads["I"] = {**leads["I"], Wave.T: np.vstack([leads["I"][Wave.T], [[9.9, 9.95, np.nan]]])}
    figure = wave_figure(recording, leads, intervals(leads))
    shades = len(figure.axes[0].patches) - 1  # the paper is one as well
    assert shades == 4 * 3 * 8 + 1
    texts = [text.get_text() for text in figure.texts]
    assert {"P", "QRS", "T"} <= set(texts)

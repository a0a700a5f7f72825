"""Colour lies behind the moments it belongs to, in the strength of its values, and nothing is where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from biosig.errors import BiosigError
from biosig.plot import Heat, ecg_paper, traces
from biosig.plot.heat import draw_heat
from biosig.plot.paper import SPEED
from biosig.simulate import ecg

RATE = 50.0


def heat(*, leads: tuple[str, ...] = ("I", "II"), seconds: float = 10.0) -> Heat:
    values = np.zeros((len(leads), int(RATE * seconds)))
    values[1, 100:125], values[1, 200:225] = 2.0, -2.0
    return Heat(values, leads, RATE, 2.0)


def test_colour_lies_at_its_seconds_and_full_values_have_opposite_hues() -> None:
    axes = Figure().add_subplot()
    axes.axis((0, 100, 0, 10))
    draw_heat(axes, heat(), "II", (1.0, 6.0), (10, 60, 2, 8))
    (image,) = axes.images
    assert image.get_extent() == [10, 60, 2, 8]
    assert axes.axis() == (0, 100, 0, 10)
    rgba = image.cmap(image.norm(np.asarray(image.get_array())))[0]
    alpha = rgba[:, 3]
    np.testing.assert_array_equal(np.flatnonzero(alpha > 0.01), [*range(50, 75), *range(150, 175)])
    assert rgba[60, 0] > rgba[60, 2]  # for: orange
    assert rgba[160, 2] > rgba[160, 0]  # against: blue


def test_where_the_recording_ends_the_colour_does() -> None:
    axes = Figure().add_subplot()
    draw_heat(axes, heat(seconds=5.0), "II", (4.0, 8.0), (0, 40, 0, 1))
    assert axes.images[0].get_extent() == [0, 10, 0, 1]
    draw_heat(axes, heat(), "V1", (0.0, 5.0), (0, 50, 0, 1))
    draw_heat(axes, heat(seconds=5.0), "II", (6.0, 8.0), (0, 40, 0, 1))
    assert len(axes.images) == 1


def test_the_limit_leaves_few_moments_out_and_nothing_stays_nothing() -> None:
    values = np.concatenate([np.linspace(-1, 1, 999), [50.0]])[None]
    assert 0.9 < Heat.of(values, ("I",), RATE).limit < 2
    assert Heat.of(np.zeros((1, 10)), ("I",), RATE).limit == 1.0
    with pytest.raises(BiosigError, match=r"heat: expected \(2, time\) values and a limit above 0"):
        Heat(np.zeros((3, 10)), ("I", "II"), RATE, 1.0)


def test_on_paper_and_in_traces_each_channel_has_its_own_and_a_bar_says_what_it_means() -> None:
    recording = ecg(seed=0)
    values = np.ones((12, recording.n_times))
    shown = Heat(values, recording.channels, recording.sampling_rate, 1.0, low="less", high="more")
    paper = ecg_paper(recording, layout="12x1", heat=shown)
    boxes = [image.get_extent() for image in paper.axes[0].images]
    assert len(boxes) == 12
    assert all(right - left == pytest.approx(SPEED * 10) for left, right, _, _ in boxes)
    lines = traces(recording, start=2.0, seconds=3.0, heat=shown)
    assert [image.get_extent() for image in lines.axes[0].images] == [[2, 5, -k - 0.5, -k + 0.5] for k in range(12)]
    for figure in (paper, lines):
        assert {text.get_text() for axes in figure.axes for text in axes.texts} >= {"less", "more"}

"""Maps of the scalp: what is where, in one scale."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from biosig.channels import positions
from biosig.errors import BiosigError
from biosig.plot import save, topomaps
from biosig.recording import Modality
from biosig.simulate import CAPS

CAP = CAPS[19]
RNG = np.random.default_rng(0)


def maps(figure: Figure) -> list[np.ndarray]:
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


def colours(figure: Figure) -> set[tuple[float, float]]:
    return {axes.images[0].get_clim() for axes in figure.axes if axes.images}


def test_values_are_where_their_electrodes_are() -> None:
    # The picture's first row is the bottom: front is up, and the patient's left is left.
    place = positions(CAP, Modality.EEG).astype(float)
    right, front = maps(topomaps(place[:, :2].T, CAP))
    n = len(front)
    known = slice(n // 4, 3 * n // 4)
    assert np.nanmean(front[3 * n // 4 :]) > 0.4 > -0.4 > np.nanmean(front[: n // 4])
    assert (np.diff(np.nanmean(front[known], axis=1)) > 0).all()
    assert np.nanmean(right[:, 3 * n // 4 :]) > 0.4 > -0.4 > np.nanmean(right[:, : n // 4])


def test_the_order_of_electrodes_does_not_matter() -> None:
    values = RNG.normal(size=(1, 19))
    order = RNG.permutation(19)
    one, other = (maps(topomaps(v, c))[0] for v, c in ((values, CAP), (values[:, order], [CAP[k] for k in order])))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_all_maps_share_one_scale_about_zero() -> None:
    values = np.concatenate([RNG.normal(size=(2, 19)), 5 * RNG.normal(size=(1, 19))])
    figure = topomaps(values, CAP, titles=("a", "b", "c"), unit="µV", title="all")
    most = np.abs(values).max()
    assert colours(figure) == {(-most, most)}
    assert len(maps(figure)) == 3
    assert [text.get_text() for text in figure.texts] == ["a", "b", "c", "all"]
    assert figure.axes[-1].get_ylabel() == "µV"


def test_positive_values_have_a_scale_of_their_own() -> None:
    values = RNG.uniform(2, 3, size=(2, 19))
    assert colours(topomaps(values, CAP)) == {(values.min(), values.max())}
    assert colours(topomaps(values, CAP, limits=(0, 4))) == {(0, 4)}
    assert colours(topomaps(np.full((1, 19), 2.0), CAP)) == {(2.0, 3.0)}


def test_maps_that_do_not_fit_in_a_row_go_below() -> None:
    figure = topomaps(RNG.normal(size=(7, 19)), CAP, columns=3)
    corners = {tuple(np.round(axes.get_position().p0, 6)) for axes in figure.axes if axes.images}
    assert len(corners) == 7
    assert len({y for _, y in corners}) == 3
    boxes = [axes.get_position() for axes in figure.axes]
    assert all(0 <= box.x0 < box.x1 <= 1 and 0 <= box.y0 < box.y1 <= 1 for box in boxes)


def test_an_electrode_without_a_value_is_a_cross_and_does_not_colour_the_map() -> None:
    values = RNG.normal(size=(2, 19))
    values[0, 9] = np.nan
    figure = topomaps(values, CAP)
    crosses = [line for line in figure.axes[0].lines if line.get_marker() == "x"]
    assert len(crosses) == 1
    # Cz is nearly on top.
    assert np.hypot(*crosses[0].get_xydata()[0]) < 0.01
    assert not [line for line in figure.axes[1].lines if line.get_marker() == "x"]
    without = [k for k in range(19) if k != 9]
    limits = colours(figure).pop()
    alone = maps(topomaps(values[:1, without], [CAP[k] for k in without], limits=limits))[0]
    np.testing.assert_allclose(maps(figure)[0], alone)


def test_nothing_is_highest_where_no_electrode_is() -> None:
    # A headset without an electrode in the middle, loud at the front.
    rim = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")
    values = np.where(np.isin(rim, ("F3", "F4")), 0.3, 0.1)[None]
    drawn = maps(topomaps(values, rim))[0]
    assert 0.1 - 1e-9 <= np.nanmin(drawn) <= np.nanmax(drawn) <= 0.3 + 1e-9
    assert drawn[64, 64] < 0.25


def test_names_stand_where_the_dots_would() -> None:
    values = RNG.normal(size=(1, 19))
    named = topomaps(values, CAP, names=True).axes[0].texts
    assert [text.get_text() for text in named] == list(CAP)
    groups = [np.asarray(group.get_offsets()) for group in topomaps(values, CAP).axes[0].collections]
    (dots,) = [group for group in groups if len(group) == 19]
    np.testing.assert_allclose([text.get_position() for text in named], dots, atol=1e-6)


def test_pyplot_knows_nothing_of_it(tmp_path: Path) -> None:
    before = plt.get_fignums()
    one, other = (
        save(topomaps(np.ones((1, 19)), CAP, titles=["$x_{"]), tmp_path / name) for name in ("a.png", "b.png")
    )
    assert plt.get_fignums() == before
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("values", "electrodes", "more", "message"),
    [
        (np.ones((1, 3)), CAP, {}, r"expected \(map, 19\) values, got \(1, 3\)"),
        (np.ones((0, 19)), CAP, {}, r"got \(0, 19\)"),
        (np.ones((1, 4)), ("Cz", "Pz", "Fz", "E7"), {}, "10-05 system, got 'E7'"),
        (np.ones((1, 4)), ("Cz", "Pz", "Fz", "A2-A1"), {}, "10-05 system, got 'A2-A1'"),
        (np.ones((1, 4)), ("Cz", "Pz", "Fz", "Cz"), {}, "each electrode once"),
        (np.full((1, 19), np.nan), CAP, {}, "map 0: expected values at 4 electrodes or more, got 0"),
        (np.ones((2, 19)), CAP, {"titles": ("a",)}, "a title for each of 2 maps, got 1"),
        (np.ones((2, 19)), CAP, {"limits": (1, 1)}, "limits"),
    ],
)
def test_what_cannot_be_drawn_is_named(values: np.ndarray, electrodes: tuple, more: dict, message: str) -> None:
    with pytest.raises(BiosigError, match=message):
        topomaps(values, electrodes, **more)

"""Where a band is strong, its map is high; the caption is the root mean square of the band."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

from biosig.errors import BiosigError
from biosig.plot import band_power, band_power_maps, picture
from biosig.recording import Modality, Recording

NAMES = ("Fp1", "Fp2", "C3", "C4", "O1", "O2")


def brain(seconds: float = 20.0, names: tuple[str, ...] = NAMES, rate: float = 128.0) -> Recording:
    """Ten hertz at the back of 20 microvolts, 2 elsewhere, over noise of a tenth."""
    time = np.arange(round(seconds * rate)) / rate
    size = np.where([name.startswith("O") for name in names], 20.0, 2.0)
    noise = np.random.default_rng(0).standard_normal((len(names), len(time))) * 0.1
    signal = size[:, None] * np.sin(2 * np.pi * 10 * time) + noise
    return Recording(signal.astype(np.float32), names, rate, (Modality.EEG,) * len(names), record_id="b1")


def test_the_map_of_alpha_is_decibels_against_the_mean() -> None:
    with mock.patch.object(band_power, "topomaps") as drawn:
        band_power_maps(brain(), start=5, seconds=10)
    values, names = drawn.call_args.args
    assert names == list(NAMES)
    alpha = values[2]
    # 20 against 2 microvolts are 20 dB; of six electrodes two are strong.
    np.testing.assert_allclose(alpha, [-20 / 3] * 4 + [40 / 3] * 2, atol=0.2)
    np.testing.assert_allclose(values.mean(1), 0, atol=1e-9)
    # The filter takes a little of sqrt((4 * 2 + 2 * 200) / 6) = 8.25.
    assert drawn.call_args.kwargs["titles"][2] == "alpha 8–14 Hz, 8.2 µV"


def test_bands_above_half_the_rate_are_left_out_and_it_is_drawn() -> None:
    figure = picture(brain(rate=64.0), layout="topomap")
    captions = [text.get_text() for text in figure.texts]
    assert [text.split()[0] for text in captions[:-1]] == ["delta", "theta", "alpha", "beta"]
    assert captions[-1] == "b1, 0–10 s"


def test_what_makes_no_map_is_refused() -> None:
    with pytest.raises(BiosigError, match="b1: topomap: expected 4 EEG electrodes"):
        band_power_maps(brain(names=("Fp1", "O1", "O2")))
    with pytest.raises(BiosigError, match=r"expected a second or more between 19\.5"):
        band_power_maps(brain(), start=19.5)

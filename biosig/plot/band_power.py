"""The power of the bands of an EEG over the scalp."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from biosig.errors import BiosigError
from biosig.plot.topomap import LEAST_KNOWN, topomaps
from biosig.preprocess.electrodes import derivation, places
from biosig.recording import Modality, Recording
from biosig.spectral import BANDS, differential_entropy

# In 1/2 ln(2 pi e sigma^2), what is not the power itself.
_CONSTANT = 2 * np.pi * np.e


def band_power_maps(recording: Recording, *, start: float = 0.0, seconds: float = 10.0, title: str = "") -> Figure:
    """One map a band, of the power of each electrode against the mean of all, in decibels.

    Slow bands hold so much more power than fast ones that one scale would leave each map in one colour; so a map shows
    where on the head the band is strong, and its caption how strong it is: the root mean square over the electrodes.

    Args:
        recording: Its EEG electrodes are mapped; derivations and electrodes of no known place are left out.
        start: First second of the stretch.
        seconds: Its length; windows of a second are averaged.
        title: Instead of the record's name.

    Raises:
        BiosigError: If fewer than four electrodes have a place, or less than a second lies in that stretch.
    """
    name = recording.record_id or "recording"
    eeg = recording.pick(Modality.EEG)
    known = [
        channel
        for channel, place in zip(eeg.channels, places(eeg.channels).astype(float), strict=True)
        if derivation(channel) is None and np.isfinite(place).all()
    ]
    if len(known) < LEAST_KNOWN:
        raise BiosigError(
            f"{name}: topomap: expected {LEAST_KNOWN} EEG electrodes of the 10-05 system or more, got {len(known)}"
        )
    rate = recording.sampling_rate
    first, last = round(start * rate), min(round((start + seconds) * rate), recording.n_times)
    if last - first < rate:
        raise BiosigError(
            f"{name}: topomap: expected a second or more between {start:g} and {start + seconds:g} s, of "
            f"{recording.duration:g} s"
        )
    # The filter settles on the whole recording; the stretch is cut afterwards, in whole windows.
    shown = replace(eeg.pick(known), signal=eeg.pick(known).signal[:, first:last])
    bands = {band: edges for band, edges in BANDS.items() if edges[1] < rate / 2}
    entropies = differential_entropy(shown.signal, rate, bands=bands)
    with np.errstate(invalid="ignore"):
        power = np.nanmean(np.exp(2 * entropies.astype(float)) / _CONSTANT, axis=0).T
    decibels = 10 * np.log10(power)
    relative = decibels - np.nanmean(decibels, axis=1, keepdims=True)
    size = np.sqrt(np.nanmean(power, axis=1))
    captions = [
        f"{band} {low:g}–{high:g} Hz, {rms:.2g} µV"
        for (band, (low, high)), rms in zip(bands.items(), size, strict=True)
    ]
    stop = min(start + seconds, recording.duration)
    return topomaps(
        relative,
        known,
        titles=captions,
        unit="dB against the mean",
        title=title or f"{name}, {start:g}–{stop:.4g} s",
        columns=3,
        limits=_limits(relative),
    )


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Symmetric, and such that one dead electrode does not take the colour from all others."""
    most = float(np.nanpercentile(np.abs(values), 95)) if np.isfinite(values).any() else 1.0
    return (-most, most) if most > 0 else (-1.0, 1.0)

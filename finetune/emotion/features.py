"""What classical rows see of a trial: band powers and covariances of short windows, smoothed over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int64

from biosig.errors import BiosigError
from biosig.preprocess.electrodes import derivation
from biosig.recording import Modality
from biosig.smoothing import lds, moving_average
from biosig.spectral import BANDS, differential_entropy
from biosig.store import Store
from biosig.store.quantise import restore
from finetune.emotion.protocols import Access
from finetune.emotion.targets import Trials

#: Width of the moving average, in windows.
WIDTH = 5
_COVARIANCE_SECONDS = 3.0
_COVARIANCE_BAND = (1.0, 45.0)
_ROUNDING = 1e-2


class Smoothing(StrEnum):
    """How features, or probabilities where a row has no features, are smoothed within a trial.

    `moving-average`: over five windows. `lds`: a random walk seen through noise; its Kalman filter where nothing of the
    future may be used, its Rauch-Tung-Striebel smoother where all may.
    """

    NONE = "none"
    MOVING_AVERAGE = "moving-average"
    LDS = "lds"


@dataclass(frozen=True, eq=False)
class Windowed:
    """Something of every window of some trials; the windows of a trial stand together, in the order of time.

    Attributes:
        values: `(window, ...)`.
        trial: Whose window it is.
    """

    values: Float[np.ndarray, "window ..."]
    trial: Int64[np.ndarray, " window"]

    @classmethod
    def gather(cls, parts: Sequence[Float[np.ndarray, "_ ..."]], trials: Sequence[int]) -> Windowed:
        """From the windows of each trial."""
        counts = [len(part) for part in parts]
        return cls(np.concatenate(list(parts)), np.repeat(np.asarray(trials, dtype=np.int64), counts))

    def of(self, trials: Sequence[int]) -> Windowed:
        """Of these trials only."""
        kept = self.mask(trials)
        return Windowed(self.values[kept], self.trial[kept])

    def mask(self, trials: Sequence[int]) -> Bool[np.ndarray, " window"]:
        """Which windows are of these trials."""
        return np.isin(self.trial, np.asarray(trials, dtype=np.int64))

    def trial_weights(self) -> Float64[np.ndarray, " window"]:
        """One over the windows of its trial: every trial weighs 1, however long it is."""
        _, place, counts = np.unique(self.trial, return_inverse=True, return_counts=True)
        return 1 / counts[place]

    def with_values(self, values: Float[np.ndarray, "window ..."]) -> Windowed:
        """The same windows, with something else of each."""
        return replace(self, values=values)

    def smoothed(self, smoothing: Smoothing, access: Access) -> Windowed:
        """Every trial by itself: nothing goes from one to the next."""
        if smoothing is Smoothing.NONE:
            return self
        out = np.empty(self.values.shape, np.float64)
        causal = access is Access.CAUSAL
        edges = np.flatnonzero(np.diff(self.trial, prepend=-1, append=-1))
        for first, last in pairwise(edges.tolist()):
            part = self.values[first:last]
            if smoothing is Smoothing.LDS:
                out[first:last] = lds(part, causal=causal)
            else:
                out[first:last] = moving_average(part, WIDTH, causal=causal)
        return self.with_values(out)


def electrodes(store: Store, trials: Trials) -> tuple[str, ...]:
    """The EEG channels that every record has, in the order of the first.

    Derivations (`Fp1-F7`) count where there are no electrodes only: beside them they say nothing new, or, like the pair
    between the ears of a linked reference, nothing of the scalp.

    Raises:
        BiosigError: If there are not two of them.
    """
    found: list[tuple[str, ...]] = []
    for layout in sorted({store.layout_of[row] for row in trials.row}):
        names, kinds = store.layouts[layout]
        found.append(tuple(name for name, kind in zip(names, kinds, strict=True) if kind is Modality.EEG))
    common = tuple(name for name in found[0] if all(name in others for others in found))
    single = tuple(name for name in common if derivation(name) is None)
    common = single if len(single) > 1 else common
    if len(common) < 2:
        raise BiosigError(f"{store.path}: expected two EEG channels at least that all records have, got {len(common)}")
    return common


def signals(store: Store, trials: Trials, names: Sequence[str]) -> Iterator[Float32[np.ndarray, "channel time"]]:
    """Each trial in microvolts, its channels in that order; NaN in gaps."""
    for row, start, samples in zip(trials.row.tolist(), trials.start.tolist(), trials.samples.tolist(), strict=True):
        order = [store.layout(row)[0].index(name) for name in names]
        yield restore(store.window(row, start, samples)[order], store.steps(row)[order])


def entropies(store: Store, trials: Trials, names: Sequence[str], access: Access) -> Windowed:
    """Differential entropy of every channel in the bands that the sampling rate allows, once a second.

    Causal: the filters run forwards only. Each trial is filtered by itself.
    """
    rate = store.sampling_rate
    bands = {name: band for name, band in BANDS.items() if band[1] < rate / 2}
    if not bands:
        raise BiosigError(f"{store.path}: no band of {', '.join(BANDS)} fits a sampling rate of {rate:g} Hz")
    causal = access is Access.CAUSAL
    parts = [
        differential_entropy(one, rate, bands=bands, causal=causal).reshape(-1, len(names) * len(bands))
        for one in signals(store, trials, names)
    ]
    return Windowed.gather(parts, range(len(trials)))


def covariances(store: Store, trials: Trials, names: Sequence[str], access: Access) -> Windowed:
    """Covariance matrices between channels, 1 to 45 Hz, every three seconds (or once in a shorter trial).

    They are shrunk towards the sphere (oracle approximating shrinkage), so that a short window has a matrix that can be
    inverted. Where channels are referenced to their average, the last one is minus the sum of the others: it says
    nothing new, and is left out.

    References:
        Chen, Wiesel, Eldar, Hero, Shrinkage algorithms for MMSE covariance estimation, arXiv 0907.4698.
    """
    from pyriemann.utils.covariance import covariances as estimate  # noqa: PLC0415 -- only some rows need it
    from scipy import signal as filters  # noqa: PLC0415 -- a second to import

    rate = store.sampling_rate
    band = (_COVARIANCE_BAND[0], min(_COVARIANCE_BAND[1], 0.45 * rate))
    sections = filters.butter(4, band, "bandpass", fs=rate, output="sos")
    length = min(round(_COVARIANCE_SECONDS * rate), int(trials.samples.min()))
    run = filters.sosfilt if access is Access.CAUSAL else filters.sosfiltfilt
    if all(_sums_to_zero(one) for one in signals(store, trials, names)):
        names = names[:-1]
    parts: list[Float64[np.ndarray, "_ channel channel"]] = []
    for one in signals(store, trials, names):
        filtered = run(sections, np.nan_to_num(one).astype(np.float64), axis=-1)
        count = filtered.shape[1] // length
        windows = filtered[:, : count * length].reshape(len(names), count, length).swapaxes(0, 1)
        # A dead electrode has no variance at all, and a matrix with a zero row no logarithm.
        dither = np.random.default_rng(0).normal(scale=1e-2, size=windows.shape)
        parts.append(estimate(windows + dither, estimator="oas"))
    return Windowed.gather(parts, range(len(trials)))


def _sums_to_zero(signal: Float32[np.ndarray, "channel time"]) -> bool:
    """Whether the channels are referenced to their average, up to the steps they are stored in."""
    filled = np.nan_to_num(signal)
    return bool(np.abs(filled.mean(0)).mean() < _ROUNDING * filled.std())

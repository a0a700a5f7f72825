"""EEG changed in the frequency domain: a band taken out, phases shuffled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Complex, Int64
from pydantic import Field
from torch import Tensor

from pretrain.augmentations.base import AUGMENTATIONS, OfEeg, Positive
from pretrain.augmentations.chance import Chance
from pretrain.augmentations.strips import Strips

Spectrum = Complex[Tensor, "record channel frequency"]


@AUGMENTATIONS.register("band_stop")
class BandStop(OfEeg):
    """Take a band out of the spectrum, the same in all EEG channels of a record.

    Attributes:
        width: Of the band, Hz. Its middle is drawn from everywhere below half the sampling rate.

    References:
        Mohsenvand, Izadi and Maes, Contrastive representation learning for electroencephalogram classification, ML4H
        (PMLR 136) 2020; Cheng et al., Subject-aware contrastive learning for biosignals, arXiv 2007.04871.
    """

    kind: Literal["band_stop"] = "band_stop"
    width: Positive = 5.0

    def change(self, strips: Strips, chance: Chance) -> Strips:
        middle = chance.uniform(high=strips.sampling_rate / 2)

        def stop(spectrum: Spectrum, rows: Int64[Tensor, " row"], samples: int) -> Spectrum:
            frequencies = torch.fft.rfftfreq(samples, 1 / strips.sampling_rate)
            kept = (frequencies - middle[rows, None]).abs() > self.width / 2
            return spectrum * kept[:, None]

        return _transformed(self, strips, stop)


@AUGMENTATIONS.register("phase_surrogate")
class PhaseSurrogate(OfEeg):
    """Add random phases to the Fourier coefficients: the same spectra, another course in time.

    All EEG channels of a record get the same phases, so that what they have in common (the cross-spectra) stays too.

    Attributes:
        strength: The phases are drawn from U(-pi, pi) times this; 1 leaves nothing of the old ones.

    References:
        Schwabedal et al., Addressing class imbalance in classification problems of noisy signals by using Fourier
        transform surrogates, arXiv 1806.08675; Prichard and Theiler, Phys. Rev. Lett. 73 (1994), for several channels.
    """

    kind: Literal["phase_surrogate"] = "phase_surrogate"
    strength: float = Field(gt=0, le=1, default=1.0)

    def change(self, strips: Strips, chance: Chance) -> Strips:
        phases = self.strength * chance.phases(strips.samples // 2 + 1)

        def turn(spectrum: Spectrum, rows: Int64[Tensor, " row"], samples: int) -> Spectrum:
            angle = phases[rows, : spectrum.shape[2]]
            # The mean, and half the sampling rate, are real and stay: they have no phase to turn.
            angle[:, 0] = 0.0
            if samples % 2 == 0:
                angle[:, -1] = 0.0
            # Written out: torch rounds complex products otherwise at the end of a tensor, where other records are.
            cosine, sine = angle.cos()[:, None], angle.sin()[:, None]
            turned = torch.empty_like(spectrum)
            torch.mul(spectrum.real, cosine, out=turned.real).addcmul_(spectrum.imag, sine, value=-1)
            torch.mul(spectrum.imag, cosine, out=turned.imag).addcmul_(spectrum.real, sine)
            return turned

        return _transformed(self, strips, turn)


def _transformed(
    kind: OfEeg, strips: Strips, change: Callable[[Spectrum, Int64[Tensor, " row"], int], Spectrum]
) -> Strips:
    """The channels concerned, changed by their spectrum over what is valid of each record."""

    def changed(signal: Tensor, rows: Tensor, samples: int) -> Tensor:
        new = torch.fft.irfft(change(torch.fft.rfft(signal), rows, samples), n=samples)
        return torch.where(concerned[rows], new, signal)

    concerned = kind.concerned(strips)[..., None]
    lengths = sorted(set(strips.valid.tolist()))
    if lengths == [strips.samples]:
        return replace(strips, signal=changed(strips.signal, torch.arange(len(strips)), strips.samples))
    # Padding is no part of a record's spectrum: records of equal length are transformed together.
    signal = strips.signal.clone()
    for samples in lengths:
        rows = (strips.valid == samples).nonzero().flatten()
        signal[rows, :, :samples] = changed(strips.signal[rows, :, :samples], rows, samples)
    return replace(strips, signal=signal)

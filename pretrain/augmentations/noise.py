"""Gaussian noise: white, of muscles, and in one band of the EEG."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor

from biosig.spectral import BANDS
from pretrain.augmentations.base import AUGMENTATIONS, OfEeg, OfKind, Positive
from pretrain.augmentations.chance import Chance
from pretrain.augmentations.electrodes import Origins
from pretrain.augmentations.strips import Strips

_BANDS = torch.tensor(list(BANDS.values()))


@AUGMENTATIONS.register("noise")
class Noise(OfKind):
    """White noise, independent in each channel, of a standard deviation drawn from U(0, sigma).

    Attributes:
        sigma: In the units of the batch (1.0 = 1 mV of ECG).

    References:
        Cheng et al., Subject-aware contrastive learning for biosignals, arXiv 2007.04871.
    """

    kind: Literal["noise"] = "noise"
    sigma: Positive = 0.02

    def change(self, strips: Strips, chance: Chance) -> Strips:
        level = chance.uniform(1, high=self.sigma) * self.concerned(strips)
        return strips.plus(chance.noise(strips.own, strips.samples), level)


@AUGMENTATIONS.register("muscle")
class Muscle(OfKind):
    """The electromyogram: Gaussian noise of a flat spectrum between two frequencies, from the electrodes.

    Standard leads of a record share electrodes (see `electrodes.Origins`).

    Attributes:
        amplitude: The standard deviation in a bipolar lead is drawn from U(0, amplitude); units of the batch
            (1.0 = 1 mV of ECG, 50 microvolts of EEG).
        low: Hz.
        high: Hz; a rate that cannot carry it takes noise up to half of itself, and none where that is below `low`.

    References:
        Clancy, Morin and Merletti, J. Electromyogr. Kinesiol. 12 (2002), for the band; Moody, Muldrow and Mark,
        Computers in Cardiology 11 (1984), for noise added to ECG at a given level.
    """

    kind: Literal["muscle"] = "muscle"
    amplitude: Positive = 0.05
    low: Positive = 20.0
    high: Positive = 150.0

    @model_validator(mode="after")
    def _band(self) -> Muscle:
        if self.low >= self.high:
            raise ValueError(f"expected low < high, got {self.low:g} and {self.high:g} Hz")
        return self

    def change(self, strips: Strips, chance: Chance) -> Strips:
        concerned = self.concerned(strips)
        origins = Origins(strips, concerned)
        band = torch.tensor([[self.low, self.high]]).expand(len(strips), 2)
        level = chance.uniform(1, high=self.amplitude) * concerned
        sources = (
            band_noise(chance.noise(rows, 2 * _bins(strips.samples)), band, strips.samples, strips.sampling_rate)
            for rows in (origins.electrodes, origins.others)
        )
        return strips.plus(origins.spread(*sources), level)


@AUGMENTATIONS.register("band_noise")
class BandNoise(OfEeg):
    """Gaussian noise within one of the bands of the EEG, independent in each channel; each record draws its band.

    The bands are those of `biosig.spectral.BANDS`, as far as the rate carries the whole of one.

    Attributes:
        amplitude: The standard deviation is drawn from U(0, amplitude); units of the batch (1.0 = 50 microvolts).

    References:
        Cheng et al., Subject-aware contrastive learning for biosignals, arXiv 2007.04871, and Mohsenvand, Izadi and
        Maes, Contrastive representation learning for electroencephalogram classification, ML4H (PMLR 136) 2020, for
        noise added to EEG; that it is confined to a band is ours: it hides one band, and leaves the others to tell.
    """

    kind: Literal["band_noise"] = "band_noise"
    amplitude: Positive = 0.1

    def change(self, strips: Strips, chance: Chance) -> Strips:
        carried = _BANDS[_BANDS[:, 1] < strips.sampling_rate / 2]
        if not len(carried):
            return strips
        band = carried[(chance.uniform() * len(carried)).long()]
        level = chance.uniform(1, high=self.amplitude) * self.concerned(strips)
        drawn = chance.noise(strips.own, 2 * _bins(strips.samples))
        return strips.plus(band_noise(drawn, band, strips.samples, strips.sampling_rate), level)


def band_noise(
    drawn: Float[Tensor, "record row twice"], band: Float[Tensor, "record 2"], samples: int, rate: float
) -> Float[Tensor, "record row time"]:
    """Noise of a flat spectrum within a band and nothing outside it; unit variance, expected.

    What `biosig.simulate.spectrum.band_noise` makes, for many records and bands at once.

    Args:
        drawn: Standard normal, two numbers for each of the `samples // 2 + 1` frequencies.
        band: From and to, Hz; where no frequency of `k rate / samples`, 0 < k < samples / 2, lies in it there is no
            noise.
        samples: Length.
        rate: Hz.
    """
    if not drawn.shape[1]:
        return drawn.new_zeros(len(drawn), 0, samples)
    frequencies = torch.fft.rfftfreq(samples, 1 / rate)
    inside = (frequencies >= band[:, :1]) & (frequencies <= band[:, 1:])
    inside &= (frequencies > 0) & (frequencies < rate / 2)
    # Each frequency has a cosine and a sine of variance 1 / 2 times the square of its size.
    scale = inside / (4 * inside.sum(1, keepdim=True).clamp_min(1)).sqrt()
    spectrum = drawn.view(*drawn.shape[:2], len(frequencies), 2) * scale[:, None, :, None]
    return torch.fft.irfft(torch.view_as_complex(spectrum), n=samples, norm="forward")


def _bins(samples: int) -> int:
    return samples // 2 + 1

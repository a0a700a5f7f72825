"""What is a sum of sines: the wander of the baseline, and the hum of the mains."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor

from pretrain.augmentations.base import AUGMENTATIONS, OfEcg, OfKind, Positive
from pretrain.augmentations.chance import Chance
from pretrain.augmentations.electrodes import COUNT, Origins, products
from pretrain.augmentations.strips import Strips


@AUGMENTATIONS.register("baseline_wander")
class BaselineWander(OfEcg):
    """Slow wander of the baseline, by breath and sweat: some sines, of another size and phase at each electrode.

    Standard leads of a record share electrodes (see `electrodes.Origins`).

    Attributes:
        amplitude: The standard deviation in a bipolar lead is drawn from U(0, amplitude); 1.0 = 1 mV.
        low: Hz.
        high: Hz; the frequencies of a record are drawn from U(low, high).
        components: How many sines.

    References:
        van Alste and Schilder, IEEE Trans. Biomed. Eng. 32 (1985), for the band of the wander; Moody, Muldrow and Mark,
        Computers in Cardiology 11 (1984), for its addition to ECG.
    """

    kind: Literal["baseline_wander"] = "baseline_wander"
    amplitude: Positive = 0.15
    low: Positive = 0.05
    high: Positive = Field(default=0.5, le=0.7)
    components: PositiveInt = Field(default=5, le=64)

    @model_validator(mode="after")
    def _band(self) -> BaselineWander:
        if self.low >= self.high:
            raise ValueError(f"expected low < high, got {self.low:g} and {self.high:g} Hz")
        return self

    def change(self, strips: Strips, chance: Chance) -> Strips:
        frequencies = chance.uniform(self.components, low=self.low, high=self.high)
        level = chance.uniform(1, high=self.amplitude / math.sqrt(self.components)) * self.concerned(strips)
        channels = strips.mask.shape[1]
        # A normal cosine and sine: sizes and phases that differ from electrode to electrode, of variance 1.
        sources = (chance.normal(rows, 2 * self.components) for rows in (COUNT, channels))
        coefficients = Origins(strips, self.concerned(strips)).spread(*sources)
        return strips.plus(waves(coefficients, frequencies, strips.seconds()), level)


@AUGMENTATIONS.register("mains")
class Mains(OfKind):
    """The hum of the mains and its harmonics: one phase everywhere, another size at each electrode.

    Standard leads of a record share electrodes (see `electrodes.Origins`). Harmonic h has 1 / h of the size of the
    first; one that the rate cannot carry is left out.

    Attributes:
        amplitude: The standard deviation of the first harmonic in a bipolar lead is about U(0, amplitude); units of the
            batch (1.0 = 1 mV of ECG, 50 microvolts of EEG).
        frequencies: Hz; each record draws one of them.
        harmonics: How many, with the first.

    References:
        Huhta and Webster, 60-Hz interference in electrocardiography, IEEE Trans. Biomed. Eng. 20 (1973).
    """

    kind: Literal["mains"] = "mains"
    amplitude: Positive = 0.05
    frequencies: tuple[Positive, ...] = Field(default=(50.0, 60.0), min_length=1)
    harmonics: PositiveInt = Field(default=3, le=16)

    def change(self, strips: Strips, chance: Chance) -> Strips:
        first = torch.tensor(self.frequencies)[(chance.uniform() * len(self.frequencies)).long()]
        order = torch.arange(1, self.harmonics + 1)
        frequencies = first[:, None] * order
        size = (frequencies < strips.sampling_rate / 2) / order
        phase = chance.phases(self.harmonics)
        # A wave of size 1 has a variance of 1 / 2.
        wave = torch.cat([size * phase.cos(), size * phase.sin()], 1)[:, None] * math.sqrt(2)
        level = chance.uniform(1, high=self.amplitude) * self.concerned(strips)
        channels = strips.mask.shape[1]
        sources = (chance.normal(rows, 1) for rows in (COUNT, channels))
        coupling = Origins(strips, self.concerned(strips)).spread(*sources)
        return strips.plus(waves(coupling * wave, frequencies, strips.seconds()), level)


def waves(
    coefficients: Float[Tensor, "record channel twice"],
    frequencies: Float[Tensor, "record wave"],
    seconds: Float[Tensor, " time"],
) -> Float[Tensor, "record channel time"]:
    """Sums of a cos(2 pi f t) + b sin(2 pi f t).

    Args:
        coefficients: a of all waves, then b of all.
        frequencies: Hz.
        seconds: t.
    """
    angle = 2 * math.pi * frequencies[..., None] * seconds
    basis = angle.new_empty(len(angle), 2, *angle.shape[1:])
    torch.cos(angle, out=basis[:, 0])
    torch.sin(angle, out=basis[:, 1])
    return products(coefficients, basis.flatten(1, 2))

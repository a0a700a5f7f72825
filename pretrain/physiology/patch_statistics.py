"""Numbers that describe a patch, computed from its samples: no annotation is needed."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float, Int8
from torch import Tensor
from torch.nn import functional

# Hz: P and T waves; QRS complexes; notches and muscle.
BANDS = ((3.0, 8.0), (8.0, 20.0), (20.0, 45.0))
NAMES = ("amplitude", "energy", "zero_crossings", *(f"power_{low:g}_{high:g}" for low, high in BANDS))
# A thousandth of the unit of a batch squared: below is silence.
_SILENCE = 1e-6


def patch_statistics(
    patches: Float[Tensor, "batch patch channel sample"],
    mask: Bool[Tensor, "batch channel"],
    sampling_rate: float,
) -> Float[Tensor, "batch patch statistic"]:
    r"""What a patch looks like, as the mean over the channels that are there.

    For the P samples x of a patch of a channel, less their mean:

        amplitude       max x - min x
        energy          log(1/P sum x^2 + 1e-6)
        zero_crossings  1/(P - 1) number of neighbours of opposite sign
        power_a_b       log(2/P^2 sum over frequencies a <= f < b of |X_f|^2 + 1e-6), X the Fourier transform of x

    in the order of `NAMES`. NaN for a record without channels.

    Args:
        patches: In the unit of a batch.
        mask: Which channels there are.
        sampling_rate: Hz.

    Raises:
        ValueError: If a patch is too short to have a frequency in each band.
    """
    n = patches.shape[-1]
    frequencies = [k * sampling_rate / n for k in range(n // 2 + 1)]
    x = patches - patches.mean(-1, keepdim=True)
    energy = x.square().mean(-1)
    crossings = (x[..., 1:] * x[..., :-1] < 0).sum(-1) / max(n - 1, 1)
    power = torch.fft.rfft(x).abs().square() * (2 / n**2)
    columns = [x.amax(-1) - x.amin(-1), (energy + _SILENCE).log(), crossings]
    for low, high in BANDS:
        inside = [k for k, f in enumerate(frequencies) if low <= f < high]
        if not inside:
            raise ValueError(
                f"patch_physiology: {n} samples at {sampling_rate:g} Hz have no frequency between {low:g} and {high:g} "
                "Hz; a patch must be longer"
            )
        columns.append((power[..., inside].sum(-1) + _SILENCE).log())
    found = torch.stack(columns, dim=-1).masked_fill(~mask[:, None, :, None], 0)
    count = mask.sum(1).float()
    return found.sum(2) / torch.where(count > 0, count, math.nan)[:, None, None]


def beats_in_patches(beats: Int8[Tensor, "batch time"], hop: int) -> Float[Tensor, "batch patch"]:
    """Whether there is a beat in each patch: 1, 0, or NaN where it is not known (-1 throughout a record)."""
    padded = functional.pad(beats, (0, -beats.shape[1] % hop), value=-1)
    found = padded.reshape(len(beats), -1, hop).amax(-1).float()
    return found.masked_fill(found < 0, math.nan)

"""One latency a pair: the largest correlation of two windows over shared lags, by way of their spectra."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor


class Overlap(StrEnum):
    """What the sum over the overlapping tokens of a lag is divided by: the whole window, or the overlap."""

    WINDOW = "window"
    OVERLAP = "overlap"


@dataclass(frozen=True)
class Coherent:
    r"""The maximum over lags |l| <= w of the correlation of two windows.

        c_l(A, B) = 1/N sum_t <A_t, B_{t+l}>,    similarity = max_l c_l,

    the sum over those t for which both tokens exist. It is symmetric, for c_l(A, B) = c_{-l}(B, A).

    Divided by N, the default, a lag counts by how many tokens speak for it, and tokens that have no partner count as
    unlike. Divided by the overlap N - |l|, a pair's similarity does not depend on its latency, but chance does: the
    means over few tokens at the largest lags vary most, so the maximum over many unrelated candidates is found there.
    With planted latencies in noise (tokens of 32 dimensions with autocorrelation 0.8, 100 candidates, N = 80, w = 32),
    division by N finds 0.40 to 0.56 of the partners, by the overlap 0.24 to 0.29, by sqrt(N (N - |l|)) 0.37 to 0.46;
    with w = N - 1 they are 0.43 to 0.59, 0.01 and 0.34 to 0.44. An encoder trained with latencies of up to 1 s and
    w = 2 s makes up for most of it: 0.91 and 0.94 by N and by the overlap with one seed, 0.60 and 0.58 with another.
    Where candidates overlap in time, a stranger that starts later by the latency is the better match, by either.

    A softness g > 0 makes the maximum g log mean_l exp(c_l / g), which is at most the maximum, and g log(2 w + 1)
    less than it at the most; every lag then has a gradient. Equal maxima share theirs.

    All lags come from one product of the spectra at each frequency: with a^ and b^ the discrete Fourier transforms of
    the tokens padded by w zeros, sum_t <A_t, B_{t+l}> is the inverse transform of sum_d conj(a^_d) b^_d. The inverse is
    a product with the few columns of the Fourier matrix that are wanted.

    Args:
        n_tokens: N.
        window: w, at most N - 1.
        softness: g.
        overlap: What a lag's sum is divided by.
    """

    n_tokens: int
    window: int
    softness: float = 0.0
    overlap: Overlap = Overlap.WINDOW

    def __post_init__(self) -> None:
        if not 0 <= self.softness < math.inf:
            raise ValueError(f"softness: expected a number of at least 0, got {self.softness}")

    def prepare(self, tokens: Float[Tensor, "window token dim"]) -> Float[Tensor, "window frequency part"]:
        """Real and imaginary parts of the spectra, side by side."""
        # A lag wraps around to one below -w, which nobody asks for.
        spectrum = torch.fft.rfft(tokens, n=self.n_tokens + self.window, dim=1)
        return torch.cat([spectrum.real, spectrum.imag], dim=2)

    def compare(
        self, rows: Float[Tensor, "row frequency part"], columns: Float[Tensor, "column frequency part"]
    ) -> Float[Tensor, "row column"]:
        lags = self._lags(rows, columns)
        if self.softness == 0:
            best = lags.amax(0)
        else:
            best = self.softness * ((lags / self.softness).logsumexp(0) - math.log(len(lags)))
        return best.view(len(rows), len(columns))

    def numbers(self, prepared: Float[Tensor, "window frequency part"]) -> int:
        return 2 * prepared.shape[1] + 2 * (2 * self.window + 1)

    def _lags(
        self, rows: Float[Tensor, "row frequency part"], columns: Float[Tensor, "column frequency part"]
    ) -> Float[Tensor, "lag pair"]:
        """c_l of every pair."""
        real, imaginary = rows.transpose(0, 1).chunk(2, dim=2)
        # conj(a) b = (ar br + ai bi) + i (ar bi - ai br): as one real product, twice the rows.
        both = torch.cat([torch.cat([real, imaginary], dim=2), torch.cat([-imaginary, real], dim=2)], dim=1)
        cross = torch.bmm(both, columns.permute(1, 2, 0))
        inverse = _inverse_fourier(self.n_tokens, self.window, self.overlap).to(cross)
        return inverse @ cross.reshape(inverse.shape[1], len(rows) * len(columns))


@lru_cache(maxsize=16)
def _inverse_fourier(n_tokens: int, window: int, overlap: Overlap) -> Float[Tensor, "lag part"]:
    """From real and imaginary parts in turn, frequency by frequency, to the lags -w to w, divided."""
    length = n_tokens + window
    lags, frequencies = torch.arange(-window, window + 1), torch.arange(length // 2 + 1)
    # In whole numbers as far as possible: the angles stay exact.
    angles = (2 * math.pi / length) * (lags[:, None] * frequencies % length).double()
    # All frequencies but 0 and the highest of an even length stand for their negatives as well.
    twice = torch.where((frequencies == 0) | (2 * frequencies == length), 1.0, 2.0).double() / length
    size = torch.full((len(lags),), n_tokens) if overlap is Overlap.WINDOW else n_tokens - lags.abs()
    return (torch.stack([angles.cos(), -angles.sin()], dim=2) * twice[:, None] / size[:, None, None]).flatten(1)

"""Patch transformers: five tokens a second that attend to each other."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from biosig.encoders.attention import Chosen, Layer, run
from biosig.encoders.base import ENCODERS, FRONT_ENDS, Backbone, Composed, Encoder, Padding, odd, samples_between

# A convolution about as long as a QRS complex leaves 50 frames a second; ten frames make a patch.
_STEM_SECONDS = 0.15
_FRAME_RATE = 50.0
_FRAMES_PER_PATCH = 10


class PatchTransformer(Backbone):
    """Pre-norm transformer over patches of 0.2 s.

    Positions are rotary: attention depends on how far tokens are apart, so that it works on other lengths than it was
    trained on, and no table of positions limits them. Norms are of each token.

    Args:
        n_chans: Channels that come in.
        sfreq: Hz. The first layer spans 0.15 s with a stride of 1/50 s, or one sample below 75 Hz.
        width: Of a token; a multiple of 64, the width of a head.
        depth: Layers.
        dropout: After attention and after the perceptron of each layer.

    References:
        Dosovitskiy et al., arXiv 2010.11929; Su et al. (rotary positions), arXiv 2104.09864; Xiao et al. (early
        convolutions), arXiv 2106.14881.
    """

    def __init__(self, n_chans: int, sfreq: float, width: int, depth: int, dropout: float) -> None:
        super().__init__()
        self.dim = width
        self.stem_hop = samples_between(sfreq, _FRAME_RATE)
        self.hop = self.stem_hop * _FRAMES_PER_PATCH
        kernel = odd(_STEM_SECONDS * sfreq)
        self.stem = nn.Conv1d(n_chans, width // 2, kernel, self.stem_hop, padding=kernel // 2)
        self.patch = nn.Conv1d(width // 2, width, _FRAMES_PER_PATCH, _FRAMES_PER_PATCH)
        self.layers = nn.ModuleList(Layer(width, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        signal: Float[Tensor, "batch channel time"],
        padding: Padding | None = None,
        seen: Bool[Tensor, "batch token"] | None = None,
    ) -> Float[Tensor, "batch token dim"]:
        """See `Backbone.forward`.

        Args:
            signal: Of fixed channels.
            padding: Where the records end.
            seen: Which patches the layers are to see: the samples of the others are 0 before the first convolution,
                which would carry them into their neighbours, and their tokens are 0. All by default.
        """
        if padding is not None:
            signal = signal * padding.frames(1)[:, None]
        if seen is not None:
            shown = seen.repeat_interleave(self.hop, dim=1)[:, : signal.shape[-1]]
            signal = signal.masked_fill(~shown[:, None], 0)
        frames = functional.gelu(self.stem(signal))
        there = None
        if padding is not None:
            frames = frames * padding.frames(self.stem_hop)[:, None]
            there = padding.frames(self.hop)
        # The last patch may be shorter than the others.
        x = self.patch(functional.pad(frames, (0, -frames.shape[-1] % _FRAMES_PER_PATCH))).transpose(1, 2)
        if seen is None:
            tokens: Tensor = self.norm(run(self.layers, x, torch.arange(x.shape[1], device=x.device)[None], there))
            return tokens
        few = Chosen(seen if there is None else seen & there)
        return few.put(self.norm(run(self.layers, few.take(x), few.place, few.there)))


def patch_transformer(
    *,
    width: int,
    sfreq: float,
    n_chans: int = 12,
    front_end: str = "montage_free",
    depth: int = 12,
    dropout: float = 0.0,
) -> Encoder:
    """A patch transformer behind a front end.

    Args:
        width: Of a token; a multiple of 64.
        sfreq: Hz.
        n_chans: Channels behind the front end.
        front_end: In `FRONT_ENDS`.
        depth: Layers.
        dropout: In every layer.
    """
    return Composed(FRONT_ENDS[front_end](n_chans), PatchTransformer(n_chans, sfreq, width, depth, dropout))


ENCODERS.add("patch_transformer_tiny", partial(patch_transformer, width=192))
ENCODERS.add("patch_transformer_small", partial(patch_transformer, width=384))
ENCODERS.add("patch_transformer_base", partial(patch_transformer, width=768))

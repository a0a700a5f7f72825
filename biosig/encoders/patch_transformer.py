"""Patch transformers: five tokens a second that attend to each other."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from biosig.encoders.base import ENCODERS, FRONT_ENDS, Backbone, Encoder, Padding, odd, samples_between

# A convolution about as long as a QRS complex leaves 50 frames a second; ten frames make a patch.
_STEM_SECONDS = 0.15
_FRAME_RATE = 50.0
_FRAMES_PER_PATCH = 10
_HEAD_DIM = 64


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
        if width % _HEAD_DIM:
            raise ValueError(f"width: expected a multiple of {_HEAD_DIM}, got {width}")
        self.dim = width
        self.stem_hop = samples_between(sfreq, _FRAME_RATE)
        self.hop = self.stem_hop * _FRAMES_PER_PATCH
        kernel = odd(_STEM_SECONDS * sfreq)
        self.stem = nn.Conv1d(n_chans, width // 2, kernel, self.stem_hop, padding=kernel // 2)
        self.patch = nn.Conv1d(width // 2, width, _FRAMES_PER_PATCH, _FRAMES_PER_PATCH)
        self.layers = nn.ModuleList(_Layer(width, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(
        self, signal: Float[Tensor, "batch channel time"], padding: Padding | None = None
    ) -> Float[Tensor, "batch token dim"]:
        """See `Backbone.forward`."""
        if padding is not None:
            signal = signal * padding.frames(1)[:, None]
        frames = functional.gelu(self.stem(signal))
        there = None
        if padding is not None:
            frames = frames * padding.frames(self.stem_hop)[:, None]
            there = padding.frames(self.hop)[:, None, None]
        # The last patch may be shorter than the others.
        x = self.patch(functional.pad(frames, (0, -frames.shape[-1] % _FRAMES_PER_PATCH))).transpose(1, 2)
        rotation = _rotation(x.shape[1], x.device)
        for layer in self.layers:
            x = layer(x, rotation, there)
        tokens: Tensor = self.norm(x)
        return tokens


class _Layer(nn.Module):
    """Attention and perceptron, each on the norm of its input and added to it."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm, self.perceptron_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.perceptron = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Float[Tensor, "batch token dim"],
        rotation: tuple[Tensor, Tensor],
        there: Bool[Tensor, "batch 1 1 token"] | None,
    ) -> Float[Tensor, "batch token dim"]:
        heads = self.query_key_value(self.attention_norm(x)).unflatten(2, (3, -1, _HEAD_DIM))
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(
            _rotated(query, rotation), _rotated(key, rotation), value, attn_mask=there
        )
        x = x + self.dropout(self.out(attended.transpose(1, 2).flatten(2)))
        return x + self.dropout(self.perceptron(self.perceptron_norm(x)))


def _rotation(n: int, device: torch.device) -> tuple[Float[Tensor, "token half"], Float[Tensor, "token half"]]:
    """Cosines and sines of the angles by which the pairs of numbers of a head turn at each token."""
    slowness = 10_000 ** (torch.arange(0, _HEAD_DIM, 2, device=device) / _HEAD_DIM)
    angles = torch.arange(n, device=device)[:, None] / slowness
    return angles.cos(), angles.sin()


def _rotated(
    x: Float[Tensor, "batch head token dim"], rotation: tuple[Tensor, Tensor]
) -> Float[Tensor, "batch head token dim"]:
    (cos, sin), (left, right) = rotation, x.chunk(2, dim=-1)
    return torch.cat([left * cos - right * sin, left * sin + right * cos], dim=-1).to(x.dtype)


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
    return Encoder(FRONT_ENDS[front_end](n_chans), PatchTransformer(n_chans, sfreq, width, depth, dropout))


ENCODERS.add("patch_transformer_tiny", partial(patch_transformer, width=192))
ENCODERS.add("patch_transformer_small", partial(patch_transformer, width=384))
ENCODERS.add("patch_transformer_base", partial(patch_transformer, width=768))

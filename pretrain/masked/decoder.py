"""From the tokens that were seen to a guess at every patch: a few light layers."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from biosig.encoders.attention import Layer, run
from biosig.encoders.places import SensorPlaces


class Decoder(nn.Module):
    """What decoders of strips and of leads have in common.

    Args:
        tokens: Width of the encoder's tokens.
        width: Of the decoder's own; a multiple of 64.
        depth: Layers.
        hop: Samples of a patch.
    """

    def __init__(self, tokens: int, width: int, depth: int, hop: int) -> None:
        super().__init__()
        self.enter = nn.Linear(tokens, width)
        self.blank = nn.Parameter(0.02 * torch.randn(width))
        self.places = SensorPlaces(width)
        self.layers = nn.ModuleList(Layer(width, 0.0) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, hop)

    def filled(self, tokens: Float[Tensor, "*place dim"], seen: Bool[Tensor, "*place"]) -> Float[Tensor, "*place dim"]:
        """The seen tokens at the decoder's width; the same blank at all other places."""
        entered = self.enter(tokens)
        return torch.where(seen[..., None], entered, self.blank.to(entered.dtype))


class StripDecoder(Decoder):
    """Tokens of whole strips: layers over time, then a guess for each channel by where its sensor is."""

    def __init__(self, tokens: int, width: int, depth: int, hop: int) -> None:
        super().__init__(tokens, width, depth, hop)
        self.spread = nn.Linear(width, width)

    def forward(
        self,
        tokens: Float[Tensor, "batch token dim"],
        seen: Bool[Tensor, "batch token"],
        kept: Bool[Tensor, "batch token"],
        positions: Float[Tensor, "batch channel 3"],
        modality: Int[Tensor, "batch channel"],
    ) -> Float[Tensor, "batch token channel sample"]:
        """A guess at every patch.

        Args:
            tokens: Of the encoder; those not seen may hold anything.
            seen: Which the encoder has seen.
            kept: Which are no padding.
            positions: Of the sensors.
            modality: Of the channels.
        """
        x = self.filled(tokens, seen)
        x = self.norm(run(self.layers, x, torch.arange(x.shape[1], device=x.device)[None], kept))
        by_channel = self.spread(x)[:, :, None] + self.places.embed(positions, modality)[:, None]
        guess: Tensor = self.head(functional.gelu(by_channel))
        return guess


class LeadDecoder(Decoder):
    """Tokens of single leads: each lead by itself, so that what passes between leads passes in the encoder."""

    def forward(
        self,
        tokens: Float[Tensor, "batch channel token dim"],
        seen: Bool[Tensor, "batch channel token"],
        kept: Bool[Tensor, "batch token"],
        positions: Float[Tensor, "batch channel 3"],
        modality: Int[Tensor, "batch channel"],
    ) -> Float[Tensor, "batch token channel sample"]:
        """See `StripDecoder.forward`."""
        x = self.filled(tokens, seen) + self.places.embed(positions, modality)[:, :, None]
        place = torch.arange(x.shape[2], device=x.device)[None]
        alone = run(self.layers, x.flatten(0, 1), place, kept.repeat_interleave(x.shape[1], dim=0))
        guess: Tensor = self.head(self.norm(alone)).view(*x.shape[:3], -1).transpose(1, 2)
        return guess

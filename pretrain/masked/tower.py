"""The masked tower: a pass of the encoder over the patches that are not hidden, and a guess at those that are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from biosig.encoders import Encoder
from biosig.encoders.base import Composed, padding_of
from biosig.encoders.lead_transformer import LeadTransformer, mean_over_leads
from biosig.encoders.patch_transformer import PatchTransformer
from pretrain.masked.decoder import LeadDecoder, StripDecoder
from pretrain.masked.masks import hidden
from pretrain.masked.patches import cut, normalised
from pretrain.masked.strategies import LeadWise
from pretrain.specs.architecture import Anchor, MaskedSpec


@dataclass(frozen=True)
class Glimpse:
    """What a pass over visible patches gives.

    Attributes:
        tokens: One a time, over all channels; 0 where nothing was seen.
        seen: At which times something was.
        anchors: Whether everything else is to be made of these tokens.
        features: `predicted` and `patches`, both `(B, N, C, P)`, and `masked (B, N, C)`, which of them count.
    """

    tokens: Float[Tensor, "batch token dim"]
    seen: Bool[Tensor, "batch token"]
    anchors: bool
    features: dict[str, Tensor]


class MaskedTower(nn.Module):
    """Hides patches, shows the rest to the encoder, and guesses what was hidden, normalised patch by patch.

    The encoder computes nothing for what is hidden, and no sample of it reaches a convolution. Padding and missing
    channels are never targets.

    Args:
        spec: Strategy and decoder.
        encoder: That the tower is for; it stays the signal tower's own.

    Raises:
        ValueError: If the encoder has no patches that the strategy could hide.
    """

    def __init__(self, spec: MaskedSpec, encoder: Encoder) -> None:
        super().__init__()
        self.spec = spec
        by_lead = isinstance(spec.strategy, LeadWise)
        of_strips = isinstance(encoder, Composed) and isinstance(encoder.backbone, PatchTransformer)
        if not (isinstance(encoder, LeadTransformer) if by_lead else of_strips):
            wanted = "a lead_transformer" if by_lead else "a patch_transformer"
            raise ValueError(f"masked.strategy {spec.strategy.kind}: expected {wanted} as encoder, got another")
        kind = LeadDecoder if by_lead else StripDecoder
        self.decoder = kind(encoder.dim, spec.width, spec.depth, encoder.hop)

    def forward(self, encoder: Encoder, batch: Mapping[str, Tensor]) -> Glimpse:
        """A pass.

        Args:
            encoder: Of the signal tower.
            batch: Admitted by the intake. The hidden patches of a record depend on `key` (a number without dimensions;
                left out while evaluating, so that each window is asked the same every time), and on the window: its
                `row` and `start`, or without them its place in the batch.
        """
        signal, mask, valid = batch["signal"], batch["mask"], batch["valid"]
        kept = encoder.token_mask(valid, signal.shape[-1])
        hide = hidden(self.spec.strategy, valid // encoder.hop, mask, kept.shape[1], self._seeds(batch))
        positions, modality = batch["position"], batch["modality"]
        if isinstance(encoder, LeadTransformer):
            seen_by_lead = kept[:, None] & mask[:, :, None] & ~hide.transpose(1, 2)
            by_lead = encoder.lead_tokens(signal, positions, mask, modality, valid=valid, seen=seen_by_lead)
            guess = self.decoder(by_lead, seen_by_lead, kept, positions, modality)
            seen, tokens = seen_by_lead.any(1), mean_over_leads(by_lead, seen_by_lead)
        else:
            assert isinstance(encoder, Composed)
            # A strip is hidden in all its channels, if it has any.
            seen = kept & ~hide.any(2)
            mixed = encoder.front_end(signal, positions, mask, modality)
            tokens = encoder.backbone(mixed, padding_of(valid, signal.shape[-1]), seen)
            guess = self.decoder(tokens, seen, kept, positions, modality)
        with torch.autocast(signal.device.type, enabled=False):
            patches = normalised(cut(signal.float(), encoder.hop))
        anchors = self.training and self.spec.anchor is Anchor.VISIBLE
        return Glimpse(tokens, seen, anchors, {"predicted": guess.float(), "patches": patches, "masked": hide})

    def _seeds(self, batch: Mapping[str, Tensor]) -> Int[np.ndarray, "batch seed"]:
        count = len(batch["signal"])
        rows = batch["row"].tolist() if "row" in batch else list(range(count))
        starts = batch["start"].tolist() if "start" in batch else [0] * count
        key = int(batch["key"]) if self.training and "key" in batch else 0
        return np.array([[key, row, start] for row, start in zip(rows, starts, strict=True)], dtype=np.int64)

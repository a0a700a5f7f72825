"""The physiology tower: what a head says of each patch and of the whole strip, beside what is so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from biosig.encoders import Encoder
from pretrain.masked.patches import cut
from pretrain.models.towers import Projector
from pretrain.physiology.patch_statistics import NAMES, beats_in_patches, patch_statistics
from pretrain.physiology.windows import RHYTHM
from pretrain.specs.architecture import PhysiologyHead, PhysiologySpec, Projection


class Standard(nn.Module):
    """Targets less their mean, over their deviation: both measured once, before the first step, and saved.

    Args:
        width: How many numbers a target has.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    def measure(self, targets: Float[Tensor, "item width"]) -> None:
        """Take mean and deviation of what is known; a number known less than twice, or always the same, stays."""
        for column, values in enumerate(targets.unbind(1)):
            known = values[values.isfinite()]
            if len(known) > 1 and known.max() > known.min():
                self.deviation[column], self.mean[column] = torch.std_mean(known)

    def forward(self, targets: Float[Tensor, "*item width"]) -> Float[Tensor, "*item width"]:
        """The targets, standardised; NaN stays."""
        return (targets - self.mean) / self.deviation


class PhysiologyTower(nn.Module):
    """Heads on the encoder's tokens and on the pooled strip.

    Args:
        spec: Which heads.
        encoder: Whose tokens they read.
        sampling_rate: Of the signals, Hz.
    """

    def __init__(self, spec: PhysiologySpec, encoder: Encoder, sampling_rate: float) -> None:
        super().__init__()
        self.hop, self.sampling_rate = encoder.hop, sampling_rate
        self.patch: Projector | None = None
        self.rhythm: Projector | None = None
        if PhysiologyHead.PATCH in spec.heads:
            # The last number is the logit of a beat.
            self.patch = Projector(encoder.dim, len(NAMES) + 1, Projection.LINEAR)
            self.patch_standard = Standard(len(NAMES))
        if PhysiologyHead.RHYTHM in spec.heads:
            self.rhythm = Projector(encoder.dim, len(RHYTHM), Projection.LINEAR)
            self.rhythm_standard = Standard(len(RHYTHM))

    def forward(
        self,
        tokens: Float[Tensor, "batch token dim"],
        kept: Bool[Tensor, "batch token"],
        pooled: Float[Tensor, "batch dim"],
        batch: Mapping[str, Tensor],
    ) -> dict[str, Tensor]:
        """What the heads say, in standard units, and, where the batch knows it, what is so.

        Args:
            tokens: Of the encoder.
            kept: Which of them are any.
            pooled: The strip as one vector.
            batch: Admitted by the intake; with `beats (B, T)` and `rhythm (B, R)` the targets are there too.

        Returns:
            `patch_physiology (B, N, F)`, the last number the logit of a beat; `rhythm_physiology (B, R)`; the targets
            `patch_target` and `rhythm_target` of the same shapes, NaN where nothing is known.
        """
        found = {}
        if self.patch is not None:
            blank = tokens.masked_fill(~kept[..., None], 0)
            found["patch_physiology"] = self.patch(blank.flatten(0, 1)).view(*kept.shape, -1)
            if "beats" in batch:
                found["patch_target"] = self._patches(batch, kept)
        if self.rhythm is not None:
            found["rhythm_physiology"] = self.rhythm(pooled)
            if "rhythm" in batch:
                found["rhythm_target"] = self.rhythm_standard(batch["rhythm"])
        return {name: value.float() for name, value in found.items()}

    @torch.no_grad()
    def measure(
        self,
        encoded: Sequence[tuple[Tensor, Tensor]],
        pooled: Sequence[Tensor],
        batches: Sequence[Mapping[str, Tensor]],
    ) -> None:
        """Set what inputs and targets are standardised by, from typical data: tokens and kept, pooled, and batch."""
        if self.patch is not None:
            self.patch.measure(torch.cat([tokens[kept] for tokens, kept in encoded]))
            self.patch_standard.measure(torch.cat([self._statistics(batch).flatten(0, 1) for batch in batches]))
        if self.rhythm is not None:
            self.rhythm.measure(torch.cat(list(pooled)))
            self.rhythm_standard.measure(
                torch.cat([batch["rhythm"] for batch in batches if "rhythm" in batch] or [torch.zeros(0, len(RHYTHM))])
            )

    def _statistics(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "batch token statistic"]:
        """Of patches that have no padding; NaN for the others."""
        signal = batch["signal"]
        with torch.autocast(signal.device.type, enabled=False):
            found = patch_statistics(cut(signal.float(), self.hop), batch["mask"], self.sampling_rate)
        number = torch.arange(found.shape[1], device=signal.device)
        return found.masked_fill((number >= batch["valid"][:, None] // self.hop)[..., None], torch.nan)

    def _patches(
        self, batch: Mapping[str, Tensor], kept: Bool[Tensor, "batch token"]
    ) -> Float[Tensor, "batch token target"]:
        beats = beats_in_patches(batch["beats"], self.hop)
        targets = torch.cat([self.patch_standard(self._statistics(batch)), beats[..., None]], dim=-1)
        return targets.masked_fill(~kept[..., None], torch.nan)

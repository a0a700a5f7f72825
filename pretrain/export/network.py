"""The signal tower as a network of plain tensors: microvolts, mask, positions -> one vector a window."""

from __future__ import annotations

import copy

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from biosig.encoders.attention import Chosen, Everyone
from biosig.store import MODALITIES, SCALE
from pretrain.models.foundation import FoundationModel, Space
from pretrain.models.intake import Intake


class Network(nn.Module):
    """From windows as a recorder gives them to embeddings.

    What `FoundationModel.encode` does to a recording between preprocessing and pooling is inside: microvolts to units
    of order 1, gaps (NaN) to zero, channels of other kinds to missing. Preprocessing is not: windows are at the model's
    rate. There is no padding: all windows of a batch are whole and of one length.

    Args:
        model: Its signal tower is copied, in float32, onto the CPU.
        space: The encoder's features, or the sphere.
    """

    scale: Tensor
    known: Tensor

    def __init__(self, model: FoundationModel, space: Space = Space.FEATURES) -> None:
        super().__init__()
        self.tower = copy.deepcopy(model.signal).cpu().float().eval()
        self.intake: Intake = model.config.intake
        self.space = space
        for module in self.tower.modules():
            if getattr(module, "gather", None) is Chosen:
                module.gather = Everyone  # type: ignore[assignment]
        self.register_buffer("scale", torch.tensor([SCALE.get(kind, 1.0) for kind in MODALITIES]))
        self.register_buffer("known", torch.tensor([kind in self.intake.modalities for kind in MODALITIES]))
        self.eval()

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in the order of `forward`.

        A model of a fixed montage needs no positions: channels are its leads in their order. One that was made for one
        modality needs none named.
        """
        if self.intake.leads is not None:
            return ("signal", "mask")
        several = ("modality",) if len(self.intake.modalities) > 1 else ()
        return ("signal", "mask", "position", *several)

    @property
    def output(self) -> str:
        """Name of the output."""
        return "embedding"

    def forward(
        self,
        signal: Float[Tensor, "batch channel time"],
        mask: Bool[Tensor, "batch channel"],
        position: Float[Tensor, "batch channel 3"] | None = None,
        modality: Int[Tensor, "batch channel"] | None = None,
    ) -> Float[Tensor, "batch dim"]:
        """Embeddings.

        Args:
            signal: In microvolts; NaN in gaps.
            mask: Which channels there are; the others have no influence, whatever they hold.
            position: Of the sensors, as `biosig.channels.positions` gives them; (0, 0, 0) or NaN where unknown.
            modality: Places in `biosig.store.MODALITIES`.
        """
        pooled = self.pooled(signal, mask, position, modality)
        return self.tower(pooled) if self.space is Space.SPHERE else pooled

    def pooled(
        self, signal: Tensor, mask: Tensor, position: Tensor | None, modality: Tensor | None
    ) -> Float[Tensor, "batch feature"]:
        """What the encoder makes of the windows, pooled over them."""
        if modality is None:
            kind = MODALITIES.index(self.intake.modalities[0])
            modality = torch.full_like(mask, kind, dtype=torch.int64)
        mask = mask & self.known[modality]
        # What is masked may hold anything, infinity too.
        heard = torch.isfinite(signal) & mask[..., None]
        signal = torch.where(heard, signal, 0) / self.scale[modality][..., None]
        position = torch.zeros_like(signal[..., :3]) if position is None else position
        tokens = self.tower.encoder(signal, position, mask, modality, None)
        return self.tower.pool(tokens, None)

    def example(self, batch: int, samples: int, seed: int) -> tuple[Tensor, ...]:
        """Inputs of noise on a usual montage, with a gap; of the second record one channel is missing."""
        positions, modality = self.intake.example()
        generator = torch.Generator().manual_seed(seed)
        signal = 100 * torch.randn(batch, len(modality), samples, generator=generator)
        signal[0, 0, : samples // 10] = torch.nan
        mask = torch.ones(batch, len(modality), dtype=torch.bool)
        if batch > 1:
            mask[1, -1] = False
        given = {
            "signal": signal,
            "mask": mask,
            "position": torch.tensor(positions).repeat(batch, 1, 1),
            "modality": torch.tensor(modality).repeat(batch, 1),
        }
        return tuple(given[name] for name in self.inputs)


def reference(model: FoundationModel, network: Network, inputs: tuple[Tensor, ...]) -> Float[Tensor, "batch dim"]:
    """What the model itself says of the inputs of a network, by its own way from batches to embeddings."""
    given = dict(zip(network.inputs, inputs, strict=True))
    signal, mask = given["signal"], given["mask"]
    positions, kinds = model.config.intake.example()
    channels = slice(0, signal.shape[1])
    modality = given.get("modality", torch.tensor(kinds)[channels].repeat(len(signal), 1))
    batch = {
        "signal": torch.nan_to_num(signal, nan=0.0) / network.scale[modality][..., None],
        "mask": mask,
        "position": given.get("position", torch.tensor(positions)[channels].repeat(len(signal), 1, 1)),
        "modality": modality,
        "valid": torch.full((len(signal),), signal.shape[2]),
    }
    pooled = model.embed({name: value.to(model.device) for name, value in batch.items()})
    return (model.signal(pooled) if network.space is Space.SPHERE else pooled).float().cpu()

"""What of an encoder moves, and how fast, as groups of parameters for an optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from finetune.adaptation.lora import add_low_rank
from finetune.diagnosis.choices import Adaptation
from pretrain.models.towers import SignalTower


@dataclass(frozen=True)
class Block:
    """A part of an encoder, as `trainable` lists it.

    Attributes:
        name: Of the module.
        parameters: How many it has, additions included.
        trained: How many of them move.
        rate: Their learning rate as a share of the highest.
    """

    name: str
    parameters: int
    trained: int
    rate: float


@dataclass(frozen=True)
class Adapted:
    """An encoder that is ready to be trained.

    Attributes:
        groups: For an optimiser: `params` and `lr`.
        blocks: The encoder from its input on.
    """

    groups: list[dict[str, Any]]
    blocks: tuple[Block, ...]


def adapt(
    tower: SignalTower,
    how: Adaptation,
    *,
    learning_rate: float,
    rank: int = 8,
    last: int = 2,
    layer_decay: float = 0.75,
) -> Adapted:
    """Freeze what does not move, and say how fast the rest does.

    Args:
        tower: Changed in place: `requires_grad`, and for `lora` the additions.
        how: What moves.
        learning_rate: Of what moves fastest.
        rank: Of low-rank additions.
        last: How many blocks move with `last`.
        layer_decay: With `full`, the rate of a block as a share of that of the block after it.

    Raises:
        ValueError: If there are fewer than `last` blocks, or the decay is not in (0, 1].

    References:
        Bao et al., BEiT, arXiv 2106.08254 (layer-wise rates); Hu et al., arXiv 2106.09685 (LoRA).
    """
    if not 0 < layer_decay <= 1:
        raise ValueError(f"layer_decay: expected a number above 0 and up to 1, got {layer_decay}")
    named = _blocks(tower)
    if how is Adaptation.LAST and not 1 <= last <= len(named):
        raise ValueError(f"last: expected 1 to {len(named)} blocks, got {last}")
    tower.requires_grad_(False)
    rates = [1.0] * len(named)
    match how:
        case Adaptation.PROBE:
            pass
        case Adaptation.LORA:
            for _, module in named:
                add_low_rank(module, rank=rank, alpha=float(rank))
        case Adaptation.LAST:
            for _, module in named[-last:]:
                module.requires_grad_(True)
        case Adaptation.FULL:
            rates = [layer_decay ** (len(named) - 1 - place) for place in range(len(named))]
            for _, module in named:
                module.requires_grad_(True)
    blocks = tuple(
        Block(name, _count(module), _count(module, trained=True), rate)
        for (name, module), rate in zip(named, rates, strict=True)
    )
    groups = [
        {"params": [one for one in module.parameters() if one.requires_grad], "lr": learning_rate * rate}
        for (_, module), rate in zip(named, rates, strict=True)
    ]
    return Adapted([group for group in groups if group["params"]], blocks)


def _blocks(tower: SignalTower) -> list[tuple[str, nn.Module]]:
    """The encoder's parts from its input on; a list of layers counts one by one. The projection has no part in it."""
    found: list[tuple[str, nn.Module]] = []
    for name, module in tower.encoder.named_children():
        inner = list(module.named_children()) if name == "backbone" else [("", module)]
        for part, layer in inner:
            full = f"{name}.{part}" if part else name
            layers: Sequence[tuple[str, nn.Module]] = [("", layer)]
            if isinstance(layer, nn.ModuleList):
                layers = list(layer.named_children())
            found += [(f"{full}.{place}" if place else full, one) for place, one in layers]
    if tower.attention is not None:
        found.append(("attention", tower.attention))
    return [(name, module) for name, module in found if _count(module)]


def _count(module: nn.Module, *, trained: bool = False) -> int:
    return sum(one.numel() for one in module.parameters() if one.requires_grad or not trained)

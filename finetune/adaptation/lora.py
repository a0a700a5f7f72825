"""Low-rank additions to frozen matrices and convolutions, which are merged into them afterwards."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

# What has one matrix `weight`, seen as (outputs, everything else).
_ADAPTED = (nn.Linear, nn.Conv1d, nn.Conv2d)


class LowRank(nn.Module):
    r"""W + (alpha / r) B A, with B = 0 at first: the network begins as it was.

    Args:
        weight: W, of any shape; its first axis are the outputs.
        rank: r, of A `(r, inputs)` and B `(outputs, r)`; at most what W has.
        alpha: The size of the addition, whatever the rank.

    References:
        Hu et al., LoRA: Low-rank adaptation of large language models, arXiv 2106.09685.
    """

    def __init__(self, weight: Float[Tensor, "output ..."], rank: int, alpha: float) -> None:
        super().__init__()
        outputs, inputs = weight.shape[0], weight[0].numel()
        rank = min(rank, outputs, inputs)
        self.down = nn.Parameter(torch.empty(rank, inputs))
        self.up = nn.Parameter(torch.zeros(outputs, rank))
        self.scale = alpha / rank
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, weight: Float[Tensor, "output ..."]) -> Float[Tensor, "output ..."]:
        """The sum."""
        return weight + (self.scale * self.up @ self.down).view_as(weight)


def add_low_rank(network: nn.Module, *, rank: int = 8, alpha: float = 8.0) -> list[nn.Parameter]:
    """Freeze a network, and give each of its matrices and convolutions a low-rank addition.

    Args:
        network: Changed in place.
        rank: Of each addition.
        alpha: Of each addition.

    Returns:
        What trains.

    Raises:
        ValueError: If the rank is below 1.
    """
    if rank < 1:
        raise ValueError(f"rank: expected at least 1, got {rank}")
    network.requires_grad_(False)
    trained: list[nn.Parameter] = []
    for module in [module for module in network.modules() if isinstance(module, _ADAPTED)]:
        addition = LowRank(module.weight, rank, alpha)
        parametrize.register_parametrization(module, "weight", addition)
        trained += addition.parameters()
    return trained


def merge_low_rank(network: nn.Module) -> None:
    """Put the additions into the weights: the network computes the same, and looks as it did before."""
    for module in list(network.modules()):
        if isinstance(module, _ADAPTED) and parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
    network.requires_grad_(True)

"""Weights and moments cut into shards, one a process (FSDP), and put together again.

torch shards every parameter along its first dimension, as `DTensor`. Blocks of the encoder are gathered when they run
and let go afterwards; everything else is gathered for a whole step. Numbers without a dimension (temperatures) cannot
be cut: every process has them, and averages their gradients itself.

References:
    Zhao et al., "PyTorch FSDP: experiences on scaling fully sharded data parallel", arXiv 2304.11277.
"""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor

# Below this a gather of its own costs more than it frees.
_LEAST = 100_000
# What the trainer and gradient caching call of a learner, beside the module itself.
_ENTRANCES = ("features", "losses")


def shard(learner: nn.Module, mesh: DeviceMesh, *, least: int = _LEAST) -> nn.Module:
    """Shard a learner over the processes of a mesh, in place.

    Args:
        learner: With methods `features` and `losses`, which may be called like the module itself.
        mesh: All processes, in its dimension `data_parallel`.
        least: Parameters of a block that is gathered by itself.
    """
    over = mesh["data_parallel"]
    numbers = {parameter for parameter in learner.parameters() if parameter.ndim == 0}
    # Blocks within a block come first; it then shards what they have left.
    for module in reversed(list(learner.modules())):
        if isinstance(module, nn.ModuleList | nn.Sequential):
            for block in module:
                if sum(parameter.numel() for parameter in block.parameters()) >= least:
                    fully_shard(block, mesh=over, ignored_params=numbers)
    # A step calls the learner several times: its own weights stay until the gradients have been shared.
    fully_shard(learner, mesh=over, ignored_params=numbers, reshard_after_forward=False)
    for entrance in _ENTRANCES:
        register_fsdp_forward_method(learner, entrance)
    return learner


def is_sharded(module: nn.Module) -> bool:
    """Whether any of its parameters is."""
    return any(isinstance(parameter, DTensor) for parameter in module.parameters())


def whole(value: Tensor) -> Tensor:
    """A tensor put together from its shards; all processes must ask for it."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def placed_like(value: Tensor, other: Tensor) -> Tensor:
    """A tensor that every process has whole: on the device of another one, and this process's shard if that is one."""
    if not isinstance(other, DTensor):
        return value.to(other.device)
    there = value.detach().to(other.device_mesh.device_type)
    return distribute_tensor(there, other.device_mesh, other.placements, src_data_rank=None)


def share_gradients_of_numbers(module: nn.Module) -> None:
    """Average the gradients of parameters that are not sharded over all processes, where the others are."""
    if not is_sharded(module):
        return
    own = [parameter for parameter in module.parameters() if not isinstance(parameter, DTensor)]
    # Every process must bring the same numbers, whether or not its records asked for them.
    told = torch.stack([own_gradient.detach() for own_gradient in map(_gradient, own)]) if own else None
    if told is not None:
        distributed.all_reduce(told)
        told /= distributed.get_world_size()
        for parameter, gradient in zip(own, told, strict=True):
            if parameter.requires_grad:
                parameter.grad = gradient


def clip_gradients(module: nn.Module, largest: float) -> float:
    """Scale all gradients so that their norm is at most so large; give the norm that it was.

    torch's own function takes shards or whole tensors, not both.
    """
    found = [parameter for parameter in module.parameters() if parameter.grad is not None]
    if not is_sharded(module):
        return float(nn.utils.clip_grad_norm_(found, largest))
    kinds = [[p for p in found if isinstance(p, DTensor) is sharded] for sharded in (True, False)]
    norms = [whole(nn.utils.get_total_norm([p.grad for p in kind if p.grad is not None])) for kind in kinds]
    norm = torch.linalg.vector_norm(torch.stack(norms))
    for kind in kinds:
        nn.utils.clip_grads_with_norm_(kind, largest, norm)
    return float(norm)


def _gradient(parameter: Tensor) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad

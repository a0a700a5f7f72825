"""A child implies its parents: logits that cannot contradict the is-a graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from finetune.diagnosis.choices import Upward
from ontology.graph import ConceptGraph


def below(graph: ConceptGraph, ids: Sequence[str]) -> Bool[Tensor, "concept concept"]:
    """True at (k, j) if j is k or one of its descendants; paths may go through concepts that are not in `ids`."""
    under = [graph.descendants(id_) for id_ in ids]
    return torch.tensor([[one == id_ or one in found for one in ids] for id_, found in zip(ids, under, strict=True)])


def upward(
    logits: Float[Tensor, "batch concept"], under: Bool[Tensor, "concept concept"], how: Upward = Upward.MAX
) -> Float[Tensor, "batch concept"]:
    r"""Logits of which no child's is above its parents'.

    With D_k the concept k and its descendants (`below`), `max` is max_{j in D_k} logit_j and `noisy-or` the logit of
    1 - prod_{j in D_k} (1 - p_j). D of a child is part of D of its parent, so both are in order by construction.

    References:
        Giunchiglia and Lukasiewicz, Coherent hierarchical multi-label classification networks, arXiv 2010.10151.
    """
    if how is Upward.MAX:
        lowest = torch.finfo(logits.dtype).min
        return logits[:, None].expand(-1, len(under), -1).masked_fill(~under, lowest).amax(-1)
    tiny = torch.finfo(logits.dtype).tiny  # below it the logit would be minus infinity
    absent = (-nn.functional.softplus(logits) @ under.to(logits.dtype).T).clamp_max(-tiny)  # log of the product
    return torch.log(-torch.expm1(absent)) - absent


def upward_probabilities(
    probabilities: Float[np.ndarray, "row concept"],
    under: Bool[np.ndarray, "concept concept"],
    how: Upward = Upward.MAX,
) -> Float[np.ndarray, "row concept"]:
    r"""As `upward`, for probabilities that a calibration has moved one by one.

    With D_k the concept k and its descendants: max_{j in D_k} p_j, or 1 - prod_{j in D_k} (1 - p_j).
    """
    if how is Upward.MAX:
        return np.where(under, probabilities[:, None], 0.0).max(2)
    absent: np.ndarray = np.log1p(-probabilities.clip(0, 1 - 1e-12)) @ under.T.astype(np.float64)
    return -np.expm1(absent)


class Consistent(nn.Module):
    """A head whose answers respect the is-a graph.

    Args:
        head: Any head of concepts.
        under: Of `below`, in the order of the head's outputs.
        how: See `upward`.
    """

    under: Tensor

    def __init__(self, head: nn.Module, under: Bool[Tensor, "concept concept"], how: Upward = Upward.MAX) -> None:
        super().__init__()
        self.head, self.how = head, how
        self.register_buffer("under", under)

    def forward(self, *inputs: Tensor) -> Float[Tensor, "batch concept"]:
        return upward(self.head(*inputs), self.under, self.how)

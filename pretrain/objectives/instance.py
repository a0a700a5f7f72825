"""Instance contrast: views of one window find each other among those of all the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from pydantic import Field
from torch import Tensor

from ontology.graph import ConceptGraph
from pretrain.objectives.base import OBJECTIVES, Objective, Options, feature, parse
from pretrain.objectives.contrast import Direction, Empty, Groups, soft_info_nce


class InstanceOptions(Options):
    """Options of `instance`.

    Attributes:
        temperature: Of the contrast; it is not trained.
    """

    temperature: float = Field(default=0.1, gt=0)


@OBJECTIVES.register("instance")
class Instance(Objective):
    r"""NT-Xent: every view finds the other views of its window among all the views of the batch but itself.

    With S_ij = z_i.z_j / temperature and P_i the other views of i's window (`instance`),

        L = mean_i ( log sum_{j != i} exp S_ij - mean_{j in P_i} S_ij )

    over the views that have another one; the others are candidates only. A row without any channel takes no part.
    Without two views of a window, or a second window, there is no loss. For two identical views of each of N windows,
    vectors of different windows being orthogonal, it is log(1 + (2N - 2) exp(-1 / temperature)).

    S is symmetric, so that one direction is the whole loss.

    Loss: `views`.

    Args:
        temperature: Of the contrast; it is not trained.

    References:
        Chen et al., A simple framework for contrastive learning of visual representations (SimCLR), arXiv 2002.05709.
    """

    options = InstanceOptions

    def __init__(self, *, temperature: float = 0.1) -> None:
        super().__init__()
        self.temperature = temperature

    @classmethod
    def build(cls, options: Mapping[str, Any], graph: ConceptGraph | None = None) -> Self:  # noqa: ARG003
        """See `Objective.build`; the graph is not used."""
        return cls(**parse(cls.options, options).model_dump())

    def forward(self, features: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `Objective.forward`. Uses `signal`, `instance` and `mask`."""
        there = batch["mask"].any(1)
        signal, window = feature(features, "signal", "instance")[there], batch["instance"][there]
        windows, views = torch.unique(window, return_counts=True)
        if not (len(windows) > 1 and views.max() > 1):
            return {}
        loss = soft_info_nce(
            signal,
            signal,
            scale=signal.new_tensor(1 / self.temperature),
            targets=Groups(window, window),
            direction=Direction.ROWS,
            exclude="self",
            empty=Empty.IGNORE,
        )
        return {"views": loss}

"""Patient contrast: segments and leads of one subject find each other among those of other subjects."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import combinations
from typing import Any, Self

import torch
from pydantic import Field
from torch import Tensor

from ontology.graph import ConceptGraph
from pretrain.objectives.base import OBJECTIVES, Objective, Options, feature, parse
from pretrain.objectives.contrast import Empty, Groups, soft_info_nce


class Coding(StrEnum):
    """Which views of a subject are to be alike: what the vector may not depend on."""

    CMSC = "cmsc"
    """Contrastive multi-segment coding: other segments, of the same leads."""
    CMLC = "cmlc"
    """Contrastive multi-lead coding: other leads, of the same segment."""
    CMSMLC = "cmsmlc"
    """Contrastive multi-segment multi-lead coding: other segments, other leads, or both."""


class PatientOptions(Options):
    """Options of `patient`.

    Attributes:
        coding: Which views are compared. Segments come from the sampler `segments`, leads from the views `leads`.
        temperature: Of the contrast; it is not trained.
    """

    coding: Coding = Coding.CMSC
    temperature: float = Field(default=0.1, gt=0)


@OBJECTIVES.register("patient")
class Patient(Objective):
    r"""CLOCS: a segment of a subject finds those of the same subject among another segment, or lead, of everybody.

    A view is a place in time and a lead, (`segment`, `lead`). For every two views a, b of the batch that `coding`
    compares, with rows A_i of the one and B_j of the other, and T_ij = 1 where i and j are of one `subject`,

        L_ab = 1/2 mean_i CE(T_i. / T_i+, softmax_j A_i.B_j / temperature) + the same of the columns,

    and the loss is the mean of L_ab over these pairs. Rows of one view are never compared with each other: whatever
    only tells segments or leads apart is of no use. Several records of a subject are positives of each other. The
    authors average over pairs of records; here every row counts alike, however many records its subject has.

    A row without any channel (a lead that a record does not have) takes no part. Two views of one subject alone are not
    compared, and without any two to compare there is no loss.

    Loss: `subject`.

    Args:
        coding: Which views are compared.
        temperature: Of the contrast; it is not trained.

    References:
        Kiyasseh et al., CLOCS: contrastive learning of cardiac signals across space, time, and patients,
        arXiv 2005.13249.
    """

    options = PatientOptions
    learns_from = "which recordings are one subject's"

    def __init__(self, *, coding: Coding | str = Coding.CMSC, temperature: float = 0.1) -> None:
        super().__init__()
        self.coding, self.temperature = Coding(coding), temperature

    @classmethod
    def build(cls, options: Mapping[str, Any], graph: ConceptGraph | None = None) -> Self:  # noqa: ARG003
        """See `Objective.build`; the graph is not used."""
        return cls(**parse(cls.options, options).model_dump())

    def forward(self, features: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `Objective.forward`. Uses `signal`, `segment`, `lead`, `subject` and `mask`."""
        there = batch["mask"].any(1)
        signal, subject = feature(features, "signal", "patient")[there], batch["subject"][there]
        views = torch.stack([batch["segment"][there], batch["lead"][there]], dim=1)
        of_view = {(int(view[0]), int(view[1])): (views == view).all(1) for view in torch.unique(views, dim=0)}
        pairs = [
            (signal[of_view[one]], signal[of_view[other]], Groups(subject[of_view[one]], subject[of_view[other]]))
            for one, other in combinations(of_view, 2)
            if self._compares(one, other)
        ]
        scale = signal.new_tensor(1 / self.temperature)
        losses = [
            soft_info_nce(rows, columns, scale=scale, targets=targets, empty=Empty.IGNORE)
            for rows, columns, targets in pairs
            if _is_contrast(targets)
        ]
        return {"subject": torch.stack(losses).mean()} if losses else {}

    def _compares(self, one: tuple[int, int], other: tuple[int, int]) -> bool:
        same_segment, same_lead = one[0] == other[0], one[1] == other[1]
        if min(one[0], other[0]) < 0 and not same_segment:
            return False  # a window that is no segment is not another one
        match self.coding:
            case Coding.CMSC:
                return same_lead and not same_segment
            case Coding.CMLC:
                return same_segment and not same_lead
            case Coding.CMSMLC:
                return True


def _is_contrast(targets: Groups) -> bool:
    """Whether somebody is in both views, and somebody else in one of them."""
    rows, columns = targets.row_ids, targets.column_ids
    return bool(torch.isin(rows, columns).any()) and len(torch.unique(torch.cat([rows, columns]))) > 1

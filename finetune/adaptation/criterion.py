"""What a fine-tuning makes small: masked losses of many concepts, and what is done about rare ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from biosig.errors import BiosigError
from finetune.diagnosis.choices import Imbalance, Loss
from finetune.heads.prototypes import LOSSES

#: At most so often is a positive counted: a finding that one record has would otherwise be all that a batch is about.
MOST = 20.0


def masked_bce(
    logits: Float[Tensor, "batch concept"],
    labels: Bool[Tensor, "batch concept"],
    known: Bool[Tensor, "batch concept"],
    positive_weight: Float[Tensor, " concept"] | None = None,
) -> Float[Tensor, ""]:
    """The mean cross-entropy of the pairs of record and concept whose label is known; 0 without one."""
    loss = nn.functional.binary_cross_entropy_with_logits(
        logits, labels.to(logits.dtype), known.to(logits.dtype), reduction="sum", pos_weight=positive_weight
    )
    return loss / known.sum().clamp_min(1)


def positive_weights(labels: Bool[Tensor, "row concept"], known: Bool[Tensor, "row concept"]) -> Tensor:
    """Known negatives for each known positive of a concept, from 1 / `MOST` to `MOST`; 1 where one of them is missing.

    So both label values weigh the same in the loss of a concept.

    References:
        King and Zeng, Logistic regression in rare events data, Political Analysis 2001.
    """
    positives, negatives = (labels & known).sum(0).double(), (~labels & known).sum(0).double()
    ratio = (negatives / positives.clamp_min(1)).clamp(1 / MOST, MOST)
    return torch.where((positives > 0) & (negatives > 0), ratio, 1.0)


def log_odds(labels: Bool[Tensor, "row concept"], known: Bool[Tensor, "row concept"]) -> Tensor:
    """The log odds of each concept among its known labels, one more of each counted: finite whatever there is.

    Added to the logits while training, they leave to the head what a record says beyond how rare the finding is;
    without them afterwards, it decides for the balanced error.

    References:
        Menon et al., Long-tail learning via logit adjustment, arXiv 2007.07314.
    """
    positives, negatives = (labels & known).sum(0).double(), (~labels & known).sum(0).double()
    return torch.log((positives + 1) / (negatives + 1))


@dataclass(frozen=True)
class Criterion:
    """A loss of logits, for labels of which some are not known.

    Attributes:
        loss: Which.
        positive_weight: Of each concept; of the cross-entropy.
        shift: What is added to the logits of each concept.
    """

    loss: Loss
    positive_weight: Float[Tensor, " concept"]
    shift: Float[Tensor, " concept"]

    @classmethod
    def of(
        cls,
        loss: Loss,
        imbalance: Imbalance,
        labels: Bool[Tensor, "row concept"],
        known: Bool[Tensor, "row concept"],
    ) -> Criterion:
        """Weights and shifts from the training rows.

        Raises:
            BiosigError: If positives are to be weighted in a loss that has no weights.
        """
        weight, shift = torch.ones(labels.shape[1]).double(), torch.zeros(labels.shape[1]).double()
        match imbalance:
            case Imbalance.POSITIVE_WEIGHTS:
                if loss is not Loss.BCE:
                    raise BiosigError(f"imbalance: expected none with the loss {loss}, whose pairs are positives alone")
                weight = positive_weights(labels, known)
            case Imbalance.LOGIT_ADJUSTMENT:
                shift = log_odds(labels, known)
            case Imbalance.NONE:
                pass
        return cls(loss, weight, shift)

    def __call__(
        self,
        logits: Float[Tensor, "batch concept"],
        labels: Bool[Tensor, "batch concept"],
        known: Bool[Tensor, "batch concept"],
    ) -> Float[Tensor, ""]:
        """The loss of a batch. A shift cancels in `ntce` and `nonl`, which set recordings against each other."""
        shifted = logits + self.shift.to(logits)
        if self.loss is Loss.BCE:
            return masked_bce(shifted, labels, known, self.positive_weight.to(logits))
        # Logits of prototypes are cosines over the temperature, and a bias that cancels.
        return LOSSES[self.loss.value](shifted, labels, known, temperature=1.0)

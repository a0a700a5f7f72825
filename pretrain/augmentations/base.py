"""What every augmentation is: fields of a recipe, and a change of the records that chance takes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Bool, UInt64
from pydantic import Field
from torch import Tensor

from biosig.recording import Modality
from ontology.registry import Registry
from pretrain.augmentations.chance import Chance
from pretrain.augmentations.strips import Strips
from pretrain.specs.architecture import Spec

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Augmentation(Spec):
    """A step of `data.augment`.

    Attributes:
        probability: Of a record to be changed.
    """

    probability: float = Field(ge=0, le=1, default=1.0)

    @abstractmethod
    def concerned(self, strips: Strips) -> Bool[Tensor, "record channel"]:
        """The channels that are there and may be changed; a record without any stays as it is."""

    @abstractmethod
    def change(self, strips: Strips, chance: Chance) -> Strips:
        """All of these records changed. Each must depend on itself and its own chance alone."""

    def taken(self, chance: Chance) -> Bool[Tensor, " record"]:
        """The records that chance takes."""
        return chance.choice(self.probability)

    def apply(self, strips: Strips, chance: Chance) -> Strips:
        """Records that chance takes are changed; the others are the same, bit for bit."""
        taken = self.taken(chance) & self.concerned(strips).any(1)
        rows = taken.nonzero().flatten()
        if len(rows) == len(strips):
            return self.change(strips, chance)
        return strips.put(rows, self.change(strips.take(rows), chance.take(rows))) if len(rows) else strips


class OfKind(Augmentation):
    """An augmentation of the channels of one kind, or of all.

    Attributes:
        modality: The kind; None takes every channel that is not a trigger.
    """

    modality: Modality | None = None

    def concerned(self, strips: Strips) -> Bool[Tensor, "record channel"]:
        return strips.of_kind(self.modality)


class OfEcg(Augmentation):
    """An augmentation of ECG alone."""

    def concerned(self, strips: Strips) -> Bool[Tensor, "record channel"]:
        return strips.of_kind(Modality.ECG)


class OfEeg(Augmentation):
    """An augmentation of EEG alone."""

    def concerned(self, strips: Strips) -> Bool[Tensor, "record channel"]:
        return strips.of_kind(Modality.EEG)


AUGMENTATIONS: Registry[type[Augmentation]] = Registry("augmentation")


@torch.no_grad()
def augment(
    strips: Strips, steps: Sequence[Augmentation], keys: Sequence[int] | UInt64[np.ndarray, " record"]
) -> Strips:
    """Apply the steps in order.

    A record comes out as a function of itself, the steps and its key: not of its neighbours, of how many channels the
    batch is padded to, or of which process holds it.

    Args:
        strips: On the CPU; not changed.
        steps: What to do.
        keys: A number for each record, below 2^64: two views of one window need two.
    """
    chance = Chance(keys)
    for number, step in enumerate(steps):
        strips = step.apply(strips, chance.child(number))
    return strips

"""Which patches are hidden: a strategy as typed data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from statistics import NormalDist
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Strategy(BaseModel, ABC):
    """A part of a recipe or configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def share(self, uniform: float) -> float:
        """The share of the patches that is hidden, for a number drawn from [0, 1)."""


Share = Annotated[float, Field(gt=0, lt=1)]


class Random(Strategy):
    """A fixed share of the patches of a strip, hidden in all leads at once.

    References:
        He et al., Masked autoencoders are scalable vision learners, arXiv 2111.06377.
    """

    kind: Literal["random"]
    ratio: Share = 0.75

    def share(self, uniform: float) -> float:  # noqa: ARG002 -- every strategy is asked alike
        return self.ratio


class Autoregressive(Strategy):
    """Masked autoregression: the patches in a random order, those after a random cut predicted from those before.

    The share behind the cut is drawn anew for each record, as MAR does it for each batch: the left half of a normal
    distribution around `most`, `spread` wide, cut off at `least`. So the model meets every stage of a generation, from
    few known patches to almost a third of them.

    References:
        Li et al., Autoregressive image generation without vector quantization (MAR), arXiv 2406.11838.
    """

    kind: Literal["autoregressive"] = "autoregressive"
    least: Share = 0.7
    most: float = Field(gt=0, le=1, default=1.0)
    spread: float = Field(gt=0, default=0.25)

    @model_validator(mode="after")
    def _order(self) -> Autoregressive:
        if self.least >= self.most:
            raise ValueError(f"expected least < most, got {self.least:g} and {self.most:g}")
        return self

    def share(self, uniform: float) -> float:
        normal = NormalDist(self.most, self.spread)
        below = normal.cdf(self.least)
        # The half below the middle, from its cut on: `most` itself is never drawn.
        return min(max(normal.inv_cdf(below + uniform * (0.5 - below)), self.least), self.most)


class LeadWise(Strategy):
    """The same share of every lead, at places of its own: what is hidden here may be seen there.

    References:
        Na et al. (ST-MEM), arXiv 2402.09450.
    """

    kind: Literal["lead_wise"]
    ratio: Share = 0.75

    def share(self, uniform: float) -> float:  # noqa: ARG002 -- every strategy is asked alike
        return self.ratio


Masking = Annotated[Random | Autoregressive | LeadWise, Field(discriminator="kind")]

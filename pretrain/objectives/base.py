"""What every objective is: a module from named features and a batch to named losses."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor, nn

from ontology.graph import ConceptGraph
from ontology.registry import Registry
from pretrain.recipe import explain


class Options(BaseModel):
    """What a recipe may say of an objective: typed, and without room for a misspelt field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Chosen = TypeVar("Chosen", bound=Options)


class Objective(nn.Module, ABC):
    """Named features and a batch -> named losses; a training loop needs to know no objective.

    An objective counts every record of what it is given: where a batch is spread over processes, features and batch
    are gathered before.
    """

    options: ClassVar[type[Options]]
    #: Whether it takes labels over the concepts of an ontology.
    uses_graph: ClassVar[bool] = False
    #: What it learns from besides the signals, in a few words; empty where it needs nothing else.
    learns_from: ClassVar[str] = ""

    @classmethod
    @abstractmethod
    def build(cls, options: Mapping[str, Any], graph: ConceptGraph | None) -> Self:
        """From the words of a recipe.

        Args:
            options: The fields of `cls.options`.
            graph: The ontology, for objectives that use one.

        Raises:
            ValueError: In one line, naming the option at fault.
        """

    @abstractmethod
    def forward(self, features: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Losses by name, each a scalar, unweighted.

        A batch may hold nothing that a loss is about: no report, no label, nobody at the same moment. Such a loss is
        left out, for a 0 would be counted as one; for training it is 0, and the parameters of the objective rest.
        Whether it is there must follow from what all processes have alike, which is what this gets.

        Args:
            features: Unit vectors by tower: `signal (B, D)`, `text (B, D)`, `concept (K, D)`.
            batch: `report_id (B,)`, `labels (B, K)`, `known (B, K)`, as far as the objective uses them.
        """


OBJECTIVES: Registry[type[Objective]] = Registry("objective")


class LogitScale(nn.Module):
    """The trainable inverse temperature of a contrast, never above a limit.

    The parameter is its logarithm, pulled back to the limit where a step went beyond: a clamp in the graph would have
    no gradient there, and never come back.

    Args:
        temperature: At first.
        largest: Limit of the scale.

    References:
        Radford et al., Learning transferable visual models from natural language supervision, arXiv 2103.00020.
    """

    def __init__(self, temperature: float = 0.07, largest: float = 100.0) -> None:
        super().__init__()
        self.log_largest = math.log(largest)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)))

    def forward(self) -> Float[Tensor, ""]:
        """The scale."""
        with torch.no_grad():
            self.log_scale.clamp_(max=self.log_largest)
        return self.log_scale.exp()


def feature(features: Mapping[str, Tensor], tower: str, objective: str) -> Float[Tensor, "item dim"]:
    """The vectors of a tower.

    Raises:
        ValueError: If the model has no such tower.
    """
    if tower not in features:
        raise ValueError(f"{objective}: expected features of a {tower} tower, got those of {', '.join(features)}")
    return features[tower]


def parse(kind: type[Chosen], options: Mapping[str, Any]) -> Chosen:
    """Options checked.

    Raises:
        ValueError: In one line, naming the option at fault.
    """
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        raise ValueError(explain(error)) from None

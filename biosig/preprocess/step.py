"""What all steps share: frozen data, strict fields, and JSON that older stores have word for word."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_serializer

from biosig.recording import Recording

Hertz = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Unfit(StrEnum):
    """What a step does with a part of itself that does not fit the recording."""

    REFUSE = "refuse"
    """An error that names it."""
    SKIP = "skip"
    """Go on without that part."""


class BaseStep(BaseModel, ABC):
    """A step of a pipeline: fields that say what it does, and `apply`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Fields that came after stores were written: without a word of them in JSON they have their defaults, and with
    # their defaults there is no word of them, so that equal pipelines are equal bytes whenever they were saved.
    added: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _brief(self, complete: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        fields = type(self).model_fields
        return {
            name: value
            for name, value in complete(self).items()
            if name not in self.added or getattr(self, name) != fields[name].default
        }

    @property
    def causal(self) -> bool:
        """Whether what comes out up to a moment depends on nothing that goes in after it."""
        return True

    @abstractmethod
    def apply(self, recording: Recording) -> Recording:
        """The recording after the step; the given one is not changed."""


def name_of(recording: Recording) -> str:
    """How errors call it."""
    return recording.record_id or "recording"

"""What a recipe says of which windows make a batch."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, PositiveFloat, model_validator

from biosig.recording import Modality
from pretrain.specs.architecture import Spec

Temperature = Annotated[FiniteFloat, Field(ge=1)]


class UniformSampler(Spec):
    """Every window of every record once an epoch, in any order.

    Attributes:
        temperature: Above 1, small stores have more than their share, see `pretrain.sampling.tempered`; at 1 all
            stores are one.
    """

    kind: Literal["uniform"] = "uniform"
    temperature: Temperature = 1.0


class MomentSampler(Spec):
    """Windows of several subjects at the same moments of the same stimuli; see `pretrain.sampling.moments`.

    Attributes:
        subjects_per_moment: How many subjects share each moment of a batch.
        apart_seconds: The least time between two windows of one stimulus in a batch, from the end of one to the begin
            of the next. An alignment that tolerates latencies takes windows for each other that are closer.
    """

    kind: Literal["moments"]
    subjects_per_moment: int = Field(ge=2, default=2)
    apart_seconds: FiniteFloat = Field(ge=0, default=0.0)


class SegmentSampler(Spec):
    """Windows of a record that follow each other; see `pretrain.sampling.segments`.

    Attributes:
        segments: How many of each record are in a batch.
    """

    kind: Literal["segments"]
    segments: int = Field(ge=2, default=2)


PlainSampler = Annotated[UniformSampler | MomentSampler | SegmentSampler, Field(discriminator="kind")]


class Group(Spec):
    """Records that make batches of their own; see `pretrain.sampling.groups` for which records these are.

    Attributes:
        name: In the log.
        modality: What most channels of a record are of; any by default.
        corpora: Which corpora the records are of; all by default.
        window_seconds: One training example, if it is not `data.window_seconds`.
        sampler: Which windows make a batch.
    """

    name: str = Field(pattern=r"^[a-z0-9_.-]+$")
    modality: Modality | None = None
    corpora: tuple[str, ...] = ()
    window_seconds: PositiveFloat | None = None
    sampler: PlainSampler = UniformSampler()


class MixedSampler(Spec):
    """Batches of one group of records each; see `pretrain.sampling.mixing`.

    Attributes:
        temperature: At 1 a group comes as often as its windows make batches; the larger, the nearer to equally often.
        groups: A record belongs to the first that takes it.
    """

    kind: Literal["mixed"]
    temperature: Temperature = 1.0
    groups: tuple[Group, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> "MixedSampler":
        names = [group.name for group in self.groups]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"group {twice!r} occurs twice")
        return self


Sampler = Annotated[UniformSampler | MomentSampler | SegmentSampler | MixedSampler, Field(discriminator="kind")]


def check_batch_size(size: int, sampler: Sampler, field: str = "data.sampler") -> None:
    """That windows which belong together fill a batch.

    Raises:
        ValueError: Naming the field that they do not fit.
    """
    match sampler:
        case MomentSampler():
            name, together = "subjects_per_moment", sampler.subjects_per_moment
        case SegmentSampler():
            name, together = "segments", sampler.segments
        case MixedSampler():
            for group in sampler.groups:
                check_batch_size(size, group.sampler, f"{field}.groups.{group.name}.sampler")
            return
        case UniformSampler():
            return
    if size % together:
        raise ValueError(f"optimiser.batch_size: expected a multiple of {field}.{name} ({together}), got {size}")

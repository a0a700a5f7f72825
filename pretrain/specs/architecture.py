"""What a foundation model is made of, as typed data: the same words in a recipe and in a model's `config.json`."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from pretrain.masked.strategies import Autoregressive, Masking


class Spec(BaseModel):
    """A part of a recipe or configuration: immutable, without room for a misspelt field, its numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TokenPooling(StrEnum):
    """How the tokens of a strip become one vector."""

    MEAN = "mean"
    ATTENTION = "attention"


class Projection(StrEnum):
    """What leads from a tower's own width to the shared sphere."""

    LINEAR = "linear"
    MLP = "mlp"


class ConceptEmbedding(StrEnum):
    """Where a concept's vector comes from.

    `free`: learned, one a concept. `graph`: one graph convolution over the ontology. `text`: the words of its term.
    """

    FREE = "free"
    GRAPH = "graph"
    TEXT = "text"


class SignalSpec(Spec):
    """The signal tower.

    Attributes:
        encoder: A name in `biosig.encoders.ENCODERS`.
        options: Passed to that encoder (front end, width, patch, ...).
        pooling: From tokens to one vector: the features that probes see.
        projection: From the features to the sphere.
    """

    encoder: str
    options: dict[str, Any] = Field(default_factory=dict)
    pooling: TokenPooling = TokenPooling.MEAN
    projection: Projection = Projection.LINEAR


class TextSpec(Spec):
    """The text tower: a frozen report encoder and a trained projection.

    Attributes:
        encoder: `minilm`, a folder, or a hub id (see `pretrain.models.text`).
        projection: From the report's vector to the sphere.
    """

    encoder: str = "minilm"
    projection: Projection = Projection.MLP


class ConceptSpec(Spec):
    """The concept tower over the observed concepts of an ontology."""

    embedding: ConceptEmbedding = ConceptEmbedding.FREE


class TokenSpec(Spec):
    """What the encoder's tokens become where windows are compared token by token.

    Attributes:
        dim: Of a token.
        projection: From the encoder's width, one token at a time.
        centre: Take away the window's own mean before a token goes to the sphere: what is the same throughout a window
            (a subject's skull, a montage) says nothing of the moment. Off, for behind an encoder that normalises each
            record, and a projection standardised on the data, it gained nothing: retrieval between unseen simulated
            subjects, each with a strong rhythm of their own, was 0.98 with and without (another seed: 0.67 and 0.68);
            with weak stimuli it trained more slowly (0.91 against 0.95). It leaves `pooled` no mean to compare.
    """

    dim: PositiveInt = Field(default=32, le=8192)
    projection: Projection = Projection.LINEAR
    centre: bool = False


class ViewSpec(Spec):
    """Two views of the mean token, each by a layer of its own: what the objective `latent_views` tells apart.

    Attributes:
        projection: From the encoder's width to the dimensions of the sphere.
    """

    projection: Projection = Projection.LINEAR


class Anchor(StrEnum):
    """Which tokens of a masked model are pooled into its features while it trains, and read by the other heads.

    `all`: a second pass over the whole strip, as the features will be used. `visible`: those of the masked pass, in
    which most of the strip is hidden; it costs no second pass. In evaluation it is all of them.
    """

    ALL = "all"
    VISIBLE = "visible"


class MaskedSpec(Spec):
    """Masked modelling: see `pretrain.masked`.

    Attributes:
        strategy: Which patches are hidden.
        width: Of the decoder's tokens; a multiple of 64.
        depth: Layers of the decoder.
        anchor: Which tokens everything else is made of.
    """

    strategy: Masking = Autoregressive()
    width: PositiveInt = Field(default=192, multiple_of=64, le=8192)
    depth: PositiveInt = 2
    anchor: Anchor = Anchor.ALL


class PhysiologyHead(StrEnum):
    """What is told of a window: numbers of each patch and its R peak, or the rhythm of the whole."""

    PATCH = "patch"
    RHYTHM = "rhythm"


class PhysiologySpec(Spec):
    """Heads that tell physiology, one linear layer each; the stores must hold R peaks."""

    heads: tuple[PhysiologyHead, ...] = Field(default=tuple(PhysiologyHead), min_length=1)


class Architecture(Spec):
    """Named towers, each ending on one unit sphere of `dim` dimensions. A tower that is left out is not built.

    Tokens have a sphere of their own, and are given only where `token` says which.
    """

    dim: PositiveInt = Field(default=256, le=8192)
    signal: SignalSpec
    text: TextSpec | None = None
    concept: ConceptSpec | None = None
    token: TokenSpec | None = None
    views: ViewSpec | None = None
    masked: MaskedSpec | None = None
    physiology: PhysiologySpec | None = None

    @property
    def report_encoder(self) -> str | None:
        """The frozen text model that towers stand on; None where no tower reads words."""
        if self.text is not None:
            return self.text.encoder
        reads = self.concept is not None and self.concept.embedding is ConceptEmbedding.TEXT
        return TextSpec().encoder if reads else None

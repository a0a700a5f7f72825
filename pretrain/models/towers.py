"""The signal, token, view and text towers: from a recording or a report to a sphere."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from biosig import encoders
from pretrain.models.intake import Intake
from pretrain.specs.architecture import Projection, SignalSpec, TextSpec, TokenPooling, TokenSpec, ViewSpec


class SignalTower(nn.Module):
    """Encoder, pooling over the whole strip, projection.

    Args:
        spec: Which encoder, pooling and projection.
        dim: Dimensions of the sphere.
        intake: What the signals are.

    Raises:
        ValueError: If the encoder refuses its options.
    """

    def __init__(self, spec: SignalSpec, dim: int, intake: Intake) -> None:
        super().__init__()
        self.intake = intake
        try:
            self.encoder = encoders.build(spec.encoder, sfreq=intake.sampling_rate, **spec.options)
        except TypeError as error:
            raise ValueError(str(error)) from error
        self.attention = encoders.AttentionPool(self.encoder.dim) if spec.pooling is TokenPooling.ATTENTION else None
        self.projection = Projector(self.encoder.dim, dim, spec.projection)

    @property
    def token_rate(self) -> float:
        """Tokens a second."""
        return self.intake.sampling_rate / self.encoder.hop

    def tokens(
        self, batch: Mapping[str, Tensor]
    ) -> tuple[Float[Tensor, "batch token width"], Bool[Tensor, "batch token"]]:
        """What the encoder makes of a batch, and which tokens are no padding."""
        batch = self.intake.admit(batch)
        signal, valid = batch["signal"], batch["valid"]
        tokens = self.encoder(signal, batch["position"], batch["mask"], batch["modality"], valid)
        return tokens, self.encoder.token_mask(valid, signal.shape[-1])

    def pool(
        self, tokens: Float[Tensor, "batch token width"], kept: Bool[Tensor, "batch token"] | None
    ) -> Float[Tensor, "batch feature"]:
        """One feature vector a strip, before the projection: what probes see. With no `kept`, nothing is padding."""
        pooled = encoders.pool(tokens, kept) if self.attention is None else self.attention(tokens, kept)
        return pooled.float()

    def forward(self, pooled: Float[Tensor, "batch feature"]) -> Float[Tensor, "batch dim"]:
        """Features onto the sphere."""
        return nn.functional.normalize(self.projection(pooled).float(), dim=1)


class TokenTower(nn.Module):
    """The encoder's tokens, one by one onto a sphere of their own.

    Args:
        spec: How many dimensions, which projection, and whether windows are centred.
        width: Of the encoder's tokens.
    """

    def __init__(self, spec: TokenSpec, width: int) -> None:
        super().__init__()
        self.projection = Projector(width, spec.dim, spec.projection)
        self.centre = spec.centre

    def forward(
        self, tokens: Float[Tensor, "batch token width"], kept: Bool[Tensor, "batch token"]
    ) -> Float[Tensor, "batch token dim"]:
        """Unit vectors; those of padding are 0."""
        # Padding may hold anything, and what it holds must not reach the mean or a gradient.
        tokens = tokens.masked_fill(~kept[..., None], 0)
        projected = self.projection(tokens.flatten(0, 1)).float().view(*tokens.shape[:2], -1)
        if self.centre:
            projected = projected - encoders.pool(projected, kept)[:, None]
        return nn.functional.normalize(projected, dim=2).masked_fill(~kept[..., None], 0)


class ViewTower(nn.Module):
    """Two vectors a record, each by a layer of its own from the mean of its tokens. They are not on a sphere.

    Args:
        spec: Which projection.
        width: Of the encoder's tokens.
        dim: Of a view.
    """

    def __init__(self, spec: ViewSpec, width: int, dim: int) -> None:
        super().__init__()
        self.one, self.other = (Projector(width, dim, spec.projection) for _ in range(2))

    def forward(
        self, tokens: Float[Tensor, "batch token width"], kept: Bool[Tensor, "batch token"]
    ) -> tuple[Float[Tensor, "batch dim"], Float[Tensor, "batch dim"]]:
        """Both of them."""
        mean = encoders.pool(tokens, kept)
        return self.one(mean).float(), self.other(mean).float()

    def measure(self, means: Float[Tensor, "item width"]) -> None:
        """See `Projector.measure`."""
        self.one.measure(means)
        self.other.measure(means)


class TextTower(nn.Module):
    """The trained part of the text tower; the report encoder before it is frozen, and runs once for each report.

    Args:
        spec: Which projection.
        text_dim: Width of the report encoder's vectors.
        dim: Dimensions of the sphere.
    """

    def __init__(self, spec: TextSpec, text_dim: int, dim: int) -> None:
        super().__init__()
        self.projection = Projector(text_dim, dim, spec.projection)

    def forward(self, report: Float[Tensor, "batch text"]) -> Float[Tensor, "batch dim"]:
        """Report vectors onto the sphere."""
        return nn.functional.normalize(self.projection(report).float(), dim=1)


class Projector(nn.Module):
    """From a tower's width to the sphere's dimensions, after a standardisation that is measured once.

    What an untrained encoder gives of different records, or a text encoder of different reports, is nearly one vector:
    on the sphere they would all be neighbours, and a contrast would have next to no gradient. So the mean and the
    deviation of each number are measured on the data before the first step, and stay as they are. They are no
    statistics of a batch: a record's vector does not depend on its neighbours.

    Args:
        width: Of what comes in.
        dim: Of what comes out.
        kind: A matrix, or two with a non-linearity between.

    References:
        Krähenbühl et al., "Data-dependent initializations of convolutional neural networks", arXiv 1511.06856.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int, dim: int, kind: Projection) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self.layers: nn.Module
        match kind:
            case Projection.LINEAR:
                self.layers = nn.Linear(width, dim)
            case Projection.MLP:
                self.layers = nn.Sequential(nn.Linear(width, dim), nn.GELU(), nn.Linear(dim, dim))

    def measure(self, inputs: Float[Tensor, "item width"]) -> None:
        """Take mean and deviation from typical inputs. A number that is always the same stays out of it."""
        if len(inputs) > 1:
            deviation, self.mean[:] = torch.std_mean(inputs.float(), dim=0)
            self.deviation[:] = deviation.clamp_min(1e-3 * deviation.max().clamp_min(1e-12))

    def forward(self, inputs: Float[Tensor, "item width"]) -> Float[Tensor, "item dim"]:
        """The projection."""
        projected: Tensor = self.layers((inputs.float() - self.mean) / self.deviation)
        return projected

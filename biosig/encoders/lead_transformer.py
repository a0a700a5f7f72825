"""Lead transformers: a token for each patch of each lead, all of which attend to each other."""

from __future__ import annotations

from functools import partial

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from biosig.encoders.attention import Chosen, Everyone, Layer, run
from biosig.encoders.base import ENCODERS, Encoder, padding_of, samples_between
from biosig.encoders.places import SensorPlaces

# 75 samples at 250 Hz.
_PATCH_SECONDS = 0.3


class LeadTransformer(Encoder):
    """Pre-norm transformer over patches of 0.3 s of single channels.

    A token knows its channel by a vector made of the sensor's position (`SensorPlaces`), so any montage will do, and
    its time by a rotary position. A missing channel has no token. What comes out at a time is the mean over the
    channels there.

    Args:
        sfreq: Hz.
        width: Of a token; a multiple of 64, the width of a head.
        depth: Layers.
        dropout: After attention and after the perceptron of each layer.

    References:
        Na et al., Guiding masked representation learning to capture spatio-temporal relationship of electrocardiogram
        (ST-MEM), arXiv 2402.09450. There the vectors of the twelve leads are a table, and a separator stands before
        and after the patches of each.
    """

    def __init__(self, sfreq: float, width: int, depth: int, dropout: float) -> None:
        super().__init__()
        self.dim = width
        self.hop = samples_between(sfreq, 1 / _PATCH_SECONDS)
        self.layers = nn.ModuleList(Layer(width, dropout) for _ in range(depth))
        self.patch = nn.Linear(self.hop, width)
        self.places = SensorPlaces(width)
        self.norm = nn.LayerNorm(width)
        #: How tokens that are not there are left out; an exported network keeps them in, masked.
        self.gather: type[Chosen | Everyone] = Chosen

    def forward(
        self,
        signal: Float[Tensor, "batch channel time"],
        positions: Float[Tensor, "batch channel 3"],
        mask: Bool[Tensor, "batch channel"],
        modality: Int[Tensor, "batch channel"] | None = None,
        valid: Int[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch token dim"]:
        """See `Encoder.forward`."""
        tokens = self.lead_tokens(signal, positions, mask, modality, valid=valid)
        return mean_over_leads(tokens, mask[:, :, None].expand(tokens.shape[:3]))

    def lead_tokens(
        self,
        signal: Float[Tensor, "batch channel time"],
        positions: Float[Tensor, "batch channel 3"],
        mask: Bool[Tensor, "batch channel"],
        modality: Int[Tensor, "batch channel"] | None = None,
        *,
        valid: Int[Tensor, " batch"] | None = None,
        seen: Bool[Tensor, "batch channel token"] | None = None,
    ) -> Float[Tensor, "batch channel token dim"]:
        """The tokens of each channel; 0 where there is none.

        Args:
            signal: See `Encoder.forward`, as for the others.
            positions: Of the sensors.
            mask: Which channels there are.
            modality: Of the channels.
            valid: Samples before the padding.
            seen: Which patches the layers are to see; all by default.
        """
        padding = padding_of(valid, signal.shape[-1])
        signal = signal.masked_fill(~mask[..., None], 0)
        if padding is not None:
            signal = signal.masked_fill(~padding.frames(1)[:, None], 0)
        patches = functional.pad(signal, (0, -signal.shape[-1] % self.hop)).reshape(*mask.shape, -1, self.hop)
        x = self.patch(patches) + self.places.embed(positions, modality)[:, :, None]
        there = mask[:, :, None].expand(x.shape[:3])
        if padding is not None:
            there = there & padding.frames(self.hop)[:, None]
        few = self.gather((there if seen is None else there & seen).flatten(1))
        # Patches of different channels at one time have one place. A tensor, for ONNX takes no remainder of a length.
        place = few.place % few.place.new_full((), x.shape[2])
        tokens = self.norm(run(self.layers, few.take(x.flatten(1, 2)), place, few.there))
        return few.put(tokens).view_as(x)


def mean_over_leads(
    tokens: Float[Tensor, "batch channel token dim"], there: Bool[Tensor, "batch channel token"]
) -> Float[Tensor, "batch token dim"]:
    """The mean of the tokens that are there at each time; 0 where there is none."""
    weights = there.to(tokens.dtype)
    return (tokens * weights[..., None]).sum(1) / weights.sum(1).clamp_min(1)[..., None]


def lead_transformer(*, width: int, sfreq: float, depth: int = 12, dropout: float = 0.0) -> Encoder:
    """A lead transformer.

    Args:
        width: Of a token; a multiple of 64.
        sfreq: Hz.
        depth: Layers.
        dropout: In every layer.
    """
    return LeadTransformer(sfreq, width, depth, dropout)


ENCODERS.add("lead_transformer_tiny", partial(lead_transformer, width=192))
ENCODERS.add("lead_transformer_small", partial(lead_transformer, width=384))
ENCODERS.add("lead_transformer_base", partial(lead_transformer, width=768))

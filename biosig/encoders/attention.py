"""The layers of the transformers: attention between tokens by how far they are apart, all of them or a chosen few."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

HEAD_DIM = 64


class Layer(nn.Module):
    """Attention and perceptron, each on the norm of its input and added to it.

    Args:
        width: Of a token; a multiple of 64, the width of a head.
        dropout: After attention and after the perceptron.

    Raises:
        ValueError: If the width is no such multiple.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        if width % HEAD_DIM:
            raise ValueError(f"width: expected a multiple of {HEAD_DIM}, got {width}")
        self.attention_norm, self.perceptron_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.perceptron = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Float[Tensor, "batch token dim"],
        rotation: tuple[Tensor, Tensor],
        there: Bool[Tensor, "batch 1 1 token"] | None,
    ) -> Float[Tensor, "batch token dim"]:
        """The tokens after the layer; those that are not there are asked by nobody."""
        heads = self.query_key_value(self.attention_norm(x)).unflatten(2, (3, -1, HEAD_DIM))
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(
            _rotated(query, rotation), _rotated(key, rotation), value, attn_mask=there
        )
        x = x + self.dropout(self.out(attended.transpose(1, 2).flatten(2)))
        return x + self.dropout(self.perceptron(self.perceptron_norm(x)))


def run(
    layers: Iterable[nn.Module],
    x: Float[Tensor, "batch token dim"],
    place: Int[Tensor, "#batch token"],
    there: Bool[Tensor, "batch token"] | None = None,
) -> Float[Tensor, "batch token dim"]:
    """Tokens through layers, one after another.

    Args:
        layers: Of `Layer`.
        x: The tokens.
        place: When each of them is, counted in tokens. Only differences matter.
        there: Which of them count; of every record at least one. All by default.
    """
    slowness = 10_000 ** (torch.arange(0, HEAD_DIM, 2, device=x.device) / HEAD_DIM)
    # One angle for all heads.
    angles = (place[..., None] / slowness)[:, None]
    rotation = angles.cos(), angles.sin()
    keys = None if there is None else there[:, None, None]
    for layer in layers:
        x = layer(x, rotation, keys)
    return x


class Chosen:
    """Some tokens of each record, moved together: what is not chosen costs no work.

    Args:
        chosen: Which; they keep their order.

    Attributes:
        place: Where each of them was; beyond the last one of a record, the place of any other token.
        there: Which of them are chosen; a record without any has one that is not, so that attention has a key.
    """

    def __init__(self, chosen: Bool[Tensor, "batch token"]) -> None:
        count = chosen.sum(1)
        most = max(1, int(count.max()))
        self._n = chosen.shape[1]
        self._count = count
        self.place = (~chosen).to(torch.uint8).argsort(dim=1, stable=True)[:, :most]
        self.there = torch.arange(most, device=chosen.device) < count.clamp_min(1)[:, None]

    def take(self, x: Float[Tensor, "batch token dim"]) -> Float[Tensor, "batch few dim"]:
        """The chosen tokens side by side."""
        return x.gather(1, self.place[..., None].expand(-1, -1, x.shape[2]))

    def put(self, x: Float[Tensor, "batch few dim"]) -> Float[Tensor, "batch token dim"]:
        """Each back at its place, 0 at all others."""
        real = torch.arange(x.shape[1], device=x.device) < self._count[:, None]
        blank = x.new_zeros(x.shape[0], self._n, x.shape[2])
        return blank.scatter(1, self.place[..., None].expand_as(x), x.masked_fill(~real[..., None], 0))


class Everyone:
    """All tokens of each record, where they are; stands in for `Chosen` where no number may depend on the data.

    Args:
        chosen: Which count; the others are asked by nobody, and come back as 0.

    Attributes:
        place: Where each of them is.
        there: Which of them are chosen; of a record without any, the first.
    """

    def __init__(self, chosen: Bool[Tensor, "batch token"]) -> None:
        self._chosen = chosen
        self.place = torch.arange(chosen.shape[1], device=chosen.device).expand(chosen.shape)
        self.there = chosen | ((self.place == 0) & ~chosen.any(1, keepdim=True))

    def take(self, x: Float[Tensor, "batch token dim"]) -> Float[Tensor, "batch token dim"]:
        """As they are."""
        return x

    def put(self, x: Float[Tensor, "batch token dim"]) -> Float[Tensor, "batch token dim"]:
        """0 where none is chosen."""
        return x.masked_fill(~self._chosen[..., None], 0)


def _rotated(
    x: Float[Tensor, "batch head token dim"], rotation: tuple[Tensor, Tensor]
) -> Float[Tensor, "batch head token dim"]:
    """Pairs of numbers of a head turned by the angle of their token."""
    (cos, sin), (left, right) = rotation, x.chunk(2, dim=-1)
    return torch.cat([left * cos - right * sin, left * sin + right * cos], dim=-1).to(x.dtype)

"""From the tokens of a record to one vector."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


def pool(
    tokens: Float[Tensor, "batch token dim"],
    valid: Bool[Tensor, "batch token"] | Float[Tensor, " batch"] | None = None,
) -> Float[Tensor, "batch dim"]:
    """Mean over the tokens that are no padding, in float32 at least.

    Tokens near the padding have seen it, as far as the encoder reaches, unless the encoder was given the same lengths
    (`valid` of `Encoder.forward`): then padding has no influence at all.

    Args:
        tokens: Of an encoder.
        valid: `Encoder.token_mask`, or which share of each record is no padding; all by default.
    """
    weights = _weights(tokens, valid)
    dtype = torch.promote_types(tokens.dtype, torch.float32)
    blanked = tokens if valid is None else _blanked(tokens, weights)
    return blanked.sum(1, dtype=dtype) / weights.sum(1, keepdim=True)


class AttentionPool(nn.Module):
    """One vector by multi-head attention, the mean token asking.

    Args:
        dim: Of a token, and of the vector.
        heads: Divide `dim`.

    References:
        Radford et al., arXiv 2103.00020 (attention pooling); MERL pools ECG tokens this way, arXiv 2403.06659.
    """

    def __init__(self, dim: int, heads: int = 4) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"heads: expected a divisor of {dim}, got {heads}")
        self.heads = heads
        self.query, self.key_value, self.out = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim), nn.Linear(dim, dim)

    def forward(
        self,
        tokens: Float[Tensor, "batch token dim"],
        valid: Bool[Tensor, "batch token"] | Float[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch dim"]:
        """See `pool`."""
        weights = _weights(tokens, valid)
        # No padding at all is known without a look at the data, which an exported network could not take.
        tokens = tokens if valid is None else _blanked(tokens, weights)
        query = self.query(pool(tokens, None if valid is None else weights).to(tokens.dtype)).unflatten(
            1, (self.heads, -1)
        )
        to_key, to_value = self.key_value.weight.view(2, self.heads, -1, tokens.shape[2])
        # One query: what it asks of a token is turned into the token's own space, and the mean token into a value, in
        # place of every token into both. The bias of a key is the same for all tokens, and no share depends on it.
        asked = torch.einsum("bhd,hdc->bhc", query, to_key)
        scores = torch.einsum("bhc,btc->bht", asked, tokens).float() / query.shape[2] ** 0.5
        shares = scores.masked_fill(~weights[:, None], -torch.inf).softmax(2).to(tokens.dtype)
        mean = torch.einsum("bht,btc->bhc", shares, tokens)
        value_bias = self.key_value.bias.view(2, self.heads, -1)[1]
        attended = torch.einsum("bhc,hdc->bhd", mean, to_value) + value_bias
        pooled: Tensor = self.out(attended.flatten(1))
        return pooled


def _blanked(tokens: Float[Tensor, "batch token dim"], there: Bool[Tensor, "batch token"]) -> Tensor:
    """The tokens, 0 in the padding. Not a product with 0: a token of padding may hold anything."""
    return tokens if there.all() else tokens.masked_fill(~there[..., None], 0)


def _weights(tokens: Tensor, valid: Tensor | None) -> Bool[Tensor, "batch token"]:
    n = tokens.shape[1]
    if valid is None:
        return torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
    if valid.dtype is torch.bool:
        return valid
    # A share of n tokens, up to the rounding of a division; never none.
    count = (valid.double() * n - 1e-4).ceil().clamp_min(1)
    return torch.arange(n, device=tokens.device) < count[:, None]

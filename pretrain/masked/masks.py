"""Which patches of each record are hidden: a function of the step's key and of the window, and of nothing else."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from pretrain.masked.strategies import Autoregressive, LeadWise, Random

# A word of 64 bits as a number below 1.
_UNIT = 2.0**-64


def hidden(
    strategy: Random | Autoregressive | LeadWise,
    whole: Int[Tensor, " batch"],
    mask: Bool[Tensor, "batch channel"],
    n_tokens: int,
    seeds: Int[np.ndarray, "batch seed"],
) -> Bool[Tensor, "batch token channel"]:
    """Which patches are to be predicted.

    Of a record with n whole patches ceil(share n) are hidden, but at least one, and one stays; so of a single patch
    none is. A patch that reaches into the padding is never hidden, nor is one of a channel that is missing. The numbers
    come from a hash (numpy's `SeedSequence`, whose words are promised not to change) of the seeds of the record: they
    are the same on every device, and do not depend on how a batch is shared or padded.

    Args:
        strategy: What is hidden together, and how much.
        whole: How many patches of each record end before its padding.
        mask: Which channels there are.
        n_tokens: Patches in all.
        seeds: Of each record.
    """
    batch, channels = mask.shape
    by_lead = isinstance(strategy, LeadWise)
    found = np.zeros((batch, n_tokens, channels), dtype=bool)
    for record, (n, seed) in enumerate(zip(whole.tolist(), seeds, strict=True)):
        if n < 2:
            continue
        rows = channels if by_lead else 1
        words = np.random.SeedSequence(seed.tolist()).generate_state(1 + rows * n, np.uint64)
        share = strategy.share(float(words[0]) * _UNIT)
        count = min(max(math.ceil(share * n), 1), n - 1)
        # The order of prediction; what comes last is hidden.
        order = words[1:].reshape(rows, n).argsort(axis=1)[:, n - count :]
        found[record, order.T, np.arange(rows) if by_lead else slice(None)] = True
    return torch.from_numpy(found).to(mask.device) & mask[:, None]

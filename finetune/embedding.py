"""Every record through a network, once: what it says of a record is the mean over the windows that cover it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from pretrain.plan import Plan

_BATCH = 64


def mean_over_windows(
    network: Callable[[dict[str, Tensor]], Tensor],
    plan: Plan,
    device: torch.device,
    *,
    batch_size: int = _BATCH,
) -> Float32[np.ndarray, "record dim"]:
    """One row for each record of the plan.

    Args:
        network: From a store's batch to `(B, dim)`, in evaluation mode.
        plan: Which windows stand for which record (`Intake.plan`).
        device: Where the network is.
        batch_size: Windows in one pass.
    """
    sums: np.ndarray | None = None
    with torch.inference_mode():
        for owners, batch in plan.batches(batch_size):
            found = network({name: value.to(device) for name, value in batch.items()}).float().cpu().numpy()
            sums = np.zeros((plan.records, found.shape[1])) if sums is None else sums
            np.add.at(sums, owners, found)
    assert sums is not None, "a plan of no records"
    counts = np.bincount(plan.owners, minlength=plan.records)
    return (sums / counts[:, None]).astype(np.float32)

"""Every record through a network, once: what it says of a record is the mean over the windows that cover it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int
from torch import Tensor

from biosig.store import Store
from pretrain.models.foundation import FoundationModel
from pretrain.models.plan import Plan

_BATCH = 64


@dataclass(frozen=True)
class Embedded:
    """What an encoder says of a store; rows that were not asked for are zero.

    Attributes:
        features: Before the projection: for heads.
        sphere: After it: for similarities.
    """

    features: Float32[np.ndarray, "row dim"]
    sphere: Float32[np.ndarray, "row sphere"]


def embed(model: FoundationModel, store: Store, rows: Int[np.ndarray, " side"]) -> Embedded:
    """Features and vectors on the sphere; the encoder runs once for both, in float32."""

    def both(windows: dict[str, Tensor]) -> Tensor:
        pooled = model.embed(windows)
        return torch.cat([pooled, model.signal(pooled)], dim=1)

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.eval().to(device)
    found = mean_over_windows(both, model.config.intake.plan(store, rows), device)
    every = np.zeros((len(store), found.shape[1]), np.float32)
    every[rows] = found
    width = model.signal.encoder.dim
    return Embedded(every[:, :width], every[:, width:])


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

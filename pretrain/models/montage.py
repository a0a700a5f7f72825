"""Which channel is where in a batch: recordings side by side, fixed montages in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from biosig.channels import positions
from biosig.recording import Modality, Recording
from biosig.store import MODALITIES, SCALE

# How far apart positions of one sensor may be by rounding.
_SAME = 1e-3


def collate(recordings: Sequence[Recording], starts: Int64[np.ndarray, " window"], length: int) -> dict[str, Tensor]:
    """One window of each recording, as `biosig.store.batch` makes it of records: same units, masks and padding."""
    channels = max(len(one.channels) for one in recordings)
    signal = np.zeros((len(recordings), channels, length), dtype=np.float32)
    mask = np.zeros(signal.shape[:2], dtype=bool)
    where = np.zeros((*signal.shape[:2], 3), dtype=np.float32)
    modality = np.full(signal.shape[:2], MODALITIES.index(Modality.OTHER), dtype=np.int64)
    valid = np.zeros(len(recordings), dtype=np.int64)
    for row, (one, start) in enumerate(zip(recordings, starts, strict=True)):
        window = one.signal[:, start : start + length]
        count = len(window)
        scale = np.array([SCALE.get(kind, 1.0) for kind in one.modality], dtype=np.float32)
        gaps = ~np.isfinite(window)
        signal[row, :count, : window.shape[1]] = np.where(gaps, 0, window / scale[:, None])
        mask[row, :count] = ~gaps.all(axis=1)
        where[row, :count] = np.nan_to_num(positions(one.channels, one.modality), nan=0.0)
        modality[row, :count] = [MODALITIES.index(kind) for kind in one.modality]
        valid[row] = window.shape[1]
    arrays = {"signal": signal, "mask": mask, "position": where, "modality": modality, "valid": valid}
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def in_order(
    batch: Mapping[str, Tensor], names: Sequence[tuple[str, ...]], leads: tuple[str, ...]
) -> dict[str, Tensor]:
    """A batch whose channels are the given leads in their order; a lead that a record has not is masked.

    Args:
        batch: As `biosig.store.batch` gives it.
        names: Of the channels of each record. By name and not by axis: leads I and MLI look along the same.
        leads: Wanted.
    """
    place = torch.from_numpy(np.stack([_places(one, leads) for one in names]))
    signal, straight = batch["signal"], torch.arange(len(leads)).expand_as(place)
    # Samples are copied only where something is out of place, or not there.
    if signal.shape[1] == len(leads) and torch.equal(place, straight):
        mask = batch["mask"]
    else:
        found, place = place >= 0, place.clamp_min(0)
        mask = batch["mask"].gather(1, place) & found
        signal = signal.gather(1, place[..., None].expand(-1, -1, signal.shape[2]))
    return {
        **batch,
        "signal": signal if mask.all() else signal * mask[..., None],
        "mask": mask,
        "position": torch.from_numpy(_axes(leads)).repeat(len(names), 1, 1),
        "modality": torch.full_like(place, MODALITIES.index(Modality.ECG)),
    }


def is_in_order(batch: Mapping[str, Tensor], leads: tuple[str, ...]) -> bool:
    """Whether the channels of a batch are those leads, as far as their axes tell."""
    if batch["mask"].shape[1] != len(leads):
        return False
    away = (batch["position"] - torch.from_numpy(_axes(leads)).to(batch["position"].device)).abs().amax(2)
    return not bool(((away > _SAME) & batch["mask"]).any())


def of_kinds(batch: Mapping[str, Tensor], modalities: Sequence[Modality]) -> dict[str, Tensor]:
    """A batch in which channels of other kinds are missing."""
    known = torch.tensor([MODALITIES.index(kind) for kind in modalities], device=batch["modality"].device)
    kept = torch.isin(batch["modality"], known) & batch["mask"]
    signal = batch["signal"]
    return {**batch, "mask": kept, "signal": signal if kept.all() else signal * kept[..., None]}


@lru_cache(maxsize=4096)
def _places(names: tuple[str, ...], leads: tuple[str, ...]) -> Int64[np.ndarray, " lead"]:
    return np.array([names.index(lead) if lead in names else -1 for lead in leads], dtype=np.int64)


@lru_cache(maxsize=16)
def _axes(leads: tuple[str, ...]) -> Float32[np.ndarray, "lead 3"]:
    return positions(leads, Modality.ECG)

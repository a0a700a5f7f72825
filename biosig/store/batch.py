"""Windows of a store as tensors: records of any montage side by side, what is missing masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int64

from biosig.channels import positions
from biosig.errors import BiosigError
from biosig.recording import Modality
from biosig.store.quantise import GAP
from biosig.store.reader import Store

if TYPE_CHECKING:
    from torch import Tensor

# What is 1.0 to a network, in microvolts: a millivolt of ECG is as large as it gets, EEG is twenty times smaller. Other
# modalities keep the unit of their source.
SCALE: Mapping[Modality, float] = MappingProxyType({Modality.ECG: 1000.0, Modality.EEG: 50.0, Modality.EOG: 50.0})
# The number that stands for a modality in a tensor.
MODALITIES: tuple[Modality, ...] = tuple(Modality)


def batch(
    store: Store,
    rows: Sequence[int] | Int64[np.ndarray, " item"],
    starts: Sequence[int] | Int64[np.ndarray, " item"],
    length: int,
) -> dict[str, Tensor]:
    """Windows of one store as tensors; see `collate`.

    Args:
        store: Where the records are.
        rows: Of each window.
        starts: First sample of each window.
        length: Samples of every window; beyond the end of a record it is padded.
    """
    return collate([(store, int(row), int(start)) for row, start in zip(rows, starts, strict=True)], length)


def collate(items: Sequence[tuple[Store, int, int]], length: int) -> dict[str, Tensor]:
    """Windows as tensors, channels in the order of each record, padded to the most channels of the batch.

    Args:
        items: Store, row and first sample of each window.
        length: Samples of every window.

    Returns:
        signal: `(B, C, T)` float32 in units of `SCALE`; zero in gaps, missing channels and padding.
        mask: `(B, C)` bool, which channels are there: recorded, and not one long gap in this window.
        position: `(B, C, 3)` float32 of the sensors (`biosig.channels.positions`); zero where unknown.
        modality: `(B, C)` int64, places in `MODALITIES`; that of `Modality.OTHER` where no channel is.
        valid: `(B,)` int64, samples before the padding.
        row: `(B,)` int64.
        start: `(B,)` int64, first sample of each window in its record.

    Raises:
        BiosigError: If there are no items, or a window begins outside its record.
    """
    import torch  # noqa: PLC0415 -- preparing and auditing a store do without

    if not items:
        raise BiosigError("a batch of no windows")
    most = max(len(store.steps(row)) for store, row, _ in items)
    shape = (len(items), most)
    signal = np.zeros((*shape, length), np.float32)
    mask = np.zeros(shape, np.bool_)
    position = np.zeros((*shape, 3), np.float32)
    modality = np.full(shape, MODALITIES.index(Modality.OTHER), np.int64)
    valid = np.zeros(len(items), np.int64)
    for place, (store, row, start) in enumerate(items):
        try:
            block = store.block(row)
        except (OSError, ValueError, BiosigError) as error:
            raise BiosigError(f"{store.path}: {store.record(row)}: {error}") from error
        channels, samples = block.shape
        if not 0 <= start < samples:
            raise BiosigError(
                f"{store.path}: {store.record(row)}: a window cannot begin at sample {start} of {samples}"
            )
        window = block[:, start : start + length]
        n = window.shape[1]
        scale, here, kind = _sensors(*store.layout(row))
        into = signal[place, :channels, :n]
        np.multiply(window, (store.steps(row) / scale)[:, None], out=into)
        mask[place, :channels] = True
        if window.min() == GAP:
            gaps = window == GAP
            into[gaps] = 0
            mask[place, :channels] = ~gaps.all(axis=1)
        position[place, :channels] = here
        modality[place, :channels] = kind
        valid[place] = n
    arrays = {"signal": signal, "mask": mask, "position": position, "modality": modality, "valid": valid}
    arrays["row"] = np.array([row for _, row, _ in items], np.int64)
    arrays["start"] = np.array([start for *_, start in items], np.int64)
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


@lru_cache(maxsize=4096)
def _sensors(
    channels: tuple[str, ...], modality: tuple[Modality, ...]
) -> tuple[Float32[np.ndarray, " channel"], Float32[np.ndarray, "channel 3"], Int64[np.ndarray, " channel"]]:
    """Scale, position and number of the modality of each channel."""
    scale = np.array([SCALE.get(kind, 1.0) for kind in modality], np.float32)
    where = np.nan_to_num(positions(channels, modality), nan=0.0)
    return scale, where, np.array([MODALITIES.index(kind) for kind in modality], np.int64)

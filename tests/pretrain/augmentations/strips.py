"""Windows to try augmentations on."""

from __future__ import annotations

import torch

from biosig.channels import LEADS_12, parse
from biosig.recording import Modality
from biosig.store import MODALITIES
from pretrain.augmentations import Strips

RATE, SAMPLES = 250.0, 500
PAIRS = ("Fp1", "Fp2", "F3", "F4", "Cz", "P7", "P8", "O1", "O2")
ODD = ("II", "Fz", "C3", "C4", "Status", "T7")
#: Names, valid samples and missing channels of records of every sort.
RECORDS: tuple[tuple[tuple[str, ...], int, tuple[str, ...]], ...] = (
    (LEADS_12, SAMPLES, ()),
    (tuple(reversed(LEADS_12)), 300, ()),
    (LEADS_12, SAMPLES, ("III", "aVF")),
    (LEADS_12, SAMPLES, ("V2",)),
    (("MLII", "V5"), SAMPLES, ()),
    (("ECG",), 77, ()),
    (PAIRS, SAMPLES, ()),
    (PAIRS, 300, ("P7", "O2")),
    (("Fp1-F7", "Fp2-F8", "C3-C4", "A1", "EEG 12"), 499, ()),
    (("Cz",), SAMPLES, ()),
    (ODD, SAMPLES, ()),
)


def strips(
    records: tuple[tuple[tuple[str, ...], int, tuple[str, ...]], ...] = RECORDS,
    *,
    channels: int = 12,
    samples: int = SAMPLES,
    rate: float = RATE,
) -> Strips:
    """Random signals of unit variance; a record is the same whichever others are asked for, and however padded."""
    signal = torch.zeros(len(records), channels, samples)
    mask = torch.zeros(len(records), channels, dtype=torch.bool)
    modality = torch.full((len(records), channels), MODALITIES.index(Modality.OTHER))
    for row, (names, valid, missing) in enumerate(records):
        generator = torch.Generator().manual_seed(sum(map(ord, "".join(names))) + valid)
        count = len(names)
        mask[row, :count] = torch.tensor([name not in missing for name in names])
        signal[row, :count, :valid] = torch.randn(count, valid, generator=generator)
        modality[row, :count] = torch.tensor([MODALITIES.index(_kind(name)) for name in names])
    signal *= mask[..., None]
    valid = torch.tensor([valid for _, valid, _ in records])
    return Strips(signal, mask, modality, valid, tuple(names for names, _, _ in records), rate)


def many(names: tuple[str, ...], count: int, *, samples: int = SAMPLES, rate: float = RATE) -> Strips:
    """A record so many times."""
    return strips(((names, samples, ()),) * count, channels=len(names), samples=samples, rate=rate)


def _kind(name: str) -> Modality:
    return Modality.EEG if name == "EEG 12" else parse(name).modality

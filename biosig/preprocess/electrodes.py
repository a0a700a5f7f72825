"""What the names of EEG channels say: electrode or derivation, and where it sits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float32

from biosig.channels import parse, positions
from biosig.recording import Modality, Recording


def derivation(name: str) -> tuple[str, str] | None:
    """The two electrodes of a bipolar derivation, by their canonical names; None for anything else.

    `Fp1-F7` -> `("Fp1", "F7")`; `F1-0` (a copy) and `Cz-REF` (a reference) are electrodes.
    """
    parts = [parse(part, Modality.EEG) for part in parse(name, Modality.EEG).name.split("-")]
    if len(parts) == 2 and all(part.modality is Modality.EEG and part.position for part in parts):
        return parts[0].name, parts[1].name
    return None


def electrode_rows(recording: Recording, modality: Modality = Modality.EEG) -> list[int]:
    """Rows of a modality; of EEG without derivations, which have no potential of their own."""
    rows = [row for row, kind in enumerate(recording.modality) if kind is modality]
    if modality is not Modality.EEG:
        return rows
    return [row for row in rows if derivation(recording.channels[row]) is None]


def places(names: Sequence[str]) -> Float32[np.ndarray, "electrode 3"]:
    """Positions on the unit sphere; a row of NaN for an electrode whose name does not tell."""
    return positions(names, Modality.EEG)


def patterns(
    x: Float32[np.ndarray, "channel time"],
) -> Iterator[tuple[Bool[np.ndarray, " channel"], Bool[np.ndarray, " time"] | slice]]:
    """Each set of channels that are known together, and when."""
    known = np.isfinite(x)
    if known.all() or x.size == 0:
        yield np.ones(len(x), dtype=bool), slice(None)
        return
    # As bytes the sets of a long recording sort a hundred times faster.
    packed = np.ascontiguousarray(np.packbits(known, axis=0).T)
    keys = packed.view(f"V{packed.shape[1]}")[:, 0]
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    for number, column in enumerate(first):
        yield known[:, column], which == number

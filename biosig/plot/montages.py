"""The montages in which an EEG is read, by one word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from biosig.preprocess import Montage, Reference
from biosig.preprocess.step import Unfit
from biosig.recording import Modality, Recording

#: The longitudinal bipolar montage ("double banana"): chains from the front to the back, from left to right.
LONGITUDINAL = (
    *("Fp1-F7", "F7-T7", "T7-P7", "P7-O1"),
    *("Fp1-F3", "F3-C3", "C3-P3", "P3-O1"),
    *("Fz-Cz", "Cz-Pz"),
    *("Fp2-F4", "F4-C4", "C4-P4", "P4-O2"),
    *("Fp2-F8", "F8-T8", "T8-P8", "P8-O2"),
)
#: Chains across the head, from the front to the back.
TRANSVERSE = (
    *("F7-Fp1", "Fp1-Fp2", "Fp2-F8"),
    *("F7-F3", "F3-Fz", "Fz-F4", "F4-F8"),
    *("T7-C3", "C3-Cz", "Cz-C4", "C4-T8"),
    *("P7-P3", "P3-Pz", "Pz-P4", "P4-P8"),
    *("P7-O1", "O1-O2", "O2-P8"),
)


def bipolar(recording: Recording, derivations: tuple[str, ...]) -> Recording:
    """Differences of neighbours, as far as the recording has both; other modalities stay below them.

    Raises:
        BiosigError: If it has none of them.
    """
    others = tuple(kind for kind in dict.fromkeys(recording.modality) if kind is not Modality.EEG)
    return Montage(channels=derivations, keep=others, missing=Unfit.SKIP).apply(recording)


MONTAGES: Mapping[str, Callable[[Recording], Recording]] = MappingProxyType(
    {
        "longitudinal": lambda recording: bipolar(recording, LONGITUDINAL),
        "transverse": lambda recording: bipolar(recording, TRANSVERSE),
        "average": Reference().apply,
    }
)
"""What makes each of a recording; `average` is against the mean of all electrodes."""

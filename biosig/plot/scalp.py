"""Electrodes in the order in which one looks at a head."""

from __future__ import annotations

import re

import numpy as np

from biosig.channels import parse
from biosig.preprocess.electrodes import derivation, places
from biosig.recording import Modality, Recording

# Rows of the temples belong to the rows of the midline that they continue.
_MIDLINE = {"T": "C", "FT": "FC", "TP": "CP", "FTT": "FCC", "TTP": "CCP", "TPP": "CPP", "FFT": "FFC"}


def front_to_back(recording: Recording) -> list[str]:
    """All channels, electrodes in rows from the forehead to the back of the head, each row from left to right.

    Electrodes change places among themselves only: derivations, electrodes that no system knows and other modalities
    stay where the recording has them.
    """
    names = list(recording.channels)
    electrodes = [
        name
        for name, kind in zip(names, recording.modality, strict=True)
        if kind is Modality.EEG and derivation(name) is None
    ]
    where = dict(zip(electrodes, places(electrodes).tolist(), strict=True))
    known = [name for name in electrodes if np.isfinite(where[name]).all()]
    slots = [names.index(name) for name in known]
    for slot, name in zip(
        slots, sorted(known, key=lambda name: (-_row(name, where[name][1]), where[name][0])), strict=True
    ):
        names[slot] = name
    return names


def _row(name: str, y: float) -> float:
    """How far in front the middle of an electrode's row lies; its own place where it is in none."""
    letters = re.match(r"[A-Za-z]+?(?=z$|\d|h|$)", name)
    prefix = letters[0] if letters else ""
    middle = parse(f"{_MIDLINE.get(prefix, prefix)}z")
    return middle.position[1] if middle.modality is Modality.EEG and middle.position else y

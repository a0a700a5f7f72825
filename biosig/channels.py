"""Any channel name -> canonical name, modality, and where the sensor sits or what axis it looks along.

One frame for the whole body, as MNE has it for the head: x to the patient's right, y to the front, z up.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float32

from biosig.recording import Modality

Position = tuple[float, float, float]

LEADS_12 = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

# Degrees from the patient's left towards the feet.
_FRONTAL = {"I": 0, "II": 60, "III": 120, "aVR": 210, "aVL": -30, "aVF": 90, "MLI": 0, "MLII": 60, "MLIII": 120}
# Degrees from the patient's left towards the front.
_HORIZONTAL = {"V4R": 150, "V3R": 135, "V1": 120, "V2": 90, "V3": 75, "V4": 60, "V5": 30, "V6": 0}
_HORIZONTAL |= {"V7": -30, "V8": -60, "V9": -90}
# Degrees by which the axes of the chest leads also point to the feet: the mean of V1 to V6 in Dower's transformation.
# Without it V6 would look along the same axis as lead I, and nothing could tell them apart by where they are.
_CHEST_TILT = 6
# Frank's axes point to the left, to the feet and to the back.
_FRANK: dict[str, Position] = {"X": (-1.0, 0.0, 0.0), "Y": (0.0, 0.0, -1.0), "Z": (0.0, -1.0, 0.0)}
_LEAD_ALIASES = {"di": "I", "dii": "II", "diii": "III", "ml1": "MLI", "ml2": "MLII", "ml3": "MLIII"}

# The names of the first edition of the 10-20 system.
_ELECTRODE_ALIASES = {"t3": "T7", "t4": "T8", "t5": "P7", "t6": "P8"}
# What a name says of the reference, without naming an electrode.
_REFERENCE = re.compile(r"-(?:ref|reference|le|avg|ave|av|ar|car)$", re.IGNORECASE)
_COPY = re.compile(r"-\d{1,4}$")
_PREFIX = re.compile(r"(eeg|ecg|ekg|eog|emg)[ _:-]+(?:lead[ _:-]+)?(?=\S)", re.IGNORECASE)
_HINTS = (
    (re.compile(r"^eeg(?![a-z])", re.IGNORECASE), Modality.EEG),
    (re.compile(r"ecg|ekg", re.IGNORECASE), Modality.ECG),
    (re.compile(r"eog", re.IGNORECASE), Modality.EOG),
    (re.compile(r"emg", re.IGNORECASE), Modality.EMG),
    (re.compile(r"^resp|airflow|^thor|^abdo|^chest$", re.IGNORECASE), Modality.RESPIRATION),
    (re.compile(r"^(status|stim?|trig|trigger|marker|event marker)[ _]*\d*$", re.IGNORECASE), Modality.STIMULUS),
)


@dataclass(frozen=True, slots=True)
class Channel:
    """What a channel name says.

    Attributes:
        name: Canonical where the name is known, else as the source has it.
        modality: What the channel measures.
        position: ECG: the unit vector of the lead's axis. EEG: the electrode on the unit sphere, or the difference of
            two for a bipolar derivation. None where the name does not tell.
    """

    name: str
    modality: Modality
    position: Position | None = None


@lru_cache(maxsize=8192)
def parse(name: str, default: Modality | None = None) -> Channel:
    """The channel a name stands for, whatever the source's spelling.

    `avr` -> `aVR`, `EEG Fp1-REF` -> `Fp1`, `T3` -> `T7`, `EEG FPZ-CZ` -> `Fpz-Cz`, `ECG ECG` -> `ECG`.

    Args:
        name: As the file has it.
        default: What an unknown name measures; `Modality.OTHER` if not given. The bare letters `X`, `Y`, `Z` are Frank
            leads only where this is `Modality.ECG`.

    References:
        Oostenveld and Praamstra, Clin. Neurophysiol. 112 (2001), for the 10-05 system. Axes of the limb leads by
        Einthoven's triangle, of the chest leads by their usual angles: Malmivuo and Plonsey, Bioelectromagnetism
        (1995), chapter 15, and their tilt of 6 degrees to the feet as in Dower, Machado and Osborne, Clin. Cardiol. 3
        (1980); those of V3R, V4R and V7 to V9 continue the row and are approximate.
    """
    text = name.strip()
    if prefix := _PREFIX.match(text):
        kind, rest = parse(prefix[1]).modality, text[prefix.end() :]
        known = _lead(rest, kind) if kind is Modality.ECG else _electrode(rest) if kind is Modality.EEG else None
        if known:
            return known
        return Channel(rest if parse(rest).modality is kind else text, kind)
    if known := _lead(text, default) or _electrode(text):
        return known
    for hint, kind in _HINTS:
        if hint.search(text):
            return Channel(text, kind)
    return Channel(text, default or Modality.OTHER)


def parse_all(names: Sequence[str], defaults: Modality | Sequence[Modality | None] | None = None) -> list[Channel]:
    """The channels of one recording, their names made unique: of two `F1` one becomes `F1-0`, the other `F1-1`.

    Args:
        names: As the file has them, in its order.
        defaults: What an unknown name measures, one for all or one a channel (see `parse`).
    """
    if defaults is None or isinstance(defaults, Modality):
        defaults = [defaults] * len(names)
    channels = [parse(name, default) for name, default in zip(names, defaults, strict=True)]
    if _counts_electrodes(names):
        channels = [
            Channel(name.strip(), Modality.EEG) if re.fullmatch(r"[A-H]\d+", name.strip()) else channel
            for name, channel in zip(names, channels, strict=True)
        ]
    often = Counter(channel.name for channel in channels)
    if len(often) == len(channels):
        return channels
    taken = {name for name, count in often.items() if count == 1}
    unique = []
    for channel in channels:
        name, copy = channel.name, 0
        while often[channel.name] > 1 and (name == channel.name or name in taken):
            name, copy = f"{channel.name}-{copy}", copy + 1
        taken.add(name)
        unique.append(replace(channel, name=name))
    return unique


def positions(names: Sequence[str], modality: Modality | Sequence[Modality]) -> Float32[np.ndarray, "channel 3"]:
    """Lead axes and electrode positions; a row of NaN where the name does not tell.

    Args:
        names: Canonical names of one recording.
        modality: What the channels measure, one for all or one a channel.
    """
    kinds = [modality] * len(names) if isinstance(modality, Modality) else list(modality)
    found = np.full((len(names), 3), np.nan, dtype=np.float32)
    counted = _counts_electrodes(names)
    for row, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        channel = parse(name, kind)
        if channel.modality is kind and channel.position and not (counted and re.fullmatch(r"[A-H]\d+", name)):
            found[row] = channel.position
    return found


def _counts_electrodes(names: Iterable[str]) -> bool:
    """Whether `A1`, `A2` are the first of a numbered cap (BioSemi's `A1` to `H32`), not the earlobes."""
    return {"A1", "A2", "A3", "A4"} <= {name.strip() for name in names}


def _lead(text: str, default: Modality | None) -> Channel | None:
    base, copy = _without_copy(text)
    axes, lower = _lead_axes(), base.lower()
    if lower in axes and (len(lower) > 1 or lower == "i" or default is Modality.ECG):
        name, axis = axes[lower]
        return Channel(name + copy, Modality.ECG, axis)
    return None


def _electrode(text: str) -> Channel | None:
    base, copy = _without_copy(text)
    table = _electrodes()
    base = _REFERENCE.sub("", base).rstrip(".")
    if found := table.get(base.lower()):
        return Channel(found[0] + copy, Modality.EEG, found[1])
    first, _, second = base.lower().partition("-")
    if (plus := table.get(first.strip())) and (minus := table.get(second.strip())):
        x, y, z = (a - b for a, b in zip(plus[1], minus[1], strict=True))
        return Channel(f"{plus[0]}-{minus[0]}{copy}", Modality.EEG, (x, y, z))
    return None


def _without_copy(text: str) -> tuple[str, str]:
    """The name, and the `-0`, `-1` that keeps apart two channels of one name."""
    copy = _COPY.search(text)
    return (text[: copy.start()], copy[0]) if copy else (text, "")


@cache
def _lead_axes() -> dict[str, tuple[str, Position]]:
    axes: dict[str, tuple[str, Position]] = {}
    for name, degrees in _FRONTAL.items():
        axes[name.lower()] = name, (-math.cos(math.radians(degrees)), 0.0, -math.sin(math.radians(degrees)))
    level, down = math.cos(math.radians(_CHEST_TILT)), -math.sin(math.radians(_CHEST_TILT))
    for name, degrees in _HORIZONTAL.items():
        x, y = -math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        axes[name.lower()] = name, (level * x, level * y, down)
    for name, axis in _FRANK.items():
        axes[name.lower()], axes[f"v{name.lower()}"] = (name, axis), (f"V{name}", axis)
    return axes | {alias: axes[name.lower()] for alias, name in _LEAD_ALIASES.items()}


@cache
def _electrodes() -> dict[str, tuple[str, Position]]:
    with (files("biosig") / "electrodes_1005.csv").open(encoding="ascii") as file:
        rows = csv.reader(line for line in file if not line.startswith("#"))
        next(rows)
        table = {name.lower(): (name, (float(x), float(y), float(z))) for name, x, y, z in rows}
    return table | {old: table[new.lower()] for old, new in _ELECTRODE_ALIASES.items()}

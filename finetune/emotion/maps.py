"""Heads that show what each encoder listens to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from biosig.plot.topomap import LEAST_KNOWN, topomaps
from biosig.preprocess.electrodes import derivation, places
from finetune.emotion.result import Line


def heard(lines: Sequence[Line]) -> list[Line]:
    """Lines of encoders of which it was measured, one a row of the table."""
    return list({line.row: line for line in lines if line.occlusion}.values())


def heads(lines: Sequence[Line], electrodes: Sequence[str]) -> Figure | None:
    """A map for each encoder: the share of what its tokens say that is lost without an electrode.

    Args:
        lines: Of `heard`.
        electrodes: Names of the measured channels; derivations and unknown places have no point on the head.

    Returns:
        None where there is no line, or fewer electrodes have a place than make a map.
    """
    known = np.isfinite(places(electrodes)).all(1) & np.array([derivation(name) is None for name in electrodes])
    if not lines or known.sum() < LEAST_KNOWN:
        return None
    values = np.array([line.occlusion for line in lines])[:, known]
    names = [name for name, there in zip(electrodes, known, strict=True) if there]
    limits = (0.0, float(values.max()) or 1.0)
    return topomaps(values, names, titles=[line.row for line in lines], limits=limits, unit="share lost", columns=5)

"""How sure a network must be of a wave: chosen on validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from finetune.delineation.decode import Rules, confidences, waves_of
from finetune.delineation.delineator import Said
from finetune.delineation.matching import compare
from finetune.delineation.waves import WAVES, Annotated

GRID = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85)


def choose(said: Sequence[Said], names: Sequence[tuple[str, ...]], leads: Sequence[Mapping[str, Annotated]]) -> Rules:
    """For each kind of wave the least mean probability of the grid with the largest F1 of its three points.

    Args:
        said: What the network says of each recording.
        names: Of its leads.
        leads: What was drawn.
    """
    scores = np.zeros((len(GRID), len(WAVES), 3))
    for one, own, drawn in zip(said, names, leads, strict=True):
        for row, name in enumerate(own):
            if name not in drawn:
                continue
            every = waves_of(one.waves[row], one.peaks[row], one.rate, Rules(least=(0.0, 0.0, 0.0)))
            sure = {wave: confidences(one.waves[row], every, one.rate, wave) for wave in WAVES}
            for place, least in enumerate(GRID):
                found = {wave: every[wave][sure[wave] >= least] for wave in WAVES}
                scores[place] += compare(drawn[name], found)[..., :3].sum(1)
    matched, missed, false = np.moveaxis(scores, -1, 0)
    f1 = 2 * matched / np.maximum(2 * matched + missed + false, 1)
    # Of equally good ones the first: it keeps most waves.
    best = f1.argmax(0)
    p, qrs, t = (GRID[place] for place in best)
    return Rules(least=(p, qrs, t))

"""Same-moment retrieval between subjects who validate."""

from __future__ import annotations

import numpy as np
import torch

from pretrain.errors import TrainingError
from pretrain.objectives import TemporalAsynchronous
from pretrain.probes.base import PROBES, Probe, Watched
from pretrain.retrieval import retrieval
from pretrain.sampling.presentations import presentations


@PROBES.register("same_moment")
def same_moment(watched: Watched) -> Probe:
    """How often a subject's window finds that of another subject at the same moment; see `pretrain.retrieval`.

    Raises:
        TrainingError: If the recipe compares no moments, or no two subjects who validate share a stimulus.
    """
    compared = [one for one in watched.learner.objectives.values() if isinstance(one, TemporalAsynchronous)]
    if not compared:
        raise TrainingError("the recipe has no objective that compares moments")
    length, stores = watched.data.intake.samples, list(watched.data.stores.values())
    asked = [
        (store, rows)
        for store, rows in zip(stores, watched.data.examples.validation, strict=True)
        if len(rows) and any(presentations([store], [rows], 2 * length, 2).values())
    ]
    if not asked:
        raise TrainingError("no two subjects who validate met the same stimulus for two windows")

    def ask() -> dict[str, float]:
        learner = watched.learner
        with torch.autocast(learner.model.device.type, torch.bfloat16, enabled=learner.bf16):
            found = [retrieval(learner.model, compared[0], store, rows) for store, rows in asked]
        pairs = [len(one.pairs) for one in found]
        mean = {name: [getattr(one, name) for one in found] for name in ("accuracy", "chance")}
        return {name: float(np.average(values, weights=pairs)) for name, values in mean.items()} | {
            "pairs": float(sum(pairs))
        }

    return ask

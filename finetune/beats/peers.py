"""What a network is measured beside: boosted trees on RR and shape features, and the commonest class."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Float32
from sklearn.ensemble import HistGradientBoostingClassifier

from finetune.beats.aami import SAID
from finetune.beats.intake import MARGIN, Strip

Labeller = Callable[[Strip], Float[np.ndarray, "beat klass"]]
"""Log probabilities of N, S, V and F of each beat."""

_BINS = 12
_LEAST = 1e-6


def features(strip: Strip) -> Float32[np.ndarray, "beat feature"]:
    """RR features of the beat and of its two neighbours, and its shape against the median beat.

    Of the shape, in each lead: in twelve parts of the window the mean of the signal and of its absolute difference from
    the median beat, and the correlation with the median beat; then the mean over leads.
    """
    rr = strip.rr
    neighbours = [np.roll(rr, 1, axis=0), np.roll(rr, -1, axis=0)]
    if len(rr):
        neighbours[0][0], neighbours[1][-1] = 0, 0
    centre = strip.windows[..., MARGIN:-MARGIN]
    beat, difference = centre[:, :, 0], centre[:, :, 1]
    parts = [_parts(beat), _parts(np.abs(difference)), _correlation(beat, beat - difference)[..., None]]
    shape = np.concatenate(parts, axis=-1).mean(axis=1)
    return np.concatenate([rr, *neighbours, shape], axis=1).astype(np.float32)


def boosted_trees(training: Sequence[Strip], *, seed: int = 0, trees: int = 120) -> Labeller:
    """Histogram gradient boosting of scikit-learn on `features`, all classes as frequent, trees of 31 leaves."""
    x = np.concatenate([features(strip) for strip in training])
    labels = np.concatenate([strip.labels for strip in training])
    kept = (labels >= 0) & (labels < len(SAID))
    model = HistGradientBoostingClassifier(
        max_iter=trees, learning_rate=0.06, class_weight="balanced", early_stopping=False, random_state=seed
    )
    model.fit(x[kept], labels[kept])

    def label(strip: Strip) -> Float[np.ndarray, "beat klass"]:
        # A class that nobody had in training is never said.
        p = np.full((len(strip), len(SAID)), _LEAST)
        if len(strip):
            p[:, model.classes_] = model.predict_proba(features(strip))
        return np.log(np.maximum(p, _LEAST))

    return label


def commonest(strip: Strip) -> Float[np.ndarray, "beat klass"]:
    """Every beat is normal."""
    return np.tile(np.log(np.where(np.arange(len(SAID)) == 0, 1.0, _LEAST)), (len(strip), 1))


def _parts(x: Float32[np.ndarray, "beat lead time"]) -> Float32[np.ndarray, "beat lead part"]:
    return x.reshape(*x.shape[:2], _BINS, -1).mean(-1)


def _correlation(
    a: Float32[np.ndarray, "beat lead time"], b: Float32[np.ndarray, "beat lead time"]
) -> Float32[np.ndarray, "beat lead"]:
    """Of two beats over time; 0 where one is flat."""
    a, b = a - a.mean(-1, keepdims=True), b - b.mean(-1, keepdims=True)
    both = np.sqrt((a**2).sum(-1) * (b**2).sum(-1))
    return np.divide((a * b).sum(-1), both, out=np.zeros_like(both), where=both > 0)

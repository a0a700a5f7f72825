"""What a network must beat: the stage that is most common, and band powers with a logistic regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Int8
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from finetune.sequence.network import Context
from finetune.sequence.nights import EDGES, UNKNOWN, Night

#: Hz, as sleep research has them.
BANDS = ((0.5, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 12.0), (12.0, 16.0), (16.0, 36.0))
# Epochs on either side whose powers count as well.
_NEIGHBOURS = 3


def band_powers(night: Night, context: Context) -> Float32[np.ndarray, "epoch feature"]:
    """Mean and standard deviation over an epoch of the log power of each band and channel; of neighbours the mean.

    Neighbours beyond the ends are the first or the last epoch. With the context `past` they are earlier ones only.
    """
    x = np.nan_to_num(night.spectra.astype(np.float32))
    which = [(EDGES[:-1] >= low) & (EDGES[:-1] < high) for low, high in BANDS]
    bands = np.stack([x[:, :, one].mean(axis=2) for one in which], axis=2)
    mean, std = (part.reshape(len(x), -1) for part in (bands.mean(-1), bands.std(-1)))
    shifts = {
        Context.NONE: (),
        Context.PAST: tuple(range(-2 * _NEIGHBOURS, 0)),
        Context.BOTH: (*range(-_NEIGHBOURS, 0), *range(1, _NEIGHBOURS + 1)),
    }[context]
    places = np.arange(len(x))
    return np.concatenate([mean, std, *(mean[np.clip(places + shift, 0, len(x) - 1)] for shift in shifts)], axis=1)


def fit_powers(nights: Sequence[Night], context: Context) -> Pipeline:
    """A logistic regression of all stages, weighted as the network's loss: by the inverse root of how often one is."""
    stage = np.concatenate([night.stage for night in nights])
    known = stage != UNKNOWN
    features = np.concatenate([band_powers(night, context) for night in nights])[known]
    counts = np.bincount(stage[known])
    weight = {int(one): float(1 / np.sqrt(counts[one])) for one in np.flatnonzero(counts)}
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000, class_weight=weight))
    return model.fit(features, stage[known])


def majority(training: Sequence[Night], night: Night) -> Int8[np.ndarray, " epoch"]:
    """The most common stage of other people, in every epoch."""
    counts = np.bincount(np.concatenate([one.stage[one.stage != UNKNOWN] for one in training]))
    return np.full(len(night.stage), counts.argmax(), np.int8)

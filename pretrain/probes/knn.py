"""The neighbours of a record: do they carry its concepts?"""

from __future__ import annotations

import numpy as np

from pretrain.errors import TrainingError
from pretrain.probes.base import PROBES, Probe, Watched
from pretrain.probes.scores import macro_auroc, scorable


@PROBES.register("knn")
def knn(watched: Watched) -> Probe:
    """A concept's score is its share among the nearest training records whose label is known.

    Nearest by the cosine of the encoder's features, before any projection; none of them is of the record's subject, for
    folds part subjects. The share is drawn towards that of all training records by one record's weight, which also
    decides where no neighbour is known.

    Raises:
        TrainingError: If no concept can be scored, or nothing is known of the training records.

    References:
        Wu et al., Unsupervised feature learning via non-parametric instance discrimination, arXiv 1805.01978.
    """
    train, validation = watched.rows("train"), watched.rows("validation")
    asked, told = watched.labels(validation), watched.labels(train)
    scorable(asked)
    if not told.known.any():
        raise TrainingError("nothing is known of the training records")
    carried = told.stated & told.known
    prior = carried.sum(0) / np.maximum(told.known.sum(0), 1)

    def ask() -> dict[str, float]:
        from sklearn.neighbors import NearestNeighbors  # noqa: PLC0415 -- slow to import

        near = NearestNeighbors(
            n_neighbors=min(watched.spec.neighbours, len(carried)), metric="cosine", algorithm="brute"
        ).fit(watched.embed(train, "pooled"))
        found = near.kneighbors(watched.embed(validation, "pooled"), return_distance=False)
        scores = (carried[found].sum(1) + prior) / (told.known[found].sum(1) + 1)
        return macro_auroc(scores, asked)

    return ask

"""Decisions of which some cannot be judged, because the label is not known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float


def complete(
    outputs: Bool[np.ndarray, "row concept"],
    labels: Bool[np.ndarray, "row concept"],
    concepts: Sequence[str],
    known: Bool[np.ndarray, "row concept"] | None,
    draws: Float[np.ndarray, "row draw"] | None,
) -> tuple[Bool[np.ndarray, "row concept"], Float[np.ndarray, "row draw"]]:
    """The known mask and record weights of decisions: all known, and each record once, where they are not given.

    Raises:
        ValueError: If shapes differ.
    """
    known = np.ones(labels.shape, bool) if known is None else known
    draws = np.ones((len(labels), 1)) if draws is None else draws
    if not (outputs.shape == labels.shape == known.shape == (len(draws), len(concepts))):
        raise ValueError(
            f"expected shapes (row, {len(concepts)}), got outputs {outputs.shape}, labels {labels.shape}, "
            f"known {known.shape}, draws {draws.shape}"
        )
    return known, draws

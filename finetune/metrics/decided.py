"""What a model names in each record, beside what is there, as far as that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Bool, Float


@dataclass(frozen=True)
class Decided:
    """Decisions of which some cannot be judged, because the label is not known.

    Attributes:
        concepts: The concept of each column.
        outputs: What the model names, after thresholds.
        labels: What is there.
        known: False where a label is not known: neither label nor output may count there.
        draws: How often each record counts, a column for each draw (see `bootstrap.subject_weights`).
    """

    concepts: tuple[str, ...]
    outputs: Bool[np.ndarray, "row concept"]
    labels: Bool[np.ndarray, "row concept"]
    known: Bool[np.ndarray, "row concept"]
    draws: Float[np.ndarray, "row draw"]

    @classmethod
    def of(
        cls,
        outputs: Bool[np.ndarray, "row concept"],
        labels: Bool[np.ndarray, "row concept"],
        concepts: Sequence[str],
        *,
        known: Bool[np.ndarray, "row concept"] | None = None,
        draws: Float[np.ndarray, "row draw"] | None = None,
    ) -> Self:
        """All known, and each record once, where it is not given.

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
        return cls(tuple(concepts), outputs, labels, known, draws)

    @property
    def truth(self) -> Bool[np.ndarray, "row concept"]:
        """What is known to be there."""
        return self.labels & self.known

    @property
    def named(self) -> Bool[np.ndarray, "row concept"]:
        """What is named where it can be judged."""
        return self.outputs & self.known

"""Means of losses, each over the batches in which it was found."""

from __future__ import annotations

from collections.abc import Mapping


class Tally:
    """Adds up losses by name; a batch that holds nothing for a loss has no part in its mean.

    The losses of a group are called `group/name`; `loss`, of all groups, is the mean of what was minimised.

    Args:
        sums: The state to go on from: by name, the weighted sum and the sum of weights.

    Attributes:
        sums: The state.
    """

    def __init__(self, sums: Mapping[str, tuple[float, float]] | None = None) -> None:
        self.sums = dict(sums or {})

    def add(self, losses: Mapping[str, float], group: str = "", weight: float = 1.0) -> None:
        """Count the losses of a batch.

        Args:
            losses: `loss` and its parts; with no part there was nothing to minimise, and nothing counts.
            group: Of the batch; empty where there are no groups.
            weight: Of the batch in the means.
        """
        parts = losses if len(losses) > 1 else {}
        named = {f"{group}/{name}": value for name, value in parts.items()} if group else dict(parts)
        if group and parts:
            named = {"loss": losses["loss"], **named}
        for name, value in named.items():
            total, weights = self.sums.get(name, (0.0, 0.0))
            self.sums[name] = total + weight * value, weights + weight

    def means(self) -> dict[str, float]:
        """The weighted mean of each loss that was found at all."""
        return {name: total / weights for name, (total, weights) in self.sums.items()}

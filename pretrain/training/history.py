"""What a run has seen of itself: the last losses, the last validation and the best one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pretrain.errors import TrainingError
from pretrain.specs.execution import Better, Watch


@dataclass(frozen=True)
class Best:
    """The best validation so far.

    Attributes:
        step: After which it was.
        value: Of the number that counts.
    """

    step: int
    value: float


@dataclass(frozen=True)
class History:
    """What a checkpoint remembers of the steps before it.

    Attributes:
        losses: The last known, by name.
        validation: The last one, by name; empty before the first.
        best: The best validation; None before the first whose number is finite.
        tally: Of the losses since the last line of the log; see `pretrain.training.tally`.
    """

    losses: Mapping[str, float] = field(default_factory=dict)
    validation: Mapping[str, float] = field(default_factory=dict)
    best: Best | None = None
    tally: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON, which has no word for what is not finite."""
        validation = {name: value if math.isfinite(value) else None for name, value in self.validation.items()}
        best = None if self.best is None else {"step": self.best.step, "value": self.best.value}
        return {"losses": dict(self.losses), "validation": validation, "best": best, "tally": dict(self.tally)}

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> Self:
        """The way back.

        Raises:
            KeyError: If something is missing.
            TypeError: If something is of another type.
        """
        validation = {name: math.nan if value is None else value for name, value in content["validation"].items()}
        best = None if content["best"] is None else Best(**content["best"])
        tally = {name: (float(total), float(weights)) for name, (total, weights) in content["tally"].items()}
        return cls(dict(content["losses"]), validation, best, tally)


def best_of(best: Best | None, step: int, validation: Mapping[str, float], watch: Watch) -> Best | None:
    """The best after one more validation. Of equal numbers the first is the best; one that is not finite never is.

    Raises:
        TrainingError: If the validation has no such number as the recipe wants to go by.
    """
    if watch.metric not in validation:
        raise TrainingError(
            f"training.watch.metric: expected one of {', '.join(sorted(validation))}, got {watch.metric!r}"
        )
    value, sign = validation[watch.metric], 1.0 if watch.better is Better.LOWER else -1.0
    if math.isfinite(value) and (best is None or sign * value < sign * best.value):
        return Best(step, value)
    return best

"""Where a training step goes: the time of its parts, measured only where somebody wants to know."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum

import torch


class Part(StrEnum):
    """The parts of a step, in their order, and what is done beside the steps."""

    DATA = "data"
    FORWARD = "forward"
    LOSS = "loss"
    BACKWARD = "backward"
    OPTIMISER = "optimiser"
    OTHER = "other"
    VALIDATION = "validation"
    PROBES = "probes"
    CHECKPOINT = "checkpoint"


#: What belongs to a step.
OF_A_STEP = (Part.DATA, Part.FORWARD, Part.LOSS, Part.BACKWARD, Part.OPTIMISER, Part.OTHER)
#: What is done once in a while; all that happens within counts as this.
BESIDE = (Part.VALIDATION, Part.PROBES, Part.CHECKPOINT)


@dataclass(frozen=True)
class Profile:
    """What a clock has found.

    Attributes:
        steps: That were measured, after those that warm up.
        seconds: Of a step in the mean, by part; what is in no part is `other`.
        beside: How often something was done beside the steps, and how long it took in all.
    """

    steps: int
    seconds: dict[Part, float]
    beside: dict[Part, tuple[int, float]]

    @property
    def step(self) -> float:
        """Seconds of a step."""
        return sum(self.seconds.values())

    @property
    def slowest(self) -> Part:
        """The part that takes longest."""
        return max(self.seconds, key=self.seconds.__getitem__)


class Clock:
    """A clock that measures nothing, and takes no time to do so."""

    def part(self, part: Part) -> AbstractContextManager[None]:  # noqa: ARG002 -- a clock that runs wants to know
        """A stretch that belongs to a part."""
        return nullcontext()

    def end_step(self) -> None:
        """A step is done."""

    def profile(self) -> Profile | None:
        """What was found; None where nothing was."""
        return None


class StepClock(Clock):
    """A clock that runs.

    Parts within parts count as the inner one alone, so nothing counts twice; within what is done beside the steps
    nothing is told apart. Where a GPU computes, it is waited for at the end of every part: a step takes longer than it
    would by itself, and each part is what it is.

    Args:
        device: Where the towers run.
        warm_up: Steps that do not count: first calls load, plan and allocate.
    """

    def __init__(self, device: torch.device, warm_up: int = 3) -> None:
        self._wait = torch.cuda.synchronize if device.type == "cuda" else None
        self._skip, self._steps = warm_up, 0
        self._stack: list[Part] = [Part.OTHER]
        self._since = self._now()
        self._here: defaultdict[Part, float] = defaultdict(float)
        self._all: defaultdict[Part, float] = defaultdict(float)
        self._beside: defaultdict[Part, list[float]] = defaultdict(list)

    def part(self, part: Part) -> AbstractContextManager[None]:
        """See `Clock.part`."""
        return nullcontext() if self._stack[-1] in BESIDE else self._running(part)

    def end_step(self) -> None:
        """See `Clock.end_step`."""
        self._charge()
        for part in BESIDE:
            if part in self._here:
                self._beside[part].append(self._here.pop(part))
        if self._skip:
            self._skip -= 1
        else:
            for part, seconds in self._here.items():
                self._all[part] += seconds
            self._steps += 1
        self._here.clear()

    def profile(self) -> Profile | None:
        """See `Clock.profile`."""
        if not self._steps:
            return None
        seconds = {part: self._all[part] / self._steps for part in OF_A_STEP}
        return Profile(self._steps, seconds, {part: (len(all_), sum(all_)) for part, all_ in self._beside.items()})

    @contextmanager
    def _running(self, part: Part) -> Iterator[None]:
        self._charge()
        self._stack.append(part)
        try:
            yield
        finally:
            self._charge()
            self._stack.pop()

    def _charge(self) -> None:
        """What has passed since the last call belongs to the innermost part."""
        now = self._now()
        self._here[self._stack[-1]] += now - self._since
        self._since = now

    def _now(self) -> float:
        if self._wait is not None:
            self._wait()
        return time.perf_counter()

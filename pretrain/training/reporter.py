"""What a run says of itself: lines in its log and, if asked, the same numbers for TensorBoard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from pretrain.errors import TrainingError
from pretrain.specs.execution import Training
from pretrain.training.run import Run

#: Where TensorBoard finds a run: `tensorboard --logdir RUN/tensorboard`.
FOLDER = "tensorboard"


class Reporter:
    """Writes the log of a run, and its events.

    Args:
        run: Whose.
        first: The step it goes on from: what was shown of later ones is taken back.
        training: Whether there are events.
        writes: Whether this process is the one that writes.

    Raises:
        TrainingError: If events are wanted and the package is missing.
    """

    def __init__(self, run: Run, first: int, training: Training, *, writes: bool) -> None:
        self._run, self._writes, self._board = run, writes, None
        if not training.tensorboard:
            return
        # Not only where it writes: all processes end with the same words.
        try:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 -- an extra, and slow to import
        except ImportError as error:
            raise TrainingError(
                "training.tensorboard: the package tensorboard is not installed; it comes with the extra: "
                "pip install 'biosig[tensorboard]'"
            ) from error
        if writes:
            self._board = SummaryWriter(str(run.folder / FOLDER), purge_step=first + 1 if first else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._board is not None:
            self._board.close()

    def write(self, entry: Mapping[str, Any]) -> None:
        """A line in the log: `step`, and names with numbers or with names of numbers."""
        if not self._writes:
            return
        self._run.write_log(entry)
        if self._board is not None:
            for name, value in scalars(entry):
                self._board.add_scalar(name, value, entry["step"])
            self._board.flush()


def scalars(entry: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of an entry by their full names, without the step; what is not finite has none."""
    for name, value in entry.items():
        if isinstance(value, Mapping):
            yield from scalars(value, f"{before}{name}/")
        elif isinstance(value, int | float) and name != "step":
            yield f"{before}{name}", value

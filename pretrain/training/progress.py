"""What a person sees of a run: a bar with losses, speed and the time left; single lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Display:
    """A progress bar over the steps of a run.

    Args:
        console: Where to draw.
        total: Steps of the whole run.
        done: Steps done before.
    """

    def __init__(self, console: Console, total: int, done: int = 0) -> None:
        self.console = console
        self.progress = Progress(
            TextColumn("[bold]pretrain"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}"),
            TextColumn("validation {task.fields[validation]}"),
            TextColumn("{task.fields[probes]}"),
            TextColumn("{task.fields[speed]} records/s"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task = self.progress.add_task(
            "", total=total, completed=done, loss="-", validation="-", probes="", speed="-"
        )

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def advance(
        self, step: int, loss: float | None, validation: float | None, speed: float, probes: Mapping[str, float]
    ) -> None:
        """Show where the run is."""
        self.progress.update(
            self.task,
            completed=step,
            loss=_number(loss),
            validation=_number(validation),
            probes=_probed(probes),
            speed=f"{speed:,.0f}",
        )

    def note(self, step: int, loss: float | None, validation: float | None, probes: Mapping[str, float]) -> None:
        """A line that stays, after each validation."""
        found = f", {_probed(probes)}" if probes else ""
        self.console.print(
            f"step {step}: loss {_number(loss)}, validation {_number(validation)}{found}", highlight=False
        )


def _probed(probes: Mapping[str, float]) -> str:
    """The first number of each probe, which is the one that counts."""
    first: dict[str, str] = {}
    for name, value in probes.items():
        first.setdefault(name.partition("/")[0], f"{value:.3f}")
    return ", ".join(f"{name} {value}" for name, value in first.items())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

"""Simulated recordings as WFDB records, and the processes that write them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from biosig.errors import BiosigError
from biosig.recording import Recording
from biosig.whole import whole_folder

Plan = TypeVar("Plan")


@contextmanager
def new_corpus(folder: Path) -> Iterator[Path]:
    """A folder to write a corpus to; it gets its name when the block ends, so that half a corpus is never there.

    Raises:
        BiosigError: If the folder of that name holds something, is none, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BiosigError(f"{folder}: expected a new or empty folder to write a corpus to")
    with whole_folder(folder) as place:
        yield place


def write_record(
    recording: Recording, folder: Path, *, steps_per_microvolt: float, comments: Mapping[str, object]
) -> None:
    """Write header and samples, in 16 bits.

    Args:
        recording: Named by its `record_id`.
        folder: Where; it exists.
        steps_per_microvolt: The gain; what goes beyond 32,767 steps is clipped.
        comments: Lines `#name: value` of the header.
    """
    name = recording.record_id
    steps = np.rint(recording.signal * steps_per_microvolt).clip(-32767, 32767).astype("<i2")
    steps.T.tofile(folder / f"{name}.dat")
    header = [f"{name} {len(steps)} {recording.sampling_rate:.12g} {steps.shape[1]}"]
    for channel, samples in zip(recording.channels, steps, strict=True):
        # The checksum is the sum of the samples in 16 bits.
        checksum = int(samples.sum(dtype=np.int64).astype(np.int16))
        gain = f"{1000 * steps_per_microvolt:g}(0)/mV"
        header.append(f"{name}.dat 16 {gain} 16 0 {samples[0]} {checksum} 0 {channel}")
    header += [f"#{field}: {value}" for field, value in comments.items()]
    (folder / f"{name}.hea").write_text("\n".join(header) + "\n", encoding="utf-8")


def run(task: Callable[[Plan], None], plans: Sequence[Plan], *, workers: int | None, progress: bool) -> None:
    """Carry out the rest of a plan, its first item being done.

    Args:
        task: Can be pickled.
        plans: What is left.
        workers: Processes; as many as there are processors by default.
        progress: Whether to show a bar.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    workers = workers or os.cpu_count() or 1
    pool = (
        ProcessPoolExecutor(min(workers, len(plans)), mp_context=get_context("spawn"))
        if workers > 1 and len(plans) > 64
        else nullcontext(None)
    )
    with Progress(*columns, disable=not progress) as bar, pool as executor:
        shown = bar.add_task("simulate", total=len(plans) + 1, completed=1)
        done = map(task, plans) if executor is None else executor.map(task, plans, chunksize=16)
        for _ in done:
            bar.advance(shown)

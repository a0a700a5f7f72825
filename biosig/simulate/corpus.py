"""A folder of simulated recordings in PhysioNet's format: something to run everything on before any download."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import wfdb
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from biosig.errors import BiosigError
from biosig.recording import Recording
from biosig.simulate.combinations import draw, next_visit
from biosig.simulate.electrocardiogram import ecg
from biosig.simulate.heart import Subject
from biosig.simulate.noise import Noise
from biosig.simulate.rhythm import BEAT_SYMBOLS

_ADC_PER_MV = 1000.0  # a microvolt a step: 16 bits reach 32 mV
_FOLDER_SIZE = 1000  # as in the databases of PhysioNet, no folder grows without bound
_VISITS = (0.72, 0.20, 0.08)  # share of subjects with one, two and three recordings


@dataclass(frozen=True, slots=True)
class _Plan:
    """One recording to be: who, and which time."""

    number: int
    subject: int
    visit: int


def write_corpus(
    folder: str | Path,
    records: int,
    seed: int = 0,
    *,
    sampling_rate: float = 500.0,
    duration: float = 10.0,
    workers: int | None = None,
    progress: bool = True,
) -> Path:
    """Simulate a corpus: WFDB records with age, sex, diagnoses, subject and report in the header, beats in `.atr`.

    About three in ten subjects have more than one recording, of the same heart; how noisy a recording is varies. The
    bytes depend on the arguments alone, not on the number of workers. `RECORDS` is written last.

    Args:
        folder: New or empty.
        records: How many.
        seed: Equal seeds give equal folders; a longer corpus begins with the shorter one.
        sampling_rate: Hz.
        duration: Seconds a recording.
        workers: Processes; as many as there are processors by default.
        progress: Whether to show a progress bar.

    Returns:
        The folder.

    Raises:
        BiosigError: If the folder holds something already, or a number makes no sense.
    """
    folder = Path(folder)
    if records < 1 or seed < 0:
        raise BiosigError(f"expected at least one record and a seed of 0 or more, got {records} and {seed}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BiosigError(f"{folder}: expected a new or empty folder to write a corpus to")
    plans = _plans(records, seed)
    for number in range(0, records, _FOLDER_SIZE):
        (folder / _subfolder(number)).mkdir(parents=True)
    # Wrong arguments are told once, here, not from every process.
    _write(plans[0], folder=folder, seed=seed, sampling_rate=sampling_rate, duration=duration)
    task = partial(_write, folder=folder, seed=seed, sampling_rate=sampling_rate, duration=duration)
    _run(task, plans[1:], workers or os.cpu_count() or 1, progress=progress)
    names = "".join(f"{_subfolder(plan.number)}/{_name(plan.number)}\n" for plan in plans)
    (folder / "RECORDS").write_text(names, encoding="utf-8")
    return folder


def corpus_record(
    seed: int, number: int, subject: int, visit: int, *, sampling_rate: float, duration: float
) -> Recording:
    """One recording of a corpus, as it is before it is written."""
    concepts = draw(np.random.default_rng([seed, 10, subject]))
    for later in range(1, visit + 1):
        concepts = next_visit(concepts, np.random.default_rng([seed, 11, subject, later]))
    rng = np.random.default_rng([seed, 12, number])
    return ecg(
        concepts,
        seed=int(rng.integers(2**63)),
        duration=duration,
        sampling_rate=sampling_rate,
        noise=Noise.draw(rng),
        subject=Subject.draw(_subject_seed(seed, subject), f"P{subject:06d}"),
        record_id=_name(number),
    )


def _plans(records: int, seed: int) -> list[_Plan]:
    rng, subject = np.random.default_rng([seed, 13]), 0
    plans: list[_Plan] = []
    while len(plans) < records:
        for visit in range(1 + int(rng.choice(len(_VISITS), p=_VISITS))):
            plans.append(_Plan(len(plans), subject, visit))
        subject += 1
    return plans[:records]


def _subject_seed(seed: int, subject: int) -> int:
    return int(np.random.default_rng([seed, 14, subject]).integers(2**63))


def _write(plan: _Plan, *, folder: Path, seed: int, sampling_rate: float, duration: float) -> None:
    recording = corpus_record(
        seed, plan.number, plan.subject, plan.visit, sampling_rate=sampling_rate, duration=duration
    )
    where, name = folder / _subfolder(plan.number), recording.record_id
    steps = np.rint(recording.signal * (_ADC_PER_MV / 1000)).clip(-32767, 32767).astype("<i2")
    steps.T.tofile(where / f"{name}.dat")
    header = [f"{name} {len(steps)} {sampling_rate:.12g} {steps.shape[1]}"]
    for lead, samples in zip(recording.channels, steps, strict=True):
        # The checksum is the sum of the samples in 16 bits.
        checksum = int(samples.sum(dtype=np.int64).astype(np.int16))
        header.append(f"{name}.dat 16 {_ADC_PER_MV:g}(0)/mV 16 0 {samples[0]} {checksum} 0 {lead}")
    header += [
        f"#Age: {recording.meta['age']}",
        f"#Sex: {str(recording.meta['sex']).capitalize()}",
        f"#Dx: {','.join(sorted(recording.concepts))}",
        f"#Subject: {recording.subject_id}",
        f"#Session: {plan.visit + 1}",
        f"#Report: {recording.report}",
    ]
    (where / f"{name}.hea").write_text("\n".join(header) + "\n", encoding="utf-8")
    beats = [event for event in recording.events if event.code in BEAT_SYMBOLS]
    if beats:
        positions = np.array([round(beat.onset * sampling_rate) for beat in beats])
        wfdb.wrann(name, "atr", positions, symbol=[beat.code for beat in beats], write_dir=str(where))


def _run(task: partial[None], plans: list[_Plan], workers: int, *, progress: bool) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
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


def _name(number: int) -> str:
    return f"sim{number:06d}"


def _subfolder(number: int) -> str:
    return f"{number // _FOLDER_SIZE:03d}"

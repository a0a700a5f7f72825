"""A folder of simulated recordings in PhysioNet's format: something to run everything on before any download."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import wfdb

from biosig.errors import BiosigError
from biosig.recording import Recording
from biosig.simulate.combinations import draw, next_visit
from biosig.simulate.electrocardiogram import ecg
from biosig.simulate.files import new_corpus, run, write_record
from biosig.simulate.follow_up import FollowUp, write_follow_up
from biosig.simulate.follow_up import follow_up as follow_up_of
from biosig.simulate.heart import Subject
from biosig.simulate.noise import Noise
from biosig.simulate.rhythm import BEAT_SYMBOLS

#: The file with what becomes of the subjects.
FOLLOW_UP = "follow_up.csv"
_STEPS_PER_MICROVOLT = 1.0  # 16 bits reach 32 mV
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
    follow_up: bool = False,
    workers: int | None = None,
    progress: bool = True,
) -> Path:
    """Simulate a corpus: WFDB records with age, sex, diagnoses, subject and report in the header, beats in `.atr`.

    About three in ten subjects have more than one recording, of the same heart; how noisy a recording is varies. The
    bytes depend on the arguments alone, not on the number of workers. The folder is there when it is whole.

    Args:
        folder: New or empty.
        records: How many.
        seed: Equal seeds give equal folders; a longer corpus begins with the shorter one.
        sampling_rate: Hz.
        duration: Seconds a recording.
        follow_up: Whether to write `follow_up.csv` too: years until death or the end of watching, of each subject.
        workers: Processes; as many as there are processors by default.
        progress: Whether to show a progress bar.

    Returns:
        The folder.

    Raises:
        BiosigError: If the folder holds something already, cannot be written, or a number makes no sense.
    """
    folder = Path(folder)
    if records < 1 or seed < 0:
        raise BiosigError(f"expected at least one record and a seed of 0 or more, got {records} and {seed}")
    plans = _plans(records, seed)
    with new_corpus(folder) as place:
        for number in range(0, records, _FOLDER_SIZE):
            (place / _subfolder(number)).mkdir()
        task = partial(_write, folder=place, seed=seed, sampling_rate=sampling_rate, duration=duration)
        # Wrong arguments are told once, here, not from every process.
        task(plans[0])
        run(task, plans[1:], workers=workers, progress=progress)
        if follow_up:
            write_follow_up(place / FOLLOW_UP, {_subject_name(one): _becomes(seed, one) for one in _subjects(plans)})
        names = "".join(f"{_subfolder(plan.number)}/{_name(plan.number)}\n" for plan in plans)
        (place / "RECORDS").write_text(names, encoding="utf-8")
    return folder


def corpus_record(
    seed: int, number: int, subject: int, visit: int, *, sampling_rate: float, duration: float
) -> Recording:
    """One recording of a corpus, as it is before it is written."""
    concepts = _first_findings(seed, subject)
    for later in range(1, visit + 1):
        concepts = next_visit(concepts, np.random.default_rng([seed, 11, subject, later]))
    rng = np.random.default_rng([seed, 12, number])
    return ecg(
        concepts,
        seed=int(rng.integers(2**63)),
        duration=duration,
        sampling_rate=sampling_rate,
        noise=Noise.draw(rng),
        subject=_who(seed, subject),
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


def _subjects(plans: list[_Plan]) -> list[int]:
    return sorted({plan.subject for plan in plans})


def _becomes(seed: int, subject: int) -> FollowUp:
    """What becomes of a subject, counted from the first recording and by its findings."""
    who = _who(seed, subject)
    rng = np.random.default_rng([seed, 15, subject])
    return follow_up_of(_first_findings(seed, subject), who.age, who.sex, rng)


def _first_findings(seed: int, subject: int) -> frozenset[str]:
    return draw(np.random.default_rng([seed, 10, subject]))


def _who(seed: int, subject: int) -> Subject:
    return Subject.draw(_subject_seed(seed, subject), _subject_name(subject))


def _subject_name(subject: int) -> str:
    return f"P{subject:06d}"


def _subject_seed(seed: int, subject: int) -> int:
    return int(np.random.default_rng([seed, 14, subject]).integers(2**63))


def _write(plan: _Plan, *, folder: Path, seed: int, sampling_rate: float, duration: float) -> None:
    recording = corpus_record(
        seed, plan.number, plan.subject, plan.visit, sampling_rate=sampling_rate, duration=duration
    )
    where, name = folder / _subfolder(plan.number), recording.record_id
    comments = {
        "Age": recording.meta["age"],
        "Sex": str(recording.meta["sex"]).capitalize(),
        "Dx": ",".join(sorted(recording.concepts)),
        "Subject": recording.subject_id,
        "Session": plan.visit + 1,
        "Report": recording.report,
    }
    write_record(recording, where, steps_per_microvolt=_STEPS_PER_MICROVOLT, comments=comments)
    beats = [event for event in recording.events if event.code in BEAT_SYMBOLS]
    if beats:
        positions = np.array([round(beat.onset * sampling_rate) for beat in beats])
        wfdb.wrann(name, "atr", positions, symbol=[beat.code for beat in beats], write_dir=str(where))


def _name(number: int) -> str:
    return f"sim{number:06d}"


def _subfolder(number: int) -> str:
    return f"{number // _FOLDER_SIZE:03d}"

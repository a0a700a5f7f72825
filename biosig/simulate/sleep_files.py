"""Simulated nights as EDF+ files in the layout of Sleep-EDF Expanded."""

from __future__ import annotations

from datetime import date, time
from functools import partial
from pathlib import Path

import numpy as np

from biosig.errors import BiosigError
from biosig.recording import Modality
from biosig.simulate.files import new_corpus, run
from biosig.simulate.sleep import night

_KINDS = {Modality.EEG: "EEG ", Modality.EOG: ""}
_DAY, _START = date(1989, 4, 24), time(22, 0)
_README = """These nights are simulated, by `biosig simulate --kind sleep`. Names and layout are those of Sleep-EDF
Expanded (https://physionet.org/content/sleep-edfx/1.0.0/), so that the same reader takes both; nothing here is of
a person.
"""


def write_nights(
    folder: str | Path,
    subjects: int,
    *,
    hours: float = 3.0,
    seed: int = 0,
    workers: int | None = None,
    progress: bool = True,
) -> Path:
    """Simulate one night of each subject: `SC4ss1E0-PSG.edf`, and its stages in `SC4ss1EC-Hypnogram.edf`.

    `biosig prepare sleep-edf FOLDER STORE` makes a store of them. A README.txt says what they are.

    Args:
        folder: New or empty.
        subjects: 1 to 100; the layout has no more names.
        hours: Of each night.
        seed: Equal seeds give equal folders.
        workers: Processes; as many as there are processors by default.
        progress: Whether to show a bar.

    Returns:
        The folder.

    Raises:
        BiosigError: If the folder holds something already, or a number makes no sense.
    """
    folder = Path(folder)
    if not 1 <= subjects <= 100 or not 0.01 <= hours <= 24:
        raise BiosigError(f"expected 1 to 100 subjects and 0.01 to 24 hours, got {subjects} and {hours:g}")
    with new_corpus(folder) as place:
        (place / "README.txt").write_text(_README, encoding="utf-8")
        task = partial(_write, folder=place, hours=hours, seed=seed)
        task(0)
        run(task, list(range(1, subjects)), workers=workers, progress=progress)
    return folder


def _write(subject: int, *, folder: Path, hours: float, seed: int) -> None:
    from edfio import Edf, EdfAnnotation, EdfSignal, Patient, Recording  # noqa: PLC0415 -- only who simulates needs it

    made = night(subject, hours=hours, seed=seed)
    signals = [
        EdfSignal(
            np.clip(one, -500, 500).astype(np.float64),
            made.sampling_rate,
            label=f"{_KINDS[kind]}{name}",
            physical_dimension="uV",
            physical_range=(-500, 500),
        )
        for one, name, kind in zip(made.signal, made.channels, made.modality, strict=True)
    ]
    sex = str(made.meta["sex"])
    person = Patient(sex=sex[0].upper(), name=f"{sex.capitalize()}_{made.meta['age']:.0f}yr")
    about = Recording(startdate=_DAY, equipment_code="simulated")
    name = f"SC4{subject:02d}1E"
    Edf(signals, patient=person, recording=about, starttime=_START, data_record_duration=30).write(
        folder / f"{name}0-PSG.edf"
    )
    marks = [EdfAnnotation(event.onset, event.duration, event.code) for event in made.events]
    Edf([], patient=person, recording=about, starttime=_START, annotations=marks).write(
        folder / f"{name}C-Hypnogram.edf"
    )

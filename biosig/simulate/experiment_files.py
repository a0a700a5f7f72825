"""A folder of simulated EEG in PhysioNet's format, one record a trial."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from biosig.simulate.electroencephalogram import eeg
from biosig.simulate.experiment import Experiment
from biosig.simulate.files import new_corpus, run, write_record

# A tenth of a microvolt a step: 16 bits reach 3 mV.
_STEPS_PER_MICROVOLT = 10.0


def write_experiment(
    folder: str | Path, experiment: Experiment, *, workers: int | None = None, progress: bool = True
) -> Path:
    """Simulate an experiment: a folder a subject, a WFDB record a trial, what is known of it in the header.

    The comments are `Subject`, `Stimulus`, `Trial` (from 1), `Class` and `Latency`: seconds at every whole second of
    the trial, straight between, or one number where it is fixed. The bytes depend on the experiment alone, not on the
    number of workers. The folder is there when it is whole.

    Args:
        folder: New or empty.
        experiment: Who and what.
        workers: Processes; as many as there are processors by default.
        progress: Whether to show a progress bar.

    Returns:
        The folder.

    Raises:
        BiosigError: If the folder holds something already, or cannot be written.
    """
    folder = Path(folder)
    plans = [(subject, trial) for subject in range(experiment.subjects) for trial in range(experiment.stimuli)]
    with new_corpus(folder) as place:
        task = partial(_write, folder=place, experiment=experiment)
        task(plans[0])
        run(task, plans[1:], workers=workers, progress=progress)
        names = [f"S{subject:04d}/s{subject:04d}t{trial + 1:03d}" for subject, trial in plans]
        (place / "RECORDS").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return folder


def _write(plan: tuple[int, int], *, folder: Path, experiment: Experiment) -> None:
    recording = eeg(experiment, *plan)
    (event,) = recording.events
    comments = {
        "Subject": recording.subject_id,
        "Stimulus": event.stimulus,
        "Trial": event.trial,
        "Class": event.code,
        "Latency": " ".join(f"{seconds:.4f}" for seconds in recording.meta["latency"]),
    }
    where = folder / recording.subject_id
    where.mkdir(parents=True, exist_ok=True)
    write_record(recording, where, steps_per_microvolt=_STEPS_PER_MICROVOLT, comments=comments)

"""`biosig simulate`: a corpus to run everything on before any download."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from biosig.errors import BiosigError

_ECG, _EEG, _SLEEP = (f"Options of --kind {kind}" for kind in ("ecg", "eeg", "sleep"))


class Kind(StrEnum):
    """What is simulated."""

    ECG = "ecg"
    EEG = "eeg"
    SLEEP = "sleep"


class LatencyKind(StrEnum):
    """As `biosig.simulate.Latency`, which is not imported before the command runs."""

    FIXED = "fixed"
    DRIFTING = "drifting"


def simulate(
    folder: Annotated[Path, typer.Argument(help="New or empty folder for the records.", show_default=False)],
    *,
    kind: Annotated[
        Kind,
        typer.Option(help="ECG (diagnoses known), EEG (latencies known), or sleep (stages known)."),
    ] = Kind.ECG,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal files.")] = 0,
    rate: Annotated[
        float | None, typer.Option(min=50.0, max=10_000.0, help="Samples a second; 500 for ECG, 128 for EEG.")
    ] = None,
    duration: Annotated[
        float | None, typer.Option(min=1.0, max=3600.0, help="Seconds a recording; 10 for ECG, 60 for EEG.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; all processors by default.")] = None,
    records: Annotated[
        int | None, typer.Option(min=1, help="How many recordings; 1000 by default.", rich_help_panel=_ECG)
    ] = None,
    follow_up: Annotated[
        bool,
        typer.Option(
            "--follow-up",
            help="Also write follow_up.csv: years until death or the end of watching, by a known hazard.",
            rich_help_panel=_ECG,
        ),
    ] = False,
    subjects: Annotated[
        int | None, typer.Option(min=1, help="How many, of EEG or sleep; 16 by default.", rich_help_panel=_EEG)
    ] = None,
    stimuli: Annotated[
        int | None, typer.Option(min=1, help="How many everybody meets; 8 by default.", rich_help_panel=_EEG)
    ] = None,
    electrodes: Annotated[
        str | None,
        typer.Option(help="A cap of 14, 19, 32 or 62, or names: Fp1,Cz,O2; 32 by default.", rich_help_panel=_EEG),
    ] = None,
    latency: Annotated[
        LatencyKind | None,
        typer.Option(help="Of a subject: fixed, or drifting within a trial; fixed by default.", rich_help_panel=_EEG),
    ] = None,
    spread: Annotated[
        float | None,
        typer.Option(min=0.0, help="Latencies lie between 0 and so many seconds; 0.5.", rich_help_panel=_EEG),
    ] = None,
    snr: Annotated[
        float | None, typer.Option(help="Of what the stimulus evokes, dB; -6 by default.", rich_help_panel=_EEG)
    ] = None,
    hours: Annotated[
        float | None, typer.Option(min=0.01, max=24.0, help="Of each night; 3 by default.", rich_help_panel=_SLEEP)
    ] = None,
    classes: Annotated[int | None, typer.Option(min=1, help="Of stimuli; 2 by default.", rich_help_panel=_EEG)] = None,
    strength: Annotated[
        float | None,
        typer.Option(min=0.0, help="Of the rhythm that tells the class, 0 for none; 0.5.", rich_help_panel=_EEG),
    ] = None,
) -> None:
    """Simulate ECGs with known diagnoses, EEG of subjects who meet the same stimuli, or nights with known stages.

    WFDB records as PhysioNet would publish them. ECG: age, sex, SNOMED-CT diagnoses, subject and report in the header,
    every beat in an annotation file; `biosig prepare simulated FOLDER STORE` makes a store of them. EEG: one record a
    trial, subject, stimulus, trial, class and latency in the header; `biosig prepare simulated-eeg FOLDER STORE`.
    Sleep: EDF+ in the layout of Sleep-EDF, a night and its hypnogram; `biosig stages FOLDER` takes it.

    Example: `biosig simulate quickstart/ecg --records 2000 --rate 100`

    Example: `biosig simulate quickstart/eeg --kind eeg --subjects 16 --stimuli 8 --latency drifting --spread 1`
    """
    from rich.console import Console

    only_ecg: dict[str, Any] = {"records": records, "follow-up": follow_up or None}
    only_sleep: dict[str, Any] = {"hours": hours}
    only_eeg: dict[str, Any] = {"stimuli": stimuli, "electrodes": electrodes, "latency": latency}
    only_eeg |= {"spread": spread, "snr": snr, "classes": classes, "strength": strength}
    foreign = {
        Kind.ECG: {"subjects": subjects, **only_eeg, **only_sleep},
        Kind.EEG: {**only_ecg, **only_sleep},
        Kind.SLEEP: {**only_ecg, **only_eeg, "rate": rate, "duration": duration},
    }
    for name, value in foreign[kind].items():
        if value is not None:
            raise BiosigError(f"--{name}: an option of another --kind than {kind}")
    common = _given(sampling_rate=rate, duration=duration)
    if kind is Kind.ECG:
        made = _ecg(folder, records or 1000, seed, workers, {**common, "follow_up": follow_up})
    elif kind is Kind.EEG:
        made = _eeg(folder, workers, {"seed": seed, **common, **_given(subjects=subjects, **only_eeg)})
    else:
        made = _sleep(folder, subjects or 16, hours or 3.0, seed, workers)
    Console().print(f"{folder}: {made}", markup=False, highlight=False, soft_wrap=True)


def _ecg(folder: Path, records: int, seed: int, workers: int | None, given: dict[str, Any]) -> str:
    from biosig.simulate import SIMULATED_CONCEPTS
    from biosig.simulate.corpus import write_corpus

    chosen = {"sampling_rate": 500.0, "duration": 10.0, **given}
    write_corpus(folder, records, seed, workers=workers, **chosen)
    return (
        f"{records} simulated ECGs with {len(SIMULATED_CONCEPTS)} diagnoses, {chosen['sampling_rate']:g} Hz, "
        f"{chosen['duration']:g} s"
    )


def _eeg(folder: Path, workers: int | None, given: dict[str, Any]) -> str:
    from biosig.simulate import Experiment, Latency, write_experiment

    if "electrodes" in given:
        given["electrodes"] = _cap(given["electrodes"])
    if "latency" in given:
        given["latency"] = Latency(given["latency"])
    experiment = Experiment(**given)
    write_experiment(folder, experiment, workers=workers)
    return (
        f"{experiment.subjects * experiment.stimuli} simulated EEGs, {experiment.subjects} subjects x "
        f"{experiment.stimuli} stimuli, {len(experiment.electrodes)} electrodes, {experiment.sampling_rate:g} Hz, "
        f"{experiment.duration:g} s, {experiment.latency} latencies up to {experiment.spread:g} s"
    )


def _sleep(folder: Path, subjects: int, hours: float, seed: int, workers: int | None) -> str:
    from biosig.simulate.sleep_files import write_nights

    write_nights(folder, subjects, hours=hours, seed=seed, workers=workers)
    return f"{subjects} simulated nights of {hours:g} h, 2 EEG and 1 EOG derivations, 100 Hz, stages known"


def _cap(text: str) -> tuple[str, ...]:
    from biosig.simulate import CAPS

    if not text.strip().isdecimal():
        return tuple(name.strip() for name in text.split(","))
    if (count := int(text)) not in CAPS:
        raise BiosigError(f"--electrodes: expected one of {', '.join(map(str, CAPS))} or names, got {count}")
    return CAPS[count]


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}

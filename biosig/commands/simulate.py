"""`biosig simulate`: a corpus to run everything on before any download."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from biosig.errors import BiosigError

_ECG, _EEG = "Options of --kind ecg", "Options of --kind eeg"


class Kind(StrEnum):
    """What is simulated."""

    ECG = "ecg"
    EEG = "eeg"


class LatencyKind(StrEnum):
    """As `biosig.simulate.Latency`, which is not imported before the command runs."""

    FIXED = "fixed"
    DRIFTING = "drifting"


def simulate(
    folder: Annotated[Path, typer.Argument(help="New or empty folder for the records.", show_default=False)],
    *,
    kind: Annotated[Kind, typer.Option(help="ECG with known diagnoses, or EEG with known latencies.")] = Kind.ECG,
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
    subjects: Annotated[int | None, typer.Option(min=1, help="How many; 16 by default.", rich_help_panel=_EEG)] = None,
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
    classes: Annotated[int | None, typer.Option(min=1, help="Of stimuli; 2 by default.", rich_help_panel=_EEG)] = None,
    strength: Annotated[
        float | None,
        typer.Option(min=0.0, help="Of the rhythm that tells the class, 0 for none; 0.5.", rich_help_panel=_EEG),
    ] = None,
) -> None:
    """Simulate 12-lead ECGs with known diagnoses, or EEG of subjects who meet the same stimuli, each with a latency.

    WFDB records as PhysioNet would publish them. ECG: age, sex, SNOMED-CT diagnoses, subject and report in the header,
    every beat in an annotation file; `biosig prepare simulated FOLDER STORE` makes a store of them. EEG: one record a
    trial, subject, stimulus, trial, class and latency in the header; `biosig prepare simulated-eeg FOLDER STORE`.

    Example: `biosig simulate quickstart/ecg --records 2000 --rate 100`

    Example: `biosig simulate quickstart/eeg --kind eeg --subjects 16 --stimuli 8 --latency drifting --spread 1`
    """
    from rich.console import Console

    only_ecg: dict[str, Any] = {"records": records, "follow-up": follow_up or None}
    only_eeg: dict[str, Any] = {"subjects": subjects, "stimuli": stimuli, "electrodes": electrodes, "latency": latency}
    only_eeg |= {"spread": spread, "snr": snr, "classes": classes, "strength": strength}
    for name, value in (only_eeg if kind is Kind.ECG else only_ecg).items():
        if value is not None:
            raise BiosigError(f"--{name}: an option of another --kind than {kind}")
    common = _given(sampling_rate=rate, duration=duration)
    if kind is Kind.ECG:
        made = _ecg(folder, records or 1000, seed, workers, {**common, "follow_up": follow_up})
    else:
        made = _eeg(folder, workers, {"seed": seed, **common, **_given(**only_eeg)})
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


def _cap(text: str) -> tuple[str, ...]:
    from biosig.simulate import CAPS

    if not text.strip().isdecimal():
        return tuple(name.strip() for name in text.split(","))
    if (count := int(text)) not in CAPS:
        raise BiosigError(f"--electrodes: expected one of {', '.join(map(str, CAPS))} or names, got {count}")
    return CAPS[count]


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}

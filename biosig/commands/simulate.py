"""`biosig simulate`: a corpus to run everything on before any download."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    folder: Annotated[Path, typer.Argument(help="New or empty folder for the records.", show_default=False)],
    *,
    records: Annotated[int, typer.Option(min=1, help="How many recordings.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal files.")] = 0,
    rate: Annotated[float, typer.Option(min=50.0, max=10_000.0, help="Samples a second.")] = 500.0,
    duration: Annotated[float, typer.Option(min=1.0, max=3600.0, help="Seconds a recording.")] = 10.0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; all processors by default.")] = None,
) -> None:
    """Simulate 12-lead ECGs with known diagnoses, as PhysioNet would publish them.

    WFDB records with age, sex, SNOMED-CT diagnoses, subject and report in the header, and every beat in an annotation
    file. `biosig prepare simulated FOLDER STORE` makes a store of them.

    Example: `biosig simulate quickstart/ecg --records 2000 --rate 100`
    """
    from rich.console import Console

    from biosig.simulate import SIMULATED_CONCEPTS
    from biosig.simulate.corpus import write_corpus

    write_corpus(folder, records, seed, sampling_rate=rate, duration=duration, workers=workers)
    Console().print(
        f"{folder}: {records} simulated ECGs with {len(SIMULATED_CONCEPTS)} diagnoses, {rate:g} Hz, {duration:g} s",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )

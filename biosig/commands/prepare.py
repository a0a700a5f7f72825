"""`biosig prepare`: a folder of recordings becomes a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def prepare(
    corpus: Annotated[str, typer.Argument(help="A corpus, as `biosig corpora` lists them.")],
    source: Annotated[Path, typer.Argument(help="The folder of its recordings.")],
    store: Annotated[Path, typer.Argument(help="The store to make.")],
    *,
    rate: Annotated[float, typer.Option(min=0.001, help="Sampling rate to resample to, Hz.")] = 250.0,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes; one for every core if not given.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many records.")] = None,
    statistics: Annotated[bool, typer.Option("--statistics", help="Also compute rhythm statistics; slow.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a store that is there already.")] = False,
) -> None:
    """Read every record of a corpus once, in parallel, into a store.

    A record that cannot be read is skipped and reported. A run that was interrupted is continued by the same command.

    Example: `biosig prepare ptb-xl ptb-xl-1.0.3 ptb-xl.store --rate 100`
    """
    from rich.console import Console
    from rich.text import Text

    from biosig.corpora import CORPORA
    from biosig.preprocess import Preprocessing, Resample
    from biosig.store.writer import prepare as run

    console = Console()
    try:
        report = run(
            CORPORA[corpus],
            source,
            store,
            preprocessing=Preprocessing(steps=(Resample(rate=rate),)),
            workers=workers,
            limit=limit,
            statistics=statistics,
            overwrite=overwrite,
        )
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted; the same command continues where it stopped")
        raise typer.Exit(130) from None
    most = 10
    for record, reason in report.skipped[:most]:
        console.print(Text.assemble(("skipped ", "yellow"), (record, "bold"), f"  {reason}"))
    if len(report.skipped) > most:
        console.print(
            f"... and {len(report.skipped) - most} more; all of them are in {store}/store.json", highlight=False
        )
    if report.missing:
        console.print(f"{report.missing:,} records of the corpus are not in {source}", highlight=False)
    before = f", {report.resumed:,} of them by an interrupted run" if report.resumed else ""
    console.print(
        f"[bold]{report.read:,}[/] records read{before}, [bold]{len(report.skipped):,}[/] skipped, "
        f"in {report.seconds:,.1f} s ({report.rate:,.0f} records/s) -> {report.store}",
        highlight=False,
        soft_wrap=True,
    )

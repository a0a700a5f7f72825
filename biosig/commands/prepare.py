"""`biosig prepare`: a folder of recordings becomes a store."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosig.presets import PRESETS, describe

if TYPE_CHECKING:
    from rich.console import Console

    from biosig.preprocess import Preprocessing
    from biosig.store.writer import PrepareReport

_DEFAULT = "raw-250"
_MOST_SKIPPED = 10
_MOST_CODES = 12
_PRESETS = " ".join(f"**{name}**: {describe(name)}" for name in PRESETS)


def prepare(
    corpus: Annotated[str, typer.Argument(help="A corpus, as `biosig corpora` lists them.")],
    source: Annotated[Path, typer.Argument(help="The folder of its recordings.")],
    store: Annotated[Path, typer.Argument(help="The store to make.")],
    *,
    preprocessing: Annotated[
        str, typer.Option(metavar="NAME|FILE.yaml", help=f"A preset, or a YAML file of your own steps. {_PRESETS}")
    ] = _DEFAULT,
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="Sampling rate, Hz, instead of that of the last resampling.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes; one for every core if not given.")] = None,
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS|FILE",
            help="Instead of processes, the dask cluster of this scheduler.",
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many records.")] = None,
    physiology: Annotated[
        bool,
        typer.Option("--physiology", "--statistics", help="Also find R peaks and rhythm statistics of ECGs; slow."),
    ] = False,
    keep_personal: Annotated[
        bool,
        typer.Option("--keep-personal", help="Keep names, birth dates, ... that files state; left out by default."),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a store that is there already.")] = False,
) -> None:
    """Read every record of a corpus once, in parallel, into a store.

    A record that cannot be read is skipped and reported. A run that was interrupted is continued by the same command.

    Example: `biosig prepare ptb-xl ptb-xl-1.0.3 ptb-xl.store --rate 100`

    Example: `biosig prepare eegmat eegmat-1.0.0 eegmat.store --preprocessing eeg`

    Example: `biosig prepare cinc2021 /data/cinc2021 /data/cinc2021.store --dask tcp://10.0.0.5:8786`
    """
    from rich.console import Console

    from biosig.corpora import CORPORA
    from biosig.store.writer import prepare as run

    console = Console()
    try:
        report = run(
            CORPORA[corpus],
            source,
            store,
            preprocessing=_pipeline(preprocessing, rate),
            workers=workers,
            dask=dask,
            limit=limit,
            statistics=physiology,
            keep_personal=keep_personal,
            overwrite=overwrite,
        )
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted; the same command continues where it stopped")
        raise typer.Exit(130) from None
    _show(console, report, source)
    if physiology:
        _show_beats(console, store)
    _show_events(console, store)


def _pipeline(name_or_path: str, rate: float | None) -> Preprocessing:
    from biosig.errors import BiosigError
    from biosig.presets import load

    if rate is not None and not (isfinite(rate) and rate > 0):
        raise BiosigError(f"--rate: expected a positive number of Hz, got {rate:g}")
    found = load(name_or_path)
    return found if rate is None else found.at_rate(rate)


def _show(console: Console, report: PrepareReport, source: Path) -> None:
    from rich.markup import escape
    from rich.text import Text

    from biosig.errors import one_line

    for record, reason in report.skipped[:_MOST_SKIPPED]:
        console.print(Text.assemble(("skipped ", "yellow"), (one_line(record), "bold"), f"  {one_line(reason)}"))
    if len(report.skipped) > _MOST_SKIPPED:
        more = len(report.skipped) - _MOST_SKIPPED
        console.print(f"... and {more} more; all of them are in store.json", highlight=False)
    if report.personal.fields:
        named = ", ".join(f"{name} ({count:,})" for name, count in report.personal.fields.items())
        done = "kept, as asked; the store names people" if report.personal.kept else "left out (--keep-personal)"
        console.print(f"personal fields {done}: {named} records", markup=False, highlight=False, soft_wrap=True)
    if report.links_out:
        console.print(f"{report.links_out:,} records are links that lead out of {escape(str(source))}", highlight=False)
    if report.missing:
        console.print(f"{report.missing:,} records of the corpus are not in {escape(str(source))}", highlight=False)
    before = f", {report.resumed:,} of them by an interrupted run" if report.resumed else ""
    console.print(
        f"[bold]{report.read:,}[/] records read{before}, [bold]{len(report.skipped):,}[/] skipped, "
        f"in {report.seconds:,.1f} s ({report.rate:,.0f} records/s) -> {escape(str(report.store))}",
        highlight=False,
        soft_wrap=True,
    )


def _show_beats(console: Console, path: Path) -> None:
    """How many beats there are, and of how many records nothing is known."""
    from biosig.store import Store

    store = Store(path)
    counts = [len(store.beats(row).peaks) for row in range(len(store))]
    shown = f"[bold]{sum(counts):,}[/] R peaks in {sum(map(bool, counts)):,} records"
    if unknown := counts.count(0):
        shown += f"; none was found in {unknown:,}, whose rhythm is unknown"
    console.print(shown, highlight=False)


def _show_events(console: Console, path: Path) -> None:
    """How many events there are: in a line, and by code where there are several."""
    from rich.table import Table
    from rich.text import Text

    from biosig.store import Store

    events = Store(path).events
    presented = events[events["stimulus"] != ""]
    shown = f"[bold]{len(events):,}[/] events in {events['record'].nunique():,} records"
    if len(presented):
        shown += f", {len(presented):,} of them presentations of {presented['stimulus'].nunique():,} stimuli"
    console.print(shown, highlight=False)
    codes = events["code"].value_counts()
    if len(codes) < 2:
        return
    # Codes of one count in order of their names: the same table every time.
    order = sorted(codes.items(), key=lambda item: (-item[1], str(item[0])))
    table = Table("code", "events", "records")
    for code, count in order[:_MOST_CODES]:
        records = events.loc[events["code"] == code, "record"].nunique()
        table.add_row(Text(str(code) or "(none)"), f"{count:,}", f"{records:,}")
    if len(order) > _MOST_CODES:
        rest = order[_MOST_CODES:]
        table.add_row(f"{len(rest):,} more codes", f"{sum(count for _, count in rest):,}", "")
    console.print(table)

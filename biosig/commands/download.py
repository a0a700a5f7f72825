"""`biosig download`: an open corpus as its owners publish it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def download(
    corpus: Annotated[str, typer.Argument(help="Which corpus; see `biosig corpora`.")],
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="Folder to put it in.")],
    *,
    records: Annotated[int | None, typer.Option(min=1, help="Only the first so many records, whole.")] = None,
    base: Annotated[str | None, typer.Option("--from", help="Address of a mirror instead of the owners'.")] = None,
    threads: Annotated[int, typer.Option(min=1, max=32, help="Files at a time.")] = 8,
) -> None:
    """Download an open corpus; run it again to go on where it stopped.

    Every file is checked against the owners' SHA-256 before it gets its name.

    Example: `biosig download ptb-xl data/ptb-xl --records 500`
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from biosig.corpora import CORPORA
    from biosig.download import DownloadError, address
    from biosig.download import download as fetch_all
    from biosig.download.fetch import Web
    from biosig.download.sources import checked

    console = Console()
    wanted = CORPORA[corpus]
    source = address(wanted) if base is None else checked(base)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[size]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task(corpus, total=None, size="")
        moved = 0

        def gained(size: int) -> None:
            # Several threads add to it; a figure on the screen may be a piece behind, the summary is not.
            nonlocal moved
            moved += size
            progress.update(task, size=f"{moved / 1e6:.0f} MB")

        summary = fetch_all(
            source,
            destination,
            web=Web(threads=threads),
            records=records,
            folder=getattr(wanted, "records_below", ""),
            threads=threads,
            begun=lambda files: progress.update(task, total=files),
            gained=gained,
            done=lambda _: progress.advance(task),
        )
    console.print(f"{destination}: {summary}", markup=False, highlight=False, soft_wrap=True)
    for path, reason in summary.failed:
        console.print(f"failed: {path}: {reason}", markup=False, highlight=False, soft_wrap=True)
    if summary.failed:
        names = ", ".join(path for path, _ in summary.failed[:3])
        raise DownloadError(f"{len(summary.failed)} files could not be had ({names}); run the command again")

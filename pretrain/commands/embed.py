"""`biosig embed`: what a model makes of recordings, as a table that any tool reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from biosig.errors import BiosigError
    from biosig.recording import Recording
    from biosig.store import Store


def embed(
    model: Annotated[str, typer.Argument(help="Model folder, as `biosig pretrain` leaves it, or a hub id.")],
    sources: Annotated[
        list[Path], typer.Argument(help="Stores made by `biosig prepare`, or recordings of any format.")
    ],
    *,
    out: Annotated[Path, typer.Option(help="The Parquet file.")],
    space: Annotated[
        str, typer.Option(help="**features**: of the encoder, for heads. **sphere**: projected, for similarities.")
    ] = "features",
    windows: Annotated[
        bool, typer.Option("--windows", help="A row for each window that covers a recording, not their mean.")
    ] = False,
) -> None:
    """Embed recordings: a row for each in a Parquet file, with its subject, fold and concepts.

    The file's metadata says which model and which stores it is of. A recording that cannot be read, or that the model
    was not made for, is named and left out; the exit status is then 2.

    Example: `biosig embed run/model ludb.store --out ludb.parquet`, then
    `pandas.read_parquet("ludb.parquet")`
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from biosig.errors import BiosigError, one_line
    from biosig.store import Store
    from biosig.store.layout import INFO
    from pretrain.models.foundation import FoundationModel, Space
    from pretrain.sharing.embeddings import write_embeddings

    if space not in [one.value for one in Space]:
        raise BiosigError(f"--space: expected features or sphere, got {space!r}")
    if out.is_dir():
        raise BiosigError(f"{out}: expected the name of a file, got a folder")
    stores = [Store(path) for path in sources if (path / INFO).is_file()]
    files = [path for path in sources if not (path / INFO).is_file()]
    notices = Console(stderr=True)
    failed: list[str] = []

    def left_out(error: BiosigError) -> None:
        failed.append(str(error))
        said = one_line(str(error))
        notices.print(f"left out: {said}", style="yellow", markup=False, highlight=False, soft_wrap=True)

    with notices.status("loading the model"):
        loaded = FoundationModel.from_pretrained(model)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notices, transient=True) as progress:
        bar = progress.add_task("embed", total=sum(map(len, stores)) + len(files))
        given: list[Store | Iterator[Recording]] = [*stores, _readable(files, left_out)] if files else [*stores]
        written = write_embeddings(
            loaded,
            given,
            out,
            space=Space(space),
            windows=windows,
            advance=lambda done: progress.advance(bar, done),
            left_out=left_out,
        )
    if written.rows:
        Console().print(f"{written.rows:,} embeddings of {written.dim} numbers -> {out}", markup=False, highlight=False)
    if failed:
        notices.print(f"{len(failed)} of {len(files)} files left out", style="yellow")
        raise typer.Exit(2)


def _readable(files: list[Path], left_out: Callable[[BiosigError], None]) -> Iterator[Recording]:
    import biosig
    from biosig.errors import BiosigError

    for path in files:
        try:
            yield biosig.read(path)
        except BiosigError as error:
            left_out(error)

"""`biosig corpora`: what can be read, and whom to cite for it."""

from __future__ import annotations

import inspect
from typing import Annotated

import typer


def corpora(
    name: Annotated[str | None, typer.Argument(help="One corpus, to see its details and what to cite.")] = None,
) -> None:
    """List the corpora that `biosig prepare` reads, or show one.

    Example: `biosig corpora ptb-xl`
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from biosig.corpora import CORPORA

    console = Console()
    if name is None:
        table = Table("name", "title", "modality", "licence")
        for each in sorted(CORPORA):
            corpus = CORPORA[each]
            cells = (corpus.name, corpus.title, "+".join(corpus.modality), corpus.licence)
            table.add_row(*map(Text, cells))
        console.print(table)
        return
    corpus = CORPORA[name]
    table = Table.grid(padding=(0, 2))
    rates = ", ".join(f"{rate:g} Hz" for rate in corpus.sampling_rates) or "any"
    folds = ", ".join(
        f"{role}: {' '.join(map(str, getattr(corpus.split, role)))}" for role in ("train", "validation", "test")
    )
    for title, text in (
        ("name", corpus.name),
        ("title", corpus.title),
        ("modality", "+".join(corpus.modality)),
        ("sampling rate", rates),
        ("folds", folds),
        ("licence", corpus.licence),
        ("where", corpus.url),
        ("cite", corpus.citation),
    ):
        table.add_row(Text(title, style="bold"), Text(text))
    console.print(table)
    if corpus.__doc__:
        console.print(f"\n{inspect.cleandoc(corpus.__doc__)}", markup=False, highlight=False)

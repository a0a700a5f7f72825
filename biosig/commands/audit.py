"""`biosig audit`: what is in a store, and whether it may be trusted."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

    from biosig.store import AuditReport, Store

_MOST_CONCEPTS = 15
_MOST_LAYOUTS = 5
_MOST_SKIPPED = 10
_MOST_PROBLEMS = 50


def audit(
    store: Annotated[list[Path], typer.Argument(help="One store, or several that will be used together.")],
) -> None:
    """Print what stores hold, compare all checksums, and look for leaks.

    A subject or a waveform on two sides of the split, in one store or across stores, is a problem: exit status 1.
    Copies at another gain or rate, or filtered otherwise, are recognised; one that starts at another moment, or was cut
    shorter by more than a twentieth, is not.

    Example: `biosig audit ptb-xl.store chapman.store`
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
    from rich.text import Text

    from biosig.errors import one_line
    from biosig.store import Store
    from biosig.store import audit as examine

    console = Console()
    stores = [Store(path) for path in store]
    problems: list[str] = []
    columns = (TextColumn("[bold]{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    for number, each in enumerate(stores):
        with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
            total = sum(file.size for file in each.info.files.values())
            bar = bars.add_task(f"audit {escape(each.path.name)}", total=total)
            # Each pair of stores is compared once.
            report = examine(each, other=stores[number + 1 :], advance=partial(bars.advance, bar))
        _show(console, each, report)
        problems += report.problems
    problems = list(dict.fromkeys(problems))
    if not problems:
        console.print("[bold green]whole and without leaks[/]: checksums agree, no subject or waveform is on two sides")
        return
    for problem in problems[:_MOST_PROBLEMS]:
        console.print(Text.assemble(("problem ", "bold red"), one_line(problem)), soft_wrap=True)
    if len(problems) > _MOST_PROBLEMS:
        console.print(f"... and {len(problems) - _MOST_PROBLEMS} more")
    raise typer.Exit(1)


def _step(step: BaseModel) -> str:
    """What a step is, and everything it was told."""
    said = step.model_dump(mode="json")
    return " ".join([said.pop("kind"), *(f"{name}={value}" for name, value in said.items())])


def _show(console: Console, store: Store, report: AuditReport) -> None:
    from rich.table import Table
    from rich.text import Text

    info = store.info
    facts = Table.grid(padding=(0, 2))
    copies = sum(len(group.places) for group in report.duplicates)
    rates = ", ".join(f"{rate:g} Hz ({records:,})" for rate, records in report.rates.items())
    for title, text in (
        ("store", str(report.path)),
        ("corpus", f"{info.corpus.name}: {info.corpus.title}"),
        ("licence", info.corpus.licence),
        ("records", f"{report.records:,} of {report.subjects:,} subjects, {report.hours:,.1f} hours"),
        ("rates", rates),
        ("events", f"{info.events:,}"),
        ("preprocessing", " | ".join(map(_step, info.preprocessing.steps)) or "none"),
        ("skipped", f"{len(report.skipped):,}; files of {report.missing:,} more were not there"),
        ("personal", _personal(store)),
        ("duplicates", f"{copies:,} records share {len(report.duplicates):,} waveforms"),
        ("kept together", f"{len(info.regrouped):,} records were moved to the fold of their copy"),
        ("not compared", f"{report.unprinted:,} records too still or too short"),
    ):
        facts.add_row(Text(title, style="bold"), Text(text))
    console.print(facts)

    sides = Table("split", "folds", "records", "subjects", "hours", title="Split", title_justify="left")
    for role, side in report.sides.items():
        folds = " ".join(map(str, getattr(info.split, role, ())))
        sides.add_row(role, folds, f"{side.records:,}", f"{side.subjects:,}", f"{side.hours:,.2f}")
    console.print(sides)

    layouts = Table("channels", "records", title="Channels", title_justify="left")
    for layout in report.layouts[:_MOST_LAYOUTS]:
        names = ", ".join(layout.channels[:14]) + (" ..." if len(layout.channels) > 14 else "")
        layouts.add_row(Text(f"{len(layout.channels)}: {names}"), f"{layout.records:,}")
    if len(report.layouts) > _MOST_LAYOUTS:
        rest = report.layouts[_MOST_LAYOUTS:]
        layouts.add_row(f"{len(rest)} more sets", f"{sum(layout.records for layout in rest):,}")
    console.print(layouts)
    _show_counts(console, report)


def _personal(store: Store) -> str:
    fields, kept = store.info.personal.fields, store.info.personal.kept
    named = ", ".join(f"{name} ({count:,})" for name, count in fields.items())
    return f"{'KEPT: the store names people' if kept else 'left out'}: {named}" if named else "no field in the files"


def _show_counts(console: Console, report: AuditReport) -> None:
    from rich.table import Table
    from rich.text import Text

    from biosig.errors import one_line
    from ontology.terms import term

    if report.concepts:
        concepts = Table("SNOMED-CT", "term", "records", title="Concepts", title_justify="left")
        for concept, records in list(report.concepts.items())[:_MOST_CONCEPTS]:
            concepts.add_row(Text(concept), Text(term(concept)), f"{records:,}")
        if len(report.concepts) > _MOST_CONCEPTS:
            concepts.add_row("", f"{len(report.concepts) - _MOST_CONCEPTS} more concepts", "")
        console.print(concepts)
    quality = Table("flag", "records", title="Quality", title_justify="left")
    for flag, records in report.quality.items():
        quality.add_row(Text(flag), f"{records:,}")
    if not report.quality:
        quality.add_row("nothing flagged", "")
    console.print(quality)
    for skipped in report.skipped[:_MOST_SKIPPED]:
        record, reason = one_line(skipped.record), one_line(skipped.reason)
        console.print(Text.assemble(("skipped ", "yellow"), (record, "bold"), f"  {reason}"))
    if len(report.skipped) > _MOST_SKIPPED:
        console.print(f"... and {len(report.skipped) - _MOST_SKIPPED} more in store.json", highlight=False)

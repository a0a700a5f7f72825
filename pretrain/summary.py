"""The end of a run, in a table."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pretrain.training.session import Summary


def show(summary: Summary, console: Console) -> None:
    """Print what was trained, on what, how fast, with which losses, and where the model is."""
    outcome = summary.outcome
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    for use in summary.data:
        table.add_row(
            escape(use.corpus),
            f"{use.records['train']:,} records of {use.subjects['train']:,} subjects train, "
            f"{use.records['validation']:,} validate",
        )
    if summary.duplicates:
        table.add_row("left out", f"{summary.duplicates:,} training records whose waveform also validates or tests")
    table.add_row("parameters", f"{summary.parameters:,}")
    resumed = f" (resumed after step {outcome.first_step:,})" if outcome.first_step else ""
    table.add_row("steps", f"{outcome.steps:,}{resumed}")
    if outcome.records:
        table.add_row("time", f"{outcome.seconds:.1f} s, {outcome.records / outcome.seconds:,.0f} records/s")
    for name, value in outcome.losses.items():
        held_out = f", validation {outcome.validation[name]:.4f}" if name in outcome.validation else ""
        table.add_row(escape(name), f"{value:.4f}{held_out}")
    console.print(table)
    # A path is copied from the screen: it is neither cut nor folded.
    console.print(f"[bold]model[/] {escape(str(summary.model))}", highlight=False, soft_wrap=True)

"""The command `biosig`: its sub-commands are found through the entry-point group `biosig.commands`.

No floor imports a higher one, and a third party can add a command. Nothing heavy is imported until a command runs.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import typer
from rich.console import Console

from biosig.errors import BiosigError
from ontology.errors import OntologyError
from ontology.registry import UnknownNameError

# In the order a newcomer meets them; commands of third parties follow.
_ORDER = ("corpora", "simulate", "prepare", "audit", "show", "pretrain", "evaluate")


def build() -> typer.Typer:
    """The command line with every installed sub-command."""
    app = typer.Typer(
        name="biosig",
        help="Foundation models for ECG and EEG: prepare recordings, pretrain, evaluate with intervals.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
        rich_markup_mode="markdown",
    )
    app.callback()(_root)
    found = {point.name: point for point in entry_points(group="biosig.commands")}
    for name in sorted(found, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)):
        app.command(name)(found[name].load())
    return app


def _root() -> None:
    pass


def main() -> None:
    """Run a command; what the user can mend is one line on standard error and exit status 1."""
    try:
        build()()
    except (BiosigError, OntologyError, UnknownNameError, OSError) as error:
        Console(stderr=True).print(f"[bold red]biosig:[/] {error}", markup=True, highlight=False, soft_wrap=True)
        sys.exit(1)

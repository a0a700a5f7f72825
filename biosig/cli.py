"""The command `biosig`: its sub-commands are found through the entry-point group `biosig.commands`.

An entry point is a function, or a `typer.Typer` with commands of its own. No floor imports a higher one, and a third
party can add a command. Nothing heavy is imported until a command runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from importlib.metadata import version as installed_version
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from biosig.errors import BiosigError, one_line
from biosig.whole import advice
from ontology.errors import OntologyError
from ontology.registry import UnknownNameError

# In the order a newcomer meets them; commands of third parties follow by name.
_ORDER = (
    *(
        "corpora",
        "download",
        "simulate",
        "prepare",
        "audit",
        "show",
        "ontology",
        "recipes",
        "pretrain",
        "embed",
        "browse",
        "evaluate",
        "finetune",
    ),
    *("predict", "outcome", "delineate", "beats", "stages", "emotion", "export", "model-page"),
)


class _InOrder(TyperGroup):
    """Lists commands in the order of the work; typer would list those with commands of their own first."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=_rank)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; who interrupts it reads that it was."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            _complain("interrupted")
            raise typer.Exit(130) from None


def build() -> typer.Typer:
    """The command line with every installed sub-command."""
    app = typer.Typer(
        name="biosig",
        cls=_InOrder,
        help="Foundation models for ECG and EEG: prepare recordings, pretrain, evaluate with intervals.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
    )
    app.callback()(_options)
    for point in entry_points(group="biosig.commands"):
        try:
            command = point.load()
            if isinstance(command, typer.Typer):
                app.add_typer(command, name=point.name)
            else:
                app.command(point.name)(command)
        except ImportError as error:  # somebody's broken plug-in must not take the other commands away
            _complain(f"the command {point.name!r} of {point.value} cannot be loaded: {error}")
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; what the user can mend is one line on standard error and exit status 2."""
    # Read when torch is loaded. Threads that spin while they wait for each other make a step many times slower as soon
    # as anything else wants a core, and gain next to nothing when nothing does.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        build()(args=arguments)
    except (BiosigError, OntologyError, UnknownNameError) as error:
        _complain(str(error))
        sys.exit(2)
    except OSError as error:
        _complain(f"{error.filename}: {advice(error)}" if error.filename else advice(error))
        sys.exit(2)
    except KeyboardInterrupt:  # before there was a command
        _complain("interrupted")
        sys.exit(130)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"biosig {installed_version('biosig')}")
        raise typer.Exit


def _options(
    *,
    version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True, callback=_print_version),
) -> None:
    """What the command takes before a sub-command."""
    del version  # acted on by its callback


def _rank(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)


def _complain(message: str) -> None:
    Console(stderr=True).print("[bold red]biosig:[/]", end=" ", highlight=False)
    Console(stderr=True).print(one_line(message), markup=False, highlight=False, soft_wrap=True)

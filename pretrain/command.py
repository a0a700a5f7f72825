"""`biosig pretrain`: from a recipe and stores to a foundation model."""

from pathlib import Path
from typing import Annotated

import typer


def pretrain(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe (quickstart, ...) or a YAML file.")],
    data: Annotated[list[Path], typer.Option(help="A store made by `biosig prepare`; may be given several times.")],
    out: Annotated[Path, typer.Option(help="The run's folder: log, checkpoints and, at the end, the model.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was broken off.")] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Change a field of the recipe: optimiser.steps=100.")
    ] = None,
) -> None:
    """Pretrain a foundation model on prepared stores.

    Example: `biosig pretrain quickstart --data ptb-xl.store --out run`
    """
    from rich.console import Console

    from pretrain.recipe import load
    from pretrain.session import pretrain as run
    from pretrain.summary import show

    console = Console()
    loaded = load(recipe, set_ or ())
    console.print(f"[bold]{loaded.name}[/]: {loaded.title}", highlight=False)
    show(run(loaded, data, out, resume=resume, console=console), console)

"""`biosig pretrain`: from a recipe and stores to a foundation model."""

from itertools import chain
from pathlib import Path
from typing import Annotated

import typer


def pretrain(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe (quickstart, ...) or a YAML file.")],
    data: Annotated[list[Path], typer.Option(help="A store made by `biosig prepare`; may be given several times.")],
    out: Annotated[Path, typer.Option(help="The run's folder: log, checkpoints and, at the end, the model.")],
    *,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was broken off.")] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also write the log for TensorBoard: OUT/tensorboard.")
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Print at the end where a step goes: data, forward, loss, backward, ...")
    ] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Change a field of the recipe: optimiser.steps=100.")
    ] = None,
) -> None:
    """Pretrain a foundation model on prepared stores.

    Example: `biosig pretrain quickstart --data ptb-xl.store --out run`

    In several processes: `--set training.processes=2`, or `torchrun --nproc-per-node 2 -m biosig pretrain ...`.
    """
    from rich.console import Console
    from rich.markup import escape

    from pretrain.parallel.launch import leads, leave, spread, started
    from pretrain.recipe import load
    from pretrain.summary import show
    from pretrain.training.session import pretrain as run

    chosen = {"training.tensorboard=true": tensorboard, "training.profile=true": profile}
    changes = [*(set_ or ()), *(change for change, wanted in chosen.items() if wanted)]
    loaded = load(recipe, changes)
    if loaded.training.processes > 1 and started() == 1:
        given = [
            *(("--data", str(store)) for store in data),
            ("--out", str(out)),
            *(("--set", one) for one in changes),
        ]
        spread(["pretrain", recipe, *chain(*given), *(["--resume"] if resume else [])], loaded.training.processes)
        return
    console = Console(quiet=not leads())
    console.print(f"[bold]{escape(loaded.name)}[/]: {escape(loaded.title)}", highlight=False)
    show(run(loaded, data, out, resume=resume, console=console), console)
    if started() > 1:
        leave()

"""`biosig recipes`: what `biosig pretrain` can run, what is known of each, and what is ours in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from pretrain.catalogue import Entry


def recipes(
    name: Annotated[str | None, typer.Argument(help="One recipe, shipped or in a YAML file, to see all of it.")] = None,
) -> None:
    """List the recipes that `biosig pretrain` knows by name, or show one.

    Example: `biosig recipes merl`
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from pretrain.catalogue import entry
    from pretrain.recipe import shipped

    console = Console()
    if name is not None:
        _show(entry(name), console)
        return
    table = Table("recipe", "objectives", "encoder", "learns from", show_lines=True)
    for each in map(entry, shipped()):
        recipe = each.recipe
        about = f"\n{recipe.title}\narXiv {', '.join(each.papers)}" if each.papers else f"\n{recipe.title}"
        table.add_row(
            Text.assemble((recipe.name, "bold"), about),
            Text("\n".join(objective.name for objective in recipe.objectives)),
            Text(f"{recipe.model.signal.encoder}\n{_millions(each.parameters)}"),
            Text.assemble("\n".join(each.learns_from), ("\n" + ", ".join(recipe.corpora), "dim")),
        )
    console.print(table)


def _show(entry: Entry, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    recipe = entry.recipe
    table = Table.grid(padding=(0, 2))
    for title, text in (
        ("name", recipe.name),
        ("title", recipe.title),
        ("references", "\n".join(recipe.references)),
        ("known", recipe.known.strip()),
        ("ours", recipe.reconstruction.strip()),
        ("learns from", "\n".join(entry.learns_from)),
        ("corpora", ", ".join(recipe.corpora)),
        ("parameters", f"{_millions(entry.parameters)} that train"),
    ):
        if text:
            table.add_row(Text(title, style="bold"), Text(text))
    console.print(table)
    said = {"name", "title", "references", "known", "reconstruction", "corpora"}
    console.print(f"\n{recipe.to_yaml(without=said)}", markup=False, highlight=False, soft_wrap=True)


def _millions(parameters: int) -> str:
    return f"{parameters / 1e6:.2f} M"

"""`biosig model-page`: what a pretrained model is, as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def model_page(
    model: Annotated[
        str, typer.Argument(help="Model folder, as `biosig pretrain` leaves it in RUN/model, or a hub id.")
    ],
    *,
    out: Annotated[Path, typer.Option(help="NAME.html, a self-contained page, or NAME.md, the card of a model hub.")],
    result: Annotated[
        list[Path] | None, typer.Option(help="A result.json of `biosig evaluate` of this model; may be given again.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call it; as its recipe if not given.")] = None,
) -> None:
    """Write the page of a pretrained model: build, recipe, data with licences and hashes, results, limits.

    Example: `biosig model-page run/model --out model.html --result report/result.json`
    """
    from rich.console import Console

    from biosig.errors import BiosigError
    from finetune.card.model_page import evaluated, page
    from pretrain.models.foundation import FoundationModel
    from pretrain.saving import save_bytes
    from pretrain.sharing.card import readme
    from pretrain.sharing.facts import facts

    if out.suffix not in (".html", ".md"):
        raise BiosigError(f"{out}: expected a name that ends in .html or .md, got {out.suffix!r}")
    with Console(stderr=True).status("loading the model"):
        known = facts(FoundationModel.from_pretrained(model), name)
    found = [evaluated(path, known) for path in result or ()]
    # A folder of this machine is nothing to anybody else.
    where = "FOLDER" if Path(model).is_dir() else model
    if out.suffix == ".html":
        text = page(known, where=where, evaluations=found)
    else:
        text = readme(known, repo_id=where, evaluations=found)
    save_bytes(text.encode(), out)
    Console().print(str(out), style="bold", markup=False, highlight=False)

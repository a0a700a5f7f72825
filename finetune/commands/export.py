"""`biosig export`: a model for programs that have no biosig."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    model: Annotated[str, typer.Argument(help="Folder of a model or of a diagnoser, or the hub id of one.")],
    *,
    out: Annotated[Path, typer.Option(help="The file: NAME.onnx, or NAME.pt2.")],
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", help="**onnx**, or **torch** for a saved program of torch; by the file's ending if not given."
        ),
    ] = None,
    space: Annotated[
        str, typer.Option(help="Of a model: **features** of the encoder, or **sphere**, projected.")
    ] = "features",
) -> None:
    """Write a model's signal tower, or a diagnoser with its calibrated probabilities, as ONNX or as a torch program.

    The file takes windows of any number of channels and samples in microvolts at the model's rate. It gets its name
    after its answers were compared with the model's. ONNX needs `pip install 'biosig[onnx]'`.

    Example: `biosig export run/model --out model.onnx`

    Example: `biosig export diagnoser --out diagnoser.pt2`
    """
    from rich.console import Console

    from biosig.errors import BiosigError
    from finetune.diagnosis.diagnoser import CONFIG, Diagnoser
    from finetune.diagnosis.export import export_diagnoser
    from pretrain.export.write import Format, export
    from pretrain.models.foundation import FoundationModel, Space
    from pretrain.models.hub import model_folder

    if space not in [one.value for one in Space]:
        raise BiosigError(f"--space: expected features or sphere, got {space!r}")
    forms = {one.ending: one for one in Format} | {one.value: one for one in Format}
    asked = format_ or out.suffix
    if asked not in forms:
        raise BiosigError(
            f"{out}: expected a name that ends in .onnx or .pt2, or --format onnx or torch, got {asked!r}"
        )
    notices = Console(stderr=True)
    with notices.status("loading the model"):
        folder = model_folder(model)
        diagnoser = Diagnoser.from_pretrained(folder) if (folder / CONFIG).is_file() else None
        loaded = FoundationModel.from_pretrained(folder) if diagnoser is None else diagnoser.model
    with notices.status("exporting, and comparing the answers"):
        if diagnoser is None:
            found = export(loaded, out, form=forms[asked], space=Space(space))
        else:
            found = export_diagnoser(diagnoser, out, form=forms[asked])
    shapes = ", ".join(" x ".join(map(str, shape)) for shape in found.shapes)
    Console().print(
        f"{found.path}: {', '.join(found.inputs)} in; off the model's own answers by at most {found.difference:.1e} "
        f"on signals of {shapes}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )

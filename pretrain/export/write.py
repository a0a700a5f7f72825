"""From a model to a file that was checked before it got its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from torch import Tensor

from biosig.errors import BiosigError
from biosig.whole import whole_file
from pretrain.export.network import Network, reference
from pretrain.export.onnx_file import save_onnx
from pretrain.export.program import about, check, program_of, save_program
from pretrain.models.foundation import FoundationModel, Space


class Format(StrEnum):
    """What is written."""

    ONNX = "onnx"
    """For onnxruntime and everything else that reads ONNX."""
    TORCH = "torch"
    """`torch.export.save`'s `.pt2`, for `torch.export.load`."""

    @property
    def ending(self) -> str:
        """Of the file's name."""
        return ".onnx" if self is Format.ONNX else ".pt2"


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        path: The file.
        inputs: Names.
        difference: The largest from the model's own answers, as a share of the largest number.
        shapes: Of the signals that were compared.
    """

    path: Path
    inputs: tuple[str, ...]
    difference: float
    shapes: tuple[tuple[int, ...], ...]


def export(
    model: FoundationModel, path: str | Path, *, form: Format = Format.ONNX, space: Space = Space.FEATURES
) -> Exported:
    """Write the signal tower, and compare the file's answers with the model's in three shapes before it gets its name.

    Inputs are `signal (batch, channel, time)` in microvolts at the model's rate, NaN in gaps; `mask (batch, channel)`,
    whether a channel is there; `position (batch, channel, 3)`, unless the model has a fixed montage; `modality (batch,
    channel)`, int64, if it was made for more than one. The output is `embedding (batch, dim)`.

    Args:
        model: A foundation model.
        path: Ends in `.onnx` or `.pt2`, as the format has it.
        form: ONNX, or a program of torch.
        space: The encoder's features, or the sphere.

    Raises:
        ModelError: If the encoder cannot be exported, or the answers differ by more than 1e-4.
        BiosigError: If the name has another ending.
    """
    network = Network(model, space)
    return write(network, model, Path(path), form, lambda inputs: reference(model, network, inputs))


def write(
    network: Network,
    model: FoundationModel,
    path: Path,
    form: Format,
    expected: Callable[[tuple[Tensor, ...]], Tensor],
    **more: str,
) -> Exported:
    """Write any network of windows; see `export`.

    Args:
        network: What is written.
        model: Whose it is.
        path: The file.
        form: Its format.
        expected: What it should say.
        **more: What else its metadata should say.
    """
    if path.suffix != form.ending:
        raise BiosigError(f"{path}: expected a name that ends in {form.ending}, got {path.suffix!r}")
    known = about(model, network) | {f"biosig.{name}": value for name, value in more.items()}
    program = program_of(network)
    with whole_file(path) as place:
        load = save_onnx(program, network, known, place) if form is Format.ONNX else save_program(program, known, place)
        difference, shapes = check(path, network, load(place), expected)
    return Exported(path, network.inputs, difference, tuple(shapes))

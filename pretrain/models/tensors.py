"""Loading weights strictly: every tensor of the model from the file, every tensor of the file into the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from pretrain.errors import ModelError

# As many names as fit on a screen; the counts say the rest.
_SHOWN = 10


@dataclass(frozen=True)
class TensorReport:
    """How the tensors of a file fit those of a module.

    Attributes:
        matched: Names with the same shape in both.
        missing: In the module only.
        unexpected: In the file only.
        reshaped: In both, with the shape in the file and the one the module wants.
    """

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    reshaped: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]

    @classmethod
    def compare(cls, wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> TensorReport:
        """Compare two state dictionaries by name and shape."""
        both = sorted(wanted.keys() & found.keys())
        pairs = [(name, tuple(found[name].shape), tuple(wanted[name].shape)) for name in both]
        return cls(
            matched=tuple(name for name, have, want in pairs if have == want),
            missing=tuple(sorted(wanted.keys() - found.keys())),
            unexpected=tuple(sorted(found.keys() - wanted.keys())),
            reshaped=tuple(pair for pair in pairs if pair[1] != pair[2]),
        )

    @property
    def complete(self) -> bool:
        """Whether nothing is left over on either side."""
        return not (self.missing or self.unexpected or self.reshaped)

    def __str__(self) -> str:
        lines = [f"{len(self.matched)} tensors match"]
        for what, names in (
            ("missing from the file", self.missing),
            ("unexpected in the file", self.unexpected),
            (
                "of another shape",
                tuple(f"{name} {list(have)}, expected {list(want)}" for name, have, want in self.reshaped),
            ),
        ):
            if names:
                more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
                lines.append(f"{len(names)} {what}: {', '.join(names[:_SHOWN])}{more}")
        return "; ".join(lines)


def load_weights(module: nn.Module, path: Path) -> TensorReport:
    """Fill a module from a safetensors file.

    Raises:
        ModelError: If a tensor is missing, unexpected or of another shape; nothing is changed then.
    """
    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: weights that cannot be read: {error}") from error
    report = TensorReport.compare(module.state_dict(), found)
    if not report.complete:
        raise ModelError(f"{path}: the weights do not fit the model: {report}")
    module.load_state_dict(found)
    return report

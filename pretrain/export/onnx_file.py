"""A program of torch as an ONNX file, and the file through onnxruntime."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pretrain.errors import ModelError
from pretrain.export.network import Network
from pretrain.export.program import Answer, quiet
from pretrain.saving import save_bytes

# A protocol buffer holds no more.
_LARGEST = 2**31 - 1
# Until nothing else has the output's own name.
_OUTPUT = "biosig_output"
_AXES = ("batch", "channel", "time")


def save_onnx(
    program: torch.export.ExportedProgram, network: Network, about: dict[str, str], path: Path
) -> Callable[[Path], Answer]:
    """Write an ONNX file whose inputs and output have names, and whose free axes are `batch`, `channel`, `time`.

    Raises:
        ModelError: If the extra `onnx` is not installed, torch cannot translate the program, or it is too large.
    """
    try:
        import onnx  # noqa: F401, PLC0415  an extra
        import onnxruntime  # noqa: F401, PLC0415
        import onnxscript  # noqa: F401, PLC0415
    except ImportError as error:
        raise ModelError(f"{path}: ONNX needs {error.name}: pip install 'biosig[onnx]'") from error
    with torch.no_grad(), quiet(), contextlib.redirect_stdout(io.StringIO()):
        try:
            exported = torch.onnx.export(
                program,
                dynamo=True,
                input_names=list(network.inputs),
                output_names=[_OUTPUT],
                external_data=False,
                verbose=False,
            )
        except Exception as error:
            said = str(error).strip().splitlines()
            raise ModelError(
                f"{path}: torch cannot translate this encoder to ONNX: {said[0] if said else error}"
            ) from error
        assert exported is not None
        model = exported.model_proto
    _name_axes(model, network)
    _rename(model, {name: f"inner_{name}" for name in (network.output,)})
    _rename(model, {_OUTPUT: network.output})
    for key, value in about.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    if model.ByteSize() > _LARGEST:
        raise ModelError(f"{path}: {model.ByteSize() / 1e9:.1f} GB are more than an ONNX file holds (2 GB)")
    save_bytes(model.SerializeToString(), path)
    return _answer_of_onnxruntime(network)


def _name_axes(model: Any, network: Network) -> None:
    """Axes by their names instead of torch's; shapes of what lies between are for the runtime to find."""
    signal = next(one for one in model.graph.input if one.name == "signal")
    given = [axis.dim_param for axis in signal.type.tensor_type.shape.dim]
    names = {old: new for old, new in zip(given, _AXES, strict=True) if old}
    del model.graph.value_info[:]
    for one in (*model.graph.input, *model.graph.output):
        for axis in one.type.tensor_type.shape.dim:
            if axis.dim_param:
                axis.dim_param = names.get(axis.dim_param) or re.sub(r"\W+", "_", axis.dim_param)
    if {one.name for one in model.graph.input} != set(network.inputs):
        raise ModelError(f"ONNX: expected the inputs {network.inputs}, got {[one.name for one in model.graph.input]}")


def _rename(model: Any, names: dict[str, str]) -> None:
    """Values of the graph by other names; the graph has no graphs within."""
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for one in model.graph.output:
        one.name = names.get(one.name, one.name)


def _answer_of_onnxruntime(network: Network) -> Callable[[Path], Answer]:
    def load(path: Path) -> Answer:
        import onnxruntime  # noqa: PLC0415  an extra

        session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])

        def answer(inputs: tuple[Tensor, ...]) -> np.ndarray:
            given = {name: value.numpy() for name, value in zip(network.inputs, inputs, strict=True)}
            return np.asarray(session.run([network.output], given)[0])

        return answer

    return load

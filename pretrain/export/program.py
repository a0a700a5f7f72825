"""A network as a program of torch, and whether what was written says what the model says."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from biosig.corpora import CORPORA
from biosig.store import MODALITIES
from pretrain.errors import ModelError
from pretrain.export.network import Network
from pretrain.models.foundation import FoundationModel
from pretrain.saving import save_bytes
from pretrain.sharing.identity import identity

#: How far an answer may be off, as a share of the largest number, or of 1 if that is larger.
TOLERANCE = 1e-4
Answer = Callable[[tuple[Tensor, ...]], Float[np.ndarray, "batch dim"]]


def program_of(network: Network) -> torch.export.ExportedProgram:
    """The network as a graph in which records, channels (unless the montage is fixed) and samples may be any number.

    Raises:
        ModelError: If torch cannot follow what the network does, in its own first line.
    """
    inputs = network.example(2, network.intake.samples, seed=0)
    free = torch.export.Dim.AUTO
    channels = {} if network.intake.leads is not None else {1: free}
    shapes = tuple({0: free, **channels, **({2: free} if name == "signal" else {})} for name in network.inputs)
    with torch.no_grad(), quiet():
        try:
            return torch.export.export(network, inputs, dynamic_shapes=shapes, strict=False)
        # What it raises depends on where it loses the thread.
        except Exception as error:
            said = str(error).strip().splitlines()
            raise ModelError(
                f"{type(network.tower.encoder).__name__}: torch cannot export this encoder: "
                f"{type(error).__name__}: {said[0] if said else 'no reason given'}"
            ) from error


def save_program(program: torch.export.ExportedProgram, about: dict[str, str], path: Path) -> Callable[[Path], Answer]:
    """Write a `.pt2` file; `biosig.json` within it holds what is known of the model."""
    buffer = io.BytesIO()
    with quiet():
        torch.export.save(program, buffer, extra_files={"biosig.json": json.dumps(about, indent=1)})
    save_bytes(buffer.getvalue(), path)
    return _answer_of_torch


def _answer_of_torch(path: Path) -> Answer:
    # Just written by ourselves: it holds nobody else's pickle.
    with quiet():
        module = torch.export.load(io.BytesIO(path.read_bytes())).module()

    def answer(inputs: tuple[Tensor, ...]) -> np.ndarray:
        with torch.no_grad():
            return np.asarray(module(*inputs).numpy())

    return answer


def check(
    path: Path, network: Network, answer: Answer, expected: Callable[[tuple[Tensor, ...]], Tensor]
) -> tuple[float, list[tuple[int, ...]]]:
    """How far what was written is off the model, over several shapes; and the shapes of the signals.

    Raises:
        ModelError: If it is off by more than `TOLERANCE`, or does not run.
    """
    samples, worst, shapes = network.intake.samples, 0.0, []
    # An odd number of samples is no whole number of frames, or patches, of most encoders.
    for batch, length, seed in ((2, samples, 1), (1, samples, 2), (3, (samples + samples // 3) | 1, 3)):
        inputs = network.example(batch, length, seed)
        if network.intake.leads is None and batch == 3:
            inputs = tuple(value[:, :-2] for value in inputs)
        shapes.append(tuple(inputs[0].shape))
        with torch.no_grad():
            right = expected(inputs).numpy()
        try:
            found = answer(inputs)
        except Exception as error:
            said = str(error).strip().splitlines()
            raise ModelError(
                f"{path}: does not run on a signal of {shapes[-1]}: {said[0] if said else error}"
            ) from error
        worst = max(worst, float(np.abs(found - right).max() / max(1.0, float(np.abs(right).max()))))
    if not worst <= TOLERANCE:
        raise ModelError(f"{path}: the answers differ from the model's by {worst:.2g} (allowed {TOLERANCE:g})")
    return worst, shapes


def about(model: FoundationModel, network: Network) -> dict[str, str]:
    """What a user of the file has to know, as words."""
    intake = model.config.intake
    stores = model.config.provenance.stores if model.config.provenance else ()
    corpora = sorted({store.corpus for store in stores})
    licences = {name: CORPORA[name].licence for name in corpora if name in CORPORA}
    return {
        "biosig.version": version("biosig"),
        "biosig.model": identity(model),
        "biosig.space": network.space.value,
        "biosig.sampling_rate": f"{intake.sampling_rate:g}",
        "biosig.window_seconds": f"{intake.window_seconds:g}",
        "biosig.signal_unit": "uV",
        "biosig.channels": ", ".join(intake.leads) if intake.leads else "any",
        "biosig.modalities": ", ".join(intake.modalities),
        "biosig.modality_numbers": json.dumps({kind.value: place for place, kind in enumerate(MODALITIES)}),
        "biosig.preprocessing": intake.preprocessing.model_dump_json(),
        "biosig.data_licences": json.dumps(licences),
    }


@contextmanager
def quiet() -> Iterator[None]:
    """Without what torch says to its own developers."""
    loggers: Sequence[logging.Logger] = [logging.getLogger(name) for name in ("torch", "onnxscript", "onnx_ir")]
    before: list[Any] = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for one, level in zip(loggers, before, strict=True):
            one.setLevel(level)

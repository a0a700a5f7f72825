"""Exact resume: everything a run needs to go on, as safetensors and JSON, whole or not there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from pretrain.errors import TrainingError
from pretrain.optimiser import load_state_tensors, state_tensors
from pretrain.rng import rng_state, set_rng_state
from pretrain.saving import load_json, save_json, save_tensors

_NAME = re.compile(r"step-(\d{8})")
_PARTIAL = ".partial"


class Checkpoints:
    """The last few checkpoints of a run.

    A checkpoint is a folder `step-00000100` with the weights (`weights.safetensors`: towers and objectives), the
    optimiser's moments, the random states and `state.json`. It is written under another name and renamed when every
    file of it is on the disk, so a folder with that name is always whole, however the process ends.

    Args:
        folder: Where they lie; made if needed. Remains of a writer that was killed are removed.
        keep: How many stay.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder, self.keep = folder, keep
        folder.mkdir(parents=True, exist_ok=True)
        for remains in folder.glob(f"*{_PARTIAL}"):
            shutil.rmtree(remains)

    def steps(self) -> list[int]:
        """The steps that have a checkpoint, in order."""
        return sorted(int(match[1]) for path in self.folder.iterdir() if (match := _NAME.fullmatch(path.name)))

    def path(self, step: int) -> Path:
        """The folder of a step."""
        return self.folder / f"step-{step:08d}"

    def save(self, step: int, modules: nn.Module, optimiser: torch.optim.Optimizer, position: dict[str, int]) -> Path:
        """Write the state after `step` steps, then drop the oldest beyond `keep`."""
        target = self.path(step)
        partial = target.with_name(target.name + _PARTIAL)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        rng_tensors, rng_numbers = rng_state()
        save_tensors(modules.state_dict(), partial / "weights.safetensors")
        save_tensors(state_tensors(optimiser, dict(modules.named_parameters())), partial / "optimiser.safetensors")
        save_tensors(rng_tensors, partial / "random.safetensors")
        save_json({"step": step, "position": position, "random": rng_numbers}, partial / "state.json")
        if target.exists():
            shutil.rmtree(target)
        partial.rename(target)
        for old in self.steps()[: -self.keep]:
            # Renamed first: a checkpoint that is half removed must not look like one.
            doomed = self.path(old).rename(self.path(old).with_name(self.path(old).name + _PARTIAL))
            shutil.rmtree(doomed)
        return target

    def load(self, step: int, modules: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
        """Put modules, optimiser and random generators back to where they were; give the sampler's position.

        Raises:
            TrainingError: If the checkpoint is damaged or belongs to another recipe.
        """
        path = self.path(step)
        try:
            state = load_json(path / "state.json")
            modules.load_state_dict(load_file(path / "weights.safetensors"))
            moments = load_file(path / "optimiser.safetensors")
            load_state_tensors(optimiser, dict(modules.named_parameters()), moments)
            set_rng_state(load_file(path / "random.safetensors"), state["random"])
        except (OSError, RuntimeError, SafetensorError, KeyError, ValueError) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise TrainingError(f"{path}: a checkpoint that cannot be loaded: {reason}") from error
        return dict(state["position"])

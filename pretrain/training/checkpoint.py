"""Exact resume: everything a run needs to go on, as safetensors and JSON, whole or not there.

Two things need no room in it: the schedule is a function of the step (`Optimiser.learning_rate_at`), and bfloat16
scales no loss, so the precision has no state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from pretrain.errors import TrainingError
from pretrain.parallel.sharding import placed_like, whole
from pretrain.saving import (
    check_digests,
    digests,
    load_sealed,
    refusal,
    remove_folder,
    remove_remains,
    save_sealed,
    save_tensors,
    whole_folder,
)
from pretrain.training.history import History
from pretrain.training.optimiser import load_state_tensors, state_tensors
from pretrain.training.rng import rng_state, set_rng_state

_NAME = re.compile(r"step-(\d{8})")
_WEIGHTS, _MOMENTS, _RANDOM, _STATE = "weights.safetensors", "optimiser.safetensors", "random.safetensors", "state.json"
_TENSORS = (_WEIGHTS, _MOMENTS, _RANDOM)


class Checkpoints:
    """The last few checkpoints of a run, and the one of its best validation.

    A checkpoint is a folder `step-00000100` with the weights (`weights.safetensors`: towers and objectives), the
    optimiser's moments, the random states and `state.json`: the sampler's position, the last losses and validation, and
    which validation was the best. It is written under another name and renamed when every file of it is on the disk, so
    a folder with that name is always whole, however the process or the machine ends.

    What is sharded over processes is put together first: a checkpoint does not depend on how many they were.

    Args:
        folder: Where they lie; made if needed. Remains of a writer that was killed are removed.
        keep: How many of the last stay.
        writes: Whether this process writes; those that do not lend their shards.

    Raises:
        TrainingError: If the folder cannot be made.
    """

    def __init__(self, folder: Path, keep: int, *, writes: bool = True) -> None:
        self.folder, self.keep, self.writes = folder, keep, writes
        if writes:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                remove_remains(folder)
            except OSError as error:
                raise TrainingError(refusal(folder, error)) from error

    def steps(self) -> list[int]:
        """The steps that have a checkpoint, in order."""
        return sorted(int(match[1]) for path in self.folder.iterdir() if (match := _NAME.fullmatch(path.name)))

    def path(self, step: int) -> Path:
        """The folder of a step."""
        return self.folder / f"step-{step:08d}"

    def save(
        self,
        step: int,
        modules: nn.Module,
        optimiser: torch.optim.Optimizer,
        position: Mapping[str, int],
        history: History | None = None,
    ) -> Path:
        """Write the state after `step` steps, then drop those that need not stay.

        Raises:
            TrainingError: If it cannot be written, say because the disk is full; those before are as they were.
        """
        history, target = history or History(), self.path(step)
        weights = dict(self._whole(modules.state_dict()))
        moments = dict(self._whole(state_tensors(optimiser, dict(modules.named_parameters()))))
        if not self.writes:
            return target
        random, numbers = rng_state()
        state = {"step": step, "position": dict(position), "random": numbers, "history": history.to_json()}
        needed = sum(value.nbytes for tensors in (weights, moments, random) for value in tensors.values())
        try:
            with whole_folder(target) as partial:
                save_tensors(weights, partial / _WEIGHTS)
                save_tensors(moments, partial / _MOMENTS)
                save_tensors(random, partial / _RANDOM)
                files = digests(partial, _TENSORS)
                save_sealed({**state, "files": files}, partial / _STATE)
            self.prune(history)
        except OSError as error:
            raise TrainingError(f"{refusal(target, error, needed)}; {self._left()}") from error
        return target

    def prune(self, history: History) -> None:
        """Drop the oldest beyond `keep`, but not that of the best validation."""
        best = history.best.step if history.best else None
        for step in self.steps()[: -self.keep]:
            if step != best and self.writes:
                remove_folder(self.path(step))

    def load(self, step: int, modules: nn.Module, optimiser: torch.optim.Optimizer) -> tuple[dict[str, int], History]:
        """Put modules, optimiser and random generators back to where they were; give the sampler's position, and more.

        Raises:
            TrainingError: If the checkpoint is damaged, its files were not written together, or it belongs to another
                recipe.
        """
        path = self.path(step)
        try:
            state = self._state(step)
            self._fill(step, modules)
            history = History.of_json(state["history"])
            moments = load_file(path / _MOMENTS)
            load_state_tensors(optimiser, dict(modules.named_parameters()), moments)
            set_rng_state(load_file(path / _RANDOM), state["random"])
            return dict(state["position"]), history
        # Numbers of the wrong size, nested lists, ...: a damaged state is wrong in every way there is.
        except Exception as error:
            raise _damaged(path, error) from error

    def load_weights(self, step: int, modules: nn.Module) -> None:
        """Put only the weights back.

        Raises:
            TrainingError: See `load`.
        """
        try:
            self._state(step)
            self._fill(step, modules)
        except (OSError, RuntimeError, ValueError, SafetensorError) as error:
            raise _damaged(self.path(step), error) from error

    def _fill(self, step: int, modules: nn.Module) -> None:
        there, found = modules.state_dict(), load_file(self.path(step) / _WEIGHTS)
        modules.load_state_dict(
            {name: placed_like(value, there[name]) if name in there else value for name, value in found.items()}
        )

    def _state(self, step: int) -> dict[str, Any]:
        """What the checkpoint says of itself, if its files are those that were written together, after that step."""
        path = self.path(step)
        state, wrong = load_sealed(path / _STATE)
        if not isinstance(state, dict) or state.get("step") != step:
            found = state.get("step") if isinstance(state, dict) else state
            raise ValueError(f"{_STATE}: step: expected {step}, got {found!r:.80}")
        if wrong is not None:
            raise ValueError(f"{_STATE}: {wrong}")
        if "files" in state:  # those of before have no digests
            check_digests(path, _TENSORS, state["files"])
        return state

    def _whole(self, tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
        """All processes take part; only the one that writes keeps what comes of it."""
        for name, value in tensors.items():
            gathered = whole(value.detach())
            if self.writes:
                yield name, gathered.cpu()

    def _left(self) -> str:
        steps = self.steps()
        if not steps:
            return "there is no checkpoint yet"
        return f"the checkpoint of step {steps[-1]} is whole, and --resume goes on from it"


def _damaged(path: Path, error: Exception) -> TrainingError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return TrainingError(
        f"{path}: a checkpoint that cannot be loaded: {reason}; remove it to go on from the one before"
    )

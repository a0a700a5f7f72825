"""How a classifier is fed from a store: windows to learn from, and whole records to be judged."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from jaxtyping import Float32, Int
from torch import Tensor, nn

from biosig.store import Store
from finetune.diagnosis.scratch import Classifier
from finetune.embedding import mean_over_windows
from finetune.heads.linear import LinearHead
from pretrain.models.intake import Intake
from pretrain.models.towers import SignalTower

BatchOf = Callable[[Int[np.ndarray, " row"], np.random.Generator], dict[str, Tensor]]
Predict = Callable[[nn.Module, Int[np.ndarray, " row"]], Float32[np.ndarray, "row concept"]]


def device() -> torch.device:
    """A GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def classifier_of(tower: SignalTower, head: LinearHead) -> Classifier:
    """Tower and head as one network; its features are those that probes see."""
    return Classifier(tower, partial(_features, tower), head).to(device())


def reader_of(intake: Intake, store: Store, *, half: bool) -> tuple[BatchOf, Predict]:
    """A batch with a random window of each record; and probabilities of records, the mean over windows that cover them.

    Args:
        intake: Of the model.
        store: Checked against it.
        half: Whether to judge in bfloat16.
    """
    where = device()

    def batch_of(rows: Int[np.ndarray, " row"], generator: np.random.Generator) -> dict[str, Tensor]:
        room = np.maximum(store.samples[rows] - intake.samples, 0)
        windows = intake.windows(store, rows, generator.integers(0, room, endpoint=True))
        return {name: value.to(where) for name, value in windows.items()}

    def predict(network: nn.Module, rows: Int[np.ndarray, " row"]) -> Float32[np.ndarray, "row concept"]:
        with torch.autocast(where.type, torch.bfloat16, enabled=half):
            return mean_over_windows(partial(_probabilities, network), intake.plan(store, rows), where)

    return batch_of, predict


def _features(tower: SignalTower, windows: dict[str, Tensor]) -> Tensor:
    return tower.pool(*tower.tokens(windows))


def _probabilities(network: nn.Module, windows: dict[str, Tensor]) -> Tensor:
    logits: Tensor = network(windows)
    return logits.float().sigmoid()

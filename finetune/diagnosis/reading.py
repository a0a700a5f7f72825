"""How a classifier is fed: windows to learn from, and whole records to be judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float32, Int
from torch import Tensor, nn

from biosig.recording import Recording
from biosig.store import Store
from finetune.diagnosis.joined import Joined
from finetune.diagnosis.scratch import Classifier
from finetune.embedding import mean_over_windows
from finetune.heads.base import Head, Reads
from pretrain.models.foundation import FoundationModel
from pretrain.models.intake import Intake
from pretrain.models.towers import SignalTower

BatchOf = Callable[[Int[np.ndarray, " row"], np.random.Generator], dict[str, Tensor]]
Predict = Callable[[nn.Module, Int[np.ndarray, " row"]], Float32[np.ndarray, "row concept"]]


def device() -> torch.device:
    """A GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def classifier_of(tower: SignalTower, head: Head) -> Classifier:
    """Tower and head as one network; its features are those that probes see, or its tokens if the head reads them."""
    read = _tokens if head.reads is Reads.TOKENS else _features
    return Classifier(tower, partial(read, tower), head).to(device())


def reader_of(intake: Intake, records: Joined, *, half: bool) -> tuple[BatchOf, Predict]:
    """A batch with a random window of each record; and probabilities of records, the mean over windows that cover them.

    Args:
        intake: Of the model.
        records: Checked against it; batches are of its first store.
        half: Whether to judge in bfloat16.
    """
    where, taught = device(), records.stores[0]

    def batch_of(rows: Int[np.ndarray, " row"], generator: np.random.Generator) -> dict[str, Tensor]:
        room = np.maximum(taught.samples[rows] - intake.samples, 0)
        windows = intake.windows(taught, rows, generator.integers(0, room, endpoint=True))
        return {name: value.to(where) for name, value in windows.items()}

    def predict(network: nn.Module, rows: Int[np.ndarray, " row"]) -> Float32[np.ndarray, "row concept"]:
        said = partial(_probabilities, network)
        with torch.autocast(where.type, torch.bfloat16, enabled=half):
            found = [
                (places, mean_over_windows(said, intake.plan(store, local), where))
                for store, local, places in records.parts(rows)
            ]
        whole = np.empty((len(rows), found[0][1].shape[1]), np.float32)
        for places, scores in found:
            whole[places] = scores
        return whole

    return batch_of, predict


def read(
    model: FoundationModel,
    head: Head,
    source: Recording | Sequence[Recording] | Store,
    rows: Int[np.ndarray, " row"] | None = None,
) -> tuple[Float32[np.ndarray, "record dim"], Float32[np.ndarray, "record concept"]]:
    """Features and logits of each record, in one pass: means over the windows that cover it.

    Args:
        model: In evaluation mode.
        head: Of its features, or of its tokens.
        source: A recording, several, or a store.
        rows: Which records of the store; all by default.

    Raises:
        ModelError: If a recording or store cannot be brought to what the model was made for.
    """

    def both(windows: dict[str, Tensor]) -> Tensor:
        pooled, logits = windows_of(model.signal, head, windows)
        return torch.cat([pooled.to(logits), logits], dim=1)

    found = mean_over_windows(both, model.config.intake.plan(source, rows), model.device)
    width = model.signal.encoder.dim
    return found[:, :width], found[:, width:]


def windows_of(tower: SignalTower, head: Head, windows: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Pooled features and logits of windows; gradients flow through both."""
    tokens, kept = tower.tokens(windows)
    pooled = tower.pool(tokens, kept)
    dtype = next(head.parameters()).dtype
    inputs = (tokens.to(dtype), kept) if head.reads is Reads.TOKENS else (pooled.to(dtype),)
    return pooled, head(*inputs)


def _features(tower: SignalTower, windows: dict[str, Tensor]) -> Tensor:
    return tower.pool(*tower.tokens(windows))


def _tokens(tower: SignalTower, windows: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    return tower.tokens(windows)


def _probabilities(network: nn.Module, windows: dict[str, Tensor]) -> Tensor:
    logits: Tensor = network(windows)
    return logits.float().sigmoid()

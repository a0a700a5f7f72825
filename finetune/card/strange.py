"""Does a diagnoser notice what it should not answer? Test records that are changed beyond sense."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from biosig.store import Store
from finetune.card.contents import Strange
from finetune.diagnosis.diagnoser import Diagnoser
from finetune.diagnosis.reading import windows_of
from finetune.embedding import mean_over_windows

Windows = dict[str, Tensor]
# Records are many enough at that: a share of them is told to two digits.
_RECORDS = 100


def strange(diagnoser: Diagnoser, store: Store, rows: Int[np.ndarray, " row"], *, unlike: float) -> tuple[Strange, ...]:
    """Some records as they are, then changed in each way of `CHANGES`.

    Args:
        diagnoser: Who is asked.
        store: Of the records.
        rows: The test side; of many, a hundred spread evenly.
        unlike: The share beyond which an input is called unlike the training records.
    """
    chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(_RECORDS, len(rows))).round().astype(np.int64))]
    thresholds = np.array([one.threshold for one in diagnoser.config.concepts])
    width = diagnoser.model.signal.encoder.dim
    found = []
    for name, change in CHANGES.items():
        generator = torch.Generator().manual_seed(0)

        def read(windows: Windows, change: Change = change, generator: torch.Generator = generator) -> Tensor:
            changed = {**windows, "signal": change(windows["signal"].cpu(), generator).to(windows["signal"].device)}
            pooled, logits = windows_of(diagnoser.model.signal, diagnoser.head, changed)
            return torch.cat([pooled.to(logits), logits], dim=1)

        said = mean_over_windows(read, diagnoser.model.config.intake.plan(store, chosen), diagnoser.model.device)
        ranks = diagnoser.novelty.rank(said[:, :width])
        found.append(
            Strange(
                name=name,
                records=len(chosen),
                called_unlike=float((ranks > unlike).mean()),
                median_share=float(np.median(ranks)),
                named=float((diagnoser.calibrated(said[:, width:]) >= thresholds).sum(1).mean()),
            )
        )
    return tuple(found)


Signal = Float[Tensor, "window channel time"]
Change = Callable[[Tensor, torch.Generator], Tensor]


def _noise(signal: Signal, generator: torch.Generator) -> Signal:
    size = signal.std(dim=2, keepdim=True)
    return size * torch.randn(signal.shape, generator=generator)


def _shuffled(signal: Signal, generator: torch.Generator) -> Signal:
    return signal[:, :, torch.randperm(signal.shape[2], generator=generator)]


#: What is done to the windows of a record.
CHANGES: dict[str, Change] = {
    "as they are": lambda signal, _: signal,
    "upside down": lambda signal, _: -signal,
    "ten times as large": lambda signal, _: 10 * signal,
    "a thousandth of the size": lambda signal, _: signal / 1000,
    "samples in random order": _shuffled,
    "white noise of the same size": _noise,
    "a flat line": lambda signal, _: torch.zeros_like(signal),
}

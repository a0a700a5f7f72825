"""What is explained: a recording as a model sees it, and what the model says of any signal in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from biosig.recording import Recording
from pretrain.models.montage import collate
from pretrain.models.plan import covering

if TYPE_CHECKING:
    from finetune.diagnosis.diagnoser import Diagnoser

#: From signals `(B, C, T)` as long as the recording, and which of their leads are there, to logits `(B, K)`.
#: Differentiable in the signal; what it says of one signal does not depend on the others.
Logits = Callable[[Float[Tensor, "batch lead time"], Bool[Tensor, "batch lead"]], Float[Tensor, "batch concept"]]
# Windows whose activations are kept for a gradient at once; of more, each such group is computed twice.
_WINDOWS = 64


@dataclass(frozen=True)
class Question:
    """A recording, and whom to ask about it.

    Attributes:
        recording: At the model's rate and after its preprocessing: what the encoder sees.
        signal: The same in the model's units; 0 in gaps.
        mask: Which leads are there.
        logits: Whom to ask, with a head of any kind.
    """

    recording: Recording
    signal: Float[Tensor, "lead time"]
    mask: Bool[Tensor, " lead"]
    logits: Logits

    @classmethod
    def of(cls, diagnoser: Diagnoser, recording: Recording) -> Question:
        """What a diagnoser says: calibrated log odds, the mean over the windows that cover the recording.

        Raises:
            ModelError: If the recording cannot be brought to what the model was made for.
        """
        adapted = diagnoser.model.config.intake.adapt(recording)
        whole = collate([adapted], np.zeros(1, dtype=np.int64), adapted.n_times)
        return cls(adapted, whole["signal"][0], whole["mask"][0], partial(_of_windows, diagnoser, adapted))

    def ask(
        self, signals: Float[Tensor, "batch lead time"], masks: Bool[Tensor, "batch lead"], concept: int
    ) -> Float[Tensor, " batch"]:
        """What is said of a concept in signals in the place of the recording's."""
        return self.logits(signals, masks)[:, concept].double()

    @torch.no_grad()
    def answer(self, concept: int) -> float:
        """What is said of a concept in the recording itself."""
        return float(self.ask(self.signal[None], self.mask[None], concept))


def _of_windows(
    diagnoser: Diagnoser,
    recording: Recording,
    signals: Float[Tensor, "batch lead time"],
    masks: Bool[Tensor, "batch lead"],
) -> Float[Tensor, "batch concept"]:
    intake = diagnoser.model.config.intake
    starts = covering(recording.n_times, intake.samples)
    like = collate([recording] * len(starts), starts, intake.samples)
    padded = torch.nn.functional.pad(signals, (0, max(intake.samples - recording.n_times, 0)))
    windows = torch.stack([padded[:, :, start : start + intake.samples] for start in starts.tolist()], dim=1)
    batch = {name: like[name].repeat(len(signals), *[1] * (like[name].ndim - 1)) for name in like if name != "signal"}
    batch["signal"] = windows.flatten(0, 1)
    batch["mask"] = batch["mask"] & masks.repeat_interleave(len(starts), dim=0)
    batch = intake.arrange(batch, [recording.channels] * len(batch["signal"]))
    count = len(batch["signal"])
    parts = [
        {name: value[first : first + _WINDOWS].to(diagnoser.model.device) for name, value in batch.items()}
        for first in range(0, count, _WINDOWS)
    ]
    kept = len(parts) == 1 or not torch.is_grad_enabled()
    said = [
        diagnoser.log_odds(part) if kept else checkpoint(diagnoser.log_odds, part, use_reentrant=False)
        for part in parts
    ]
    return torch.cat(said).cpu().reshape(len(signals), len(starts), -1).mean(1)

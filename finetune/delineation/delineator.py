"""A fitted delineator: networks that answer together, applied to any ECG, saved and loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float32, Float64
from pydantic import Field
from safetensors.torch import load_file
from torch import nn

from biosig.recording import Modality, Recording
from finetune.delineation.decode import Rules, waves_of
from finetune.delineation.intake import RATE, intake
from finetune.delineation.waves import Lead
from finetune.heads.frames import FrameNet, FrameSpec
from finetune.saved import fitting, load_config, save_config
from pretrain.models.hub import model_folder, push
from pretrain.saving import save_tensors
from pretrain.specs.architecture import Spec

CONFIG, TENSORS = "delineator.json", "delineator.safetensors"


@dataclass(frozen=True)
class Said:
    """Probabilities of every sample of every lead.

    Attributes:
        waves: Of no wave, P, QRS, T.
        peaks: How near to a peak of P, QRS, T.
        rate: Hz.
    """

    waves: Float64[np.ndarray, "lead klass time"]
    peaks: Float64[np.ndarray, "lead kind time"]
    rate: float = RATE


class DelineatorConfig(Spec):
    """Everything but weights.

    Attributes:
        rules: What counts as a wave.
        network: Sizes of each member.
        members: How many networks answer together.
        training: What it was fitted to.
    """

    format: Literal["biosig-delineator"] = "biosig-delineator"
    version: Literal[1] = 1
    rules: Rules
    network: FrameSpec
    members: int = Field(ge=1, le=1000)
    training: dict[str, Any]


class Delineator:
    """Networks whose probabilities are averaged, and what counts as a wave.

    Args:
        networks: One or more, of one size.
        config: What is known of them.
    """

    def __init__(self, networks: Sequence[FrameNet], config: DelineatorConfig) -> None:
        self.networks, self.config = [network.eval() for network in networks], config

    def delineate(self, recording: Recording) -> dict[str, Lead]:
        """The waves of each ECG lead, in seconds from its first sample.

        Raises:
            ModelError: If there is no ECG, or less than a second of it.
        """
        x = intake(recording)
        parts = [probabilities(network, x) for network in self.networks]
        # A flat lead shows nothing, whatever the others show.
        moves = np.ptp(x, axis=1)[:, None, None] > 0
        waves = np.mean([one.waves for one in parts], axis=0) * moves
        peaks = np.mean([one.peaks for one in parts], axis=0)
        leads = recording.pick(Modality.ECG).channels
        return {lead: waves_of(waves[row], peaks[row], RATE, self.config.rules) for row, lead in enumerate(leads)}

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `delineator.safetensors` and, last, `delineator.json`: without it a folder is no delineator."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG).unlink(missing_ok=True)
        save_tensors(nn.ModuleList(self.networks).state_dict(), folder / TENSORS)
        save_config(self.config, folder / CONFIG, [TENSORS])

    def push_to_hub(self, repo_id: str, *, private: bool = True, message: str = "", token: str | None = None) -> str:
        """Send what `save_pretrained` writes to the Hugging Face hub; no training records.

        Args and errors are those of `FoundationModel.push_to_hub`, which returns the commit as well.
        """
        return push(self.save_pretrained, repo_id, private=private, message=message, token=token)

    @classmethod
    def from_pretrained(cls, folder: str | Path, *, revision: str | None = None) -> Delineator:
        """Load a folder or, given as text, a hub id, strictly.

        Raises:
            ModelError: If the folder is no delineator, or its parts do not fit together.
        """
        folder = model_folder(folder, revision) if isinstance(folder, str) else folder
        config = load_config(
            folder / CONFIG, DelineatorConfig, what="delineator", command="delineate", beside=[TENSORS]
        )
        with fitting(folder / TENSORS, CONFIG):
            networks = [FrameNet(config.network) for _ in range(config.members)]
            nn.ModuleList(networks).load_state_dict(load_file(folder / TENSORS))
        return cls(networks, config)


@torch.inference_mode()
def probabilities(network: FrameNet, signal: Float32[np.ndarray, "lead time"]) -> Said:
    """What a network says of one recording, in float32."""
    network.eval()
    x = torch.from_numpy(signal)[None]
    frames = network(x, torch.ones(x.shape[:2], dtype=torch.bool))
    return Said(frames.waves[0].softmax(1).double().numpy(), frames.peaks[0].sigmoid().double().numpy())

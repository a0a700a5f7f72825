"""A fitted stager: networks that answer together, applied to any night, saved and loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float32
from pydantic import Field
from safetensors.torch import load_file
from torch import nn

from biosig.recording import Recording
from finetune.diagnosis.result import Estimate
from finetune.saved import fitting, load_config, save_config
from finetune.sequence.network import StageNet, StageSpec
from finetune.sequence.nights import spectra
from finetune.sequence.training import probabilities
from pretrain.saving import save_tensors
from pretrain.specs.architecture import Spec

CONFIG, TENSORS = "stager.json", "stager.safetensors"


class StagerConfig(Spec):
    """Everything but weights.

    Attributes:
        network: Sizes of each member.
        members: How many networks answer together.
        training: What they were fitted to.
        measured: Of one network on people it never saw, in the cross-validation that made these.
    """

    format: Literal["biosig-stager"] = "biosig-stager"
    version: Literal[1] = 1
    network: StageSpec
    members: int = Field(ge=1, le=1000)
    training: dict[str, Any]
    measured: dict[str, Estimate]


class Stager:
    """Networks whose probabilities are averaged.

    Args:
        networks: One or more, of one size.
        config: What is known of them.
    """

    def __init__(self, networks: Sequence[StageNet], config: StagerConfig) -> None:
        self.networks, self.config = [network.eval() for network in networks], config

    def stage(self, recording: Recording) -> Float32[np.ndarray, "epoch stage"]:
        """The probability of each stage in each whole epoch of 30 s, from the recording's first sample on.

        Raises:
            ModelError: If none of the channels is there, or not one epoch.
        """
        cut = torch.from_numpy(spectra(recording, self.config.network.channels).astype(np.float32))
        return np.mean([probabilities(network, cut) for network in self.networks], axis=0)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `stager.safetensors` and, last, `stager.json`: without it a folder is no stager."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG).unlink(missing_ok=True)
        save_tensors(nn.ModuleList(self.networks).state_dict(), folder / TENSORS)
        save_config(self.config, folder / CONFIG, [TENSORS])

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Stager:
        """Load a folder, strictly.

        Raises:
            ModelError: If the folder is no stager, or its parts do not fit together.
        """
        folder = Path(folder)
        config = load_config(folder / CONFIG, StagerConfig, what="stager", command="stages", beside=[TENSORS])
        with fitting(folder / TENSORS, CONFIG):
            networks = [StageNet(config.network) for _ in range(config.members)]
            nn.ModuleList(networks).load_state_dict(load_file(folder / TENSORS))
        return cls(networks, config)

"""A fitted labeller of beats: networks that answer together, applied to any ECG, saved and loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64
from pydantic import Field
from safetensors.torch import load_file
from torch import nn

from biosig.physiology import r_peaks
from biosig.recording import Modality, Recording
from finetune.beats.aami import BEATS, Beat
from finetune.beats.crossfit import together
from finetune.beats.decide import said
from finetune.beats.intake import strip
from finetune.beats.network import BeatNet, BeatSpec
from finetune.beats.rhythm import Episode, RhythmModel, episodes
from finetune.beats.training import log_probabilities
from finetune.saved import fitting, load_config, save_config
from pretrain.errors import ModelError
from pretrain.saving import save_tensors
from pretrain.specs.architecture import Spec

CONFIG, TENSORS = "beats.json", "beats.safetensors"


class BeatLabellerConfig(Spec):
    """Everything but weights.

    Attributes:
        offsets: See `decide.choose`.
        network: Sizes of each member.
        members: How many networks answer together.
        rhythm: Of fibrillation and flutter, where no beat is S.
        training: What it was fitted to.
    """

    format: Literal["biosig-beat-labeller"] = "biosig-beat-labeller"
    version: Literal[2] = 2
    offsets: tuple[float, float, float, float]
    network: BeatSpec
    members: int = Field(ge=1, le=1000)
    rhythm: RhythmModel
    training: dict[str, Any]


@dataclass(frozen=True)
class Labelled:
    """What is said of a recording.

    Attributes:
        peaks: Of its beats, seconds.
        classes: Of each beat.
        probabilities: Of N, S, V and F, as if all were as frequent; see also `decide.without_fibrillation`.
        fibrillation: Probability of atrial fibrillation or flutter in the half minute about each beat, or before it
            where the future is not known; NaN where that has too few beats.
        episodes: Of fibrillation or flutter.
    """

    peaks: Float64[np.ndarray, " beat"]
    classes: tuple[Beat, ...]
    probabilities: Float64[np.ndarray, "beat klass"]
    fibrillation: Float64[np.ndarray, " beat"]
    episodes: tuple[Episode, ...]

    def counts(self) -> dict[Beat, int]:
        """Beats of each class."""
        return {beat: self.classes.count(beat) for beat in BEATS}


class BeatLabeller:
    """Networks whose probabilities are averaged, and what they need to say a class.

    Args:
        networks: One or more, of one size.
        config: What is known of them.
    """

    def __init__(self, networks: Sequence[BeatNet], config: BeatLabellerConfig) -> None:
        self.networks, self.config = [network.eval() for network in networks], config

    def label(self, recording: Recording, peaks: Float64[np.ndarray, " beat"] | None = None) -> Labelled:
        """The class of each beat, and where there is fibrillation or flutter.

        Args:
            recording: With any ECG leads.
            peaks: Of its R waves, seconds, in order; found by neurokit2 in its best lead if not given.

        Raises:
            ModelError: If there is no ECG, less than a second of it, or no beat in it.
        """
        ecg = recording.pick(Modality.ECG)
        beats = strip(ecg, r_peaks(ecg) if peaks is None else np.asarray(peaks), context=self.config.network.context)
        if not len(beats):
            name = recording.record_id or "recording"
            raise ModelError(f"{name}: expected heart beats in {', '.join(ecg.channels)}, found none")
        log_p = together([partial(log_probabilities, one) for one in self.networks], beats, self.config.rhythm)
        fibrillation = self.config.rhythm.probability(beats.irregularity)
        return Labelled(
            peaks=beats.peaks,
            classes=tuple(BEATS[place] for place in said(log_p, self.config.offsets)),
            probabilities=np.exp(log_p.astype(np.float64)),
            fibrillation=fibrillation,
            episodes=tuple(episodes(beats.peaks, fibrillation)),
        )

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `beats.safetensors` and, last, `beats.json`: without it a folder is no labeller of beats."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG).unlink(missing_ok=True)
        save_tensors(nn.ModuleList(self.networks).state_dict(), folder / TENSORS)
        save_config(self.config, folder / CONFIG, [TENSORS])

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> BeatLabeller:
        """Load a folder, strictly.

        Raises:
            ModelError: If the folder is no labeller of beats, or its parts do not fit together.
        """
        folder = Path(folder)
        config = load_config(
            folder / CONFIG, BeatLabellerConfig, what="labeller of beats", command="beats", beside=[TENSORS]
        )
        with fitting(folder / TENSORS, CONFIG):
            networks = [BeatNet(config.network) for _ in range(config.members)]
            nn.ModuleList(networks).load_state_dict(load_file(folder / TENSORS))
        return cls(networks, config)

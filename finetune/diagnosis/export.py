"""A diagnoser for programs that have no biosig: windows in, calibrated probabilities out."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from finetune.diagnosis.diagnoser import Diagnoser
from finetune.heads.base import Reads
from pretrain.errors import ModelError
from pretrain.export.network import Network, reference
from pretrain.export.write import Exported, Format, write
from pretrain.models.foundation import Space


class DiagnoserNetwork(Network):
    """Tower, head and calibration of a diagnoser.

    Args:
        diagnoser: With a head of features.

    Raises:
        ModelError: If its head reads tokens, or its answers respect the is-a graph, which is not part of the network.
    """

    slope: Tensor
    offset: Tensor

    def __init__(self, diagnoser: Diagnoser) -> None:
        super().__init__(diagnoser.model)
        if diagnoser.head.reads is not Reads.FEATURES:
            raise ModelError(
                f"diagnoser: head {diagnoser.config.head!r} reads tokens; only heads of features are exported"
            )
        if diagnoser.config.upward is not None:
            raise ModelError(
                f"diagnoser: its answers respect the is-a graph (upward: {diagnoser.config.upward}), which an exported "
                "network does not; fine-tune without it"
            )
        self.head = diagnoser.head
        concepts = diagnoser.config.concepts
        self.register_buffer("slope", torch.tensor([one.slope for one in concepts], dtype=torch.float64))
        self.register_buffer("offset", torch.tensor([one.offset for one in concepts], dtype=torch.float64))

    @property
    def output(self) -> str:
        """Name of the output."""
        return "probability"

    def forward(
        self, signal: Tensor, mask: Tensor, position: Tensor | None = None, modality: Tensor | None = None
    ) -> Tensor:
        """Probabilities of the concepts `(batch, concept)`, of each window on its own."""
        logits = self.head(self.pooled(signal, mask, position, modality).double())
        return torch.sigmoid(self.slope * logits + self.offset).float()


def export_diagnoser(diagnoser: Diagnoser, path: str | Path, *, form: Format = Format.ONNX) -> Exported:
    """Write a diagnoser; see `pretrain.export.write.export`. The output is `probability (batch, concept)`.

    Thresholds, and the concepts in the order of the output, are in the metadata (`biosig.concepts`). Prediction sets
    and novelty are not in the file. A long recording's logits are averaged over its windows before they are calibrated;
    the file answers for one window.

    Raises:
        ModelError: If the head or encoder cannot be exported, or the answers differ by more than 1e-4.
    """
    network = DiagnoserNetwork(diagnoser)
    assert network.space is Space.FEATURES

    def expected(inputs: tuple[Tensor, ...]) -> Tensor:
        features = reference(diagnoser.model, network, inputs)
        return torch.from_numpy(diagnoser.calibrated(diagnoser.head(features.double()).numpy())).float()

    concepts = [
        {"concept": one.concept, "term": one.term, "threshold": one.threshold} for one in diagnoser.config.concepts
    ]
    return write(
        network,
        diagnoser.model,
        Path(path),
        form,
        expected,
        space="probability",
        concepts=json.dumps(concepts, ensure_ascii=False),
    )

"""The network of a diagnoser says what the diagnoser says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from biosig.channels import LEADS_12, positions
from biosig.recording import Modality, Recording
from finetune.diagnosis.diagnoser import ConceptConfig, Diagnoser, DiagnoserConfig
from finetune.diagnosis.export import DiagnoserNetwork
from finetune.diagnosis.result import Estimate
from finetune.heads.linear import LinearHead
from finetune.trust.novelty import Novelty
from pretrain.errors import ModelError
from tests.pretrain.untrained import untrained


def diagnoser(**changes: object) -> Diagnoser:
    model = untrained("model.signal={encoder: eeg_conv, options: {width: 8}}")
    nothing = Estimate(value=None, low=None, high=None)
    concepts = tuple(
        ConceptConfig(
            concept=str(number),
            term="a term",
            abbreviation="T",
            threshold=0.5,
            slope=1.5 + number,
            offset=-0.3,
            limits=(None, None),
            positives=3,
            auroc=nothing,
        )
        for number in range(3)
    )
    config = DiagnoserConfig(concepts=concepts, miscoverage=0.1, training={}, macro_auroc=nothing)
    dim = model.signal.encoder.dim
    head = LinearHead(dim, 3).double()
    torch.manual_seed(0)
    torch.nn.init.normal_(head.linear.weight)
    novelty = Novelty(np.zeros(dim), np.ones(dim), np.eye(dim), np.arange(5.0))
    return Diagnoser(model, head, config.model_copy(update=changes), novelty)


def test_probabilities_of_a_recording() -> None:
    made = diagnoser()
    signal = np.random.default_rng(0).normal(0, 200, (12, 200)).astype(np.float32)
    recording = Recording(signal, LEADS_12, 100.0, (Modality.ECG,) * 12)
    network = DiagnoserNetwork(made)
    with torch.no_grad():
        found = network(
            torch.tensor(signal)[None],
            torch.ones(1, 12, dtype=torch.bool),
            torch.tensor(positions(LEADS_12, Modality.ECG))[None],
        )
    np.testing.assert_allclose(found.numpy(), made.probabilities(recording), atol=1e-5)
    assert network.output == "probability"


def test_answers_that_the_network_cannot_give_are_refused() -> None:
    with pytest.raises(ModelError, match=r"respect the is-a graph \(upward: maximum\)"):
        DiagnoserNetwork(diagnoser(upward="maximum"))

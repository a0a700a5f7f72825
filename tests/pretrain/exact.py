"""Objectives over a small model with every tower, and the gradient of one batch computed in several ways."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

import ontology
from biosig.channels import LEADS_12, positions
from biosig.preprocess import Preprocessing
from biosig.recording import Modality
from biosig.store import MODALITIES
from pretrain.masked.strategies import LeadWise, Random
from pretrain.models.config import ModelConfig, OntologyConfig, ReportEncoderConfig
from pretrain.models.foundation import FoundationModel
from pretrain.models.intake import Intake
from pretrain.objectives import OBJECTIVES, Alignment, Coding
from pretrain.parallel.distributed import Processes
from pretrain.parallel.launch import fabric_of
from pretrain.specs.architecture import (
    Anchor,
    Architecture,
    ConceptEmbedding,
    ConceptSpec,
    MaskedSpec,
    PhysiologySpec,
    SignalSpec,
    TextSpec,
    TokenSpec,
    ViewSpec,
)
from pretrain.specs.execution import Device, Training
from pretrain.training.gradcache import GradCache
from pretrain.training.learner import Learner

GRAPH = ontology.cardiac()
K, TEXT, RATE, SAMPLES = len(GRAPH.observed), 24, 100.0, 256
# Odd, so that neither processes nor micro-batches share it evenly.
RECORDS, MICRO_BATCH = 13, 3

# Options that change what is computed, and how; an objective that is not named here is tested as it is by default.
_VARIANTS: Mapping[str, list[dict[str, Any]]] = {
    "graph_smoothed": [{"form": "both"}, {"direction": "rows", "kernel": "identity"}],
    "temporal_asynchronous": [
        {"alignment": alignment.value, "span_seconds": 1.0, "softness": 0.1} for alignment in Alignment
    ],
    "patient": [{"coding": coding.value} for coding in Coding],
}
# Models that hide patches, by the cases that are computed with each.
_MASKED: Mapping[str, tuple[str, MaskedSpec]] = {
    "masked_prediction": ("patch_transformer_tiny", MaskedSpec(width=64, depth=1)),
    "masked_prediction-random": ("patch_transformer_tiny", MaskedSpec(strategy=Random(kind="random"), width=64)),
    "masked_prediction-lead_wise": ("lead_transformer_tiny", MaskedSpec(strategy=LeadWise(kind="lead_wise"), width=64)),
    "patch_physiology-visible": ("patch_transformer_tiny", MaskedSpec(width=64, depth=1, anchor=Anchor.VISIBLE)),
}
CASES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "-".join([name, *(str(value) for value in options.values())]): (name, options)
    for name in OBJECTIVES
    for options in _VARIANTS.get(name, [{}])
} | {case: (case.partition("-")[0], {}) for case in _MASKED}


def learner_of(case: str, encoder: str = "resnet1d18", **options: Any) -> Learner:
    """The same weights for the same arguments."""
    name, chosen = CASES[case]
    torch.manual_seed(0)
    intake = Intake(
        sampling_rate=RATE, window_seconds=SAMPLES / RATE, modalities=(Modality.ECG,), preprocessing=Preprocessing()
    )
    encoder, masked = _MASKED.get(case, (encoder, None))
    small = {"width": 8} if masked is None else {"width": 64, "depth": 1}
    architecture = Architecture(
        dim=16,
        signal=SignalSpec(encoder=encoder, options={**small, **options}),
        masked=masked,
        physiology=PhysiologySpec(),
        text=TextSpec(),
        concept=ConceptSpec(embedding=ConceptEmbedding.GRAPH),
        token=TokenSpec(dim=8, centre=False),
        views=ViewSpec(),
    )
    reports = ReportEncoderConfig(name="none", fingerprint="", dim=TEXT)
    model = FoundationModel(
        ModelConfig(architecture=architecture, intake=intake, ontology=_ontology(), report_encoder=reports)
    )
    batch = batch_of(RECORDS)
    model.measure([batch], batch["report"].numpy())
    return Learner(model, {name: OBJECTIVES[name].build(chosen, GRAPH)}, {name: 0.7}).train()


def batch_of(records: int) -> dict[str, Tensor]:
    """Records of several montages, some without report, labels or moment."""
    draw = torch.Generator().manual_seed(1)
    mask = torch.rand(records, 12, generator=draw) < 0.8
    known = torch.rand(records, K, generator=draw) < 0.9
    moment = torch.arange(records) // 3
    return {
        "signal": torch.randn(records, 12, SAMPLES, generator=draw) * mask[..., None],
        "mask": mask,
        "position": torch.from_numpy(positions(LEADS_12, Modality.ECG)).float().expand(records, -1, -1).clone(),
        "modality": torch.full((records, 12), MODALITIES.index(Modality.ECG)),
        "valid": torch.full((records,), SAMPLES),
        "row": torch.arange(records),
        "report": torch.randn(records, TEXT, generator=draw),
        "report_id": torch.arange(records) % 7 - 1,
        "labels": (torch.rand(records, K, generator=draw) < 0.1) & known,
        "known": known,
        "moment": moment.where(moment != 2, -1),
        "subject": torch.arange(records) % 3,
        "instance": torch.arange(records) // 2,
        "segment": torch.arange(records) % 2,
        "lead": torch.arange(records) // 2 % 2,
        "start": torch.zeros(records, dtype=torch.long),
        "beats": (torch.rand(records, SAMPLES, generator=draw) < 0.02).char()
        - (torch.arange(records) == 4)[:, None].char(),
        "rhythm": torch.randn(records, 5, generator=draw).where(
            torch.rand(records, 5, generator=draw) < 0.8, torch.nan
        ),
    }


def share_of(batch: Mapping[str, Tensor], processes: Processes) -> dict[str, Tensor]:
    """A process's records, with no more channels than one of them has."""
    mine = {name: value[processes.share(len(value))] for name, value in batch.items()}
    most = int(mine["mask"].any(0).nonzero().max()) + 1
    per_channel = ("signal", "mask", "position", "modality")
    return {name: value[:, :most] if name in per_channel else value for name, value in mine.items()}


def gradients(learner: Learner) -> dict[str, Tensor]:
    """Of the weights that have one."""
    return {name: weight.grad for name, weight in learner.named_parameters() if weight.grad is not None}


def write_gradients(folder: Path, micro_batches: tuple[int | None, ...]) -> None:
    """In each of several processes: the gradients of every case, from the share of the batch that is this process's."""
    fabric = fabric_of(Training(device=Device.CPU, timeout_minutes=2))
    for case in CASES:
        for size in micro_batches:
            learner = learner_of(case)
            learner.processes = Processes(fabric.global_rank, fabric.world_size)
            module = fabric.setup(learner)
            torch.manual_seed(5)
            losses = GradCache(learner, size, fabric=fabric, module=module).backward(
                share_of(batch_of(RECORDS), learner.processes)
            )
            found = {f"weight/{name}": value for name, value in gradients(learner).items()}
            found |= {f"loss/{name}": value for name, value in losses.items()}
            save_file(found | {"state": torch.get_rng_state()}, folder / file_of(case, size, fabric.global_rank))


def file_of(case: str, micro_batch: int | None, rank: int) -> str:
    return f"{case}-{micro_batch}-{rank}.safetensors"


@cache
def _ontology() -> OntologyConfig:
    return OntologyConfig.of(GRAPH)

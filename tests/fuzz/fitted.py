"""Fine-tuned models of every kind, as small as they can be, and a run that was broken off: folders to damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.unsealed import unsealed

_TOLD = {"corpus": "made up", "licence": "none"}


def labeller(folder: Path) -> Path:
    """A labeller of beats."""
    from finetune.beats.labeller import CONFIG, BeatLabeller, BeatLabellerConfig
    from finetune.beats.network import BeatNet, BeatSpec
    from finetune.beats.rhythm import RhythmModel

    spec = BeatSpec(widths=(4,), size=4, dilations=(1,))
    rhythm = RhythmModel(mean=(0.1,) * 7, scale=(1.0,) * 7, weights=(0.5,) * 7, intercept=-1.0)
    config = BeatLabellerConfig(offsets=(0, 0, 0, 0), network=spec, members=2, rhythm=rhythm, training=_TOLD)
    BeatLabeller([BeatNet(spec), BeatNet(spec)], config).save_pretrained(folder)
    return folder / CONFIG


def delineator(folder: Path) -> Path:
    """A delineator."""
    from finetune.delineation.decode import Rules
    from finetune.delineation.delineator import CONFIG, Delineator, DelineatorConfig
    from finetune.heads.frames import FrameNet, FrameSpec

    spec = FrameSpec(widths=(4,), kernel=3)
    config = DelineatorConfig(rules=Rules(), network=spec, members=1, training=_TOLD)
    Delineator([FrameNet(spec)], config).save_pretrained(folder)
    return folder / CONFIG


def stager(folder: Path) -> Path:
    """A stager of sleep."""
    from finetune.sequence.network import StageNet, StageSpec
    from finetune.sequence.stager import CONFIG, Stager, StagerConfig

    spec = StageSpec(channels=("Fpz-Cz",), width=4)
    Stager([StageNet(spec)], StagerConfig(network=spec, members=1, training=_TOLD, measured={})).save_pretrained(folder)
    return folder / CONFIG


def _model() -> Any:
    from biosig.preprocess import Preprocessing
    from biosig.recording import Modality
    from pretrain.models.config import ModelConfig
    from pretrain.models.foundation import FoundationModel
    from pretrain.models.intake import Intake
    from pretrain.specs.architecture import Architecture, SignalSpec

    signal = SignalSpec(encoder="resnet1d18", options={"width": 8})
    intake = Intake(
        sampling_rate=250, window_seconds=1, modalities=(Modality.ECG,), preprocessing=Preprocessing().at_rate(250)
    )
    return FoundationModel(ModelConfig(architecture=Architecture(dim=8, signal=signal), intake=intake))


def diagnoser(folder: Path) -> Path:
    """A diagnoser of two concepts that keeps its training records."""
    from finetune.diagnosis.diagnoser import CONFIG, ConceptConfig, Diagnoser, DiagnoserConfig
    from finetune.diagnosis.result import Estimate
    from finetune.heads import HEADS
    from finetune.trust.neighbours import Neighbours
    from finetune.trust.novelty import Novelty

    model = _model()
    dim = model.signal.encoder.dim
    known = {"threshold": 0.5, "slope": 1.0, "offset": 0.0, "limits": (0.9, None), "positives": 3}
    concepts = tuple(
        ConceptConfig(concept=code, term=code, abbreviation=code[:2], auroc=Estimate(value=0.7), **known)
        for code in ("426783006", "164889003")
    )
    config = DiagnoserConfig(concepts=concepts, miscoverage=0.1, training=_TOLD, macro_auroc=Estimate(value=0.7))
    zeros, ones = np.zeros(dim, np.float32), np.ones(dim, np.float32)
    novelty = Novelty(zeros, ones, np.eye(dim, dtype=np.float32), np.arange(5, dtype=np.float32))
    vectors = np.random.default_rng(0).normal(size=(3, dim)).astype(np.float32)
    names = ["a", "b", "c"]
    neighbours = Neighbours(vectors, zeros, ones, names, names, [["426783006"], [], []], [["sinus rhythm"], [], []])
    Diagnoser(model, HEADS["linear"](dim, 2).double(), config, novelty, neighbours).save_pretrained(folder)
    return folder / CONFIG


def outcome(folder: Path) -> Path:
    """A predictor of survival."""
    from finetune.heads.linear import LinearHead
    from finetune.metrics.survival import Baseline
    from finetune.outcomes.predictor import CONFIG, OutcomeConfig, OutcomePredictor, RiskConfig
    from finetune.outcomes.target import Kind

    model = _model()
    risk = RiskConfig(centre=0.0, slope=1.0, cuts=(-0.5, 0.5), horizon=2.0)
    facts: dict[str, Any] = {"target": "death", "kind": Kind.SURVIVAL, "unit": "years", "centre": 0.0, "scale": 1.0}
    config = OutcomeConfig(**facts, halfwidth=None, risk=risk, training=_TOLD, measured={})
    baseline = Baseline(np.array([1.0, 2.0]), np.array([0.1, 0.3]))
    OutcomePredictor(model, LinearHead(model.signal.encoder.dim, 1).double(), config, baseline).save_pretrained(folder)
    return folder / CONFIG


MAKERS = {"beats": labeller, "delineator": delineator, "stager": stager, "diagnoser": diagnoser, "outcome": outcome}


def fitted(folder: Path, kind: str, damaged: str) -> Path:
    """A fine-tuned model without digests, and the file of it to damage."""
    torch.manual_seed(0)
    unsealed(MAKERS[kind](folder))
    return folder / damaged


def ask(path: Path, kind: str) -> object:
    """Load it and let it speak of a recording."""
    from finetune.beats.labeller import BeatLabeller
    from finetune.delineation.delineator import Delineator
    from finetune.diagnosis.diagnoser import Diagnoser
    from finetune.outcomes.predictor import OutcomePredictor
    from finetune.sequence.stager import Stager

    heart = _heart()
    said: dict[str, Any] = {
        "beats": lambda: BeatLabeller.from_pretrained(path.parent).label(heart, np.arange(1.0, 5.0)),
        "delineator": lambda: Delineator.from_pretrained(path.parent).delineate(heart),
        "stager": lambda: Stager.from_pretrained(path.parent).stage(_night()),
        "diagnoser": lambda: Diagnoser.from_pretrained(path.parent).diagnose(heart),
        "outcome": lambda: OutcomePredictor.from_pretrained(path.parent).predict(heart),
    }
    return said[kind]()


def _heart() -> Any:
    from biosig.recording import Modality, Recording

    signal = np.random.default_rng(0).normal(size=(2, 1500)).astype(np.float32)
    return Recording(signal, ("I", "II"), 250.0, (Modality.ECG,) * 2, record_id="heart")


def _night() -> Any:
    from biosig.recording import Modality, Recording

    signal = np.random.default_rng(0).normal(size=(1, 6000)).astype(np.float32)
    return Recording(signal, ("Fpz-Cz",), 100.0, (Modality.EEG,), record_id="night")


def run(folder: Path, damaged: str) -> Path:
    """A run that was broken off after a step."""
    from pretrain.recipe import load
    from pretrain.training.run import Run

    broken = Run(folder / "run")
    broken.start(load("quickstart"), _FACTS)
    broken.log.write_text('{"step": 1, "train": {"loss": 0.5}}\n{"step": 2, "train": {"loss": 0.4}}\n{"st', "utf-8")
    return broken.folder / damaged


_FACTS = {"stores": [{"sha256": "a"}], "ontology": "b", "versions": {"torch": "1"}, "precision": "float32"}


def go_on(path: Path) -> object:
    """What happens to a run's folder before its checkpoint is loaded."""
    from pretrain.recipe import load
    from pretrain.training.run import Run

    again = Run(path.parent)
    again.cut_log(1)
    return again.check(load("quickstart"), _FACTS)

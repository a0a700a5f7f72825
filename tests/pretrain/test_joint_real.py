"""Real recordings of four corpora in one run: ECG with and without reports, EEG, and EEG with a lead of ECG."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import ontology
from biosig.corpora import CORPORA
from biosig.presets import load as preset
from biosig.recording import Modality
from biosig.store import prepare
from pretrain.data.labels import NO_REPORT
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import TrainingError
from pretrain.models.foundation import FoundationModel
from pretrain.models.text import ReportEncoder
from pretrain.recipe import load
from pretrain.sampling.samplers import NO_MOMENT
from pretrain.training.session import pretrain

FOLDERS = {"cinc2021": "ecg", "ptb-xl": "ecg", "dasps": "eeg", "eegmat": "eeg"}
LIMITS = {"dasps": 60, "eegmat": 8}
SMALL = [
    "optimiser.steps=10",
    "optimiser.warmup_steps=1",
    "optimiser.batch_size=16",
    "model.signal.options.width=16",
    "model.signal.options.token_rate=8",
    "training.log_every=1",
    "training.precision=float32",
    "training.device=cpu",
]


@pytest.mark.real
def test_four_corpora_train_one_encoder(biosig_data: Path, tmp_path: Path) -> None:
    stores = [tmp_path / name for name in FOLDERS]
    for name, kind in FOLDERS.items():
        source, limit = biosig_data / kind / name, LIMITS.get(name, 30)
        steps = preset("joint-128")
        prepare(name, source, tmp_path / name, preprocessing=steps, limit=limit, workers=0, progress=False)
    recipe = load("biosig_joint", SMALL)
    data = PretrainingData(stores, recipe, ontology.cardiac(), ReportEncoder())
    table = [(data.group(step), data.train_batch(step)) for step in range(12)]
    for group, batch in table:
        seconds, moment = batch["signal"].shape[2] / 128, batch["moment"] != NO_MOMENT
        assert (seconds, bool(moment.all()), bool(moment.any())) == {
            "ecg": (10.0, False, False),
            "eeg": (5.0, True, True),
        }[group]
    assert {group for group, _ in table} == {"ecg", "eeg"}
    assert any((batch["report_id"] == NO_REPORT).any() and (batch["report_id"] >= 0).any() for _, batch in table)
    brains = [batch for group, batch in table if group == "eeg"]
    assert not any(batch["labels"].any() or batch["known"].any() for batch in brains), "no finding of an ECG"

    summary = pretrain(recipe, stores, tmp_path / "run", console=Console(quiet=True))
    found = summary.outcome.losses
    assert {
        "ecg/signal_language/report",
        "ecg/graph_smoothed/concept",
        "ecg/graph_smoothed/batch",
        "eeg/temporal_asynchronous/moment",
    } < set(found)
    assert all(math.isfinite(value) and value > 0 for value in found.values())
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert all(len({name.split("/")[0] for name in entry["train"]}) == 2 for entry in log if "train" in entry)

    model = FoundationModel.from_pretrained(summary.model)
    recordings = []
    for name, kind in FOLDERS.items():
        corpus = CORPORA[name]
        recordings.append(corpus.read(next(iter(corpus.find(biosig_data / kind / name)))))
    assert {Modality.ECG, Modality.EEG} == set(recordings[-1].modality), "nineteen electrodes and a lead"
    vectors = model.encode(recordings)
    assert np.isfinite(vectors).all()
    electrodes = [c for c, k in zip(recordings[-1].channels, recordings[-1].modality, strict=True) if k is Modality.EEG]
    without = model.encode(recordings[-1].pick(electrodes))
    assert np.abs(without - vectors[-1:]).max() > 1e-4, "the lead is heard"


@pytest.mark.real
def test_stores_of_two_preprocessings_are_told_of_one_for_both(biosig_data: Path, tmp_path: Path) -> None:
    for name, steps in (("cinc2021", preset("raw-250").at_rate(128)), ("eegmat", preset("eeg"))):
        source = biosig_data / FOLDERS[name] / name
        prepare(name, source, tmp_path / name, preprocessing=steps, limit=4, workers=0, progress=False)
    with pytest.raises(TrainingError, match=r"eegmat: its preprocessing is not that of .*cinc2021; .* joint-128"):
        PretrainingData([tmp_path / "cinc2021", tmp_path / "eegmat"], load("biosig_joint"), None, None)

"""Real recordings of two corpora in one run: the Challenge 2021 has codes and no reports, PTB-XL has both."""

import math
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import ontology
from biosig.preprocess import Preprocessing, Resample
from biosig.store import prepare
from pretrain.data.labels import NO_REPORT
from pretrain.data.pretraining import PretrainingData
from pretrain.models.foundation import FoundationModel
from pretrain.models.text import ReportEncoder
from pretrain.recipe import load
from pretrain.training.session import build_learner, pretrain

SMALL = ["optimiser.steps=3", "optimiser.warmup_steps=1", "optimiser.batch_size=24", "model.signal.options.width=8"]


@pytest.mark.real
def test_two_corpora_train_one_model(biosig_data: Path, tmp_path: Path) -> None:
    steps = Preprocessing(steps=(Resample(rate=250.0),))
    for name in ("cinc2021", "ptb-xl"):
        source = biosig_data / "ecg" / name
        prepare(name, source, tmp_path / name, preprocessing=steps, limit=60, workers=0, progress=False)
    stores = [tmp_path / "cinc2021", tmp_path / "ptb-xl"]
    recipe = load("ecg_language_ontology", [*SMALL, "training.precision=float32"])
    data = PretrainingData(stores, recipe, ontology.cardiac(), ReportEncoder())
    batch = data.train_batch(0)
    stated = batch["report_id"] != NO_REPORT
    assert stated.any()
    assert not stated.all(), "the Challenge has no reports"
    assert (batch["report"][~stated] == 0).all()
    assert batch["labels"].any()

    summary = pretrain(recipe, stores, tmp_path / "run", console=Console(quiet=True))
    assert set(summary.outcome.losses) == {
        "loss",
        "signal_language/report",
        "graph_smoothed/concept",
        "graph_smoothed/batch",
    }
    assert all(math.isfinite(value) for value in summary.outcome.losses.values())
    model = FoundationModel.from_pretrained(summary.model)
    assert model.config.provenance is not None
    assert [use.corpus for use in model.config.provenance.stores] == ["cinc2021", "ptb-xl"]


@pytest.mark.real
def test_three_corpora_are_harmonised(biosig_data: Path, tmp_path: Path) -> None:
    """LUDB, the Challenge and PTB-XL in one run: what one of them never annotates is unknown there, not absent."""
    steps = Preprocessing(steps=(Resample(rate=100.0),))
    names = ("ludb", "cinc2021", "ptb-xl")
    for name in names:
        source = biosig_data / "ecg" / name
        prepare(name, source, tmp_path / name, preprocessing=steps, limit=60, workers=0, progress=False)
    stores = [tmp_path / name for name in names]
    recipe = load("graph_smoothed_ecg", [*SMALL, "data.sampling_rate=100", "training.precision=float32"])
    graph = ontology.cardiac()
    data = PretrainingData(stores, recipe, graph, None)
    corpus = np.repeat(names, [len(store) for store in data.stores.values()])
    known = {name: data.labels.known[corpus == name] for name in names}
    for name, never in {"ludb": "LQT", "cinc2021": "PRWP", "ptb-xl": "Brady"}.items():
        column = graph.index(graph.find(never).id)
        assert not known[name][:, column].any(), f"{name} has no word for {never}"
    assert all(part.any(0).sum() >= 9 for part in known.values())

    learner = build_learner(recipe, data, graph, None).eval()
    batch = data.train_batch(0)
    assert not batch["known"].all(1).any(), "no corpus annotates everything"
    before = learner(batch)["loss"]
    assert learner({**batch, "labels": batch["labels"] ^ ~batch["known"]})["loss"] == before
    assert learner({**batch, "labels": batch["labels"] ^ batch["known"]})["loss"] != before
    summary = pretrain(recipe, stores, tmp_path / "run", console=Console(quiet=True))
    assert all(math.isfinite(value) for value in summary.outcome.losses.values())
    assert [use.corpus for use in summary.data] == list(names)

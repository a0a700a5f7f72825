"""Probes: what they say, of what they say it, and that training does not notice."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from rich.console import Console

import ontology
from biosig.store import Store
from pretrain.data.examples import Examples
from pretrain.data.labels import Labels
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import RecipeError, TrainingError
from pretrain.models.text import ReportEncoder
from pretrain.parallel.distributed import ALONE, Processes
from pretrain.probes import PROBES, Watched, probes_of
from pretrain.probes.scores import macro_auroc
from pretrain.recipe import Recipe, parse
from pretrain.specs.execution import Probing, Training
from pretrain.training import session
from pretrain.training.session import train
from tests.pretrain.eeg import SMALL, TINY_EEG, simulated_store
from tests.pretrain.tiny import TINY

Tiny = Callable[..., Recipe]


@pytest.fixture(scope="module")
def eeg_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulated_store(tmp_path_factory.mktemp("eeg"), SMALL)


@pytest.fixture(scope="module")
def watched(store: Path) -> Watched:
    """A tiny model with a text and a concept tower, untrained."""
    recipe = parse(TINY, overrides=["training.probes.neighbours=5"])
    encoder, graph = ReportEncoder(), ontology.cardiac()
    data = PretrainingData([store], recipe, graph, encoder)
    torch.manual_seed(recipe.seed)
    learner = session.build_learner(recipe, data, graph, encoder)
    assert recipe.training.probes is not None
    return Watched(recipe, learner, data, ALONE, recipe.training.probes)


def slowly(scores: np.ndarray, stated: np.ndarray, known: np.ndarray) -> list[float]:
    """Of each concept, how often a record that carries it is above one that does not; ties count half."""
    found = []
    for column in range(scores.shape[1]):
        pairs = [
            float(scores[i, column] > scores[j, column]) + 0.5 * float(scores[i, column] == scores[j, column])
            for i in range(len(scores))
            for j in range(len(scores))
            if known[i, column] and known[j, column] and stated[i, column] and not stated[j, column]
        ]
        if pairs:
            found.append(float(np.mean(pairs)))
    return found


def test_macro_auroc_is_that_of_comparing_pairs() -> None:
    draw = np.random.default_rng(0)
    scores, stated, known = (
        draw.integers(4, size=(30, 6)).astype(float),
        draw.random((30, 6)) < 0.4,
        np.ones((30, 6), bool),
    )
    known[:, 1] = draw.random(30) < 0.5
    stated[:, 2], known[:, 3] = False, False
    expected = slowly(scores, stated, known)
    found = macro_auroc(scores, Labels(stated, known))
    assert len(expected) == 4
    assert found == pytest.approx({"auroc": np.mean(expected), "concepts": 4})
    scores[:, 0] = np.nan
    assert macro_auroc(scores, Labels(stated, known))["concepts"] == 3


def test_without_a_concept_to_score_there_is_nothing_to_say() -> None:
    with pytest.raises(TrainingError, match="no concept is carried by some"):
        macro_auroc(np.zeros((3, 2)), Labels(np.ones((3, 2), bool), np.ones((3, 2), bool)))


def neighbourly(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, vectors: Callable[[np.ndarray], np.ndarray]
) -> float:
    """The k-NN probe where features are a function of the labels."""
    monkeypatch.setattr(watched, "embed", lambda rows, name: vectors(watched.labels(rows).stated))
    return PROBES["knn"](watched)()["auroc"]


def test_neighbours_that_are_alike_know_and_those_that_are_chance_do_not(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(0)
    alike = neighbourly(watched, monkeypatch, lambda stated: stated + 1e-3 * draw.random(stated.shape))
    assert alike > 0.9
    chance = [neighbourly(watched, monkeypatch, lambda stated: draw.normal(size=(len(stated), 8))) for _ in range(20)]
    assert np.mean(chance) == pytest.approx(0.5, abs=0.08)


def test_zero_shot_by_sentences_knows_signals_that_lie_at_their_sentences(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, graph = watched.learner.model, watched.graph
    axes = {
        text: axis for axis, concept in enumerate(graph.observed) for text in ontology.prompts.sentences(graph[concept])
    }
    monkeypatch.setattr(model, "encode_text", lambda texts: np.eye(len(graph.observed))[[axes[text] for text in texts]])
    monkeypatch.setattr(watched, "embed", lambda rows, name: watched.labels(rows).stated.astype(float))
    found = PROBES["zero_shot"](watched)()
    # A record that carries several concepts is less near to each of them: still nearer than one without.
    assert found["auroc"] > 0.99
    assert found["concepts"] > 3


def test_zero_shot_takes_the_concept_tower_where_there_is_no_text(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = watched.learner.model
    monkeypatch.setitem(model._modules, "text", None)
    monkeypatch.setattr(model, "encode_concepts", lambda: np.eye(len(model.concepts)))
    monkeypatch.setattr(watched, "embed", lambda rows, name: watched.labels(rows).stated.astype(float))
    assert PROBES["zero_shot"](watched)()["auroc"] > 0.99
    monkeypatch.setitem(model._modules, "concept", None)
    with pytest.raises(TrainingError, match="neither a text nor a concept tower"):
        PROBES["zero_shot"](watched)


def test_what_is_embedded_is_the_first_window_as_the_model_embeds_it(watched: Watched) -> None:
    rows, model = watched.rows("validation"), watched.learner.model
    store = next(iter(watched.data.stores.values()))
    batch = watched.data.intake.windows(store, rows[0], np.zeros(len(rows[0]), dtype=np.int64))
    model.eval()
    np.testing.assert_allclose(watched.embed(rows, "pooled"), model.embed(batch).detach().numpy(), rtol=1e-4, atol=1e-6)
    sphere = watched.embed(rows, "signal")
    np.testing.assert_allclose(np.linalg.norm(sphere, axis=1), 1, rtol=1e-5)


def test_records_are_chosen_once_and_never_more_than_allowed(watched: Watched) -> None:
    few = Watched(watched.recipe, watched.learner, watched.data, ALONE, Probing(records=7))
    chosen, again = few.rows("train")[0], few.rows("train")[0]
    assert len(chosen) == 7
    assert chosen.tolist() == again.tolist()
    assert set(chosen.tolist()) <= set(watched.data.examples.train[0].tolist())
    assert watched.rows("train")[0].tolist() == watched.data.examples.train[0].tolist()


def test_processes_share_the_embedding(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    shares = []
    for rank in range(2):
        monkeypatch.setattr(Processes, "gather", lambda self, own: own)
        part = Watched(watched.recipe, watched.learner, watched.data, Processes(rank, 2), watched.spec)
        shares.append(part.embed(part.rows("validation"), "pooled"))
    np.testing.assert_allclose(np.concatenate(shares), watched.embed(watched.rows("validation"), "pooled"), rtol=1e-5)


@pytest.mark.parametrize("name", PROBES)
def test_every_probe_is_in_the_log_from_before_the_first_step_and_training_does_not_notice(
    name: str, store: Path, eeg_store: Path, tmp_path: Path
) -> None:
    text, data = (TINY_EEG, eeg_store) if name == "same_moment" else (TINY, store)
    examples = None
    if name == "same_moment":
        people = np.array([int(subject.removeprefix("S")) for _, subject in Store(data).subjects])
        halves = np.flatnonzero(people <= np.median(people)), np.flatnonzero(people > np.median(people))
        examples = Examples((halves[0],), (halves[1],), 0)
    wanted = [f"training.probes.names=[{name}]", "training.probes.every=3", "training.validate_every=6"]
    shown = io.StringIO()
    probed, plain = (
        train(
            parse(text, overrides=["optimiser.steps=7", *overrides]),
            [data],
            tmp_path / folder,
            console=Console(file=shown, width=120),
            examples=examples,
        ).model.state_dict()
        for folder, overrides in (("probed", wanted), ("plain", []))
    )
    log = [json.loads(line) for line in (tmp_path / "probed" / "log.jsonl").read_text().splitlines()]
    asked = [entry for entry in log if "probes" in entry]
    assert [entry["step"] for entry in asked] == [0, 3, 6, 7]
    for entry in asked:
        assert all(key.startswith(f"{name}/") and np.isfinite(value) for key, value in entry["probes"].items())
        first, *_ = entry["probes"].values()
        assert 0 <= first <= 1
    assert f"{name} {first:.3f}" in shown.getvalue()
    assert all(torch.equal(value, plain[key]) for key, value in probed.items())
    trained = [
        [entry["train"] for entry in map(json.loads, (tmp_path / one / "log.jsonl").open()) if "train" in entry]
        for one in ("probed", "plain")
    ]
    assert trained[0] == trained[1]


def test_what_cannot_be_asked_is_left_out_or_refused_by_name(watched: Watched, store: Path) -> None:
    shown = io.StringIO()

    def asked(*overrides: str) -> dict[str, Any]:
        recipe = parse(TINY, overrides=["training.probes.every=3", *overrides])
        return probes_of(recipe, watched.learner, watched.data, ALONE, Console(file=shown, width=200))

    assert set(asked()) == {"knn", "zero_shot"}
    assert "no probe same_moment: the recipe has no objective that compares moments" in shown.getvalue()
    with pytest.raises(TrainingError, match=r"training\.probes: same_moment: the recipe has no objective"):
        asked("training.probes.names=[same_moment]")
    with pytest.raises(TrainingError, match=r"training\.probes\.names: expected some of .*knn.*, got 'nearest'"):
        asked("training.probes.names=[nearest]")
    with pytest.raises(RecipeError, match="ontology"):
        asked("training.probes.ontology=cardyac")


def test_a_recipe_without_concepts_is_asked_for_those_of_the_heart(tiny: Tiny) -> None:
    watched = Watched(tiny("ontology=none"), *[SimpleNamespace()] * 2, ALONE, Probing())  # type: ignore[arg-type]
    assert watched.graph.observed == ontology.cardiac().observed


def test_shards_of_weights_answer_nothing() -> None:
    with pytest.raises(ValidationError, match="expected no probes where strategy is fsdp"):
        Training.model_validate({"strategy": "fsdp", "probes": {}})

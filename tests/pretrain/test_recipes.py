"""Every shipped recipe says what it is, trains, and makes a model that can be saved, loaded and asked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from typer import Typer
from typer.testing import CliRunner

from biosig.corpora import CORPORA
from biosig.recording import Modality
from biosig.store import Store
from pretrain.catalogue import entry
from pretrain.commands.recipes import recipes as command
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import RecipeError
from pretrain.graphs import graph_of
from pretrain.models.foundation import FoundationModel
from pretrain.models.text import ReportEncoder
from pretrain.objectives import OBJECTIVES
from pretrain.recipe import Recipe, load, shipped
from pretrain.specs.samplers import MixedSampler
from pretrain.training.session import build_learner, pretrain
from tests.networks import prepared
from tests.pretrain.eeg import SMALL, simulated_store

RATE, SECONDS = SMALL.sampling_rate, 2
every = pytest.mark.parametrize("name", shipped())
# The least of each kind of encoder.
LEAST: Mapping[str, Mapping[str, object]] = {
    "resnet1d": {"width": 8},
    "eeg_conv": {"width": 16, "n_chans": 4, "token_rate": 8},
    "patch_transformer": {"width": 64, "depth": 1},
    "lead_transformer": {"width": 64, "depth": 1},
}


@pytest.fixture(scope="module")
def stores(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Modality, Path]:
    """One of ECG and one of EEG, prepared alike."""
    folder = tmp_path_factory.mktemp("both")
    return {
        Modality.ECG: prepared(corpus, folder / "ecg", rate=RATE, limit=60, statistics=True),
        Modality.EEG: simulated_store(folder / "eeg"),
    }


def shrunk(name: str) -> Recipe:
    """A recipe that takes two steps with a network next to nothing, on these stores."""
    whole = load(name)
    least = next(options for kind, options in LEAST.items() if whole.model.signal.encoder.startswith(kind))
    changes: dict[str, object] = {
        "data.sampling_rate": RATE,
        "data.window_seconds": SECONDS,
        "optimiser.steps": 2,
        "optimiser.warmup_steps": 0,
        "optimiser.batch_size": 8,
        "training.device": "cpu",
        "training.precision": "float32",
        "training.validate_every": 2,
        "training.validation_batches": 1,
        "training.checkpoint_every": 2,
        "training.log_every": 1,
    }
    changes |= {f"model.signal.options.{option}": value for option, value in least.items()}
    if isinstance(whole.data.sampler, MixedSampler):
        changes |= {f"data.sampler.groups.{one.name}.window_seconds": SECONDS for one in whole.data.sampler.groups}
    return load(name, [f"{field}={value}" for field, value in changes.items()])


@every
def test_a_recipe_trains_and_its_model_is_saved_loaded_and_asked(
    name: str, stores: dict[Modality, Path], tmp_path: Path
) -> None:
    recipe = shrunk(name)
    of_kinds = [stores[kind] for kind in recipe.data.modalities]
    summary = pretrain(recipe, of_kinds, tmp_path / "run", console=Console(quiet=True))
    assert summary.outcome.steps == 2
    assert len(summary.outcome.losses) > 1
    assert all(math.isfinite(value) for value in summary.outcome.losses.values())
    model = FoundationModel.from_pretrained(summary.model)
    assert model.config.provenance is not None
    assert model.config.provenance.recipe["name"] == name
    for path in of_kinds:
        store = Store(path)
        found = model.encode(store, store.rows("test")[:3])
        assert found.shape == (3, model.signal.encoder.dim)
        assert np.isfinite(found).all()
        assert np.ptp(found, axis=0).max() > 0, "different recordings are different"


@every
def test_every_objective_finds_something_to_learn(name: str, stores: dict[Modality, Path]) -> None:
    recipe = shrunk(name)
    graph = graph_of(recipe)
    encoder = ReportEncoder() if recipe.model.report_encoder else None
    data = PretrainingData([stores[kind] for kind in recipe.data.modalities], recipe, graph, encoder)
    learner = build_learner(recipe, data, graph, encoder)
    found: set[str] = set()
    for step in data.opening(2):
        losses = learner(data.train_batch(step))
        assert torch.isfinite(losses["loss"])
        found |= {part.split("/")[0] for part in losses} - {"loss"}
    assert found == {objective.name for objective in recipe.objectives}


@every
def test_a_recipe_is_listed_with_its_papers_and_what_is_ours(name: str) -> None:
    found = entry(name)
    recipe = found.recipe
    assert found.papers
    assert recipe.title
    assert recipe.known, "what is known"
    assert recipe.reconstruction, "what is ours"
    assert recipe.corpora
    assert not set(recipe.corpora) - set(CORPORA)
    kinds = {kind for corpus in recipe.corpora for kind in CORPORA[corpus].modality}
    assert set(recipe.data.modalities) <= kinds
    assert found.learns_from[0].startswith(recipe.data.modalities[0].upper())
    for objective in recipe.objectives:
        assert OBJECTIVES[objective.name].learns_from in {"", *found.learns_from}


@pytest.mark.parametrize("name", ["merl", "ta2cl", "graph_smoothed_ecg"])
def test_parameters_are_those_that_a_run_trains(name: str, stores: dict[Modality, Path], tmp_path: Path) -> None:
    recipe = load(name, [f"data.sampling_rate={RATE}", f"data.window_seconds={SECONDS}", "optimiser.batch_size=8"])
    (tmp_path / "mine.yaml").write_text(recipe.to_yaml())
    graph = graph_of(recipe)
    encoder = ReportEncoder() if recipe.model.report_encoder else None
    data = PretrainingData([stores[kind] for kind in recipe.data.modalities], recipe, graph, encoder)
    learner = build_learner(recipe, data, graph, encoder)
    trains = sum(weight.numel() for weight in learner.parameters() if weight.requires_grad)
    assert entry(str(tmp_path / "mine.yaml")).parameters == trains


def said(*arguments: str) -> str:
    app = Typer()
    app.command()(command)
    result = CliRunner().invoke(app, arguments, catch_exceptions=False, env={"COLUMNS": "200"})
    assert result.exit_code == 0
    return result.output


def test_all_recipes_are_listed() -> None:
    text = said()
    for name in shipped():
        assert name in text
    for part in ("2403.06659", "resnet1d34", "5.5", "latent_views", "recordings of at least 10 s", "ptb-xl, "):
        assert part in text, part


def test_one_recipe_is_shown_whole_and_can_be_used_as_it_is_printed(tmp_path: Path) -> None:
    text = said("merl")
    recipe = load("merl")
    flat = " ".join(text.split())
    for words in (*recipe.references, recipe.known, recipe.reconstruction, "5.51 M that train", "reports"):
        assert " ".join(words.split()) in flat
    settings = text[text.index("seed: ") :]
    (tmp_path / "printed.yaml").write_text(f"name: merl\ntitle: A test\n{settings}")
    again = load(tmp_path / "printed.yaml")
    assert (again.data, again.model, again.objectives, again.optimiser) == (
        recipe.data,
        recipe.model,
        recipe.objectives,
        recipe.optimiser,
    )


def test_a_name_that_is_none_is_mended() -> None:
    with pytest.raises(RecipeError, match=r"no recipe named 'meryl' \(did you mean 'merl'\?\)"):
        said("meryl")

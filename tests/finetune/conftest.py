"""A made-up task, and a small simulated store with a model that was pretrained on it for a moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from finetune.protocols import Task
from pretrain.recipe import parse
from pretrain.training.session import pretrain
from tests.finetune.fakes import make_task
from tests.networks import one_thread, prepared, simulated, text_cache
from tests.pretrain.tiny import TINY

__all__ = ["one_thread", "text_cache"]


@pytest.fixture
def task() -> Task:
    return make_task()


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 simulated 12-lead ECGs of 4 seconds at 100 Hz: two windows of the model each."""
    folder = tmp_path_factory.mktemp("simulated")
    return prepared(simulated(folder / "corpus", 160, seed=5), folder / "store")


@pytest.fixture(scope="session")
def model(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model after three steps."""
    run = tmp_path_factory.mktemp("runs") / "run"
    return pretrain(parse(TINY, overrides=["optimiser.steps=3"]), [store], run, console=Console(quiet=True)).model

"""A made-up task, and a small simulated store with a model that was pretrained on it for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from rich.console import Console

from biosig.preprocess import Preprocessing, Resample
from biosig.simulate import write_corpus
from biosig.store import prepare
from finetune.protocols import Task
from pretrain.recipe import parse
from pretrain.session import pretrain
from tests.finetune.fakes import make_task
from tests.pretrain.tiny import TINY


@pytest.fixture
def task() -> Task:
    return make_task()


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 simulated 12-lead ECGs of 4 seconds at 100 Hz: two windows of the model each."""
    folder = tmp_path_factory.mktemp("simulated")
    write_corpus(folder / "corpus", 160, seed=5, sampling_rate=100.0, duration=4.0, workers=1, progress=False)
    steps = Preprocessing(steps=(Resample(rate=100.0),))
    prepare("simulated", folder / "corpus", folder / "store", preprocessing=steps, workers=1, progress=False)
    return folder / "store"


@pytest.fixture(scope="session")
def model(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model after three steps."""
    run = tmp_path_factory.mktemp("runs") / "run"
    return pretrain(parse(TINY, overrides=["optimiser.steps=3"]), [store], run, console=Console(quiet=True)).model


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny problems: threads would only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A text cache for these tests, so that they neither read nor fill that of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIOSIG_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield

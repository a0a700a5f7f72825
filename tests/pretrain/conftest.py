"""A small simulated store, made once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from biosig.preprocess import Preprocessing, Resample
from biosig.simulate import write_corpus
from biosig.store import prepare
from pretrain.recipe import Recipe, parse
from tests.pretrain.tiny import TINY


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """96 simulated 12-lead ECGs of 4 seconds at 100 Hz."""
    folder = tmp_path_factory.mktemp("simulated")
    write_corpus(folder, 96, seed=3, sampling_rate=100.0, duration=4.0, workers=1, progress=False)
    return folder


@pytest.fixture(scope="session")
def store(corpus: Path) -> Path:
    """The same, prepared."""
    return prepared(corpus, corpus.parent / "store")


@pytest.fixture(scope="session")
def fewer(corpus: Path) -> Path:
    """The first 60 of them."""
    return prepared(corpus, corpus.parent / "fewer", limit=60)


def prepared(corpus: Path, folder: Path, *, rate: float = 100.0, limit: int | None = None) -> Path:
    steps = Preprocessing(steps=(Resample(rate=rate),))
    prepare("simulated", corpus, folder, preprocessing=steps, limit=limit, workers=0, progress=False)
    return folder


@pytest.fixture
def tiny() -> Callable[..., Recipe]:
    """A recipe that trains in a second, with fields changed: `tiny("seed=1")`."""
    return lambda *overrides: parse(TINY, overrides=overrides)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Small networks gain nothing from more, and lose much where other processes want the cores too."""
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

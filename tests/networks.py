"""What tests of networks share: prepared simulated recordings, one thread, and a text cache of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from biosig.preprocess import Preprocessing, Resample
from biosig.simulate import write_corpus
from biosig.store import prepare


def simulated(folder: Path, records: int, *, seed: int) -> Path:
    """Simulated 12-lead ECGs of 4 seconds at 100 Hz."""
    write_corpus(folder, records, seed=seed, sampling_rate=100.0, duration=4.0, workers=1, progress=False)
    return folder


def prepared(
    corpus: Path, folder: Path, *, rate: float = 100.0, limit: int | None = None, statistics: bool = False
) -> Path:
    """A store of them."""
    steps = Preprocessing(steps=(Resample(rate=rate),))
    prepare(
        "simulated",
        corpus,
        folder,
        preprocessing=steps,
        limit=limit,
        statistics=statistics,
        workers=0,
        progress=False,
    )
    return folder


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks gain nothing from more, and lose much where other processes want the cores too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session", autouse=True)
def text_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A text cache for these tests, so that they neither read nor fill that of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIOSIG_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield

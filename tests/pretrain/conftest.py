"""A small simulated store, made once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pretrain.recipe import Recipe, parse
from tests.networks import one_thread, prepared, simulated, text_cache
from tests.pretrain.tiny import TINY

__all__ = ["one_thread", "text_cache"]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """96 recordings."""
    return simulated(tmp_path_factory.mktemp("simulated"), 96, seed=3)


@pytest.fixture(scope="session")
def store(corpus: Path) -> Path:
    """The same, prepared."""
    return prepared(corpus, corpus.parent / "store")


@pytest.fixture(scope="session")
def fewer(corpus: Path) -> Path:
    """The first 60 of them."""
    return prepared(corpus, corpus.parent / "fewer", limit=60)


@pytest.fixture(scope="session")
def beating(corpus: Path) -> Path:
    """The first 36 of them, with their beats."""
    return prepared(corpus, corpus.parent / "beating", limit=36, statistics=True)


@pytest.fixture
def tiny() -> Callable[..., Recipe]:
    """A recipe that trains in a second, with fields changed: `tiny("seed=1")`."""
    return lambda *overrides: parse(TINY, overrides=overrides)

"""A store with a hostile report, a model that was hardly trained, and the pages of both."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from starlette.testclient import TestClient

from biosig.store import Store
from pretrain.browse.catalogue import Catalogue
from pretrain.browse.server import Pages
from pretrain.browse.sight import Sight
from pretrain.browse.vocabulary import Vocabulary
from pretrain.models.foundation import FoundationModel
from pretrain.recipe import parse
from pretrain.training.session import pretrain
from tests.biosig.store.rewrite import rewritten
from tests.pretrain.tiny import TINY

SCRIPT = '<script>alert("1")</script>'


@pytest.fixture(scope="session")
def hostile(fewer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty records; the report, the name, the sex and a flag of the third are markup, and it is one minute old."""
    folder = shutil.copytree(fewer, tmp_path_factory.mktemp("browse") / "hostile")

    def change(columns: dict[str, list[object]]) -> None:
        columns["report"][2] = f"Sinus {SCRIPT} rhythm"
        columns["record"][2] = f'../../"{SCRIPT}'
        columns["subject"][2] = SCRIPT
        columns["sex"][2] = SCRIPT
        columns["quality"][2] = ["flat", SCRIPT]

    return rewritten(folder, change)


@pytest.fixture(scope="session")
def model(store: Path, tmp_path_factory: pytest.TempPathFactory) -> FoundationModel:
    """With a text tower and a concept tower."""
    recipe = parse(TINY, overrides=["optimiser.steps=2"])
    folder = pretrain(recipe, [store], tmp_path_factory.mktemp("runs") / "run", console=Console(quiet=True)).model
    return FoundationModel.from_pretrained(folder)


@pytest.fixture(scope="session")
def catalogue(store: Path, hostile: Path) -> Catalogue:
    """Of 96 and 60 records."""
    return Catalogue([Store(store), Store(hostile)], Vocabulary())


@pytest.fixture(scope="session")
def sight(model: FoundationModel, catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Sight:
    """What the model sees in both."""
    return Sight(model, catalogue, tmp_path_factory.mktemp("vectors"))


@pytest.fixture(scope="session")
def page(catalogue: Catalogue) -> Iterator[TestClient]:
    """A browser of the stores alone."""
    with client(catalogue) as one:
        yield one


@pytest.fixture(scope="session")
def seen(catalogue: Catalogue, sight: Sight) -> Iterator[TestClient]:
    """A browser of the stores with the model."""
    with client(catalogue, sight) as one:
        yield one


def client(catalogue: Catalogue, sight: Sight | None = None) -> TestClient:
    """What a browser on this machine would get."""
    return TestClient(Pages(catalogue, sight).application(), base_url="http://127.0.0.1:8765")


@pytest.fixture
def vectors(sight: Sight) -> Callable[[int], np.ndarray]:
    """The vector of a row."""

    def of(row: int) -> np.ndarray:
        vector = sight.vector(row)
        assert vector is not None
        return vector

    return of

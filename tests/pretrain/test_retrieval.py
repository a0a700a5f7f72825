"""Same-moment retrieval: by hand on matrices, and between simulated subjects who are all but one person."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig.store import Store
from pretrain.data.examples import Examples
from pretrain.errors import TrainingError
from pretrain.models.foundation import FoundationModel, random_like
from pretrain.objectives import TemporalAsynchronous
from pretrain.recipe import parse
from pretrain.retrieval import found, retrieval
from pretrain.within import pretrain_on
from tests.pretrain.eeg import SMALL, TINY_EEG, Shown, clocks, simulated_store

SYNCHRONOUS = TemporalAsynchronous.build({"alignment": "synchronous"})


def slowly(similarity: torch.Tensor) -> float:
    """Row by row and column by column; equally good candidates share the win."""
    shares = []
    for matrix in (similarity.tolist(), similarity.T.tolist()):
        for place, row in enumerate(matrix):
            best = [k for k, value in enumerate(row) if value == max(row)]
            shares.append(1 / len(best) if place in best else 0)
    return float(np.mean(shares))


@given(st.integers(2, 6), st.integers(0, 10**6))
@settings(max_examples=200, deadline=None)
def test_the_share_found_is_that_of_looking(size: int, seed: int) -> None:
    # Few different values, so that there are ties.
    similarity = torch.from_numpy(np.random.default_rng(seed).integers(0, 4, (size, size)).astype(np.float32))
    assert found(similarity) == pytest.approx(slowly(similarity))
    assert found(similarity.T) == pytest.approx(found(similarity))


def test_limits() -> None:
    assert found(torch.eye(5)) == 1
    assert found(-torch.eye(5)) == 0
    assert found(torch.zeros(5, 5)) == pytest.approx(0.2), "a model that has collapsed is at chance"
    assert found(torch.tensor([[1.0, 2.0], [0.0, 1.5]])) == 0.5


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four subjects of one head and one latency, who hear nothing but the stimulus."""
    experiment = replace(SMALL, subjects=4, snr=60.0, variation=0.0, spread=0.0, duration=9.0)
    return simulated_store(tmp_path_factory.mktemp("alike"), experiment)


@pytest.fixture(scope="module")
def model(alike: Path) -> FoundationModel:
    subjects = np.array([name for _, name in Store(alike).subjects])
    examples = Examples((np.flatnonzero(subjects < "S0002"),), (np.zeros(0, dtype=np.int64),), 0)
    return pretrain_on(parse(TINY_EEG), [alike], examples)


def test_equal_signals_are_found_by_any_weights(alike: Path, model: FoundationModel) -> None:
    store = Store(alike)
    for one in (model, random_like(model, 3)):
        outcome = retrieval(one, SYNCHRONOUS, store, np.arange(len(store)))
        assert outcome.accuracy == 1
        # Four windows of 2 s fit into each of three stimuli of 9 s.
        assert outcome.moments == (12,) * 6
        assert outcome.chance == pytest.approx(1 / 12)
        assert set(outcome.pairs.values()) == {1.0}
    assert not model.training
    some = retrieval(model, SYNCHRONOUS, store, np.arange(len(store)), moments=5)
    assert some.moments == (5,) * 6


def test_only_the_rows_that_are_given_count(alike: Path, model: FoundationModel) -> None:
    store = Store(alike)
    subjects = np.array([name for _, name in store.subjects])
    two = retrieval(model, SYNCHRONOUS, store, np.flatnonzero(np.isin(subjects, ["S0001", "S0003"])))
    assert list(two.pairs) == [(("simulated-eeg", "S0001"), ("simulated-eeg", "S0003"))]
    with pytest.raises(TrainingError, match="expected two subjects who share two moments of 128 samples, found none"):
        retrieval(model, SYNCHRONOUS, store, np.flatnonzero(subjects == "S0001"))


def test_the_similarity_is_that_of_the_objective(tmp_path: Path, model: FoundationModel) -> None:
    """Subjects who differ by their latencies alone are found by a similarity that allows for them."""
    experiment = replace(SMALL, subjects=4, snr=60.0, variation=0.0, spread=1.0, duration=60.0, stimuli=1)
    store = Store(simulated_store(tmp_path, experiment))
    coherent = TemporalAsynchronous.build({"alignment": "coherent", "window_seconds": 1.0})
    by = {name: retrieval(model, one, store, np.arange(4)) for name, one in
          {"synchronous": SYNCHRONOUS, "coherent": coherent}.items()}  # fmt: skip
    assert by["coherent"].accuracy > by["synchronous"].accuracy + 0.2
    assert by["synchronous"].chance == pytest.approx(1 / 30)


def test_windows_of_a_pair_are_at_the_same_moment(tmp_path: Path, model: FoundationModel) -> None:
    """Where one begins late and the other ends early, what both saw is compared, and nothing else."""
    seen: list[torch.Tensor] = []

    class Spy:
        """In place of a model: remembers what it is shown."""

        def __init__(self) -> None:
            self.config = model.config.model_copy(update={"intake": intake})
            self.signal, self.device, self.training = model.signal, torch.device("cpu"), False

        def tokens(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            seen.extend(batch["signal"])
            return torch.nn.functional.one_hot(batch["signal"][:, 0, :1].mul(50).round().long(), 200).float()

        def eval(self) -> None: ...

        def train(self, mode: bool) -> None: ...

    records = {
        "a": ("ann", 90, [Shown("A", -15, 105)]),
        "b": ("ben", 80, [Shown("A", 10, 95)]),
    }
    path = clocks(tmp_path, records)
    intake = model.config.intake.model_copy(
        update={"sampling_rate": 10.0, "preprocessing": Store(path).info.preprocessing}
    )
    outcome = retrieval(Spy(), SYNCHRONOUS, Store(path), np.arange(2))  # type: ignore[arg-type]
    # Ann has seen 15 to 105, Ben 0 to 70: windows of 20 at 15 and 35.
    assert sorted({round(float(window[0, 0]) * 50) for window in seen}) == [15, 35]
    assert outcome.moments == (2,)
    assert outcome.accuracy == 1

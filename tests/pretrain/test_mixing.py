"""Which group a step takes: shares by the formula, draws by seed and step, epochs of each group for itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch import Tensor

from pretrain.errors import RecipeError, TrainingError
from pretrain.recipe import parse
from pretrain.sampling.mixing import Mixed, shares
from tests.pretrain.joint import JOINT

SIZE = 4


@dataclass
class Told:
    """A sampler that tells what it was asked for."""

    windows: int
    number: int = 0
    note: str = ""
    size: int = field(default=SIZE)

    def __len__(self) -> int:
        return self.windows

    @property
    def batches_per_epoch(self) -> int:
        return self.windows // self.size

    def batch(self, place: int, *, seed: int, epoch: int, part: slice = slice(None)) -> dict[str, Tensor]:
        return {"told": torch.tensor([[self.number, place, epoch, seed]] * self.size)[part]}


def mixed(*windows: int, temperature: float = 1.0) -> Mixed:
    return Mixed({f"g{k}": Told(count, k) for k, count in enumerate(windows)}, temperature)


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=6).filter(any), st.floats(1, 100))
def test_shares_are_powers_of_the_sizes(counts: list[int], temperature: float) -> None:
    found = shares(counts, temperature)
    slow = [count ** (1 / temperature) if count else 0.0 for count in counts]
    np.testing.assert_allclose(found, [one / sum(slow) for one in slow], rtol=1e-9)
    assert ((found > 0) == (np.array(counts) > 0)).all()


def test_shares_go_from_proportional_to_equal() -> None:
    np.testing.assert_allclose(shares([900, 100], 1), [0.9, 0.1])
    np.testing.assert_allclose(shares([900, 100], 2), [0.75, 0.25])
    np.testing.assert_allclose(shares([900, 100, 0], 1e6), [0.5, 0.5, 0], atol=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_in_the_long_run_groups_come_as_often_as_the_formula_says(temperature: float) -> None:
    counts, steps = (6000, 900, 40), 200_000
    mixture = mixed(*counts, temperature=temperature)
    taken = list(mixture.taken(steps, seed=3).values())
    assert sum(taken) == steps
    expected = np.array(counts) ** (1 / temperature) / sum(np.array(counts) ** (1 / temperature))
    assert chisquare(taken, steps * expected).pvalue > 0.001
    np.testing.assert_allclose(list(mixture.shares.values()), expected)


def test_the_group_of_a_step_depends_on_seed_and_step_alone() -> None:
    forwards = [mixed(40, 12).drawn(step, 5) for step in range(3000)]
    other = mixed(40, 12)
    assert [other.drawn(step, 5) for step in reversed(range(3000))] == forwards[::-1]
    assert [mixed(40, 12).drawn(step, 6)[0] for step in range(100)] != [name for name, _ in forwards[:100]]
    before: Counter[str] = Counter()
    for step, (name, count) in enumerate(forwards):
        assert count == before[name]
        before[name] += 1
        if step % 500 == 0:
            assert other.taken(step + 1, 5) == {"g0": before["g0"], "g1": before["g1"]}
    taken = [name for name, _ in forwards]
    changes = sum(one != two for one, two in pairwise(taken))
    assert 700 < changes < 1500, "neither by turns nor in blocks"


def test_each_group_goes_through_its_own_epochs() -> None:
    mixture = mixed(42, 12)
    seen: dict[int, list[tuple[int, int]]] = {0: [], 1: []}
    assert (len(mixture), mixture.batches_per_epoch, mixture.size) == (54, 10 + 3, SIZE)
    for step in range(200):
        epoch, place = divmod(step, mixture.batches_per_epoch)
        told = mixture.batch(place, seed=1, epoch=epoch)["told"]
        assert len(torch.unique(told, dim=0)) == 1
        number, own_place, own_epoch, seed = told[0].tolist()
        assert seed == 1
        seen[number].append((own_epoch, own_place))
    for number, batches in ((0, 10), (1, 3)):
        assert seen[number] == [divmod(visit, batches) for visit in range(len(seen[number]))]
    whole = mixture.batch(2, seed=1, epoch=3)["told"]
    parts = [mixture.batch(2, seed=1, epoch=3, part=part)["told"] for part in (slice(0, 1), slice(1, 4))]
    assert torch.equal(torch.cat(parts), whole)


def test_the_opening_has_every_group() -> None:
    mixture = mixed(40_000, 8, 4)
    steps = mixture.opening(3, seed=0)
    found = Counter(mixture.drawn(step, 0)[0] for step in steps)
    assert found == {"g0": 3, "g1": 2, "g2": 1}, "as many as an epoch of the group has"
    assert steps == sorted(steps)
    assert steps[-1] > 1024, "a rare group is waited for"


def test_a_group_must_fill_a_batch_and_all_are_alike() -> None:
    with pytest.raises(TrainingError, match=r"groups\.g1: 3 windows train, fewer than optimiser\.batch_size \(4\)"):
        mixed(40, 3)
    with pytest.raises(ValueError, match=r"batches of one size, got \[4, 8\]"):
        Mixed({"a": Told(40), "b": Told(40, size=8)})


def test_what_is_left_out_is_said_by_group() -> None:
    groups = {"a": Told(40), "b": Told(40, note="two of three stimuli are left out")}
    assert Mixed(groups).note == "b: two of three stimuli are left out"
    assert Mixed({"a": Told(40)}, left_out=3).note == "3 records are left out, for they belong to no group"


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("data.sampler.temperature=0.5", r"data\.sampler\.mixed\.temperature: .*greater than or equal to 1"),
        ("data.sampler.groups.ecg.name=eeg", r"data\.sampler\.mixed: group 'eeg' occurs twice"),
        ("data.sampler.groups.ecg.sampler.kind=mixed", r"data\.sampler\.mixed\.groups\.0\.sampler\.kind: .*'mixed'"),
        ("data.sampler.groups.ecg.modality=ekg", r"data\.sampler\.mixed\.groups\.0\.modality"),
        (
            "optimiser.batch_size=9",
            r"multiple of data\.sampler\.groups\.eeg\.sampler\.subjects_per_moment \(2\), got 9",
        ),
    ],
    ids=["temperature", "name", "nesting", "modality", "batch"],
)
def test_mistakes_of_a_recipe_are_named(override: str, complaint: str) -> None:
    with pytest.raises(RecipeError, match=complaint):
        parse(JOINT, overrides=[override])

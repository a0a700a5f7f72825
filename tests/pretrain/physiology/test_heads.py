"""Targets of windows, heads and their losses, from a store that was prepared with beats."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from biosig.physiology import Rhythm, intervals
from biosig.store import Store
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import TrainingError
from pretrain.models.foundation import FoundationModel, random_like
from pretrain.objectives import known_cross_entropy, known_huber
from pretrain.physiology.patch_statistics import NAMES
from pretrain.physiology.tower import Standard
from pretrain.physiology.windows import RHYTHM
from pretrain.recipe import Recipe
from pretrain.specs.architecture import PhysiologyHead, PhysiologySpec
from pretrain.training.session import build_learner
from tests.pretrain.masked.slow import batch, model_of

HEADS = [
    "model.text=null",
    "model.concept=null",
    "model.physiology={}",
    "objectives=[{name: patch_physiology}, {name: rhythm_physiology}]",
]
FEW = ["data.augment=[]", "optimiser.batch_size=8"]


def test_a_window_has_the_beats_that_fall_into_it(beating: Path, tiny: Callable[..., Recipe]) -> None:
    data = PretrainingData([beating], tiny(*HEADS, *FEW), None, None)
    store, found = Store(beating), data.train_batch(0)
    assert found["beats"].dtype == torch.int8
    assert found["beats"].shape == (8, 200)
    told = 0
    for row, start, beats, rhythm in zip(*(found[k] for k in ("row", "start", "beats", "rhythm")), strict=True):
        peaks = store.beats(int(row)).peaks
        if not len(peaks):
            assert (beats == -1).all()
            assert rhythm.isnan().all()
            continue
        expected = [0] * 200
        inside = []
        for peak in peaks:
            place = round(float(peak) * 100) - int(start)
            if 0 <= place < 200:
                expected[place] = 1
                inside.append(float(peak))
        assert beats.tolist() == expected
        for name, value in intervals(np.array(inside)).items():
            if name != "qrs_width":
                found_value = float(rhythm[RHYTHM.index(name)])
                assert math.isnan(found_value) if value is None else found_value == pytest.approx(value)
        told += sum(expected)
    assert told > 4
    assert tuple(Rhythm.__annotations__) == RHYTHM


def test_a_window_that_begins_later_has_its_beats_earlier(beating: Path, tiny: Callable[..., Recipe]) -> None:
    plain = PretrainingData([beating], tiny(*HEADS, *FEW), None, None).train_batch(0)
    shift = "data.augment=[{kind: time_shift, seconds: 0.8}]"
    later = PretrainingData([beating], tiny(*HEADS, "optimiser.batch_size=8", shift), None, None).train_batch(0)
    moved = 200 - later["valid"]
    assert moved.max() > 20
    assert torch.equal(later["start"], plain["start"] + moved)
    for before, after, by in zip(plain["beats"], later["beats"], moved.tolist(), strict=True):
        if before[0] >= 0:
            assert torch.equal(after[: 200 - by], before[by:])
            assert not after[200 - by :].any()


def test_a_store_without_beats_is_refused_with_the_command(store: Path, tiny: Callable[..., Recipe]) -> None:
    with pytest.raises(TrainingError, match=r"holds no R peaks.*`biosig prepare simulated SOURCE .* --physiology"):
        PretrainingData([store], tiny(*HEADS), None, None)
    assert PretrainingData([store], tiny(), None, None).physiology is None, "nobody else needs them"


def test_huber_and_cross_entropy_are_those_of_loops() -> None:
    draw = torch.Generator().manual_seed(0)
    predicted, target = 3 * torch.randn(4, 5, generator=draw), torch.randn(4, 5, generator=draw)
    target[torch.rand(4, 5, generator=draw) < 0.3] = torch.nan
    parts = []
    for guess, truth in zip(predicted.flatten().tolist(), target.flatten().tolist(), strict=True):
        if not math.isnan(truth):
            d = abs(guess - truth)
            parts.append(d**2 / 2 if d <= 1 else d - 0.5)
    loss = known_huber(predicted, target)
    assert loss is not None
    assert loss.item() == pytest.approx(math.fsum(parts) / len(parts), rel=1e-5)
    binary = torch.where(target.isnan(), target, (target > 0).float())
    parts = []
    for logit, truth in zip(predicted.flatten().tolist(), binary.flatten().tolist(), strict=True):
        if not math.isnan(truth):
            p = 1 / (1 + math.exp(-logit))
            parts.append(-math.log(p if truth else 1 - p))
    entropy = known_cross_entropy(predicted, binary)
    assert entropy is not None
    assert entropy.item() == pytest.approx(math.fsum(parts) / len(parts), rel=1e-4)
    unknown = torch.full((4, 5), torch.nan)
    assert known_huber(predicted, unknown) is None
    assert known_cross_entropy(predicted, unknown) is None
    leaf = predicted.clone().requires_grad_()
    loss = known_huber(leaf, target)
    assert loss is not None
    loss.backward()
    assert leaf.grad is not None
    assert torch.equal(leaf.grad != 0, ~target.isnan())


def test_targets_are_standardised_by_what_is_known() -> None:
    standard = Standard(4)
    targets = torch.tensor(
        [[1.0, torch.nan, 5.0, torch.nan], [3.0, 2.0, 5.0, torch.nan], [torch.nan, 6.0, 5.0, torch.nan]]
    )
    standard.measure(targets)
    assert standard.mean.tolist() == [2, 4, 0, 0], "what is always the same, or never known, stays as it is"
    assert standard.deviation.tolist() == pytest.approx([math.sqrt(2), math.sqrt(8), 1, 1])
    assert standard(targets)[0, 1].isnan()
    assert float(standard(targets)[0, 0]) == pytest.approx(-1 / math.sqrt(2))


def told(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(5)
    records, samples = inputs["signal"].shape[0], inputs["signal"].shape[2]
    beats = (torch.rand(records, samples, generator=draw) < 0.02).char()
    return {**inputs, "beats": beats, "rhythm": torch.rand(records, len(RHYTHM), generator=draw)}


@pytest.mark.parametrize("heads", [("patch",), ("rhythm",), ("patch", "rhythm")], ids="-".join)
def test_only_the_heads_asked_for_are_built(heads: tuple[str, ...]) -> None:
    spec = PhysiologySpec(heads=tuple(map(PhysiologyHead, heads)))
    found = model_of(physiology=spec).eval()(told(batch()))
    assert {name for name in found if "physiology" in name} == {f"{head}_physiology" for head in heads}
    assert {name for name in found if "target" in name} == {f"{head}_target" for head in heads}
    assert not any("target" in name for name in model_of(physiology=spec).eval()(batch())), "nothing is told"


def test_padding_is_not_asked() -> None:
    model, inputs = model_of(physiology=PhysiologySpec()).eval(), told(batch(2))
    inputs["valid"] = torch.tensor([300, 110])
    inputs["signal"][1, :, 110:] = 50.0
    found = model(inputs)
    target = found["patch_target"]
    assert target[0].isfinite().all()
    assert target[1, :5].isfinite().all()
    assert target[1, 5, : len(NAMES)].isnan().all(), "this patch reaches into the padding"
    assert target[1, 6:].isnan().all()
    assert torch.isfinite(found["patch_physiology"]).all()


def test_saved_and_loaded_with_heads_and_what_they_are_standardised_by(tmp_path: Path) -> None:
    model, inputs = model_of(physiology=PhysiologySpec()).eval(), told(batch(8))
    model.measure([inputs], np.zeros((0, 0), np.float32))
    features = model(inputs)
    known = features["patch_target"][..., :-1].flatten(0, 1)
    torch.testing.assert_close(known.mean(0), torch.zeros(len(NAMES)), atol=1e-4, rtol=0)
    torch.testing.assert_close(features["rhythm_target"].std(0), torch.ones(len(RHYTHM)))
    model.save_pretrained(tmp_path)
    again = FoundationModel.from_pretrained(tmp_path)
    for name in ("patch_physiology", "patch_target", "rhythm_physiology", "rhythm_target"):
        torch.testing.assert_close(again(inputs)[name], features[name])
    assert random_like(again, 1)(inputs)["rhythm_physiology"].shape == (8, len(RHYTHM))


def test_heads_learn_rate_and_beats(beating: Path, tiny: Callable[..., Recipe]) -> None:
    data = PretrainingData([beating], tiny(*HEADS, *FEW), None, None)
    torch.manual_seed(0)
    learner, batch = build_learner(data.recipe, data, None, None), data.train_batch(0)
    optimiser = torch.optim.AdamW(learner.parameters(), lr=3e-3)
    before = learner(batch)
    for _ in range(30):
        optimiser.zero_grad()
        learner(batch)["loss"].backward()
        optimiser.step()
    after = learner(batch)
    for name in ("patch_physiology/statistics", "patch_physiology/beats", "rhythm_physiology/rhythm"):
        assert float(after[name].detach()) < 0.8 * float(before[name].detach()), name

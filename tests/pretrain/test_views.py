"""Views of a window: the rows of a batch that show the same few seconds."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import Tensor

from biosig.channels import LEADS_12, positions
from biosig.recording import Modality
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import RecipeError
from pretrain.parallel.distributed import Processes
from pretrain.recipe import Recipe, load
from pretrain.specs.recipe import Data
from pretrain.specs.views import Copies, LeadViews
from pretrain.training.learner import Learner
from pretrain.training.session import build_learner, pretrain

Tiny = Callable[..., Recipe]
FREE = "model.signal.options.front_end=montage_free"
LEADS = "data.views={kind: leads, leads: [V5, II]}"


def data_of(recipe: Recipe, store: Path) -> PretrainingData:
    return PretrainingData([store], recipe, None, None)


def test_a_number_means_copies() -> None:
    said = {"sampling_rate": 100, "window_seconds": 2}
    assert Data(**said).views == Copies(number=1)
    assert Data(**said, views=3).views == Copies(number=3)
    assert Data(**said, views={"kind": "leads"}).views == LeadViews(kind="leads")
    assert LeadViews(kind="leads").count == 4


@pytest.mark.parametrize("wrong", ["0", "{kind: copies, number: 0}", "{kind: leads, leads: [II]}", "{kind: beats}"])
def test_what_is_no_view_is_refused(tiny: Tiny, wrong: str) -> None:
    with pytest.raises(RecipeError, match=r"data\.views"):
        tiny(f"data.views={wrong}")


def test_copies_lie_beside_each_other_and_are_augmented_apart(tiny: Tiny, store: Path) -> None:
    plain = data_of(tiny("data.augment=[]"), store).train_batch(3)
    copied = data_of(tiny("data.augment=[]", "data.views=3"), store).train_batch(3)
    assert plain["instance"].tolist() == list(range(16))
    assert copied["instance"].tolist() == [i for i in range(16) for _ in range(3)]
    assert (copied["lead"] == -1).all()
    for name, value in plain.items():
        if name not in {"instance", "lead"}:
            assert torch.equal(copied[name], value.repeat_interleave(3, 0)), name
    changed = data_of(tiny("data.augment=[{kind: gain}]", "data.views=3"), store).train_batch(3)
    gains = (changed["signal"] / copied["signal"]).nanmedian(2).values[:, 1]
    assert len(torch.unique((1e4 * gains).round())) > 40, "each of the 48 rows has a gain of its own"


def test_one_view_is_what_it_was(tiny: Tiny, store: Path) -> None:
    one, named = (data_of(tiny(*more), store).train_batch(1) for more in ((), ("data.views=1",)))
    for name, value in one.items():
        assert torch.equal(named[name], value), name


@pytest.mark.parametrize("views", ["2", "{kind: leads}"])
def test_shares_of_views_are_the_batch(tiny: Tiny, store: Path, views: str) -> None:
    data = data_of(tiny(f"data.views={views}", "optimiser.batch_size=5", FREE), store)
    for make in (data.train_batch, lambda _, *who: next(iter(data.validation_batches(*who)))):
        whole = make(2)
        shares = [make(2, Processes(rank, 2)) for rank in range(2)]
        for name, value in whole.items():
            assert torch.equal(torch.cat([share[name] for share in shares]), value), name


def test_views_that_validate_are_augmented_alike_each_time(tiny: Tiny, store: Path) -> None:
    first, again = (next(iter(data_of(tiny("data.views=2"), store).validation_batches()))["signal"] for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first[::2], first[1::2])
    plain = next(iter(data_of(tiny(), store).validation_batches()))["signal"]
    untouched = next(iter(data_of(tiny("data.augment=[]"), store).validation_batches()))["signal"]
    assert torch.equal(plain, untouched), "a window that is seen once is not augmented"


def test_leads_are_seen_one_by_one(tiny: Tiny, store: Path) -> None:
    whole = data_of(tiny("data.augment=[]", FREE), store).train_batch(0)
    alone = data_of(tiny("data.augment=[]", FREE, LEADS), store).train_batch(0)
    names = LEADS_12
    assert alone["signal"].shape == (32, 1, 200), "no other channel is computed"
    assert alone["lead"].tolist() == [0, 1] * 16
    assert alone["instance"].tolist() == [i for i in range(16) for _ in range(2)]
    for place, name in enumerate(("V5", "II")):
        channel = names.index(name)
        assert torch.equal(alone["signal"][place::2, 0], whole["signal"][:, channel])
        assert torch.equal(alone["mask"][place::2, 0], whole["mask"][:, channel])
        axis = torch.from_numpy(positions((name,), Modality.ECG))
        torch.testing.assert_close(alone["position"][place::2], axis.expand(16, 1, 3))
    fixed = data_of(tiny("data.augment=[]", LEADS), store).train_batch(0)
    assert fixed["signal"].shape == (32, 12, 200), "a network of twelve leads keeps their places"
    assert fixed["mask"].sum(1).tolist() == alone["mask"].sum(1).tolist()
    torch.testing.assert_close(fixed["signal"].sum(1), alone["signal"][:, 0])


def test_a_lead_that_no_recording_has_is_a_row_without_channels(tiny: Tiny, store: Path) -> None:
    batch = data_of(tiny(FREE, "data.views={kind: leads, leads: [II, V9]}"), store).train_batch(0)
    assert batch["mask"].any(1).tolist() == [True, False] * 16
    assert not batch["signal"][1::2].any()


def learner_of(recipe: Recipe, store: Path) -> tuple[Learner, dict[str, Tensor]]:
    torch.manual_seed(0)
    data = data_of(recipe, store)
    return build_learner(recipe, data, None, None), data.train_batch(0)


def test_patients_are_told_apart_over_leads_and_segments(store: Path) -> None:
    small = [
        "data.sampling_rate=100",
        "data.window_seconds=1.5",
        "optimiser.batch_size=12",
        "model.signal.options={front_end: montage_free, width: 8}",
        "data.views={kind: leads, leads: [II, V2, V5]}",
    ]
    for coding, segments in (("cmsc", True), ("cmlc", False), ("cmlc", True), ("cmsmlc", True)):
        sampler = "data.sampler={kind: segments}" if segments else "data.sampler={kind: uniform}"
        recipe = load("clocs", [*small, sampler, f"objectives.patient.options.coding={coding}"])
        learner, batch = learner_of(recipe, store)
        losses = learner(batch)
        losses["loss"].backward()
        assert losses["patient/subject"] > 0
        assert len(batch["row"]) == 36
        assert any(weight.grad is not None and weight.grad.any() for weight in learner.model.signal.parameters())


def test_an_objective_that_finds_nothing_is_said(tiny: Tiny, store: Path, tmp_path: Path) -> None:
    alone = "objectives=[{name: signal_language}, {name: patient}]"
    recipe = tiny(alone, "model.concept=null", "ontology=none", "optimiser.steps=2", "optimiser.warmup_steps=0")
    heard = Console(file=StringIO(), width=200)
    pretrain(recipe, [store], tmp_path / "run", console=heard)
    assert isinstance(heard.file, StringIO)
    text = heard.file.getvalue()
    assert "patient finds nothing to learn from in the first batch" in text
    assert "signal_language finds nothing" not in text

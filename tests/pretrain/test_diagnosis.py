"""What is not finite is traced to the records it came from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

import ontology
from biosig.store import Store
from pretrain.data.parts import Parts
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import TrainingError
from pretrain.models.text import ReportEncoder
from pretrain.recipe import Recipe
from pretrain.training import session
from pretrain.training.diagnosis import culprits, listed
from pretrain.training.learner import Learner
from pretrain.training.session import pretrain

Change = Callable[[dict[str, Tensor]], None]


@pytest.fixture
def made(tiny: Callable[..., Recipe], store: Path) -> tuple[Learner, list[dict[str, Tensor]]]:
    """A learner, and a batch of 16 in two parts."""
    recipe, encoder, graph = tiny(), ReportEncoder(), ontology.cardiac()
    data = PretrainingData([store], recipe, graph, encoder)
    torch.manual_seed(0)
    return session.build_learner(recipe, data, graph, encoder), [
        data.train_batch(0, part=slice(*p)) for p in ((0, 9), (9, 16))
    ]


class Picky(nn.Module):
    """An objective with one record it cannot differentiate by."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place

    def forward(self, features: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"term": (features["signal"].sum(1)[self.place] * 0).sqrt()}


class Root(torch.autograd.Function):
    """The identity, whose gradient is not a number for what is larger than ten."""

    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x)
        return x.clone()

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        (x,) = ctx.saved_tensors
        return torch.where(x > 10, torch.nan, grad)


def flags(found: tuple[str, Tensor] | None) -> tuple[str, list[int]]:
    assert found is not None
    what, which = found
    return what, which.nonzero().flatten().tolist()


def test_a_healthy_batch_has_no_culprit_and_is_left_as_it_was(made: tuple[Learner, list[dict[str, Tensor]]]) -> None:
    learner, parts = made
    before = {name: value.clone() for name, value in learner.state_dict().items()}
    assert culprits(learner, Parts.of(parts), 1) is None
    assert all(torch.equal(value, before[name]) for name, value in learner.state_dict().items())
    assert all(weight.grad is None for weight in learner.parameters())


def test_samples_come_first_and_masked_ones_do_not_count(made: tuple[Learner, list[dict[str, Tensor]]]) -> None:
    learner, parts = made
    parts[0]["mask"][2, 1] = False
    parts[0]["signal"][2, 1] = torch.nan
    parts[1]["signal"][3, 0, 7] = torch.inf
    parts[1]["report"][5] = torch.nan
    assert flags(culprits(learner, Parts.of(parts), 1)) == ("samples that are not finite", [12])


def test_reports_then_embeddings_then_gradients(
    made: tuple[Learner, list[dict[str, Tensor]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, parts = made
    parts[1]["report"][5, 0] = torch.nan
    assert flags(culprits(learner, Parts.of(parts), 1)) == ("a report vector that is not finite", [14])
    parts[1]["report"][5, 0] = 0
    parts[0]["signal"][4] *= 1e30
    what, which = flags(culprits(learner, Parts.of(parts), 1))
    assert (what.split(" (")[0], which) == ("an embedding", [4])
    parts[0]["signal"][4] *= 1e-30
    monkeypatch.setattr(learner, "objectives", nn.ModuleDict({"signal_language": Picky(11)}))
    what, which = flags(culprits(learner, Parts.of(parts), 1))
    assert what == "a loss whose gradient by the embedding (signal) is not finite"
    assert which == [11]


def test_a_record_whose_way_back_through_the_towers_fails_is_found(
    made: tuple[Learner, list[dict[str, Tensor]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, parts = made
    parts[1]["signal"][1, :, 0] = 11
    signal = learner.model.signal
    tokens = signal.tokens

    def through(batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        found, kept = tokens(batch)
        much = batch["signal"].amax((1, 2))[:, None, None]
        return found + Root.apply(found * 0 + much) * 0, kept

    monkeypatch.setattr(signal, "tokens", through)
    assert flags(culprits(learner, Parts.of(parts), 1)) == ("towers whose gradient is not finite", [10])


def test_names_are_listed_but_not_all() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(number) for number in range(300)]).endswith("254, 255, and 44 more")


@pytest.mark.parametrize("micro_batch", ["null", "4"], ids=["whole", "micro-batches"])
def test_the_run_names_the_record_the_term_and_the_batch(
    tiny: Callable[..., Recipe], store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, micro_batch: str
) -> None:
    read, bad = PretrainingData.train_batch, []

    def spoilt(self: PretrainingData, step: int, *more: object, **options: object) -> dict[str, Tensor]:
        batch = read(self, step, *more, **options)  # type: ignore[arg-type]
        part = options.get("part")
        if step == 9 and isinstance(part, slice) and part.start <= 5 < part.stop:
            batch["signal"][5 - part.start, 0, 3] = torch.nan
            bad[:] = [self.names(batch)[5 - part.start]]
        return batch

    monkeypatch.setattr(PretrainingData, "train_batch", spoilt)
    with pytest.raises(TrainingError) as caught:
        pretrain(tiny(f"optimiser.micro_batch={micro_batch}"), [store], tmp_path / "run", console=Console(quiet=True))
    message = str(caught.value)
    assert message.startswith(("step 10: signal_language: ", "step 10: loss signal_language/"))
    assert f"; samples that are not finite: {bad[0]}; records of the batch: " in message
    assert message.partition("records of the batch")[2].count("sim") == 16


def test_a_batch_that_cannot_be_read_names_step_and_record(
    tiny: Callable[..., Recipe], store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block, read, broken = Store.block, PretrainingData.train_batch, threading.local()

    def failing_block(self: Store, row: int) -> object:
        if getattr(broken, "disk", False):
            raise OSError("disk gone")
        return block(self, row)

    def failing_read(self: PretrainingData, step: int, *more: object, **options: object) -> dict[str, Tensor]:
        broken.disk = step == 9
        return read(self, step, *more, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "block", failing_block)
    monkeypatch.setattr(PretrainingData, "train_batch", failing_read)
    with pytest.raises(TrainingError, match=r"step 10: a batch that cannot be read: .*store: sim\d+: disk gone"):
        pretrain(tiny(), [store], tmp_path / "run", console=Console(quiet=True))

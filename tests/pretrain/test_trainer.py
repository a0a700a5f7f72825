"""The loop: it learns, it is watched, and it stops when something is wrong."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

import ontology
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import RecipeError, TrainingError
from pretrain.models.foundation import FoundationModel
from pretrain.models.text import ReportEncoder
from pretrain.recipe import Recipe
from pretrain.specs.execution import Device, Precision
from pretrain.training import session
from pretrain.training.learner import Learner
from pretrain.training.optimiser import adamw
from pretrain.training.precision import resolve_precision
from pretrain.training.session import Summary, pretrain

Tiny = Callable[..., Recipe]


def run(recipe: Recipe, store: Path, out: Path, **options: Any) -> Summary:
    return pretrain(recipe, [store], out, console=Console(quiet=True), **options)


def learner_of(recipe: Recipe, data: PretrainingData, encoder: ReportEncoder) -> Learner:
    torch.manual_seed(recipe.seed)
    return session.build_learner(recipe, data, ontology.cardiac(), encoder)


def log_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_the_losses_fall_and_are_logged_by_name(tiny: Tiny, store: Path, tmp_path: Path) -> None:
    summary = run(tiny("optimiser.steps=40", "training.validate_every=10"), store, tmp_path / "run")
    log = log_of(tmp_path / "run")
    train = [entry for entry in log if "train" in entry]
    assert [entry["step"] for entry in train] == list(range(1, 41))
    names = set(train[0]["train"])
    assert {name.split("/")[0] for name in names} == {"loss", "signal_language", "graph_smoothed"}
    for name in names:
        first, last = (np.mean([entry["train"][name] for entry in part]) for part in (train[:8], train[-8:]))
        assert last < first - 0.1, f"{name} went from {first:.3f} to {last:.3f}"
    for entry in train:
        assert entry["gradient_norm"] > 0
        assert entry["records_per_second"] > 0
        parts = entry["train"]
        total = parts["loss"] - sum((0.5 if "graph" in n else 1.0) * parts[n] for n in parts if n != "loss")
        assert abs(total) < 1e-4, "the loss is the weighted sum of the parts"
    assert train[-1]["learning_rate"] < train[10]["learning_rate"]
    watched = [entry for entry in log if "validation" in entry]
    assert [entry["step"] for entry in watched] == [10, 20, 30, 40]
    assert set(watched[0]["validation"]) == names
    assert summary.outcome.losses == train[-1]["train"]
    assert summary.outcome.validation == watched[-1]["validation"]


def test_one_batch_can_be_learnt_by_heart(tiny: Tiny, store: Path) -> None:
    recipe, encoder = tiny("data.augment=[]"), ReportEncoder()
    data = PretrainingData([store], recipe, ontology.cardiac(), encoder)
    learner = learner_of(recipe, data, encoder)
    optimiser, batch = adamw(learner, recipe.optimiser), data.train_batch(0)
    first = learner(batch)
    for _ in range(50):
        optimiser.zero_grad()
        learner(batch)["loss"].backward()
        optimiser.step()
    (name,) = (name for name in first if name.startswith("signal_language"))
    assert learner(batch)[name] < 0.1 * first[name]


def test_the_report_encoder_is_frozen_and_the_towers_are_not(tiny: Tiny, store: Path) -> None:
    recipe, encoder = tiny(), ReportEncoder(cache=None)
    data = PretrainingData([store], recipe, ontology.cardiac(), encoder)
    before = {name: value.clone() for name, value in encoder.network.state_dict().items()}
    learner = learner_of(recipe, data, encoder)
    optimiser = adamw(learner, recipe.optimiser)
    learner(data.train_batch(0))["loss"].backward()
    optimiser.step()
    assert all(parameter.grad is None for parameter in encoder.network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in encoder.network.state_dict().items())
    trained = {id(parameter) for group in optimiser.param_groups for parameter in group["params"]}
    assert trained.isdisjoint(map(id, encoder.network.parameters()))
    without = [name for name, parameter in learner.named_parameters() if parameter.grad is None]
    assert without == [], "every tower and temperature learns"


def test_a_run_repeats_itself(tiny: Tiny, store: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(tiny(), store, tmp_path / name)
    run(tiny("seed=1"), store, tmp_path / "c")
    a, b, c = ((tmp_path / name / "model" / "model.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_an_existing_folder_is_refused_and_resuming_needs_the_same_recipe_and_data(
    tiny: Tiny, store: Path, fewer: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    run(tiny(), store, out)
    with pytest.raises(TrainingError, match="exists already; give --resume"):
        run(tiny(), store, out)
    with pytest.raises(
        TrainingError, match=r"cannot resume with another recipe: optimiser\.learning_rate was 0\.003, is now 0\.1"
    ):
        run(tiny("optimiser.learning_rate=0.1"), store, out, resume=True)
    with pytest.raises(TrainingError, match=r"cannot resume with another data: "):
        run(tiny(), fewer, out, resume=True)
    before = (out / "model" / "model.safetensors").read_bytes()
    summary = run(tiny(), store, out, resume=True)
    assert summary.outcome.first_step == summary.outcome.steps == 12
    assert (out / "model" / "model.safetensors").read_bytes() == before


def test_resuming_where_nothing_is_starts_the_run(tiny: Tiny, store: Path, tmp_path: Path) -> None:
    assert run(tiny(), store, tmp_path / "run", resume=True).outcome.first_step == 0


class Explodes(nn.Module):
    """An objective whose value, or gradient, is not finite once its weight has moved."""

    def __init__(self, *, gradient: bool) -> None:
        super().__init__()
        self.moved, self.gradient = nn.Parameter(torch.zeros(())), gradient

    def forward(self, features: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        if self.moved == 0:
            return {"term": features["signal"].sum() * 0 + self.moved}
        return {"term": self.moved.abs().sub(self.moved.abs()).sqrt() if self.gradient else self.moved / 0}


@pytest.mark.parametrize("gradient", [False, True])
def test_what_is_not_finite_stops_the_run_and_names_the_records(
    tiny: Tiny, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gradient: bool
) -> None:
    monkeypatch.setattr(session, "build_objectives", lambda *_: {"signal_language": Explodes(gradient=gradient)})
    what = "gradient norm is nan" if gradient else r"loss signal_language/term is -?inf"
    fault = "no record by itself is at fault; records of the batch"
    with pytest.raises(TrainingError, match=rf"step 2: {what}; {fault}: sim\d+, sim") as caught:
        run(tiny(), store, tmp_path / "run")
    assert str(caught.value).count("sim") == 16
    assert not (tmp_path / "run" / "model").exists()


def test_options_that_an_objective_refuses_are_named(tiny: Tiny, store: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"tiny: objectives\.graph_smoothed\.options"):
        run(tiny("objectives.graph_smoothed.options.sigmoid=1"), store, tmp_path / "run")
    assert not (tmp_path / "run").exists(), "a recipe with a mistake leaves nothing behind"


def test_too_few_records_are_said_so(tiny: Tiny, store: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"windows train, fewer than optimiser\.batch_size \(512\)"):
        run(tiny("optimiser.batch_size=512"), store, tmp_path / "run")


def test_precision_is_what_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    for asked in (Precision.BF16, Precision.FLOAT32):
        assert resolve_precision(asked, Device.CPU) is asked
    for flags, expected in (
        ("fpu sse2 avx512f amx_bf16 amx_tile", Precision.BF16),
        ("fpu sse2 avx512f avx512_bf16", Precision.BF16),
        ("fpu sse2 avx512f", Precision.FLOAT32),
    ):
        listed = f"model name\t: of avx512_bf16 a name says nothing\nflags\t\t: {flags}\nbugs\t\t: none\n"
        monkeypatch.setattr(Path, "read_text", lambda *_, listed=listed, **__: listed)
        assert resolve_precision(Precision.AUTO, Device.CPU) is expected
    monkeypatch.setattr(Path, "read_text", _nothing)
    assert resolve_precision(Precision.AUTO, Device.CPU) is Precision.FLOAT32


def _nothing(*_: object, **__: object) -> str:
    raise FileNotFoundError("/proc/cpuinfo: this is no Linux")


def test_bfloat16_trains_too_and_losses_stay_float32(tiny: Tiny, store: Path, tmp_path: Path) -> None:
    recipe = tiny("training.precision=bf16", "optimiser.steps=4")
    summary = run(recipe, store, tmp_path / "run")
    assert all(np.isfinite(value) for value in summary.outcome.losses.values())
    model = FoundationModel.from_pretrained(summary.model)
    assert all(value.dtype != torch.bfloat16 for value in model.state_dict().values())
    assert model.config.provenance is not None
    assert model.config.provenance.precision == "bf16"


def test_bfloat16_changes_the_towers_and_not_what_they_are_fed(
    tiny: Tiny, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, encoder = tiny("data.augment=[]"), ReportEncoder()
    data = PretrainingData([store], recipe, ontology.cardiac(), encoder)
    learner, batch, fed = learner_of(recipe, data, encoder).eval(), data.train_batch(0), []
    tokens = learner.model.signal.tokens
    monkeypatch.setattr(learner.model.signal, "tokens", lambda batch: fed.append(batch) or tokens(batch))
    full = learner(batch)["loss"]
    learner.bf16 = True
    half = learner(batch)["loss"]
    assert torch.equal(fed[0]["signal"], fed[1]["signal"])
    assert fed[1]["signal"].dtype is torch.float32
    assert half.dtype is torch.float32
    assert full != half
    torch.testing.assert_close(half, full, rtol=0.05, atol=0)

"""Compiled towers and norms compute what they computed; what cannot be compiled is said in a line."""

import shutil

import pytest
import torch

from pretrain.errors import TrainingError
from pretrain.specs.execution import Precision
from pretrain.training.compiling import compile_norms, compile_towers
from tests.pretrain.exact import RECORDS, SAMPLES, batch_of, gradients, learner_of

CASE = "graph_smoothed-rows-identity"
CPU = torch.device("cpu")


def test_a_compiler_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_compiler(*_: object) -> object:
        return lambda *_: (_ for _ in ()).throw(RuntimeError("InvalidCxxCompiler: No working C++ compiler found\n..."))

    monkeypatch.setattr(torch, "compile", no_compiler)
    with pytest.raises(TrainingError, match=r"training\.compile: .* such as g\+\+\): InvalidCxxCompiler: No .* found$"):
        compile_towers(learner_of(CASE), CPU)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
def test_compiled_towers_have_the_losses_and_gradients_of_plain_ones() -> None:
    plain, compiled = learner_of(CASE), learner_of(CASE)
    compile_towers(compiled, CPU)
    assert compiled.state_dict().keys() == plain.state_dict().keys()
    losses = []
    for learner in (plain, compiled):
        torch.manual_seed(5)
        losses.append(learner(batch_of(RECORDS))["loss"])
        losses[-1].backward()
    assert float(losses[1].detach()) == pytest.approx(float(losses[0].detach()), rel=1e-5)
    expected, found = gradients(plain), gradients(compiled)
    assert found.keys() >= expected.keys()
    assert not any(found[name].any() for name in found.keys() - expected.keys()), "no part in the loss"
    largest = max(float(value.abs().max()) for value in expected.values())
    for name, value in expected.items():
        error = float((found[name] - value).abs().max())
        assert error <= 1e-3 * max(float(value.abs().max()), 0.01 * largest), name


def test_norms_that_cannot_be_compiled_are_said() -> None:
    with pytest.raises(TrainingError, match="norms are compiled in bf16 only, and this run's precision is float32"):
        compile_norms(learner_of(CASE), Precision.FLOAT32, CPU)
    with pytest.raises(TrainingError, match="norms, but the model has no residual network"):
        compile_norms(learner_of("masked_prediction"), Precision.BF16, CPU)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
def test_compiled_norms_have_nearly_the_loss_and_leave_the_model_as_it_is() -> None:
    plain, compiled = learner_of(CASE), learner_of(CASE)
    compile_norms(compiled, Precision.BF16, CPU)
    batch, losses = batch_of(RECORDS), []
    batch["valid"] = torch.randint(SAMPLES // 2, SAMPLES, (RECORDS,), generator=torch.Generator().manual_seed(0))
    for learner in (plain, compiled):
        learner.bf16 = True
        torch.manual_seed(5)
        losses.append(learner(batch)["loss"])
        losses[-1].backward()
    assert float(losses[1].detach()) == pytest.approx(float(losses[0].detach()), rel=1e-2)
    expected, found = gradients(plain), gradients(compiled)
    assert all(torch.isfinite(gradient).all() for gradient in found.values())
    assert any(not torch.equal(found[name], expected[name]) for name in expected), "compiled, it rounds otherwise"
    with torch.no_grad():
        one, other = (learner.model(batch)["signal"] for learner in (plain, compiled))
    assert torch.equal(one, other), "outside of a step nothing is compiled"

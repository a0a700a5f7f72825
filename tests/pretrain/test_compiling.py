"""Compiled towers compute what they computed; a compiler that is missing is said in a line."""

import shutil

import pytest
import torch

from pretrain.errors import TrainingError
from pretrain.training.compiling import compile_towers
from tests.pretrain.exact import RECORDS, batch_of, gradients, learner_of

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

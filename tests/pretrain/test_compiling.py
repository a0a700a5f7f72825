"""A compiler that is missing is said in a line."""

import pytest
import torch

from pretrain.errors import TrainingError
from pretrain.training.compiling import compile_towers
from tests.pretrain.exact import learner_of

CASE = "graph_smoothed-rows-identity"
CPU = torch.device("cpu")


def test_a_compiler_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_compiler(*_: object) -> object:
        return lambda *_: (_ for _ in ()).throw(RuntimeError("InvalidCxxCompiler: No working C++ compiler found\n..."))

    monkeypatch.setattr(torch, "compile", no_compiler)
    with pytest.raises(TrainingError, match=r"training\.compile: .* such as g\+\+\): InvalidCxxCompiler: No .* found$"):
        compile_towers(learner_of(CASE), CPU)

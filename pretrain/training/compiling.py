"""The towers as code that torch's inductor makes of them, where a recipe asks for it."""

from __future__ import annotations

import torch
from torch._dynamo.exc import TorchDynamoException  # the base of what torch.compile raises has no public name

from pretrain.errors import TrainingError
from pretrain.training.learner import Learner


def compile_towers(learner: Learner, device: torch.device) -> None:
    """Make the learner run compiled towers; the weights, and what a checkpoint holds, stay as they are.

    Rounding differs from that of the towers as they are written, and dropout draws other numbers; a compiled run that
    is resumed by a compiled run goes on exactly. What has no part in a loss has a gradient of 0, where it had none: it
    decays. On a CPU it gained nothing: a step of `merl` took 1.03 times as long.

    Args:
        learner: Its model is traced when it first runs, and again for batches of another shape.
        device: Where it will run.

    Raises:
        TrainingError: If there is no compiler that works.
    """
    try:
        # The smallest program there is: a compiler that is missing should be said before hours of work begin.
        torch.compile(torch.add)(torch.ones(2, device=device), 1)
    except (TorchDynamoException, RuntimeError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise TrainingError(
            f"training.compile: inductor found no compiler that works (a C++ compiler such as g++): {reason}"
        ) from error
    learner.towers = torch.compile(learner.model.forward)

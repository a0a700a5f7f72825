"""The exact heads of an outcome: ridge and penalised Cox regression, whose strength validation chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from sklearn.linear_model import Ridge
from torch import Tensor

from finetune.heads.linear import LinearHead
from finetune.heads.survival import cox_loss
from finetune.outcomes.target import Kind
from finetune.outcomes.task import OutcomeTask
from finetune.protocols import Role

# Of the penalty on the weights of standardised features, a record (of survival: an event); heavy to light.
PENALTIES = (100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01)
_ITERATIONS = 100


@dataclass(frozen=True)
class Scale:
    """The unit that networks compute in: (value - centre) / scale. A log hazard ratio stays as it is."""

    centre: float = 0.0
    scale: float = 1.0

    @classmethod
    def of(cls, task: OutcomeTask) -> Scale:
        """Mean and standard deviation of the training records."""
        if task.target.kind is Kind.SURVIVAL:
            return cls()
        values = task.target.values[task.rows[Role.TRAIN]]
        return cls(float(values.mean()), float(values.std()))


@dataclass(frozen=True)
class Fitted:
    """A head, the penalty that validation chose, and its loss there."""

    head: LinearHead
    penalty: float
    validation_loss: float


def loss(
    predicted: Float[Tensor, " row"], value: Float[Tensor, " row"], event: Bool[Tensor, " row"], kind: Kind
) -> Float[Tensor, ""]:
    """The mean square of a number's error, or Cox's loss of a log hazard ratio."""
    if kind is Kind.SURVIVAL:
        return cox_loss(predicted, value, event)
    return torch.nn.functional.mse_loss(predicted, value)


def side_loss(predicted: Float[np.ndarray, " row"], task: OutcomeTask, role: Role, scale: Scale) -> float:
    """The loss of one side, in the unit of `scale`."""
    rows = task.rows[role]
    value, event = standard(task, scale)
    return float(loss(torch.from_numpy(predicted).double(), value[rows], event[rows], task.target.kind))


def standard(task: OutcomeTask, scale: Scale) -> tuple[Float[Tensor, " row"], Bool[Tensor, " row"]]:
    """The target of every row in the unit of `scale`, and its event."""
    values = (task.target.values - scale.centre) / scale.scale
    return torch.from_numpy(values), torch.from_numpy(task.target.event)


def fit_head(
    features: Float[np.ndarray, "row dim"], task: OutcomeTask, scale: Scale, grid: Sequence[float] = PENALTIES
) -> Fitted:
    """Fit on training for each penalty; keep the one of the least validation loss, the heavier at a tie.

    The test side is not looked at.

    Args:
        features: Of every row of the store; those of rows on no side are not used.
        task: Target and sides.
        scale: Unit of the head's output.
        grid: Penalties, from heavy to light.
    """
    train, validation = (features[task.rows[role]].astype(np.float64) for role in (Role.TRAIN, Role.VALIDATION))
    mean, std = train.mean(0), train.std(0)
    # A feature that never moves says nothing.
    std = np.where(std > 1e-9 * np.maximum(np.abs(mean), 1e-9), std, 1.0)
    value, event = (part[task.rows[Role.TRAIN]] for part in standard(task, scale))
    x = (train - mean) / std
    if task.target.kind is Kind.SURVIVAL:
        weights = cox_path(x, value, event, grid)
    else:
        weights = [_ridge(x, value.numpy(), penalty) for penalty in grid]
    found = []
    for penalty, (weight, bias) in zip(grid, weights, strict=True):
        predicted = (validation - mean) / std @ weight + bias
        found.append((side_loss(predicted, task, Role.VALIDATION, scale), penalty, weight, bias))
    least, penalty, weight, bias = min(found, key=lambda one: one[0])  # the first of equals
    head = LinearHead(x.shape[1], 1).double()
    head.mean, head.std = torch.from_numpy(mean), torch.from_numpy(std)
    with torch.no_grad():
        head.linear.weight.copy_(torch.from_numpy(weight)[None])
        head.linear.bias.fill_(bias)
    return Fitted(head, penalty, least)


def cox_path(
    x: Float64[np.ndarray, "row dim"], time: Float[Tensor, " row"], event: Bool[Tensor, " row"], grid: Sequence[float]
) -> list[tuple[Float64[np.ndarray, " dim"], float]]:
    r"""Cox regression for each penalty: the minimum of `cox_loss`(x w) + penalty |w|^2 / 2.

    L-BFGS in double precision, each from the one before, in the basis of the singular vectors of x, of which there are
    no more than rows. There is no bias: a log hazard ratio has none.
    """
    u, singular, vt = np.linalg.svd(x, full_matrices=False)
    reduced = torch.from_numpy(u * singular)
    weight = torch.zeros(len(singular), dtype=torch.float64, requires_grad=True)
    found = []
    for penalty in grid:
        optimiser = torch.optim.LBFGS(
            [weight], max_iter=_ITERATIONS, tolerance_grad=1e-7, tolerance_change=1e-10, line_search_fn="strong_wolfe"
        )

        def closure(penalty: float = penalty, optimiser: torch.optim.LBFGS = optimiser) -> Tensor:
            optimiser.zero_grad()
            value = cox_loss(reduced @ weight, time, event) + penalty * weight.square().sum() / 2
            value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            return value

        optimiser.step(closure)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        found.append((weight.detach().numpy() @ vt, 0.0))
    return found


def _ridge(
    x: Float64[np.ndarray, "row dim"], y: Float64[np.ndarray, " row"], penalty: float
) -> tuple[Float64[np.ndarray, " dim"], float]:
    model = Ridge(alpha=penalty * len(x)).fit(x, y)
    return model.coef_, float(model.intercept_)


def predict(head: LinearHead, features: Float[np.ndarray, "row dim"]) -> Float64[np.ndarray, " row"]:
    """The head's output, in the unit that it was fitted in."""
    with torch.inference_mode():
        said: np.ndarray = head(torch.from_numpy(np.asarray(features, np.float64))).numpy()[:, 0]
    return said

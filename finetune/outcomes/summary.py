"""From what each row predicts to metrics with intervals, paired differences, and what a prediction may promise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float64

from finetune.diagnosis.result import Estimate, Metric
from finetune.diagnosis.summary import estimate, metric
from finetune.metrics.bootstrap import interval
from finetune.metrics.concordance import concordance_draws
from finetune.metrics.errors import ERRORS, regression_errors
from finetune.metrics.survival import Baseline, breslow, kaplan_meier
from finetune.outcomes.bench import Run
from finetune.outcomes.linear import cox_path
from finetune.outcomes.result import OutcomeGap, OutcomeRow, RiskGroup
from finetune.outcomes.target import Kind
from finetune.outcomes.task import OutcomeTask
from finetune.protocols import Role

#: The share of validation records that an interval around a predicted number holds.
COVERAGE = 0.9
THIRDS = ("low", "middle", "high")
# Hardly any: it keeps a slope finite where validation is in perfect order.
_SLOPE_PENALTY = 1e-3

Draws = dict[str, Float64[np.ndarray, "seed draws"]]


def bootstrap(run: Run, task: OutcomeTask, weights: Float64[np.ndarray, "row draws"]) -> Draws:
    """Every metric of a row in every draw; `weights` are of the test rows."""
    rows = task.rows[Role.TEST]
    values, event = task.target.values[rows], task.target.event[rows]
    if task.target.kind is Kind.SURVIVAL:
        return {"c_index": np.stack([concordance_draws(one, values, event, weights) for one in run.test])}
    found = [regression_errors(one, values, weights) for one in run.test]
    return {name: np.stack([one[name] for one in found]) for name in ERRORS}


def row(run: Run, draws: Draws) -> OutcomeRow:
    """One line of the table."""
    metrics = {name: _metric(values, name) for name, values in draws.items()}
    return OutcomeRow(name=run.name, seeds=run.seeds, metrics=metrics, details=run.details, seconds=run.seconds)


def gaps(runs: Sequence[Run], draws: Sequence[Draws]) -> tuple[OutcomeGap, ...]:
    """The last row less each other, draw by draw, and seed by seed where the other has several."""
    found = []
    for run, other in zip(runs[:-1], draws[:-1], strict=True):
        metrics = {
            name: metric(np.broadcast_to(values, other[name].shape) - other[name], lowest=-math.inf, highest=math.inf)
            for name, values in draws[-1].items()
        }
        found.append(OutcomeGap(rival=run.name, metrics=metrics))
    return tuple(found)


def _metric(values: Float64[np.ndarray, "seed draws"], name: str) -> Metric:
    lowest = {"r2": -math.inf, "pearson": -1.0}.get(name, 0.0)
    return metric(values, lowest=lowest, highest=math.inf if name in {"mae", "rmse"} else 1.0)


def halfwidth(run: Run, task: OutcomeTask) -> float | None:
    r"""How near to its prediction a number is for 90 % of new records: the k-th smallest validation error.

    k = ceil(0.9 (n + 1)), as in split conformal prediction; None where validation has fewer than 9 records. Validation
    also chose the penalty and the step, so that the promise is kept a little less than it says.
    """
    errors = np.sort(np.abs(run.validation[0] - task.target.values[task.rows[Role.VALIDATION]]))
    place = math.ceil(COVERAGE * (len(errors) + 1))
    return float(errors[place - 1]) if place <= len(errors) else None


def coverage(run: Run, task: OutcomeTask, width: float, weights: Float64[np.ndarray, "row draws"]) -> Estimate:
    """The share of test records within it."""
    inside = np.abs(run.test[0] - task.target.values[task.rows[Role.TEST]]) <= width
    return estimate(interval(inside @ weights / weights.sum(0)))


class RiskScale:
    """What validation makes of log hazard ratios: a slope, thirds, and a baseline that turns them into probabilities.

    Args:
        risk: Of validation records, as the head gives them.
        time: Of event or censoring.
        event: False where censored.
    """

    def __init__(self, risk: Float[np.ndarray, " row"], time: np.ndarray, event: np.ndarray) -> None:
        self.centre = float(risk.mean())
        column = (risk - self.centre)[:, None].astype(np.float64)
        ((weight, _),) = cox_path(column, torch.from_numpy(time), torch.from_numpy(event), [_SLOPE_PENALTY])
        # A risk that runs the wrong way on validation says nothing.
        self.slope = max(float(weight[0]), 0.0)
        self.cuts = tuple(float(one) for one in np.quantile(risk, (1 / 3, 2 / 3)))
        self.baseline = breslow(self.slope * column[:, 0], time, event)


def third(risk: Float[np.ndarray, " row"], cuts: Sequence[float]) -> np.ndarray:
    """0 for low, 1 for middle, 2 for high."""
    return np.searchsorted(np.asarray(cuts), risk, side="right")


def probability(
    risk: Float[np.ndarray, " row"], *, centre: float, slope: float, baseline: Baseline, horizon: float
) -> Float64[np.ndarray, " row"]:
    """Of the event within the horizon."""
    return baseline.probability(slope * (np.asarray(risk, np.float64) - centre), horizon)


def groups(
    run: Run, task: OutcomeTask, scale: RiskScale, horizon: float, weights: Float64[np.ndarray, "row draws"]
) -> tuple[RiskGroup, ...]:
    """The thirds of risk on the test side: what was predicted of them, and what came."""
    rows = task.rows[Role.TEST]
    time, event = task.target.values[rows], task.target.event[rows]
    risk = run.test[0]
    said = probability(risk, centre=scale.centre, slope=scale.slope, baseline=scale.baseline, horizon=horizon)
    which, found = third(risk, scale.cuts), []
    for number, name in enumerate(THIRDS):
        part = which == number
        seen = (
            estimate(interval(1 - kaplan_meier(time[part], event[part], weights[part]).at(horizon)))
            if part.any()
            else Estimate(value=None)
        )
        predicted = float(said[part].mean()) if part.any() else None
        found.append(
            RiskGroup(
                name=name, records=int(part.sum()), events=int(event[part].sum()), predicted=predicted, observed=seen
            )
        )
    return tuple(found)

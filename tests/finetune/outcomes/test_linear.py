"""The exact heads: against scikit-learn, at the minimum of Cox's loss, and on hazards that are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from finetune.heads.survival import cox_loss
from finetune.metrics.concordance import concordance_index
from finetune.outcomes.bench import Run
from finetune.outcomes.linear import PENALTIES, Scale, cox_path, fit_head, predict, side_loss
from finetune.outcomes.summary import RiskScale, halfwidth, probability, third
from finetune.outcomes.target import Kind, Target
from finetune.outcomes.task import OutcomeTask
from finetune.protocols import Role


def made(kind: Kind, values: np.ndarray, event: np.ndarray) -> OutcomeTask:
    """Sides of 60, 20 and 20 % of records, each a person."""
    cuts = np.split(np.arange(len(values)), [int(0.6 * len(values)), int(0.8 * len(values))])
    return OutcomeTask(
        Target("x", kind, "", values, event),
        np.array([f"p{i}" for i in range(len(values))]),
        dict(zip(Role, cuts, strict=True)),
        dict.fromkeys(Role, 0),
        0,
    )


def cohort(n: int = 600, dim: int = 8, seed: int = 0) -> tuple[np.ndarray, np.ndarray, OutcomeTask]:
    """Features of other sizes, log hazards linear in them, exponential times, censored at random."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, dim))
    risk = x @ np.linspace(1, 0, dim)
    time, end = rng.exponential(np.exp(-risk)), rng.exponential(2.0, n)
    return x * 100 + 7, risk, made(Kind.SURVIVAL, np.minimum(time, end), time <= end)


def test_ridge_is_scikit_learns_and_validation_chooses() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(5, 3, (100, 30))
    y = 50 + x[:, 0] + rng.normal(size=100)
    task = made(Kind.REGRESSION, y, np.zeros(100, bool))
    scale = Scale.of(task)
    assert (scale.centre, scale.scale) == pytest.approx((y[:60].mean(), y[:60].std()))
    found = fit_head(x, task, scale)
    scaler = StandardScaler().fit(x[:60])
    losses = []
    for penalty in PENALTIES:
        model = Ridge(alpha=penalty * 60).fit(scaler.transform(x[:60]), y[:60])
        losses.append(np.square(model.predict(scaler.transform(x[60:80])) - y[60:80]).mean() / scale.scale**2)
        if penalty == found.penalty:
            said = scale.centre + scale.scale * predict(found.head, x)
            np.testing.assert_allclose(said, model.predict(scaler.transform(x)))
    assert found.penalty == PENALTIES[int(np.argmin(losses))]
    assert found.validation_loss == pytest.approx(min(losses))
    assert found.validation_loss == pytest.approx(
        side_loss(predict(found.head, x[60:80]), task, Role.VALIDATION, scale)
    )


def test_cox_regression_ends_where_no_step_is_better() -> None:
    x, _, task = cohort(80, 120)  # more features than records
    x = (x - x.mean(0)) / x.std(0)
    time, event = torch.from_numpy(task.target.values), torch.from_numpy(task.target.event)
    for penalty, (weight, bias) in zip((1.0, 0.1), cox_path(x, time, event, (1.0, 0.1)), strict=True):
        w = torch.from_numpy(weight).requires_grad_()
        value = cox_loss(torch.from_numpy(x) @ w, time, event) + penalty * w.square().sum() / 2
        value.backward()
        assert float(w.grad.abs().max()) < 1e-5
        assert bias == 0


def test_cox_regression_finds_the_hazard() -> None:
    x, risk, task = cohort(3000)
    head = fit_head(x, task, Scale.of(task)).head
    test = task.rows[Role.TEST]
    said = predict(head, x[test])
    assert np.polyfit(risk[test], said, 1)[0] == pytest.approx(1.0, abs=0.1)
    judged = (task.target.values[test], task.target.event[test])
    assert concordance_index(said, *judged) == pytest.approx(concordance_index(risk[test], *judged), abs=0.01)


def test_noise_gets_the_heaviest_penalty_and_says_nothing() -> None:
    _, _, task = cohort(200)
    noise = np.random.default_rng(5).normal(size=(200, 300))
    found = fit_head(noise, task, Scale())
    assert found.penalty >= 10
    assert np.abs(predict(found.head, noise[task.rows[Role.TEST]])).max() < 0.5


def test_probabilities_of_a_known_hazard_are_calibrated() -> None:
    _, risk, task = cohort(4000)
    rows = task.rows[Role.VALIDATION]
    # A head that is twice too sure of itself, and off by a constant.
    scale = RiskScale(2 * risk[rows] + 3, task.target.values[rows], task.target.event[rows])
    assert scale.slope == pytest.approx(0.5, abs=0.06)
    said = probability(2 * risk + 3, centre=scale.centre, slope=scale.slope, baseline=scale.baseline, horizon=0.5)
    np.testing.assert_allclose(said.mean(), (1 - np.exp(-0.5 * np.exp(risk))).mean(), atol=0.03)
    counts = np.bincount(third(2 * risk[rows] + 3, scale.cuts))
    assert np.ptp(counts) <= 1


def test_a_risk_that_runs_the_wrong_way_tells_nobody_apart() -> None:
    _, risk, task = cohort()
    rows = task.rows[Role.VALIDATION]
    scale = RiskScale(-risk[rows], task.target.values[rows], task.target.event[rows])
    assert scale.slope == 0
    said = probability(risk, centre=scale.centre, slope=0.0, baseline=scale.baseline, horizon=1.0)
    assert np.ptp(said) == 0


@pytest.mark.parametrize(("n", "place"), [(8, None), (9, 9), (19, 18), (99, 90)])
def test_the_width_is_the_kth_smallest_error(n: int, place: int | None) -> None:
    values = np.zeros(5 * n)
    task = made(Kind.REGRESSION, values, np.zeros(5 * n, bool))
    assert len(task.rows[Role.VALIDATION]) == n
    errors = np.random.default_rng(0).permutation(np.arange(1.0, n + 1))
    assert halfwidth(Run("", (0,), [], [errors]), task) == place

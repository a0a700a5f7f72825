"""The survival estimator: a frequency that shortens life is found, through scikit-learn's own tools."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from biosig.errors import BiosigError
from finetune import SignalSurvival


def lives(n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Two seconds at 100 Hz of 3 to 12 Hz; the faster, the sooner. A fifth is censored."""
    rng = np.random.default_rng(0)
    rates = rng.uniform(3, 12, n)
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    signals = np.sin(2 * np.pi * rates[:, None] * np.arange(200) / 100 + phase) + 0.2 * rng.normal(size=(n, 200))
    time = rng.exponential(np.exp(-(rates - 7)))
    return signals.astype(np.float32), np.stack([time, rng.random(n) < 0.8], axis=1)


def test_risk_orders_lives_and_searches_work() -> None:
    signals, y = lives()
    assert cross_val_score(SignalSurvival(), signals, y, cv=3).mean() > 0.75
    search = GridSearchCV(SignalSurvival(), {"penalty": [0.1, 10.0]}, cv=2).fit(signals, y)
    assert search.best_score_ > 0.75
    assert clone(search.best_estimator_).penalty == search.best_params_["penalty"]


def test_an_adaptation_moves_the_encoder() -> None:
    signals, y = lives(24)
    found = SignalSurvival(adaptation="full", steps=3, batch_size=8).fit(signals, y)
    assert np.isfinite(found.predict(signals)).all()
    assert np.abs(found.predict(signals) - SignalSurvival().fit(signals, y).predict(signals)).max() > 1e-3


@pytest.mark.parametrize(
    "y", [np.ones(8), np.ones((8, 3)), np.full((8, 2), -1.0), np.zeros((8, 2)), np.full((8, 2), 2.0)]
)
def test_what_is_no_survival_is_refused(y: np.ndarray) -> None:
    with pytest.raises(BiosigError, match="y: expected"):
        SignalSurvival().fit(lives(8)[0], y)

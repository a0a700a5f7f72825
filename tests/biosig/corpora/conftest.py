"""Corpora whose true files are too large for many small tests."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _short_trials(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials of a second or so: a true file of DEAP takes 100 MB, DREAMER some 400. `true_size` leaves them."""
    if "true_size" in request.keywords:
        return
    monkeypatch.setattr("biosig.corpora.deap._SAMPLES", 400)
    monkeypatch.setattr("biosig.corpora.faced.SECONDS", 1)
    monkeypatch.setattr("biosig.corpora.dreamer._PEOPLE", 2)

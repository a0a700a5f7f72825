"""Corpora whose true files are too large for many small tests."""

from __future__ import annotations

import pytest


@pytest.fixture
def true_size() -> None:
    """Asked for by a test that wants trials as long as the owners' are."""


@pytest.fixture(autouse=True)
def _short_trials(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials of a second or so: a true file of DEAP takes 100 MB, DREAMER some 400."""
    if "true_size" not in request.fixturenames:
        monkeypatch.setattr("biosig.corpora.deap._SAMPLES", 400)
        monkeypatch.setattr("biosig.corpora.faced.SECONDS", 1)
        monkeypatch.setattr("biosig.corpora.dreamer._PEOPLE", 2)

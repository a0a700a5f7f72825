"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.offline import blocked


@pytest.fixture(scope="session")
def biosig_data() -> Path:
    """The folder of real recordings named by the environment variable BIOSIG_DATA."""
    folder = os.environ.get("BIOSIG_DATA")
    if not folder:
        pytest.skip("BIOSIG_DATA is not set: no real recordings to read")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"BIOSIG_DATA names no folder: {folder}")
    return path


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Whatever a test runs stays on this machine."""
    with blocked():
        yield

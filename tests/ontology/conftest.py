"""A release of five concepts."""

import pytest

from tests.ontology.rf2_release import DIAMOND, Rows, small


@pytest.fixture
def rows() -> Rows:
    """The files of a release, as rows."""
    return small(5, DIAMOND)

"""Reference cycles are not searched for where told, and are afterwards."""

from __future__ import annotations

import gc

import pytest

from ontology.collector import lasting, paused


@pytest.mark.parametrize("within", [paused, lasting])
def test_collection_goes_on_as_it_was(within: object) -> None:
    assert callable(within)
    try:
        with within():
            assert not gc.isenabled()
            with within():
                pass
            assert not gc.isenabled()
        assert gc.isenabled()
        with pytest.raises(KeyError), within():
            raise KeyError
        assert gc.isenabled()
    finally:
        gc.unfreeze()


def test_what_lasts_is_not_searched_again() -> None:
    before = gc.get_freeze_count()
    try:
        with lasting():
            kept = [[number] for number in range(1000)]
        assert gc.get_freeze_count() >= before + len(kept)
    finally:
        gc.unfreeze()

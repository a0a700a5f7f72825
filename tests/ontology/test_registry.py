"""The one registry pattern."""

from __future__ import annotations

import pytest

from ontology.registry import Registry, UnknownNameError


@pytest.fixture
def registry() -> Registry[int]:
    registry: Registry[int] = Registry("number")
    registry.add("one", 1)
    registry.add("three", 3)
    return registry


def test_entries_keep_the_order_of_registration(registry: Registry[int]) -> None:
    assert list(registry) == ["one", "three"]
    assert len(registry) == 2
    assert registry["three"] == 3
    assert "two" not in registry


def test_an_unknown_name_lists_what_there_is_and_guesses(registry: Registry[int]) -> None:
    with pytest.raises(
        UnknownNameError, match=r"no number named 'thre' \(did you mean 'three'\?\); there are: one, three"
    ):
        registry["thre"]


def test_a_name_is_taken_once(registry: Registry[int]) -> None:
    with pytest.raises(ValueError, match="number 'one' is registered twice"):
        registry.add("one", 2)


def test_the_decorator_returns_what_it_decorates() -> None:
    registry: Registry[object] = Registry("thing")

    @registry.register("thing")
    class Thing:
        pass

    assert registry["thing"] is Thing

"""What concepts are called, whichever graph they are of."""

from __future__ import annotations

import pytest

from biosig.commands.facts import term


@pytest.mark.parametrize(
    ("concept", "called"),
    [
        ("164889003", "atrial fibrillation"),
        ("biosig:stage-n2", "stage N2 sleep"),
        ("biosig:emotion-positive", "positive emotion"),
        ("biosig:no-such-thing", ""),
        ("12", ""),
    ],
)
def test_a_concept_is_called_what_its_graph_calls_it(concept: str, called: str) -> None:
    assert term(concept) == called


def test_every_concept_of_every_graph_is_called_something() -> None:
    from ontology import shipped

    for graph in shipped.GRAPHS:
        for concept in shipped.table(graph):
            assert term(concept), concept

"""Prompts name every synonym and nothing else."""

from __future__ import annotations

import pytest

from ontology import cardiac, sentences
from ontology.graph import Concept


def test_the_bare_term_comes_first_then_every_name_in_every_template() -> None:
    assert sentences(Concept("test:a", "wide QRS", "WQ", ("broad QRS",))) == (
        "wide QRS",
        "12-lead ECG showing wide QRS",
        "electrocardiogram with wide QRS",
        "broad QRS",
        "12-lead ECG showing broad QRS",
        "electrocardiogram with broad QRS",
    )


@pytest.mark.parametrize("concept", list(cardiac()), ids=lambda concept: concept.id)
def test_no_sentence_twice_and_none_shared(concept: Concept) -> None:
    mine = sentences(concept)
    assert len(set(mine)) == len(mine) >= 3
    others = {text for other in cardiac() if other != concept for text in sentences(other)}
    assert not others & set(mine)

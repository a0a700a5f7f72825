"""Label matrices against the slow definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontology import OntologyError, cardiac, known_mask, multi_hot, vocabulary

AF, FLUTTER, SB, BRADY, NSR, LBBB, BBB = (
    "164889003", "164890007", "426177001", "426627000", "426783006", "164909002", "6374002",
)  # fmt: skip
ids = st.sampled_from([*cardiac().ids, "164861001", "38341003"])


@given(st.lists(st.frozensets(ids, max_size=5), max_size=6), st.lists(ids, unique=True, max_size=8), st.booleans())
def test_multi_hot_equals_its_definition(sets: list[frozenset[str]], columns: list[str], with_graph: bool) -> None:
    graph = cardiac()
    labels = multi_hot(sets, columns, graph if with_graph else None)
    assert labels.shape == (len(sets), len(columns))
    assert labels.dtype == bool
    for row, stated in enumerate(sets):
        above = set().union(*(graph.ancestors(id_) for id_ in stated if id_ in graph)) if with_graph else set()
        assert labels[row].tolist() == [id_ in stated or id_ in above for id_ in columns]


def test_a_graph_adds_what_is_implied() -> None:
    columns = [SB, BRADY, NSR]
    assert multi_hot([{SB}], columns).tolist() == [[True, False, False]]
    assert multi_hot([{SB}], columns, cardiac()).tolist() == [[True, True, False]]
    assert multi_hot([], columns).shape == (0, 3)
    assert multi_hot([set()], []).shape == (1, 0)


def test_what_a_system_cannot_say_is_unknown() -> None:
    columns = [AF, FLUTTER, LBBB]
    mask = known_mask([vocabulary("cpsc-2018"), vocabulary("snomed-ct"), frozenset()], columns)
    assert mask.tolist() == [[True, False, True], [True, True, True], [False, False, False]]


def test_known_mask_is_membership_for_observed_concepts() -> None:
    graph = cardiac()
    vocabularies = [vocabulary(name) for name in ("scp-ecg", "ludb", "mitdb", "scp-ecg")]
    mask = known_mask(vocabularies, graph.observed, graph)
    assert mask.tolist() == [[id_ in words for id_ in graph.observed] for words in vocabularies]


def test_an_organiser_is_known_where_all_its_children_are() -> None:
    organiser = "biosig:atrial-tachyarrhythmia"
    vocabularies = [frozenset({AF}), frozenset({AF, FLUTTER}), frozenset({organiser})]
    assert known_mask(vocabularies, [organiser], cardiac()).tolist() == [[False], [True], [True]]
    assert known_mask(vocabularies, [organiser]).tolist() == [[False], [False], [True]]
    everything = frozenset(cardiac().observed)
    assert known_mask([everything], cardiac().ids, cardiac()).all()


def test_a_column_given_twice_is_refused() -> None:
    for matrix in (multi_hot, known_mask):
        with pytest.raises(OntologyError, match=f"column {AF} is given twice"):
            matrix([frozenset()], [AF, NSR, AF])


def test_order_of_columns_is_order_of_ids() -> None:
    graph = cardiac()
    sets = [frozenset({AF}), frozenset({LBBB})]
    forth, back = multi_hot(sets, graph.observed, graph), multi_hot(sets, graph.observed[::-1], graph)
    np.testing.assert_array_equal(forth, back[:, ::-1])
    assert forth[1, graph.index(BBB)]

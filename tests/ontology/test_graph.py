"""The concept graph against brute force, and what it refuses."""

from __future__ import annotations

import itertools
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontology import OntologyError, UnknownNameError, cardiac
from ontology.concept import IsA
from ontology.graph import Concept, ConceptGraph, Edge, Kind


def node(name: str, *, organiser: bool = False) -> Concept:
    return Concept(f"test:{name}", f"term {name}", organiser=organiser)


def build(names: str, edges: str, organisers: str = "") -> ConceptGraph:
    """`build("abc", "ba cb")`: b is an a, c is a b."""
    return ConceptGraph(
        [node(name, organiser=name in organisers) for name in names],
        [(f"test:{pair[0]}", f"test:{pair[1]}") for pair in edges.split()],
    )


@st.composite
def graphs(draw: st.DrawFn) -> ConceptGraph:
    size = draw(st.integers(1, 9))
    pairs = list(itertools.combinations(range(size), 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=14)) if pairs else []
    concepts = [node(str(number), organiser=draw(st.booleans())) for number in range(size)]
    kinds = st.sampled_from(list(Kind))
    return ConceptGraph(concepts, [(f"test:{high}", f"test:{low}", draw(kinds)) for low, high in edges])


def reachable(graph: ConceptGraph) -> dict[str, set[str]]:
    """Ancestors by repeated squaring of the adjacency matrix."""
    order = {id_: row for row, id_ in enumerate(graph.ids)}
    reach = np.zeros((len(order), len(order)), dtype=int)
    for edge in graph.edges:
        reach[order[edge.child], order[edge.parent]] = 1
    for _ in order:
        reach = ((reach + reach @ reach) > 0).astype(int)
    return {id_: {graph.ids[column] for column in np.flatnonzero(reach[row])} for id_, row in order.items()}


@given(graphs())
def test_ancestors_and_descendants_equal_the_transitive_closure(graph: ConceptGraph) -> None:
    above = reachable(graph)
    for id_ in graph.ids:
        assert graph.ancestors(id_) == above[id_]
        assert graph.descendants(id_) == {low for low in graph.ids if id_ in above[low]}


@given(graphs())
def test_distances_equal_floyd_and_warshall(graph: ConceptGraph) -> None:
    slow = np.where(np.eye(len(graph), dtype=bool), 0.0, math.inf)
    for edge in graph.edges:
        a, b = graph.index(edge.child), graph.index(edge.parent)
        slow[a, b] = slow[b, a] = 1
    for middle in range(len(graph)):
        slow = np.minimum(slow, slow[:, middle, None] + slow[middle])
    fast = graph.distances()
    np.testing.assert_array_equal(fast, slow)
    np.testing.assert_array_equal(fast, fast.T)
    np.testing.assert_array_equal(graph.distances(graph.ids[::-1]), slow[::-1, ::-1])


@given(graphs(), st.data())
def test_weighted_distances_equal_floyd_and_warshall(graph: ConceptGraph, data: st.DataObject) -> None:
    weight = st.sampled_from([0.25, 0.5, 1.0, 3.0])
    kinds = data.draw(st.dictionaries(st.sampled_from([str(kind) for kind in Kind]), weight))
    pairs = [(edge.child, edge.parent) for edge in graph.edges]
    some = data.draw(st.dictionaries(st.sampled_from(pairs), weight)) if pairs else {}
    weights: dict[str | tuple[str, str], float] = dict([*kinds.items(), *some.items()])
    slow = np.where(np.eye(len(graph), dtype=bool), 0.0, math.inf)
    for edge in graph.edges:
        a, b = graph.index(edge.child), graph.index(edge.parent)
        slow[a, b] = slow[b, a] = some.get((edge.child, edge.parent), kinds.get(edge.kind, 1.0))
    for middle in range(len(graph)):
        slow = np.minimum(slow, slow[:, middle, None] + slow[middle])
    np.testing.assert_array_equal(graph.distances(weights=weights), slow)
    assert graph.distance(graph.ids[0], graph.ids[-1], weights=weights) == slow[0, -1]


@given(graphs())
def test_weights_of_one_are_hops(graph: ConceptGraph) -> None:
    np.testing.assert_array_equal(graph.distances(weights={}), graph.distances())


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"melody": 1.0}, "weights: expected a kind .rhythm, .*, got 'melody'"),
        ({("test:a", "test:b"): 1.0}, r"weights: expected .* got \('test:a', 'test:b'\)"),
        ({"rhythm": 0.0}, "weights: rhythm: expected a finite number above 0, got 0.0"),
        ({"rhythm": math.nan}, "weights: rhythm: .* got nan"),
        ({("test:b", "test:a"): math.inf}, "weights: .*test:b.* got inf"),
    ],
)
def test_what_is_no_weight_is_refused(weights: dict[str, float], message: str) -> None:
    with pytest.raises(OntologyError, match=message):
        build("ab", "ba").distances(weights=weights)


def test_distances_between_more_concepts_than_a_word_has_bits() -> None:
    size = 150
    chain = ConceptGraph(
        [node(str(number)) for number in range(size)],
        [(f"test:{number + 1}", f"test:{number}") for number in range(size - 1)],
    )
    places = np.arange(size)
    np.testing.assert_array_equal(chain.distances(), np.abs(places[:, None] - places))
    twice = [chain.ids[3], chain.ids[100], chain.ids[3]]
    np.testing.assert_array_equal(chain.distances(twice), [[0, 97, 0], [97, 0, 97], [0, 97, 0]])
    assert len(chain.ancestors("test:149")) == 149
    assert chain.subgraph(["test:149", "test:0"]).parents("test:149") == ("test:0",)


@given(graphs())
def test_lowest_common_ancestors_have_no_common_ancestor_below(graph: ConceptGraph) -> None:
    above = {id_: ancestors | {id_} for id_, ancestors in reachable(graph).items()}
    for a, b in itertools.product(graph.ids, repeat=2):
        common = above[a] & above[b]
        lowest = {one for one in common if not any(one in above[other] - {other} for other in common)}
        assert graph.lowest_common_ancestors(a, b) == lowest == graph.lowest_common_ancestors(b, a)


@given(graphs(), st.data())
def test_a_subgraph_keeps_who_is_a_kind_of_whom(graph: ConceptGraph, data: st.DataObject) -> None:
    kept = data.draw(st.sets(st.sampled_from(graph.ids)))
    part = graph.subgraph(kept)
    assert part.ids == tuple(id_ for id_ in graph.ids if id_ in kept)
    for id_ in part.ids:
        assert part.ancestors(id_) == graph.ancestors(id_) & kept
    bridges = [edge for edge in part.edges if edge not in graph.edges]
    for bridge in bridges:
        without = ConceptGraph(part, [edge for edge in part.edges if edge != bridge])
        assert bridge.parent not in without.ancestors(bridge.child)


@given(graphs())
def test_the_subgraph_of_everything_is_the_graph(graph: ConceptGraph) -> None:
    assert graph.subgraph(graph.ids) == graph


def test_a_subgraph_keeps_the_kind_of_the_edge_it_bridges() -> None:
    graph = ConceptGraph(
        [node(name) for name in "abc"],
        [Edge("test:c", "test:b", Kind.RHYTHM), Edge("test:b", "test:a", Kind.STRUCTURE)],
    )
    assert graph.subgraph(["test:a", "test:c"]).edges == (Edge("test:c", "test:a", Kind.RHYTHM),)


@given(graphs())
def test_roots_and_orphans(graph: ConceptGraph) -> None:
    assert graph.roots == tuple(id_ for id_ in graph.ids if not graph.parents(id_))
    lonely = tuple(id_ for id_ in graph.roots if not graph.children(id_))
    assert graph.orphans == (lonely if len(graph) > 1 else ())


def test_orphans_are_refused_where_none_are_allowed() -> None:
    graph = build("abcd", "ba")
    with pytest.raises(OntologyError, match=r"concept test:c has no is-a edge \(2 such\)"):
        ConceptGraph(graph, graph.edges, allow_orphans=False)
    whole = build("ab", "ba")
    assert ConceptGraph(whole, whole.edges, allow_orphans=False) == whole
    assert len(ConceptGraph([node("a")], allow_orphans=False)) == 1


@given(graphs())
def test_networkx_has_the_same_graph(graph: ConceptGraph) -> None:
    copy = graph.to_networkx()
    assert tuple(copy) == graph.ids
    assert {(child, parent, data["kind"]) for child, parent, data in copy.edges(data=True)} == {
        (edge.child, edge.parent, edge.kind) for edge in graph.edges
    }
    assert {id_ for id_, organiser in copy.nodes(data="organiser") if not organiser} == set(graph.observed)
    assert all(term == graph[id_].term for id_, term in copy.nodes(data="term"))


def test_observed_concepts_come_first_and_keep_their_order() -> None:
    graph = build("abcd", "ba ca", organisers="ac")
    assert graph.ids == ("test:b", "test:d", "test:a", "test:c")
    assert graph.observed == ("test:b", "test:d")
    assert [graph.index(id_) for id_ in graph.ids] == [0, 1, 2, 3]
    assert graph.parents("test:c") == ("test:a",)
    assert graph.children("test:a") == ("test:b", "test:c")


@pytest.mark.parametrize(
    ("concepts", "edges", "message"),
    [
        ("ab", [("test:a", "test:b"), ("test:b", "test:a")], "cycle: test:[ab] -> test:[ab] -> test:[ab]"),
        ("a", [("test:a", "test:a")], "cycle"),
        ("ab", [("test:a", "test:x")], "no concept test:x"),
        ("ab", [("test:x", "test:a")], "no concept test:x"),
        (
            "abcde",
            [("test:d", "test:c"), ("test:b", "test:a"), ("test:a", "test:b"), ("test:e", "test:a")],
            "test:[ab]$",
        ),
        ("aa", [], "test:a .* twice"),
        ("ab", [("test:a", "test:b"), ("test:a", "test:b", "rhythm")], "test:a -> test:b is given twice"),
        ("ab", [("test:a", "test:b", "melody")], "'melody'.* none of rhythm, conduction"),
    ],
)
def test_what_is_no_graph_is_refused(concepts: str, edges: list[IsA], message: str) -> None:
    with pytest.raises(OntologyError, match=message):
        ConceptGraph([node(name) for name in concepts], edges)


@pytest.mark.parametrize(
    ("id_", "term"),
    [
        ("164889004", "wrong check digit"),
        ("12", "too short"),
        ("atrium", "no prefix"),
        ("a:b c", "space"),
        ("", "empty"),
    ],
)
def test_what_is_no_identifier_is_refused(id_: str, term: str) -> None:
    with pytest.raises(OntologyError):
        Concept(id_, term)


@pytest.mark.parametrize("term", ["", "  \n", "bell\x07", "half \ud800"])
def test_what_is_no_term_is_refused(term: str) -> None:
    with pytest.raises(OntologyError, match="test:a"):
        Concept("test:a", term)


def test_names_are_single_spaced_and_synonyms_sorted_without_repeats() -> None:
    concept = Concept("test:a", " first \n degree", synonyms=("b", "a", "", "b"))
    assert concept.term == "first degree"
    assert concept.synonyms == ("a", "b")


@pytest.mark.parametrize("text", ["AF", "af", "Atrial  Fibrillation", "164889003", "afib"])
def test_a_concept_is_found_by_any_name(text: str) -> None:
    assert cardiac().find(text).id == "164889003"


def test_an_unknown_name_hints_at_a_near_one() -> None:
    with pytest.raises(UnknownNameError, match=r"'atrial fibrilation' .did you mean 'atrial fibrillation'"):
        cardiac().find("atrial fibrilation")
    with pytest.raises(UnknownNameError, match=r"no concept '164889004'.*'164889003'"):
        cardiac()["164889004"]
    with pytest.raises(UnknownNameError):
        cardiac().index("nothing like it")


def test_a_hint_among_very_many_names() -> None:
    graph = ConceptGraph([Concept(f"test:{number}", f"finding {number}") for number in range(25_000)])
    with pytest.raises(UnknownNameError, match="did you mean 'finding 24999'"):
        graph.find("fnding 24999")
    with pytest.raises(UnknownNameError, match=r"no concept is named 'xylophone'$"):
        graph.find("xylophone")


def test_a_name_of_two_concepts_is_refused() -> None:
    graph = ConceptGraph([Concept("test:a", "block"), Concept("test:b", "other", synonyms=("Block",))])
    with pytest.raises(OntologyError, match="'block' names 2 concepts: test:a, test:b"):
        graph.find("block")


def test_no_path_is_infinitely_far() -> None:
    assert build("ab", "").distance("test:a", "test:b") == math.inf
    assert build("ab", "").lowest_common_ancestors("test:a", "test:b") == frozenset()


def test_the_fingerprint_sees_every_part_and_not_the_order_of_edges() -> None:
    graph = build("abc", "ba ca")
    assert graph.fingerprint() == build("abc", "ca ba").fingerprint()
    others = [
        build("acb", "ba ca"),
        build("abc", "ba cb"),
        build("abc", "ba ca", organisers="a"),
        build("abcd", "ba ca"),
    ]
    renamed = ConceptGraph([Concept("test:a", "other"), *list(graph)[1:]], graph.edges)
    kinds = ConceptGraph(graph, [Edge(edge.child, edge.parent, Kind.RHYTHM) for edge in graph.edges])
    assert len({one.fingerprint() for one in [graph, renamed, kinds, *others]}) == 7
    assert len(graph.fingerprint()) == 64


def test_a_graph_travels_between_processes() -> None:
    again = pickle.loads(pickle.dumps(cardiac()))
    assert again == cardiac()
    assert hash(again) == hash(cardiac())
    assert again.parents("426177001") == cardiac().parents("426177001")
    assert cardiac() != "cardiac"


def test_the_empty_graph() -> None:
    graph = ConceptGraph([])
    assert len(graph) == 0
    assert graph.distances().shape == (0, 0)
    assert graph.subgraph([]) == graph

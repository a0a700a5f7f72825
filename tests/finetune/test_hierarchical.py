"""Hierarchical scores against sets counted by hand, their limits, and partial labels."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from finetune.hierarchical import error_distance, hierarchical_scores
from ontology import UnknownNameError, cardiac
from ontology.graph import Concept, ConceptGraph

GRAPH = cardiac()
IDS = GRAPH.observed


def marked(*names: str) -> np.ndarray:
    row = np.zeros((1, len(IDS)), bool)
    for name in names:
        row[0, GRAPH.index(GRAPH.find(name).id)] = True
    return row


def drawn(rows: int, seed: int, share: float = 0.08) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    outputs, labels = draw.random((2, rows, len(IDS))) < share
    return outputs, labels, draw.random(labels.shape) < 0.8


def slow_scores(outputs: np.ndarray, labels: np.ndarray, known: np.ndarray) -> tuple[float, float, float]:
    (root,) = (id_ for id_ in GRAPH.ids if not GRAPH.parents(id_))

    def augmented(flags: np.ndarray) -> set[str]:
        named = {id_ for id_, flag in zip(IDS, flags, strict=True) if flag}
        return named.union(*(GRAPH.ancestors(id_) for id_ in named)) - {root}

    hits = called = there = 0
    for output, label, judged in zip(outputs, labels, known, strict=True):
        truth = augmented(label & judged)
        unsure = augmented(~judged) - truth
        named = augmented(output & judged) - unsure
        hits, called, there = hits + len(named & truth), called + len(named), there + len(truth)
    return hits / called, hits / there, 2 * hits / (called + there)


def slow_distance(outputs: np.ndarray, labels: np.ndarray, known: np.ndarray) -> tuple[float, float]:
    farthest = max(GRAPH.distance(a, b) for a, b in itertools.combinations(IDS, 2))
    distances, shares = [], []
    for output, label, judged in zip(outputs, labels, known, strict=True):
        named = {id_ for id_, flag in zip(IDS, output & judged, strict=True) if flag}
        truth = {id_ for id_, flag in zip(IDS, label & judged, strict=True) if flag}
        mine = [min((GRAPH.distance(wrong, one) for one in truth), default=farthest) for wrong in named - truth]
        mine += [min((GRAPH.distance(missed, one) for one in named), default=farthest) for missed in truth - named]
        distances += mine
        if named | truth:
            shares.append(sum(mine) / len(named | truth))
    return float(np.mean(distances)), float(np.mean(shares))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("partial", [False, True])
def test_scores_equal_sets_counted_slowly(seed: int, partial: bool) -> None:
    outputs, labels, known = drawn(50, seed)
    judged = known if partial else np.ones_like(known)
    found = hierarchical_scores(outputs, labels, IDS, GRAPH, known=known if partial else None)
    expected = slow_scores(outputs, labels, judged)
    assert (found.precision[0], found.recall[0], found.f1[0]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("partial", [False, True])
def test_distances_equal_pairs_searched_slowly(seed: int, partial: bool) -> None:
    outputs, labels, known = drawn(12, seed)
    judged = known if partial else np.ones_like(known)
    found = error_distance(outputs, labels, IDS, GRAPH, known=known if partial else None)
    assert (found.per_error[0], found.per_record[0]) == pytest.approx(slow_distance(outputs, labels, judged), rel=1e-12)


def test_by_hand() -> None:
    # LBBB is a bundle branch block, that an intraventricular, that a conduction abnormality; the root counts nowhere.
    found = hierarchical_scores(marked("BBB"), marked("LBBB"), IDS, GRAPH)
    assert (found.precision[0], found.recall[0]) == (1, 3 / 4)
    found = hierarchical_scores(marked("RBBB"), marked("LBBB"), IDS, GRAPH)
    assert (found.precision[0], found.recall[0], found.f1[0]) == (3 / 4, 3 / 4, 3 / 4)
    found = hierarchical_scores(marked("TInv"), marked("LBBB"), IDS, GRAPH)
    assert (found.precision[0], found.recall[0], found.f1[0]) == (0, 0, 0)
    assert error_distance(marked("RBBB"), marked("LBBB"), IDS, GRAPH).per_error[0] == 2
    assert error_distance(marked("BBB", "AF"), marked("LBBB", "AF"), IDS, GRAPH).per_error[0] == 1
    assert error_distance(marked("BBB", "AF"), marked("LBBB", "AF"), IDS, GRAPH).per_record[0] == pytest.approx(2 / 3)


def test_a_near_miss_is_better_than_a_far_one() -> None:
    scores = [hierarchical_scores(marked(name), marked("LBBB"), IDS, GRAPH).f1[0] for name in ("BBB", "IAVB", "AF")]
    apart = [error_distance(marked(name), marked("LBBB"), IDS, GRAPH).per_error[0] for name in ("BBB", "IAVB", "AF")]
    assert scores == sorted(scores, reverse=True)
    assert apart == sorted(apart)
    assert len(set(scores)) == len(set(apart)) == 3


def test_right_is_one_and_no_distance() -> None:
    _, labels, _ = drawn(40, seed=1)
    found = hierarchical_scores(labels, labels, IDS, GRAPH)
    assert (found.precision[0], found.recall[0], found.f1[0]) == (1, 1, 1)
    apart = error_distance(labels, labels, IDS, GRAPH)
    assert math.isnan(apart.per_error[0])
    assert apart.per_record[0] == 0


def test_without_edges_they_are_the_flat_scores() -> None:
    outputs, labels, _ = drawn(60, seed=2)
    flat = ConceptGraph([GRAPH[id_] for id_ in IDS])
    found = hierarchical_scores(outputs, labels, IDS, flat)
    for mine, theirs in (
        (found.precision, precision_score),
        (found.recall, recall_score),
        (found.f1, f1_score),
    ):
        assert mine[0] == pytest.approx(theirs(labels, outputs, average="micro"), rel=1e-12)


def test_nothing_said_or_nothing_there() -> None:
    nothing, some = marked(), marked("AF")
    silent = hierarchical_scores(nothing, some, IDS, GRAPH)
    assert math.isnan(silent.precision[0])
    assert (silent.recall[0], silent.f1[0]) == (0, 0)
    assert math.isnan(hierarchical_scores(some, nothing, IDS, GRAPH).recall[0])
    farthest = GRAPH.distances(list(IDS)).max()
    assert error_distance(some, nothing, IDS, GRAPH).per_error[0] == farthest
    assert error_distance(nothing, some, IDS, GRAPH).per_error[0] == farthest
    assert math.isnan(error_distance(nothing, nothing, IDS, GRAPH).per_record[0])
    apart = ConceptGraph([Concept(f"test:{name}", name) for name in "abc"], [("test:b", "test:a")])
    wrong = error_distance(np.array([[True, False, False]]), np.array([[False, False, True]]), apart.ids, apart)
    assert wrong.per_error[0] == 1


def test_an_unknown_label_moves_nothing() -> None:
    outputs, labels, known = drawn(60, seed=3)
    noise = np.random.default_rng(4).random((2, *labels.shape)) < 0.5
    other = np.where(known, outputs, noise[0]), np.where(known, labels, noise[1])
    for score in (hierarchical_scores, error_distance):
        before, after = score(outputs, labels, IDS, GRAPH, known=known), score(*other, IDS, GRAPH, known=known)
        for name, value in vars(before).items():
            np.testing.assert_array_equal(value, getattr(after, name))


def test_an_ancestor_is_unknown_while_a_kind_of_it_may_be_there() -> None:
    outputs, labels, known = marked("LBBB"), marked(), np.ones((1, len(IDS)), bool)
    assert hierarchical_scores(outputs, labels, IDS, GRAPH, known=known).precision[0] == 0
    # With right bundle branch block unknown, only LBBB itself is certainly wrong: there may be a block.
    known &= ~marked("RBBB")
    found = hierarchical_scores(outputs, marked("AF"), IDS, GRAPH, known=known)
    assert found.precision[0] == 0
    assert found.f1[0] == pytest.approx(0 / (1 + 3))
    assert hierarchical_scores(marked("LBBB", "AF"), marked("AF"), IDS, GRAPH, known=known).precision[0] == 3 / 4


def test_draws_repeat_records() -> None:
    outputs, labels, known = drawn(25, seed=6)
    times = np.random.default_rng(6).integers(0, 3, (25, 3)).astype(float)
    for score in (hierarchical_scores, error_distance):
        drawn_scores = score(outputs, labels, IDS, GRAPH, known=known, draws=times)
        for column in range(3):
            rows = np.repeat(np.arange(25), times[:, column].astype(int))
            alone = score(outputs[rows], labels[rows], IDS, GRAPH, known=known[rows])
            for name, value in vars(drawn_scores).items():
                assert value[column] == pytest.approx(getattr(alone, name)[0], rel=1e-12)


def test_shapes_and_concepts_are_checked() -> None:
    outputs, labels, known = drawn(5, seed=0)
    for score in (hierarchical_scores, error_distance):
        with pytest.raises(ValueError, match="expected shapes"):
            score(outputs, labels[:, 1:], IDS, GRAPH)
        with pytest.raises(ValueError, match="expected shapes"):
            score(outputs, labels, IDS, GRAPH, known=known[1:])
        with pytest.raises(UnknownNameError):
            score(outputs, labels, ["test:a", *IDS[1:]], GRAPH)

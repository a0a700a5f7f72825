"""Hierarchical scores against sets counted by hand, their limits, and partial labels."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from finetune.metrics.decided import Decided
from finetune.metrics.hierarchical import error_distance, hierarchical_scores
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


def decided(outputs: np.ndarray, labels: np.ndarray, **more: np.ndarray | None) -> Decided:
    return Decided.of(outputs, labels, IDS, **more)


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
    found = hierarchical_scores(decided(outputs, labels, known=known if partial else None), GRAPH)
    expected = slow_scores(outputs, labels, judged)
    assert (found.precision[0], found.recall[0], found.f1[0]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("partial", [False, True])
def test_distances_equal_pairs_searched_slowly(seed: int, partial: bool) -> None:
    outputs, labels, known = drawn(12, seed)
    judged = known if partial else np.ones_like(known)
    found = error_distance(decided(outputs, labels, known=known if partial else None), GRAPH)
    assert (found.per_error[0], found.per_record[0]) == pytest.approx(slow_distance(outputs, labels, judged), rel=1e-12)


def test_by_hand() -> None:
    # LBBB is a bundle branch block, that an intraventricular, that a conduction abnormality; the root counts nowhere.
    found = hierarchical_scores(decided(marked("BBB"), marked("LBBB")), GRAPH)
    assert (found.precision[0], found.recall[0]) == (1, 3 / 4)
    found = hierarchical_scores(decided(marked("RBBB"), marked("LBBB")), GRAPH)
    assert (found.precision[0], found.recall[0], found.f1[0]) == (3 / 4, 3 / 4, 3 / 4)
    found = hierarchical_scores(decided(marked("TInv"), marked("LBBB")), GRAPH)
    assert (found.precision[0], found.recall[0], found.f1[0]) == (0, 0, 0)
    assert error_distance(decided(marked("RBBB"), marked("LBBB")), GRAPH).per_error[0] == 2
    assert error_distance(decided(marked("BBB", "AF"), marked("LBBB", "AF")), GRAPH).per_error[0] == 1
    assert error_distance(decided(marked("BBB", "AF"), marked("LBBB", "AF")), GRAPH).per_record[0] == pytest.approx(
        2 / 3
    )


def test_a_near_miss_is_better_than_a_far_one() -> None:
    scores = [hierarchical_scores(decided(marked(name), marked("LBBB")), GRAPH).f1[0] for name in ("BBB", "IAVB", "AF")]
    apart = [
        error_distance(decided(marked(name), marked("LBBB")), GRAPH).per_error[0] for name in ("BBB", "IAVB", "AF")
    ]
    assert scores == sorted(scores, reverse=True)
    assert apart == sorted(apart)
    assert len(set(scores)) == len(set(apart)) == 3


def test_right_is_one_and_no_distance() -> None:
    _, labels, _ = drawn(40, seed=1)
    found = hierarchical_scores(decided(labels, labels), GRAPH)
    assert (found.precision[0], found.recall[0], found.f1[0]) == (1, 1, 1)
    apart = error_distance(decided(labels, labels), GRAPH)
    assert math.isnan(apart.per_error[0])
    assert apart.per_record[0] == 0


def test_without_edges_they_are_the_flat_scores() -> None:
    outputs, labels, _ = drawn(60, seed=2)
    flat = ConceptGraph([GRAPH[id_] for id_ in IDS])
    found = hierarchical_scores(decided(outputs, labels), flat)
    for mine, theirs in (
        (found.precision, precision_score),
        (found.recall, recall_score),
        (found.f1, f1_score),
    ):
        assert mine[0] == pytest.approx(theirs(labels, outputs, average="micro"), rel=1e-12)


def test_nothing_said_or_nothing_there() -> None:
    nothing, some = marked(), marked("AF")
    silent = hierarchical_scores(decided(nothing, some), GRAPH)
    assert math.isnan(silent.precision[0])
    assert (silent.recall[0], silent.f1[0]) == (0, 0)
    assert math.isnan(hierarchical_scores(decided(some, nothing), GRAPH).recall[0])
    farthest = GRAPH.distances(list(IDS)).max()
    assert error_distance(decided(some, nothing), GRAPH).per_error[0] == farthest
    assert error_distance(decided(nothing, some), GRAPH).per_error[0] == farthest
    assert math.isnan(error_distance(decided(nothing, nothing), GRAPH).per_record[0])
    apart = ConceptGraph([Concept(f"test:{name}", name) for name in "abc"], [("test:b", "test:a")])
    wrong = error_distance(
        Decided.of(np.array([[True, False, False]]), np.array([[False, False, True]]), apart.ids), apart
    )
    assert wrong.per_error[0] == 1


def test_an_unknown_label_moves_nothing() -> None:
    outputs, labels, known = drawn(60, seed=3)
    noise = np.random.default_rng(4).random((2, *labels.shape)) < 0.5
    other = np.where(known, outputs, noise[0]), np.where(known, labels, noise[1])
    for score in (hierarchical_scores, error_distance):
        before, after = (score(decided(*one, known=known), GRAPH) for one in ((outputs, labels), other))
        for name, value in vars(before).items():
            np.testing.assert_array_equal(value, getattr(after, name))


def test_an_ancestor_is_unknown_while_a_kind_of_it_may_be_there() -> None:
    outputs, labels, known = marked("LBBB"), marked(), np.ones((1, len(IDS)), bool)
    assert hierarchical_scores(decided(outputs, labels, known=known), GRAPH).precision[0] == 0
    # With right bundle branch block unknown, only LBBB itself is certainly wrong: there may be a block.
    known &= ~marked("RBBB")
    found = hierarchical_scores(decided(outputs, marked("AF"), known=known), GRAPH)
    assert found.precision[0] == 0
    assert found.f1[0] == pytest.approx(0 / (1 + 3))
    assert hierarchical_scores(decided(marked("LBBB", "AF"), marked("AF"), known=known), GRAPH).precision[0] == 3 / 4


def test_draws_repeat_records() -> None:
    outputs, labels, known = drawn(25, seed=6)
    times = np.random.default_rng(6).integers(0, 3, (25, 3)).astype(float)
    for score in (hierarchical_scores, error_distance):
        drawn_scores = score(decided(outputs, labels, known=known, draws=times), GRAPH)
        for column in range(3):
            rows = np.repeat(np.arange(25), times[:, column].astype(int))
            alone = score(decided(outputs[rows], labels[rows], known=known[rows]), GRAPH)
            for name, value in vars(drawn_scores).items():
                assert value[column] == pytest.approx(getattr(alone, name)[0], rel=1e-12)


def test_shapes_and_concepts_are_checked() -> None:
    outputs, labels, known = drawn(5, seed=0)
    with pytest.raises(ValueError, match="expected shapes"):
        decided(outputs, labels[:, 1:])
    with pytest.raises(ValueError, match="expected shapes"):
        decided(outputs, labels, known=known[1:])
    for score in (hierarchical_scores, error_distance):
        with pytest.raises(UnknownNameError):
            score(Decided.of(outputs, labels, ["test:a", *IDS[1:]]), GRAPH)

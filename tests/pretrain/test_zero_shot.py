"""Zero-shot scores: prompt ensembles and concept vectors, and what a model does not know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import ontology
from pretrain.zero_shot import by_concepts, by_sentences, unit

AF, NSR, RBBB = "164889003", "426783006", "59118001"


class Talkative:
    """Sentences that name a concept point along its axis, and each has a length of its own."""

    def __init__(self, axes: dict[str, int]) -> None:
        self.axes, self.asked = axes, list[str]()

    def __call__(self, said: Sequence[str]) -> np.ndarray:
        self.asked += said
        vectors = np.zeros((len(said), 3))
        for row, sentence in enumerate(said):
            axis = next((axis for word, axis in self.axes.items() if word in sentence.lower()), None)
            if axis is not None:
                vectors[row, axis] = 1 + row
        return vectors


def test_the_concept_that_is_described_scores_highest() -> None:
    encode = Talkative({"fibrillation": 0, "right bundle": 1, "sinus": 2})
    signal = np.array([[5.0, 0.1, 0.0], [0.0, 0.2, 0.1], [0.1, 0.0, 9.0]])
    scores = by_sentences(signal, encode, ontology.cardiac(), [AF, RBBB, NSR])
    np.testing.assert_array_equal(scores.argmax(1), [0, 1, 2])
    assert (np.abs(scores) <= 1 + 1e-12).all()
    assert len(encode.asked) > 3, "an ensemble, not one sentence a concept"


def test_a_longer_sentence_vector_does_not_weigh_more() -> None:
    graph = ontology.cardiac()
    count = len(ontology.sentences(graph[AF]))
    vectors = np.zeros((count, 2))
    vectors[0], vectors[1:] = [100.0, 0.0], [0.0, 1.0]
    (score,) = by_sentences(np.array([[1.0, 0.0]]), lambda _: vectors, graph, [AF])
    mean = np.array([1.0, count - 1]) / count
    assert score[0] == pytest.approx(mean[0] / np.linalg.norm(mean))


def test_concepts_are_matched_by_id_and_unknown_ones_have_no_score() -> None:
    signal = np.array([[2.0, 0.0], [0.0, 3.0]])
    scores = by_concepts(signal, np.array([[0.0, 1.0], [5.0, 0.0]]), [NSR, AF], [AF, RBBB, NSR])
    np.testing.assert_allclose(scores[:, [0, 2]], [[1, 0], [0, 1]])
    assert np.isnan(scores[:, 1]).all()


def test_a_zero_vector_stays_zero() -> None:
    np.testing.assert_array_equal(unit(np.zeros((2, 3))), np.zeros((2, 3)))

"""The challenge score: a slow reference written from its definition, its two anchors, and the weights it takes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from biosig.errors import BiosigError
from finetune.metrics.challenge import (
    EQUIVALENT,
    SINUS_RHYTHM,
    Weights,
    challenge_score,
    read_weights,
    severity_weights,
)
from finetune.metrics.decided import Decided
from ontology import cardiac, concepts
from ontology.kernels import severity

CODES = tuple(codes[0] for codes in severity_weights().classes)


def drawn(rows: int, columns: int, seed: int, share: float = 0.15) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels, outputs = draw.random((2, rows, columns)) < share
    return outputs, labels | (outputs & (draw.random((rows, columns)) < 0.5))


def score(
    outputs: np.ndarray,
    labels: np.ndarray,
    codes: Sequence[str] = CODES,
    weights: Weights | None = None,
    **more: np.ndarray,
) -> np.ndarray:
    return challenge_score(Decided.of(outputs, labels, codes, **more), weights)


def slow(outputs: np.ndarray, labels: np.ndarray, codes: Sequence[str], weights: Weights, known: np.ndarray) -> float:
    """Record by record and class by class, in sets."""

    def classes(flags: np.ndarray, judged: np.ndarray) -> set[int]:
        return {
            row
            for row, same in enumerate(weights.classes)
            if any(flag and sure and code in same for flag, sure, code in zip(flags, judged, codes, strict=True))
        }

    def credit(answers: list[set[int]], truths: list[set[int]]) -> float:
        total = 0.0
        for answer, truth in zip(answers, truths, strict=True):
            for j, k in itertools.product(truth, answer):
                total += weights.matrix[j, k] / len(truth | answer)
        return total

    truths = [classes(*pair) for pair in zip(labels, known, strict=True)]
    answers = [classes(*pair) for pair in zip(outputs, known, strict=True)]
    normal = next(row for row, same in enumerate(weights.classes) if SINUS_RHYTHM in same)
    inactive = [{normal} & classes(np.ones(len(codes)), judged) for judged in known]
    worst, best = credit(inactive, truths), credit(truths, truths)
    return (credit(answers, truths) - worst) / (best - worst) if best != worst else 0.0


@pytest.mark.parametrize("seed", range(4))
def test_it_equals_the_slow_definition(seed: int) -> None:
    outputs, labels = drawn(60, 26, seed)
    everything = np.ones_like(labels)
    found = score(outputs, labels)
    assert found.shape == (1,)
    assert found[0] == pytest.approx(slow(outputs, labels, CODES, severity_weights(), everything), rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_with_unknowns_and_equivalents_it_still_does(seed: int) -> None:
    codes = (*CODES[::-1], *EQUIVALENT.values(), "164873001")
    outputs, labels = drawn(60, len(codes), seed)
    known = np.random.default_rng(seed).random(labels.shape) < 0.8
    found = score(outputs, labels, codes, known=known)
    assert found[0] == pytest.approx(slow(outputs, labels, codes, severity_weights(), known), rel=1e-12)


def test_always_sinus_rhythm_is_nought_and_the_truth_is_one() -> None:
    _, labels = drawn(200, 26, seed=9)
    normal = np.zeros_like(labels)
    normal[:, CODES.index(SINUS_RHYTHM)] = True
    assert score(normal, labels)[0] == 0
    assert score(labels, labels)[0] == 1
    assert score(np.zeros_like(labels), labels)[0] < 0
    assert score(normal, normal)[0] == 0
    without = [code for code in CODES if code != SINUS_RHYTHM]
    kept = [CODES.index(code) for code in without]
    assert score(labels[:, kept], labels[:, kept], without)[0] == 1
    assert score(labels[:, kept] & False, labels[:, kept], without)[0] < 0


def test_a_grave_mistake_costs_more_than_a_slight_one() -> None:
    labels = np.zeros((1, 26), bool)
    labels[0, CODES.index("164889003")] = True
    scores = {}
    for code in CODES:
        outputs = np.zeros((1, 26), bool)
        outputs[0, CODES.index(code)] = True
        scores[code] = score(outputs, labels)[0]
    assert scores["164889003"] == 1
    assert scores["164890007"] > scores["59118001"] > scores["426177001"] > scores[SINUS_RHYTHM] == 0


def test_equivalent_codes_are_one_class() -> None:
    for code, same in EQUIVALENT.items():
        assert concepts("snomed-ct", same) == {code}
        said = np.array([[True], [False]])
        joined = score(np.hstack([said, ~said]), np.hstack([~said, said]), [code, same])
        assert joined[0] == 1


def test_an_unknown_label_moves_nothing() -> None:
    outputs, labels = drawn(80, 26, seed=3)
    known = np.random.default_rng(3).random(labels.shape) < 0.7
    noise = np.random.default_rng(4).random((2, *labels.shape)) < 0.5
    found = score(outputs, labels, known=known)
    moved = score(np.where(known, outputs, noise[0]), np.where(known, labels, noise[1]), known=known)
    assert moved[0] == found[0]


def test_draws_repeat_records() -> None:
    outputs, labels = drawn(30, 26, seed=5)
    times = np.random.default_rng(5).integers(0, 3, (30, 4)).astype(float)
    scores = score(outputs, labels, draws=times)
    for column in range(4):
        rows = np.repeat(np.arange(30), times[:, column].astype(int))
        assert scores[column] == pytest.approx(score(outputs[rows], labels[rows])[0], rel=1e-12)


def test_shapes_that_differ_are_refused() -> None:
    outputs, labels = drawn(5, 26, seed=1)
    with pytest.raises(ValueError, match="expected shapes"):
        score(outputs[:4], labels)
    with pytest.raises(ValueError, match="expected shapes"):
        score(outputs, labels, CODES[:3])


def test_the_weights_are_the_severity_line_but_for_two_pairs() -> None:
    weights = severity_weights()
    assert len(weights.classes) == 26
    assert sum(map(len, weights.classes)) == 30
    off = np.abs(weights.matrix - severity(cardiac(), ids=CODES))
    assert off.max() == pytest.approx(0.025)
    assert np.count_nonzero(off) == 4
    np.testing.assert_array_equal(weights.matrix, weights.matrix.T)
    np.testing.assert_array_equal(np.diag(weights.matrix), 1)
    beside = weights.matrix[~np.eye(26, dtype=bool)]
    assert (beside.min(), beside.max()) == pytest.approx((0.15, 0.5))
    # What is published of the challenge's own: the mean off the diagonal, and the smallest eigenvalue.
    assert beside.mean() == pytest.approx(0.400, abs=5e-4)
    assert np.linalg.eigvalsh(weights.matrix).min() == pytest.approx(0.5, abs=1e-3)


TABLE = f""",164909002|733534002,{SINUS_RHYTHM},164889003
164909002|733534002,1,0.275,0.475
{SINUS_RHYTHM},0.275,1.0,0.25
164889003,0.475,0.25,1
"""


def test_the_users_weights_are_read(tmp_path: Path) -> None:
    path = tmp_path / "weights.csv"
    path.write_text(TABLE)
    weights = read_weights(path)
    assert weights.classes == (("164909002", "733534002"), (SINUS_RHYTHM,), ("164889003",))
    assert weights.matrix.tolist() == [[1, 0.275, 0.475], [0.275, 1, 0.25], [0.475, 0.25, 1]]
    codes = ("733534002", SINUS_RHYTHM, "164889003", "59118001")
    outputs, labels = drawn(40, 4, seed=2, share=0.4)
    expected = slow(outputs, labels, codes, weights, np.ones_like(labels))
    assert score(outputs, labels, codes, weights)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.475", "0.4x", "164909002.733534002: expected weights from 0 to 1, got '0.4x'"),
        ("0.475", "nan", "expected weights from 0 to 1, got 'nan'"),
        ("0.475", "1.5", "expected weights from 0 to 1, got '1.5'"),
        ("0.275,0.475", "0.275", "expected 3 weights, got 2"),
        ("\n164889003", "\n164890007", "same codes in the first row"),
        (",164909002", "x,164909002", "same codes in the first row"),
        ("164889003", "164889004", "SNOMED-CT codes, each once, got '164889004' 1 times"),
        ("164889003", "733534002", "SNOMED-CT codes, each once, got '733534002' 2 times"),
        (SINUS_RHYTHM, "427393009", "expected sinus rhythm"),
        ("0.25\n", "0.26\n", "expected a symmetric matrix"),
        ("0.25,1", "0.25,0.9", "ones on the diagonal, got 0.9"),
        (TABLE, "", "same codes in the first row"),
        ("164889003", "\x00", "expected"),
    ],
)
def test_weights_that_are_none_are_refused_in_one_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.csv"
    assert old in TABLE
    path.write_text(TABLE.replace(old, new))
    with pytest.raises(BiosigError, match=message) as caught:
        read_weights(path)
    assert str(caught.value).startswith("weights.csv: ")
    assert "\n" not in str(caught.value)
    with pytest.raises(BiosigError, match="expected a table of weights"):
        read_weights(tmp_path / "missing.csv")

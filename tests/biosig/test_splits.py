"""Folds are stable, spread evenly, and have one role each."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosig.splits import Split, hashed_fold


def test_known_folds_never_change() -> None:
    # Written down from the definition: 1 + (first 8 bytes of sha256("ludb\0" + subject)) mod 10. A change here moves
    # people of existing stores from training to test.
    assert [hashed_fold("ludb", str(subject)) for subject in range(1, 9)] == [7, 9, 6, 1, 1, 7, 9, 8]


def test_the_fold_is_the_same_in_another_process() -> None:
    code = "from biosig.splits import hashed_fold; print(hashed_fold('ludb', 'Ünal'))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(found) == hashed_fold("ludb", "Ünal")


@given(st.text(), st.text(min_size=1), st.integers(1, 50))
def test_a_fold_is_between_one_and_n(corpus: str, subject: str, n: int) -> None:
    assert 1 <= hashed_fold(corpus, subject, n) <= n


def test_folds_are_even() -> None:
    counts = [0] * 10
    for subject in range(20_000):
        counts[hashed_fold("corpus", f"subject {subject}") - 1] += 1
    # Six standard deviations of a binomial count around its mean of 2,000.
    assert all(abs(count - 2000) < 6 * (20_000 * 0.1 * 0.9) ** 0.5 for count in counts)


def test_corpora_are_hashed_apart() -> None:
    subjects = [str(subject) for subject in range(200)]
    assert [hashed_fold("one", subject) for subject in subjects] != [
        hashed_fold("two", subject) for subject in subjects
    ]
    # A name may not lend letters to its neighbour.
    assert len({hashed_fold("a" * k, "a" * (40 - k), 10_000) for k in range(1, 30)}) > 20


def test_a_subject_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="ludb: a subject without a name"):
        hashed_fold("ludb", "")


def test_roles() -> None:
    split = Split(train=(1, 2), validation=(3,), test=(5,))
    assert [split.role(fold) for fold in range(6)] == ["unused", "train", "train", "validation", "unused", "test"]


def test_the_default_split_uses_all_ten_folds() -> None:
    roles = [Split().role(fold) for fold in range(1, 11)]
    assert roles == ["train"] * 6 + ["validation"] + ["test"] * 3


@pytest.mark.parametrize("wrong", [{"train": (1, 1)}, {"train": (1,), "test": (1, 2)}])
def test_a_fold_has_one_role(wrong: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="fold 1 has more than one role"):
        Split(**wrong)

"""The check digit against published identifiers and against what it promises."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontology.crosswalk import entries
from ontology.identifiers import check_digit, check_digits, is_snomed

payloads = st.text("0123456789", min_size=5, max_size=17)


def dihedral(payload: str) -> str:
    """The check digit from the group itself: rotations 0-4 and reflections 5-9 of a pentagon, no tables."""

    def product(a: int, b: int) -> int:
        turn = (a % 5 - b % 5) if a >= 5 else (a % 5 + b % 5)
        return turn % 5 + 5 * ((a >= 5) != (b >= 5))

    def permuted(digit: int, times: int) -> int:
        for _ in range(times):
            digit = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4][digit]
        return digit

    return next(
        str(check)
        for check in range(10)
        if reduce(product, (permuted(int(d), place) for place, d in enumerate(reversed(payload + str(check))))) == 0
    )


@given(payloads)
def test_check_digit_equals_the_group_written_out(payload: str) -> None:
    assert check_digit(payload) == dihedral(payload)


def test_check_digit_of_the_textbook() -> None:
    assert check_digit("236") == "3"


def test_all_codes_of_the_challenge_pass() -> None:
    codes = [code for code in entries("snomed-ct") if code.isdigit()]
    assert len(codes) == 133
    assert all(map(is_snomed, codes))


@given(payloads, st.integers(0, 17), st.integers(1, 9))
def test_any_single_wrong_digit_is_caught(payload: str, place: int, shift: int) -> None:
    right = payload + check_digit(payload)
    place %= len(right)
    wrong = right[:place] + str((int(right[place]) + shift) % 10) + right[place + 1 :]
    assert check_digit(wrong[:-1]) != wrong[-1]


@given(payloads, st.integers(0, 16))
def test_any_swap_of_neighbours_is_caught(payload: str, place: int) -> None:
    right = payload + check_digit(payload)
    place %= len(right) - 1
    wrong = right[:place] + right[place + 1] + right[place] + right[place + 2 :]
    assert wrong == right or check_digit(wrong[:-1]) != wrong[-1]


@pytest.mark.parametrize(
    "text",
    ["", "00", "164889004", "64889003", "0164889003", "164889003 ", "١٦٤٨٨٩٠٠٣", "-64889003", "900000000000003002"],
)
def test_what_is_no_identifier(text: str) -> None:
    assert not is_snomed(text)


@given(st.lists(payloads.filter(lambda payload: payload[0] != "0"), max_size=20))
def test_many_at_once_are_as_one_by_one(given_: list[str]) -> None:
    together = check_digits(np.array([int(payload) for payload in given_], dtype=np.int64))
    assert [str(digit) for digit in together.tolist()] == [check_digit(payload) for payload in given_]


def test_a_description_identifier_is_no_concept() -> None:
    description = "64889" + "01"
    assert not is_snomed(description + check_digit(description))

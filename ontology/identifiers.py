"""SNOMED-CT identifiers: what they look like, and the check digit that catches a mistyped one."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

# The dihedral group D5 as a multiplication table, and the permutation that is iterated over the positions.
_PRODUCT = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_INVERSE = (0, 4, 3, 2, 1, 5, 6, 7, 8, 9)
_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _powers() -> tuple[tuple[int, ...], ...]:
    rows = [tuple(range(10))]
    while len(rows) < 8:
        rows.append(tuple(_PERMUTATION[digit] for digit in rows[-1]))
    return tuple(rows)


_POSITION = _powers()


def check_digit(payload: str) -> str:
    """The Verhoeff check digit that follows a string of digits.

    It catches every single wrong digit and every swap of two neighbours.

    References:
        Verhoeff, Error Detecting Decimal Codes, 1969; SNOMED International, Release File Specification, section 5.5.
    """
    state = 0
    for position, digit in enumerate(reversed(payload), start=1):
        state = _PRODUCT[state][_POSITION[position % 8][int(digit)]]
    return str(_INVERSE[state])


def check_digits(payloads: Int64[np.ndarray, " number"]) -> Int64[np.ndarray, " number"]:
    """The Verhoeff check digits of many strings of up to 18 digits, given as numbers above 0."""
    product, powers = np.array(_PRODUCT), np.array(_POSITION)
    state, rest = np.zeros(len(payloads), dtype=np.int64), payloads
    for position in range(1, 19):
        rest, digit = np.divmod(rest, 10)
        # A leading zero is no digit; it would not leave the state alone.
        present = (rest > 0) | (digit > 0)
        state = np.where(present, product[state, powers[position % 8][digit]], state)
    return np.array(_INVERSE)[state]


def is_snomed(text: str) -> bool:
    """Whether this is a well-formed SNOMED-CT concept identifier.

    Six to eighteen digits without a leading zero; the second and third digit from the right are the partition, `00` or
    `10` (extension) for concepts; the last one is the check digit. Nothing is looked up.
    """
    return (
        6 <= len(text) <= 18
        and text.isascii()
        and text.isdigit()
        and text[0] != "0"
        and text[-3:-1] in ("00", "10")
        and check_digit(text[:-1]) == text[-1]
    )

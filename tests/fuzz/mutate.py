"""Damage a file as disks, transfers and attackers do."""

from __future__ import annotations

import random

# Bytes that parsers look at: digits, signs, separators, quotes, ends, extremes.
_TELLING = b"0129-+. ,;:=/\\%&<>[]{}()\"'\n\r\t\0\x7f\x80\xfe\xff"
_TOKENS = (
    b"999999999999",
    b"-1",
    b"nan",
    b"inf",
    b"1e308",
    b"0",
    b"../x",
    b"/etc/passwd",
    b"\xff\xff\xff\xff",
    bytes(4),
)
_LONGEST = 1 << 20


def mutate(rng: random.Random, content: bytes) -> bytes:
    """One to five damages, most of them near the beginning, where headers are."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        _KINDS[rng.randrange(len(_KINDS))](rng, data)
    return bytes(data[:_LONGEST])


def _place(rng: random.Random, data: bytearray) -> int:
    top = min(len(data), 2048) if rng.random() < 0.7 else len(data)
    return rng.randrange(top) if top else 0


def _flip(rng: random.Random, data: bytearray) -> None:
    if data:
        data[_place(rng, data)] ^= 1 << rng.randrange(8)


def _replace(rng: random.Random, data: bytearray) -> None:
    if data:
        data[_place(rng, data)] = rng.choice(_TELLING)


def _overwrite(rng: random.Random, data: bytearray) -> None:
    at, token = _place(rng, data), rng.choice(_TOKENS)
    data[at : at + len(token)] = token


def _insert(rng: random.Random, data: bytearray) -> None:
    at = _place(rng, data)
    data[at:at] = rng.choice(_TOKENS) if rng.random() < 0.5 else rng.randbytes(rng.randrange(1, 9))


def _delete(rng: random.Random, data: bytearray) -> None:
    at = _place(rng, data)
    del data[at : at + rng.randrange(1, 33)]


def _repeat(rng: random.Random, data: bytearray) -> None:
    at = _place(rng, data)
    data[at:at] = data[at : at + rng.randrange(1, 65)] * rng.randrange(1, 20)


def _cut(rng: random.Random, data: bytearray) -> None:
    del data[_place(rng, data) :]


_KINDS = (_flip, _flip, _replace, _replace, _overwrite, _insert, _delete, _repeat, _cut)

"""MATLAB 5 files (`-v6`, `-v7`): a check of their structure, because scipy's fast parser crashes on a damaged one."""

from __future__ import annotations

import math
import mmap
import struct
import zlib
from pathlib import Path

from biosig.errors import RecordError
from biosig.readers.base import HARMLESS_BYTES, MAX_GROWTH, MAX_VALUES

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_INT8, _INT32, _UINT32 = 1, 5, 6
# Bytes of a value by the type of a data element; 16 to 18 are UTF-8, UTF-16 and UTF-32.
_NUMBERS = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
_TEXTS = {1: 1, 2: 1, 3: 2, 4: 2, 16: 1, 17: 2, 18: 4}
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE = 1, 2, 3, 4, 5
_COMPLEX = 0x0800
_DEPTH = 64
_LARGEST = 8 * MAX_VALUES

_Buffer = bytes | mmap.mmap


def is_mat5(path: Path) -> bool:
    """Whether the file begins as a MATLAB 5 file does."""
    with path.open("rb") as file:
        head = file.read(_HEADER)
    return len(head) == _HEADER and head[126:] in (b"IM", b"MI")


def check_mat5(path: Path) -> None:
    """Refuse a MATLAB 5 file whose elements do not fit into each other.

    Every element must lie within the one that holds it, every array must have the values that its dimensions
    promise, and nothing may unpack to more than fits in memory.

    Raises:
        RecordError: Naming where in the file.

    References:
        MathWorks, MAT-File Format, level 5.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        order = "<" if content[126:128] == b"IM" else ">"
        at = _HEADER
        while at < len(content):
            kind, start, size, after = _Walk(path, content, order).element(at, len(content), "variable")
            if kind == _COMPRESSED:
                unpacked = _unpacked(path, content[start : start + size], at)
                _Walk(path, unpacked, order).variable(0, len(unpacked))
                at = start + size
            elif kind == _MATRIX:
                _Walk(path, content, order).matrix(start, start + size, 0)
                at = after
            else:
                raise RecordError(path, f"byte {at}: type", "an array", kind)


def _unpacked(path: Path, packed: bytes, at: int) -> bytes:
    unpacker = zlib.decompressobj()
    most = min(_LARGEST, max(HARMLESS_BYTES, MAX_GROWTH * len(packed)))
    try:
        content = unpacker.decompress(packed, most)
    except zlib.error as error:
        raise RecordError(path, f"byte {at}: compressed array", "zlib data", str(error)) from error
    if not unpacker.eof:
        raise RecordError(path, f"byte {at}: compressed array", f"a whole array of at most {most} bytes", "more")
    return content


class _Walk:
    """One buffer of elements, walked from outside in."""

    def __init__(self, path: Path, content: _Buffer, order: str) -> None:
        self.path, self.content, self.order = path, content, order
        self.pair, self.half_pair = struct.Struct(f"{order}II"), struct.Struct(f"{order}HH")

    def wrong(self, at: int, field: str, expected: str, found: object) -> RecordError:
        return RecordError(self.path, f"byte {at}: {field}", expected, found)

    def element(self, at: int, end: int, field: str) -> tuple[int, int, int, int]:
        """Type, start and length of an element's data, and where the next one begins."""
        if at + 8 > end:
            raise self.wrong(at, field, "a whole element", f"{max(end - at, 0)} bytes")
        kind, size = self.pair.unpack_from(self.content, at)
        if kind >> 16:  # a small element holds its data in its tag
            low, high = self.half_pair.unpack_from(self.content, at)
            kind, size = (low, high) if self.order == "<" else (high, low)
            if size > 4:
                raise self.wrong(at, field, "at most 4 bytes in a small element", size)
            return kind, at + 4, size, at + 8
        start = at + 8
        if start + size > end:
            raise self.wrong(at, field, f"at most {end - start} bytes", size)
        return kind, start, size, start + -(-size // 8) * 8

    def variable(self, at: int, end: int) -> None:
        kind, start, size, _ = self.element(at, end, "variable")
        if kind != _MATRIX:
            raise self.wrong(at, "type", "an array", kind)
        self.matrix(start, start + size, 0)

    def matrix(self, at: int, end: int, depth: int) -> None:
        if at == end:
            return  # an empty array
        if depth > _DEPTH:
            raise self.wrong(at, "array", f"at most {_DEPTH} arrays within each other", depth)
        kind, start, size, after = self.element(at, end, "array flags")
        if (kind, size) != (_UINT32, 8):
            raise self.wrong(at, "array flags", "two 32-bit numbers", f"type {kind}, {size} bytes")
        flags = self.pair.unpack_from(self.content, start)[0]
        count, at = self.dimensions(after, end)
        kind, _, _, at = self.element(at, end, "name")
        if kind != _INT8:
            raise self.wrong(at, "name", "text", f"type {kind}")
        self.body(flags, count, at, end, depth)

    def dimensions(self, at: int, end: int) -> tuple[int, int]:
        kind, start, size, after = self.element(at, end, "dimensions")
        if kind != _INT32 or size % 4 or not 8 <= size <= 128:
            raise self.wrong(at, "dimensions", "2 to 32 integers", f"type {kind}, {size} bytes")
        lengths = struct.unpack_from(f"{self.order}{size // 4}i", self.content, start)
        if min(lengths) < 0 or math.prod(lengths) > MAX_VALUES:
            raise self.wrong(at, "dimensions", f"at most {MAX_VALUES} values", lengths)
        return math.prod(lengths), after

    def body(self, flags: int, count: int, at: int, end: int, depth: int) -> None:
        """What follows the name, by the class of the array: the last byte of its flags."""
        kind = flags & 0xFF
        if kind in (_STRUCT, _OBJECT):
            if kind == _OBJECT:
                at = self.element(at, end, "class name")[3]
            n_fields, at = self.fields(at, end)
            self.arrays(n_fields * count, at, end, depth)
        elif kind == _CELL:
            self.arrays(count, at, end, depth)
        elif kind == _CHAR:
            self.values(count, at, end, _TEXTS, "text")
        elif _SPARSE < kind < 16:
            for part in ("values", "imaginary values")[: 2 if flags & _COMPLEX else 1]:
                at = self.values(count, at, end, _NUMBERS, part)
        else:
            raise self.wrong(at, "class", "cells, a struct, text or numbers", kind)

    def fields(self, at: int, end: int) -> tuple[int, int]:
        kind, start, size, after = self.element(at, end, "length of a field name")
        length = self.pair.unpack_from(self.content, start)[0] if size == 4 and start + 8 <= end else 0
        if kind != _INT32 or not 1 <= length <= 1024:
            raise self.wrong(at, "length of a field name", "1 to 1024", length)
        kind, _, size, following = self.element(after, end, "field names")
        if kind != _INT8 or size % length:
            raise self.wrong(after, "field names", f"names of {length} bytes", f"type {kind}, {size} bytes")
        return size // length, following

    def arrays(self, count: int, at: int, end: int, depth: int) -> None:
        if 8 * count > end - at:
            raise self.wrong(at, "arrays", f"{count} of them", f"{end - at} bytes")
        for _ in range(count):
            kind, start, size, after = self.element(at, end, "array")
            if kind != _MATRIX:
                raise self.wrong(at, "type", "an array", kind)
            self.matrix(start, start + size, depth + 1)
            at = after

    def values(self, count: int, at: int, end: int, sizes: dict[int, int], field: str) -> int:
        kind, _, size, after = self.element(at, end, field)
        # UTF-8 has one to four bytes a letter.
        fits = size == count * sizes.get(kind, 0) or (kind == 16 and count <= size <= 4 * count)
        if kind not in sizes or not fits:
            raise self.wrong(at, field, f"{count} of them", f"type {kind}, {size} bytes")
        return after

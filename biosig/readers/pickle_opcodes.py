"""The opcodes of a pickle that carries plain values and arrays, taken apart without running anything."""

from __future__ import annotations

import struct
from collections.abc import Iterator

# What follows an opcode: a `struct` format, text up to the end of a line, or a counted run of bytes.
_LINE, _TWO_LINES = "line", "two lines"
_COUNTED = {"bytes1": "<B", "bytes4": "<I", "bytes8": "<Q"}

# Left out on purpose: persistent ids, instances, new-style objects, sets, the extension registry, buffers out of band.
OPCODES: dict[int, tuple[str, str]] = {
    code[0]: (name, argument)
    for code, name, argument in (
        (b"\x80", "PROTO", "<B"),
        (b"\x95", "FRAME", "<Q"),
        (b".", "STOP", ""),
        (b"(", "MARK", ""),
        (b"0", "POP", ""),
        (b"1", "POP_MARK", ""),
        (b"2", "DUP", ""),
        (b"N", "NONE", ""),
        (b"\x88", "NEWTRUE", ""),
        (b"\x89", "NEWFALSE", ""),
        (b"I", "INT", _LINE),
        (b"L", "LONG", _LINE),
        (b"F", "FLOAT", _LINE),
        (b"J", "BININT", "<i"),
        (b"K", "BININT1", "<B"),
        (b"M", "BININT2", "<H"),
        (b"G", "BINFLOAT", ">d"),
        (b"\x8a", "LONG1", "bytes1"),
        (b"\x8b", "LONG4", "bytes4"),
        (b"S", "STRING", _LINE),
        (b"T", "BINSTRING", "bytes4"),
        (b"U", "SHORT_BINSTRING", "bytes1"),
        (b"V", "UNICODE", _LINE),
        (b"X", "BINUNICODE", "bytes4"),
        (b"\x8c", "SHORT_BINUNICODE", "bytes1"),
        (b"\x8d", "BINUNICODE8", "bytes8"),
        (b"B", "BINBYTES", "bytes4"),
        (b"C", "SHORT_BINBYTES", "bytes1"),
        (b"\x8e", "BINBYTES8", "bytes8"),
        (b"\x96", "BYTEARRAY8", "bytes8"),
        (b"]", "EMPTY_LIST", ""),
        (b"l", "LIST", ""),
        (b"a", "APPEND", ""),
        (b"e", "APPENDS", ""),
        (b")", "EMPTY_TUPLE", ""),
        (b"t", "TUPLE", ""),
        (b"\x85", "TUPLE1", ""),
        (b"\x86", "TUPLE2", ""),
        (b"\x87", "TUPLE3", ""),
        (b"}", "EMPTY_DICT", ""),
        (b"d", "DICT", ""),
        (b"s", "SETITEM", ""),
        (b"u", "SETITEMS", ""),
        (b"g", "GET", _LINE),
        (b"h", "BINGET", "<B"),
        (b"j", "LONG_BINGET", "<I"),
        (b"p", "PUT", _LINE),
        (b"q", "BINPUT", "<B"),
        (b"r", "LONG_BINPUT", "<I"),
        (b"\x94", "MEMOIZE", ""),
        (b"c", "GLOBAL", _TWO_LINES),
        (b"\x93", "STACK_GLOBAL", ""),
        (b"R", "REDUCE", ""),
        (b"b", "BUILD", ""),
    )
}

Argument = bytes | int | float | tuple[bytes, bytes] | None


class RefusedError(Exception):
    """What is not plain data, or no pickle: what was expected, and what is there."""

    def __init__(self, expected: str, found: object) -> None:
        super().__init__(expected)
        self.expected, self.found = expected, found


def opcodes(content: bytes) -> Iterator[tuple[int, str, Argument]]:
    """Where an opcode is, its name, and its argument as it stands, up to and with `STOP`.

    No argument is longer than what is left of the content, whatever its count says.

    Raises:
        RefusedError: At an opcode of objects, or an argument that does not fit.
    """
    at, name = 0, ""
    while name != "STOP":
        start = at
        if at >= len(content):
            raise RefusedError("a whole pickle", f"{len(content)} bytes and no end")
        name, kind = OPCODES.get(content[at], ("", ""))
        if not name:
            raise RefusedError("an opcode of plain values and arrays", content[at : at + 1])
        argument, at = _argument(content, at + 1, kind)
        yield start, name, argument


def _argument(content: bytes, at: int, kind: str) -> tuple[Argument, int]:
    if not kind:
        return None, at
    if kind == _LINE:
        return _line(content, at)
    if kind == _TWO_LINES:
        first, at = _line(content, at)
        second, at = _line(content, at)
        return (first, second), at
    form = struct.Struct(_COUNTED.get(kind, kind))
    if at + form.size > len(content):
        raise RefusedError(f"{form.size} bytes", f"{len(content) - at}")
    (value,) = form.unpack_from(content, at)
    at += form.size
    if kind not in _COUNTED:
        return value, at
    if at + value > len(content):
        raise RefusedError(f"at most {len(content) - at} bytes", value)
    return content[at : at + value], at + value


def _line(content: bytes, at: int) -> tuple[bytes, int]:
    end = content.find(b"\n", at)
    if end < 0:
        raise RefusedError("a line", f"{len(content) - at} bytes without an end of line")
    return content[at:end], end + 1

"""The opcodes of a pickle that carries plain values and arrays, taken apart without running anything."""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Iterator

# What follows an opcode: a `struct` format, text up to the end of a line, or a counted run of bytes.
_LINE, _TWO_LINES = "line", "two lines"
_COUNTED = {"bytes1": "<B", "bytes4": "<I", "bytes8": "<Q"}

# Left out on purpose: persistent ids, instances, new-style objects, sets, the extension registry, buffers out of band.
_NAMES = {
    "": (
        "STOP MARK POP POP_MARK DUP NONE NEWTRUE NEWFALSE EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 "
        "TUPLE2 TUPLE3 EMPTY_DICT DICT SETITEM SETITEMS MEMOIZE STACK_GLOBAL REDUCE BUILD"
    ),
    "<B": "PROTO BININT1 BINGET BINPUT",
    "<H": "BININT2",
    "<i": "BININT",
    "<I": "LONG_BINGET LONG_BINPUT",
    "<Q": "FRAME",
    ">d": "BINFLOAT",
    "bytes1": "LONG1 SHORT_BINSTRING SHORT_BINUNICODE SHORT_BINBYTES",
    "bytes4": "LONG4 BINSTRING BINUNICODE BINBYTES",
    "bytes8": "BINUNICODE8 BINBYTES8 BYTEARRAY8",
    _LINE: "INT LONG FLOAT STRING UNICODE GET PUT",
    _TWO_LINES: "GLOBAL",
}
_BYTES = {opcode.name: ord(opcode.code) for opcode in pickletools.opcodes}
OPCODES: dict[int, tuple[str, str]] = {
    _BYTES[name]: (name, argument) for argument, names in _NAMES.items() for name in names.split()
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

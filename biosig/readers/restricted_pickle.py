"""Pickles that carry data, read as data: numpy arrays, dicts, lists, tuples, text, bytes and numbers, and nothing else.

`pickle.load` runs whatever a file names, so that a data set from a stranger is a program from a stranger. Here the
file is not given to Python's unpickler at all: its opcodes are interpreted by the few lines below. The names it may
mention are those that restore numpy arrays; each becomes a token, and what numpy would have done with it is done on
bytes by `pickle_arrays`. No name is imported, no attribute looked up, no callable called.

Existing packages either judge a pickle without reading it (fickling) or serve one framework's classes.

References:
    The opcodes: `pickletools` of the standard library, and PEP 307, 3154 and 574.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from biosig.errors import RecordError
from biosig.readers.pickle_arrays import TOKENS, Unfilled, build, call
from biosig.readers.pickle_opcodes import RefusedError, opcodes

_MOST_BYTES = 2**32
# A byte can stand for an empty list of 56: arrays have few opcodes, and what has more is no data of ours.
_MOST_STEPS = 2_000_000
_PROTOCOL = 5
_LONGEST_INTEGER = 32
_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_EXPECTED = "arrays, dicts, lists, text and numbers"


def read_pickle(path: str | Path) -> Any:
    """What a pickle file holds.

    Args:
        path: Any protocol, 0 to 5, written by Python 2 or 3. Text of Python 2 is decoded as Latin-1.

    Raises:
        RecordError: If it is no whole pickle, or holds anything but arrays of numbers or text, dicts, lists, tuples,
            text, bytes and numbers.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise RecordError(path, "file", f"at most {_MOST_BYTES} bytes", size)
        content = path.read_bytes()
    except OSError as error:
        raise RecordError(path, "file", "a file that can be read", error.strerror) from error
    return unpickle(content, path)


def unpickle(content: bytes, path: str | Path, field: str = "pickle") -> Any:
    """What a pickle holds.

    Args:
        content: The pickle.
        path: Where it comes from, for errors.
        field: Where in there, for errors.

    Raises:
        RecordError: As `read_pickle`.
    """
    machine = _Machine()
    try:
        for at, name, argument in opcodes(content):
            machine.run(at, name, argument)
        return _checked(machine.stack.pop())
    except RefusedError as error:
        raise RecordError(path, f"{field}, byte {machine.at}", error.expected, error.found) from None
    # An empty stack, a key that the memo has not, text that is no number, axes that repeat: no sound pickle has them.
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, AttributeError, MemoryError) as error:
        raise RecordError(path, f"{field}, byte {machine.at}", _EXPECTED, f"{type(error).__name__}: {error}") from error


class _Machine:
    """The stack, the marks on it, and the memo."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.at = self.steps = 0

    def run(self, at: int, name: str, argument: Any) -> None:
        self.at, self.steps = at, self.steps + 1
        if self.steps > _MOST_STEPS:
            raise RefusedError(f"at most {_MOST_STEPS} opcodes", "more")
        if name in _VALUES:
            self.stack.append(_VALUES[name](argument))
        else:
            _ACTIONS[name](self, argument)

    def popped(self, count: int) -> list[Any]:
        """The topmost values, the deepest first."""
        if count > len(self.stack):
            raise IndexError("too few values")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def marked(self) -> list[Any]:
        """Everything above the last mark."""
        return self.popped(len(self.stack) - self.marks.pop())

    def mark(self, _: object) -> None:
        self.marks.append(len(self.stack))

    def stop(self, _: object) -> None:
        if len(self.stack) != 1:
            raise RefusedError("one value at the end", len(self.stack))

    def protocol(self, version: int) -> None:
        if version > _PROTOCOL:
            raise RefusedError(f"a protocol up to {_PROTOCOL}", version)

    def put(self, key: int) -> None:
        self.memo[key] = self.stack[-1]
        if isinstance(self.stack[-1], Unfilled):
            self.stack[-1].keys.append(key)

    def extend(self, values: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise RefusedError("a list to append to", type(self.stack[-1]).__name__)
        self.stack[-1].extend(values)

    def update(self, values: list[Any]) -> None:
        if type(self.stack[-1]) is not dict:
            raise RefusedError("a dict to set in", type(self.stack[-1]).__name__)
        self.stack[-1].update(_pairs(values))

    def find(self, module: Any, name: Any) -> None:
        token = TOKENS.get((module, name)) if isinstance(module, str) and isinstance(name, str) else None
        if token is None:
            raise RefusedError(_EXPECTED, f"{module!s:.60}.{name!s:.60}")
        self.stack.append(token)

    def reduce(self, _: object) -> None:
        self.stack.append(call(*self.popped(2)))

    def build(self, _: object) -> None:
        target, state = self.popped(2)
        made = build(target, state)
        for key in target.keys if isinstance(target, Unfilled) else ():
            self.memo[key] = made
        self.stack.append(made)


def _pairs(values: list[Any]) -> dict[Any, Any]:
    # A few dozen tuples in each other, each twice in the next, take for ever to hash.
    if wrong := [type(key).__name__ for key in values[::2] if type(key) not in _PLAIN]:
        raise RefusedError("text or numbers as keys", wrong[0])
    return dict(zip(values[::2], values[1::2], strict=True))


def _integer(line: bytes) -> int | bool:
    # How protocols 0 and 1 write True and False.
    return {b"01": True, b"00": False}[line] if line in (b"01", b"00") else int(line)


def _long(data: bytes) -> int:
    if len(data) > _LONGEST_INTEGER:
        raise RefusedError(f"an integer of at most {_LONGEST_INTEGER} bytes", len(data))
    return int.from_bytes(data, "little", signed=True)


def _quoted(line: bytes) -> str:
    if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1]:
        raise RefusedError("text in quotes", line[:40])
    return codecs.escape_decode(line[1:-1])[0].decode("latin-1")


def _latin(data: bytes) -> str:
    return data.decode("latin-1")


def _utf8(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _same(value: Any) -> Any:
    return value


_VALUES: Mapping[str, Callable[[Any], Any]] = {
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "INT": _integer,
    "LONG": lambda line: int(line.removesuffix(b"L")),
    "FLOAT": float,
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "BINFLOAT"), _same),
    **dict.fromkeys(("LONG1", "LONG4"), _long),
    "STRING": _quoted,
    **dict.fromkeys(("BINSTRING", "SHORT_BINSTRING"), _latin),
    "UNICODE": lambda line: line.decode("raw-unicode-escape"),
    **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), _utf8),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"), _same),
    "EMPTY_LIST": lambda _: [],
    "EMPTY_TUPLE": lambda _: (),
    "EMPTY_DICT": lambda _: {},
}

_ACTIONS: Mapping[str, Callable[[_Machine, Any], None]] = {
    "PROTO": _Machine.protocol,
    "FRAME": lambda _machine, _length: None,
    "STOP": _Machine.stop,
    "MARK": _Machine.mark,
    "POP": lambda machine, _: machine.popped(1).clear(),
    "POP_MARK": lambda machine, _: machine.marked().clear(),
    "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
    "LIST": lambda machine, _: machine.stack.append(machine.marked()),
    "APPEND": lambda machine, _: machine.extend(machine.popped(1)),
    "APPENDS": lambda machine, _: machine.extend(machine.marked()),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.marked())),
    "TUPLE1": lambda machine, _: machine.stack.append(tuple(machine.popped(1))),
    "TUPLE2": lambda machine, _: machine.stack.append(tuple(machine.popped(2))),
    "TUPLE3": lambda machine, _: machine.stack.append(tuple(machine.popped(3))),
    "DICT": lambda machine, _: machine.stack.append(_pairs(machine.marked())),
    "SETITEM": lambda machine, _: machine.update(machine.popped(2)),
    "SETITEMS": lambda machine, _: machine.update(machine.marked()),
    "GET": lambda machine, line: machine.stack.append(machine.memo[int(line)]),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda machine, key: machine.stack.append(machine.memo[key])),
    "PUT": lambda machine, line: machine.put(int(line)),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), _Machine.put),
    "MEMOIZE": lambda machine, _: machine.put(len(machine.memo)),
    "GLOBAL": lambda machine, names: machine.find(*map(_utf8, names)),
    "STACK_GLOBAL": lambda machine, _: machine.find(*machine.popped(2)),
    "REDUCE": _Machine.reduce,
    "BUILD": _Machine.build,
}


def _checked(value: Any) -> Any:
    """The value, if there is nothing in it but plain data: no token, no type, no array without its values."""
    left, seen = [value], set()
    while left:
        one = left.pop()
        if type(one) in _PLAIN or type(one) is np.ndarray:
            continue
        if type(one) not in (dict, list, tuple):
            raise RefusedError(_EXPECTED, type(one).__name__)
        if id(one) not in seen:  # a list may hold itself
            seen.add(id(one))
            left += [*one.keys(), *one.values()] if type(one) is dict else one
    return value

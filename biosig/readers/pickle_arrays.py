"""numpy arrays in pickles: what numpy would have been asked to call, done here on bytes alone."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import numpy as np

from biosig.readers.pickle_opcodes import RefusedError

_CODE = re.compile(r"[biu][1248]|f[248]|c8|c16|[SU][1-9]\d{0,8}", re.ASCII)
_ORDERS = {"<": "<", ">": ">", "|": "|", "=": "<" if sys.byteorder == "little" else ">"}
_LATIN = ("latin1", "latin-1", "iso-8859-1")
_DIMENSIONS = 32


class Token(Enum):
    """What a pickle of arrays names. A token is looked up and compared, never called."""

    RECONSTRUCT = auto()
    SCALAR = auto()
    FROMBUFFER = auto()
    NDARRAY = auto()
    DTYPE = auto()
    ENCODE = auto()
    BYTES = auto()


# Both the old and the new place of numpy's own functions. The key is the whole name: nothing is looked up by parts.
TOKENS: dict[tuple[str, str], Token] = {
    **{
        (f"numpy.{core}.{module}", name): token
        for core in ("core", "_core")
        for module, name, token in (
            ("multiarray", "_reconstruct", Token.RECONSTRUCT),
            ("multiarray", "scalar", Token.SCALAR),
            ("numeric", "_frombuffer", Token.FROMBUFFER),
        )
    },
    ("numpy", "ndarray"): Token.NDARRAY,
    ("numpy", "dtype"): Token.DTYPE,
    # How Python 3 writes bytes for readers that have none.
    ("_codecs", "encode"): Token.ENCODE,
    ("__builtin__", "bytes"): Token.BYTES,
    ("builtins", "bytes"): Token.BYTES,
}


@dataclass
class Type:
    """The type of an array's values: a code like `f8`, and the byte order that its state gives."""

    code: str
    order: str = "|"

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(_ORDERS[self.order] + self.code)


@dataclass
class Unfilled:
    """An array between its announcement and its state; `keys` are where the memo has it."""

    keys: list[int] = field(default_factory=list)


def call(token: Any, arguments: Any) -> Any:
    """What a call of the named function gives.

    Raises:
        RefusedError: If it is no function of arrays, or is not called as numpy calls it.
    """
    if not isinstance(token, Token) or type(arguments) is not tuple:
        raise RefusedError("numpy's functions that restore arrays", f"a call of {_shown(token)}")
    made: Any
    match token, arguments:
        case Token.RECONSTRUCT, (Token.NDARRAY, (0,), "b" | b"b"):
            made = Unfilled()
        case Token.DTYPE, (str(code), align, copy) if align in (0, 1) and copy in (0, 1):
            made = _type(code)
        case Token.SCALAR, (Type() as type_, bytes() | str() as data):
            made = _array(_bytes(data), type_, (), "C").item()
        # Newer numpy also says in which order the axes lie in memory, where that is neither C nor F.
        case Token.FROMBUFFER, (bytes() as data, Type() as type_, tuple(shape), "C" | "F" as order, *rest) if rest in (
            [],
            [None],
        ):
            made = _array(data, type_, shape, order)
        case Token.FROMBUFFER, (bytes() as data, Type() as type_, tuple(shape), "K", tuple(axes)):
            made = _array(data, type_, shape, "C").transpose(axes)
        case Token.ENCODE, (str(text), str(codec)) if codec.lower() in _LATIN:
            made = text.encode("latin-1")
        case Token.BYTES, ():
            made = b""
        case _:
            raise RefusedError(f"{token.name.lower()} as numpy calls it", _shown(arguments))
    return made


def build(target: Any, state: Any) -> Any:
    """The array, or type, that a state completes.

    Raises:
        RefusedError: If the target is neither, the values are objects, or there are not as many as the shape says.
    """
    match target, state:
        case Type(), (3 | 4, str(order), None, None, None, *rest) if order in _ORDERS and rest[3:] in ([], [None]):
            target.order = order
            return target
        case Unfilled(), (_, tuple(shape), Type() as type_, fortran, bytes() | str() as data):
            return _array(_bytes(data), type_, shape, "F" if fortran else "C")
        case Unfilled(), (_, tuple(), _, _, list()):
            raise RefusedError("an array of numbers or text", "one of objects")
    raise RefusedError("the state of an array", f"{_shown(state)} for {_shown(target)}")


def _type(code: str) -> Type:
    if not _CODE.fullmatch(code):
        raise RefusedError("values that are numbers or text", f"the type {code!r}")
    return Type(code)


def _array(data: bytes, type_: Type, shape: tuple[Any, ...], order: Any) -> Any:
    """The values in their shape: exactly as many as there are bytes, so that nothing is reserved that is not there."""
    dtype = type_.dtype
    if len(shape) > _DIMENSIONS or not all(type(length) is int and length >= 0 for length in shape):
        raise RefusedError(f"up to {_DIMENSIONS} lengths", _shown(shape))
    if math.prod(shape) * dtype.itemsize != len(data):
        raise RefusedError(f"{math.prod(shape)} values of {dtype.itemsize} bytes", f"{len(data)} bytes")
    if not data:
        return np.zeros(shape, dtype)
    return np.frombuffer(data, dtype).reshape(shape, order=order)


def _bytes(data: bytes | str) -> bytes:
    # Python 2 had one type for both; its strings are read as Latin-1, which keeps every byte.
    return data if isinstance(data, bytes) else data.encode("latin-1")


def _shown(value: Any) -> str:
    """A few words for an error; the `repr` of a hostile value may be endless."""
    if isinstance(value, Token):
        return value.name.lower()
    return f"{value[:40]!r}" if isinstance(value, str | bytes) else type(value).__name__

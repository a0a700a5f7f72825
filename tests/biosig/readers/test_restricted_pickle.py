"""Pickles of data come back as they were; pickles of anything else run nothing and are refused."""

from __future__ import annotations

import os
import pickle
import re
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from biosig.errors import RecordError
from biosig.readers import restricted_pickle
from biosig.readers.restricted_pickle import read_pickle, unpickle

PROTOCOLS = range(6)
NUMBERS = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="?")
    | hnp.unsigned_integer_dtypes(endianness="?")
    | hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64))
    | hnp.complex_number_dtypes(sizes=(64, 128))
    | hnp.byte_string_dtypes(min_len=1, max_len=4)
    | hnp.unicode_string_dtypes(min_len=1, max_len=4)
)
ARRAYS = hnp.arrays(NUMBERS, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**100), 2**100)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8)
)
VALUES = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(SCALARS, inner, max_size=4),
    max_leaves=8,
)


def same(one: Any, two: Any) -> bool:
    if isinstance(one, np.ndarray):
        return (
            isinstance(two, np.ndarray)
            and one.shape == two.shape
            and one.dtype == two.dtype
            and one.tobytes() == two.tobytes()
        )
    if type(one) is not type(two):
        return False
    if isinstance(one, dict):
        return list(one) == list(two) and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(one == two)


@settings(deadline=None)
@given(VALUES, st.sampled_from(PROTOCOLS))
def test_data_come_back(value: Any, protocol: int) -> None:
    assert same(unpickle(pickle.dumps(value, protocol), "a.pkl"), value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_layouts_in_memory(protocol: int) -> None:
    cube = np.arange(24.0).reshape(2, 3, 4)
    for array in (
        cube,
        np.asfortranarray(cube),
        cube.transpose(1, 0, 2),
        cube[:, ::2],
        cube.astype(">f4"),
        cube[0, 0, 0],
    ):
        found = unpickle(pickle.dumps(array, protocol), "a.pkl")
        np.testing.assert_array_equal(found, array)
        assert np.asarray(found).dtype == array.dtype or isinstance(found, float)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_array_named_twice_is_read_once(protocol: int) -> None:
    array = np.arange(3)
    found = unpickle(pickle.dumps([array, array, {"again": array}], protocol), "a.pkl")
    assert found[0] is found[1] is found[2]["again"]
    np.testing.assert_array_equal(found[0], array)


def test_a_list_that_holds_itself() -> None:
    ring: list[Any] = [1]
    ring.append(ring)
    found = unpickle(pickle.dumps(ring), "a.pkl")
    assert found[1] is found


def python2(shape: tuple[int, ...], values: bytes, *, module: bytes = b"numpy.core.multiarray") -> bytes:
    """`cPickle.dumps({'data': array}, 2)` of Python 2.7, written out opcode by opcode: its strings are bytes."""
    lengths = b"".join(b"K" + bytes([length]) for length in shape)
    return (
        b"\x80\x02}q\x01U\x04dataq\x02"
         b"c" + module + b"\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85U\x01b\x87Rq\x05"
        + b"(K\x01" + b"(" + lengths + b"tcnumpy\ndtype\nq\x06U\x02f8K\x00K\x01\x87Rq\x07"
        + b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + b"T" + struct.pack("<i", len(values)) + values
        + b"tbs."
    )  # fmt: skip


def test_python_2_protocol_2_by_hand() -> None:
    expected = np.array([[1.5, -2.0, 1e-300], [np.pi, 255.0, -0.0]])
    content = python2((2, 3), expected.tobytes())
    found = unpickle(content, "s01.dat")
    assert list(found) == ["data"]
    np.testing.assert_array_equal(found["data"], expected)
    # Python itself agrees about what these bytes say.
    np.testing.assert_array_equal(pickle.loads(content, encoding="latin1")["data"], expected)


def test_python_2_protocol_0_by_hand() -> None:
    values = np.array([1, 200, 7], np.uint8).tobytes()
    quoted = "".join(f"\\x{value:02x}" for value in values).encode()
    content = (
        b"(dp1\nS'labels'\np2\ncnumpy.core.multiarray\n_reconstruct\np3\n(cnumpy\nndarray\np4\n(I0\ntp5\nS'b'\np6\ntp7\n"
        b"Rp8\n(I1\n(I3\ntp9\ncnumpy\ndtype\np10\n(S'u1'\np11\nI0\nI1\ntp12\nRp13\n(I3\nS'|'\np14\nNNNI-1\nI-1\nI0\n"
        b"tp15\nbI00\nS'" + quoted + b"'\np16\ntp17\nbs."
    )
    np.testing.assert_array_equal(unpickle(content, "a")["labels"], [1, 200, 7])
    np.testing.assert_array_equal(pickle.loads(content, encoding="latin1")["labels"], [1, 200, 7])


class Runs:
    """Whatever is pickled as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


class Plain:
    def __init__(self) -> None:
        self.x = 1


class Kept(pickle.Pickler):
    def persistent_id(self, obj: object) -> Any:
        return "elsewhere" if obj == "x" else None


def persistent(folder: Path) -> bytes:
    with (folder / "p.pkl").open("wb") as file:
        Kept(file, 4).dump(["x"])
    return (folder / "p.pkl").read_bytes()


MARK = b"touch /tmp/a_pickle_ran"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "value",
    [
        Runs(os.system, "true"),
        Runs(eval, "1"),
        Runs(getattr, np.ndarray, "dumps"),
        Runs(__import__, "os"),
        Runs(np.load, "a.npy"),
        Runs(np.frombuffer, b"abc", "u1"),
        Runs(bytearray, 10**9),
        Runs(bytes, 10**9),
        Runs(print),
        Plain(),
        OrderedDict(a=1),
        {1, 2},
        frozenset({1}),
        np.array([1, "a", None], dtype=object),
        np.array([Runs(os.system, "true")], dtype=object),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.dtype("f8"),
        np.float64,
        np.array(["2001-01-01"], "M8[D]"),
        np.ma.masked_array([1, 2], [True, False]),
        range(3),
        len,
        [[{"deep": Runs(os.system, "true")}]],
    ],
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", repr(getattr(value, "call", value)))[:40],
)
def test_what_is_not_data_is_refused(value: Any, protocol: int) -> None:
    with pytest.raises(RecordError, match=r"^a\.pkl: pickle, byte \d+: expected ") as caught:
        unpickle(pickle.dumps(value, protocol), "a.pkl")
    assert str(caught.value).isprintable()


def array(shape: bytes = b"(K\x02t", type_: bytes = b"U\x02u1", data: bytes = b"U\x02ab") -> bytes:
    """An array of protocol 2 with parts exchanged."""
    return (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01" + shape
        + b"cnumpy\ndtype\n" + type_ + b"K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + data + b"tb."
    )  # fmt: skip


def test_the_array_by_hand_is_sound() -> None:
    assert unpickle(array(), "a").tolist() == [97, 98]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cos\nsystem\n(S'" + MARK + b"'\ntR.", r"got 'os\.system'"),
        (b"cposix\nsystem\n(S'x'\ntR.", r"got 'posix\.system'"),
        (b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.", r"got 'builtins\.eval'"),
        # Attributes of what is allowed, reached by a dotted name.
        (b"\x80\x04\x8c\x15numpy.core.multiarray\x8c\x13_reconstruct.__self\x93.", "numpy.core.multiarray._recon"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0dndarray.dumps\x93.", r"got 'numpy\.ndarray\.dumps'"),
        (b"\x80\x04\x8c\x05numpy\x8c\x12core.multiarray.os\x93.", "numpy.core.multiarray.os"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0ccore._dtypes\x93.", "numpy.core._dtypes"),
        (b"cnumpy.core.multiarray\ninspect\n.", "numpy.core.multiarray.inspect"),
        (b"cnumpy\nload\n(S'a'\ntR.", r"numpy\.load"),
        (b"cnumpy.f2py.crackfortran\nmyeval\n.", "myeval"),
        (b"\x80\x04K\x01K\x02\x93.", r"got '1\.2'"),
        (b"(S'x'\nios\nsystem\n.", r"an opcode of plain values and arrays, got b'i'"),
        (b"(cnumpy\nndarray\nK\x00o.", "got b'o'"),
        (b"cnumpy\nndarray\n)\x81.", r"got b'\\x81'"),
        (b"cnumpy\nndarray\n)}\x92.", r"got b'\\x92'"),
        (b"\x82\x01.", r"got b'\\x82'"),
        (b"Pelsewhere\n.", "got b'P'"),
        (b"K\x01Q.", "got b'Q'"),
        (b"\x97.", r"got b'\\x97'"),
        (b"\x80\x06N.", "a protocol up to 5, got 6"),
        # The functions of arrays, called as numpy never does.
        (b"cnumpy\ndtype\n(S'O'\nI0\nI1\ntR.", "numbers or text, got \"the type 'O'\""),
        (b"cnumpy\ndtype\n(S'f8,O'\nI0\nI1\ntR.", "f8,O"),
        (b"cnumpy\ndtype\n(S'V8'\nI0\nI1\ntR.", "V8"),
        (b"cnumpy\ndtype\n(S'S0'\nI0\nI1\ntR.", "S0"),
        (b"cnumpy\ndtype\n((dI0\nI1\ntR.", "dtype as numpy calls it"),
        (b"cnumpy\nndarray\n(I9\ntR.", "ndarray as numpy calls it"),
        (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\n(I0\ntS'b'\ntR.", "reconstruct as numpy calls it"),
        (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I9\ntS'b'\ntR.", "reconstruct as numpy calls it"),
        (b"c_codecs\nencode\n(Vx\nVrot13\ntR.", "encode as numpy calls it"),
        (b"c_codecs\nencode\n(V\\u1234\nVlatin1\ntR.", "UnicodeEncodeError"),
        (b"cbuiltins\nbytes\n(I1000000000\ntR.", "bytes as numpy calls it"),
        (b"S'os'\n(S'x'\ntR.", "functions that restore arrays, got \"a call of 'os'\""),
        (b"cnumpy\nndarray\nS'x'\nR.", "functions that restore arrays"),
        (b"cnumpy\nndarray\n}b.", "the state of an array, got 'dict for ndarray'"),
        (b"}}b.", "the state of an array, got 'dict for dict'"),
        # Something allowed on the way, but no value.
        (b"cnumpy\nndarray\n.", "got 'Token'"),
        (b"(lcnumpy\ndtype\na.", "got 'Token'"),
        (b"cnumpy\ndtype\n(S'f8'\nI0\nI1\ntR.", "got 'Type'"),
        (b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR.", "got 'Unfilled'"),
        # Arrays that are not what they say.
        (array(shape=b"(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft"), "4611686014132420609 values of 1 bytes, got '2 bytes'"),
        (array(shape=b"(J\xff\xff\xff\xffJ\xfe\xff\xff\xfft"), "up to 32 lengths"),
        (array(shape=b"(" + b"K\x01" * 33 + b"t"), "up to 32 lengths"),
        (array(shape=b"(\x88\x88t"), "up to 32 lengths"),
        (array(shape=b"(G?\xf0\0\0\0\0\0\0t"), "up to 32 lengths"),
        (array(shape=b"(K\x03t"), "3 values of 1 bytes, got '2 bytes'"),
        (array(type_=b"U\x0aS999999999"), "2 values of 999999999 bytes"),
        (array(type_=b"U\x02f8"), "2 values of 8 bytes, got '2 bytes'"),
        (array(data=b"]"), "an array of numbers or text, got 'one of objects'"),
        (array(data=b"N"), "the state of an array"),
        (array(data=b"U\x7fab"), "at most 5 bytes, got 127"),
        # Not a pickle.
        (b"", "a whole pickle, got '0 bytes and no end'"),
        (b"N", "a whole pickle, got '1 bytes and no end'"),
        (b".", "one value at the end, got 0"),
        (b"NN.", "one value at the end, got 2"),
        (b"a.", "too few values"),
        (b"Na.", "IndexError"),
        (b"K\x01K\x02a.", "a list to append to, got 'int'"),
        (b"K\x01K\x02K\x03s.", "a dict to set in, got 'int'"),
        (b"t.", "IndexError"),
        (b"h\x05.", "KeyError: 5"),
        (b"(S'a'\nd.", "ValueError"),
        (b"}]Ns.", "text or numbers as keys, got 'list'"),
        (b"I" + b"9" * 5000 + b"\n.", "ValueError"),
        (b"\x8a\xff" + bytes(255) + b".", "an integer of at most 32 bytes, got 255"),
        (b"S'a\n.", "text in quotes"),
        (b"S\\x41\n.", "text in quotes"),
        (b"S'a", "a line"),
        (b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", "at most 1 bytes, got 9223372036854775807"),
        (b"T\xff\xff\xff\xffa.", "at most 2 bytes, got 4294967295"),
        (b"G\0.", "8 bytes, got '2'"),
        (b"X\x01\0\0\0\xff.", "UnicodeDecodeError"),
    ],
)  # fmt: skip
def test_by_hand_refused(content: bytes, message: str) -> None:
    with pytest.raises(RecordError, match=rf"^a\.pkl: pickle, byte \d+: .*{message}"):
        unpickle(content, "a.pkl")
    assert not Path("/tmp/a_pickle_ran").exists()


def test_persistent_ids_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="got b'Q'"):
        unpickle(persistent(tmp_path), "a.pkl")


def test_tuples_within_tuples_cost_nothing() -> None:
    """Each holds the one before twice: 2^500 leaves, which nothing may walk one by one, hash or print."""
    doubled = b"\x80\x02N" + b"2\x86" * 500
    assert len(unpickle(doubled + b".", "a.pkl")) == 2
    for content, message in (
        (b"\x80\x02}" + doubled[2:] + b"Ns.", "text or numbers as keys, got 'tuple'"),
        (array(shape=doubled[2:]), "up to 32 lengths, got 'tuple'"),
        (doubled + b"NR.", "a call of tuple"),
        (doubled + b"Nb.", "the state of an array, got 'NoneType for tuple'"),
    ):
        with pytest.raises(RecordError, match=message):
            unpickle(content, "a.pkl")


def test_more_opcodes_than_data_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restricted_pickle, "_MOST_STEPS", 100)
    with pytest.raises(RecordError, match="at most 100 opcodes"):
        unpickle(b"]" * 1000, "a.pkl")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_file_cut_short_is_refused(protocol: int) -> None:
    content = pickle.dumps({"data": np.arange(12.0).reshape(3, 4), "labels": [1, "b"]}, protocol)
    for length in range(len(content)):
        with pytest.raises(RecordError, match=r"^a\.pkl: pickle, byte \d+: expected "):
            unpickle(content[:length], "a.pkl")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(PROTOCOLS), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4)
)
def test_any_change_is_read_as_data_or_refused(protocol: int, changes: list[tuple[int, int]]) -> None:
    content = bytearray(pickle.dumps({"data": np.arange(12.0).reshape(3, 4), "labels": [1, "b", b"c", 2.5]}, protocol))
    for at, value in changes:
        content[at % len(content)] = value
    try:
        plain(unpickle(bytes(content), "a.pkl"))
    except RecordError as error:
        assert str(error).startswith("a.pkl: pickle, byte ")  # noqa: PT017  either outcome is right


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_as_data_or_refused(content: bytes) -> None:
    try:
        plain(unpickle(content, "a.pkl"))
    except RecordError as error:
        assert str(error).isprintable()  # noqa: PT017  either outcome is right


def plain(value: Any) -> None:
    if isinstance(value, dict):
        for item in [*value, *value.values()]:
            plain(item)
    elif isinstance(value, list | tuple):
        for item in value:
            plain(item)
    else:
        assert type(value) in (type(None), bool, int, float, complex, str, bytes, np.ndarray)
        assert not isinstance(value, np.ndarray) or value.dtype.kind in "biufcSU"


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pkl"
    with pytest.raises(RecordError, match="a file that can be read"):
        read_pickle(path)
    path.write_bytes(pickle.dumps([1.5]))
    assert read_pickle(path) == [1.5]
    monkeypatch.setattr(restricted_pickle, "_MOST_BYTES", 3)
    with pytest.raises(RecordError, match="at most 3 bytes"):
        read_pickle(path)

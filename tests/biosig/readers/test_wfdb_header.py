"""The strict header parser: any text parses or is refused, valid headers come back as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from biosig.errors import RecordError
from biosig.readers.base import MAX_CHANNELS, MAX_VALUES
from biosig.readers.wfdb_header import FORMATS, Header, Segment, Signal, format_header, parse_header

GOOD = """E07938.mat 2 500 5000 05-May-2020 09:49:17
E07938.mat 16+24 1000(3)/mV 16 0 -19 9156 0 I
E07938.mat 16+24 200.5/uV 12 7 -39 -10269 0 lead  II
#Age: 65
# Dx: 284470004
"""


def test_every_field_is_read() -> None:
    header = parse_header(GOOD, "E07938.hea")
    assert (header.name, header.sampling_rate, header.n_samples) == ("E07938.mat", 500.0, 5000)
    assert header.start == "05-May-2020 09:49:17"
    assert header.comments == ("Age: 65", "Dx: 284470004")
    first, second = header.signals
    assert (first.file, first.format, first.offset) == ("E07938.mat", 16, 24)
    assert (first.gain, first.baseline, first.units, first.checksum) == (1000.0, 3, "mV", 9156)
    # The baseline is the digital zero where none is stated.
    assert (second.gain, second.baseline, second.units, second.zero) == (200.5, 7, "uV", 7)
    assert second.description == "lead  II"


def test_what_is_left_out_has_the_defaults_of_the_format() -> None:
    header = parse_header("100 1\n100.dat 212\n", "100.hea")
    assert (header.sampling_rate, header.n_samples) == (250.0, None)
    assert header.signals == (Signal("100.dat", 212, gain=200.0, units="mV", resolution=12),)


def test_a_gain_of_zero_is_an_uncalibrated_signal() -> None:
    assert parse_header("a 1 1 1\na.dat 16 0\n", "a.hea").signals[0].gain == 200.0


def test_windows_line_ends_and_blank_lines_do_not_matter() -> None:
    assert parse_header("\r\n" + GOOD.replace("\n", "\r\n\r\n"), "a.hea") == parse_header(GOOD, "a.hea")


def test_segments_are_read() -> None:
    header = parse_header("m/3 2 250 30\na 10\n~ 5\nb 15\n", "m.hea")
    assert header.segments == (Segment("a", 10), Segment("~", 5), Segment("b", 15))
    assert (header.n_signals, header.n_samples) == (2, 30)


LINE = "a.dat 16 200(0)/mV 12 0 0 0 0 I"
REFUSED = {
    "": "record line",
    "# only a comment": "record line",
    "a": "number of signals: expected an integer",
    "a x": "number of signals: expected an integer, got 'x'",
    "a -1": "number of signals: expected 0 to",
    "a 0 500 10": "number of channels: expected 1 to 4096, got 0",
    f"a {MAX_CHANNELS + 1} 500 10": f"number of channels: expected 1 to {MAX_CHANNELS}, got {MAX_CHANNELS + 1}",
    "a 1000000 500 10": "number of channels",
    "../a 1 500 10": "record name: expected a name in the header's own folder, got '..'",
    "/etc/passwd 1 500 10": "record name: expected a name",
    "a\\b 1 500 10": "record name: expected a name in the header's own folder",
    f"a 1 0 10\n{LINE}": "sampling rate: expected above 0",
    f"a 1 -5 10\n{LINE}": "sampling rate: expected above 0",
    f"a 1 1e9 10\n{LINE}": "sampling rate: expected above 0, at most 1e+06 Hz",
    f"a 1 1e999 10\n{LINE}": "sampling rate",
    f"a 1 nan 10\n{LINE}": "sampling rate: expected a number, got 'nan'",
    f"a 1 500 ten\n{LINE}": "number of samples: expected an integer, got 'ten'",
    f"a 1 500 -10\n{LINE}": "number of samples: expected 0 to",
    f"a 1 500 {MAX_VALUES + 1}\n{LINE}": f"number of samples: expected at most {MAX_VALUES} of 1 channels",
    f"a 1 500 {'9' * 40}\n{LINE}": "number of samples: expected an integer",
    f"a 1 500 ١٠\n{LINE}": "number of samples: expected an integer",
    "a 2 500 10\n" + LINE: "number of signal lines: expected 2, got 1",
    f"a 1 500 10\n{LINE}\n{LINE}": "number of signal lines: expected 1, got 2",
    "a 1 500 10\na.dat": "signal 1: fields: expected at least a file and a format, got 'a.dat'",
    "a 1 500 10\na.dat sixteen": "signal 1: format",
    "a 1 500 10\na.dat 17": "signal 1: format: expected one of",
    "a 1 500 10\n../a.dat 16": "signal 1: file: expected a name in the header's own folder, got '../a.dat'",
    "a 1 500 10\n/etc/passwd 16": "signal 1: file",
    "a 1 500 10\n.. 16": "signal 1: file",
    "a 1 500 10\nC:a.dat 16": "signal 1: file",
    "a 1 500 10\n- 16": "signal 1: file",
    "a 1 500 10\na.dat 16 gain": "signal 1: gain: expected a number, got 'gain'",
    "a 1 500 10\na.dat 16 inf/mV": "signal 1: gain: expected a number, got 'inf'",
    "a 1 500 10\na.dat 16 1e300/mV": "signal 1: gain: expected a size between 1e-9 and 1e12, got 1e+300",
    "a 1 500 10\na.dat 16 1e-300/mV": "signal 1: gain: expected a size",
    "a 1 500 10\na.dat 16 200(x)/mV": "signal 1: baseline: expected an integer, got 'x'",
    "a 1 500 10\na.dat 16 200(99999999999)/mV": "signal 1: baseline: expected -2147483648 to",
    "a 1 500 10\na.dat 16 200 12.5": "signal 1: resolution: expected an integer, got '12.5'",
    "a 1 500 10\na.dat 16 200 12 0 0 sum": "signal 1: checksum: expected an integer, got 'sum'",
    "a 1 500 10\na.dat 16x999999 200": "signal 1: samples per frame|sampling rate",
    "a 2 500 10\na.dat 16 200\na.dat 16x2 200": "signal 2: samples per frame: expected 1 as in signal 1",
    "a 2 500 10\na.dat 16 200\na.dat 212 200": "signal 2: format: expected 16 as in the rest of a.dat, got 212",
    "a 2 500 10\na.dat 16 200\na.dat 16+24 200": "signal 2: offset: expected 0 as in the rest of a.dat, got 24",
    "a 3 500 10\na.dat 16\nb.dat 16\na.dat 16": "signal 3: file: expected the signals of one file in consecutive lines",
    "m/0 2 250 30": "number of segments: expected 1 to",
    "m/x 2 250 30\na 10": "number of segments: expected an integer",
    "m/2 2 250 30\na 10": "number of segment lines: expected 2, got 1",
    "m/1 2 250 30\na 10 10": "segment 1: fields",
    "m/1 2 250 30\n../a 30": "segment 1: name: expected a name in the header's own folder, got '../a'",
    "m/1 2 250 30\na -30": "segment 1: number of samples",
    "m/2 2 250 30\na 10\nb 10": "number of samples: expected 20, the sum of the segments, got 30",
    f"m/2 2 250\na 10\n~ {10**12}": "number of samples: expected at most",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_sound_is_refused_naming_file_and_field(text: str) -> None:
    with pytest.raises(RecordError, match=rf"^rec\.hea: (?:{REFUSED[text].replace('+', '[+]')})") as caught:
        parse_header(text, Path("folder/rec.hea"))
    assert "\n" not in str(caught.value)


ALPHABET = st.sampled_from("a~./\\:+()x# \t\n\r\0\x0b\u2028é١0123456789-e")
FRAGMENTS = st.sampled_from([*GOOD.split(), *REFUSED, "\n", " ", "m/2", "1e400", "16x0", "()", "200()/", "2(", "/"])


def parsed(text: str) -> Header | str:
    """The header, or the refusal."""
    try:
        return parse_header(text, "rec.hea")
    except RecordError as error:
        return str(error)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=200), st.text(ALPHABET, max_size=80), st.lists(FRAGMENTS, max_size=20).map(" ".join)))
@example(GOOD)
def test_any_text_parses_or_is_refused(text: str) -> None:
    found = parsed(text)
    if isinstance(found, str):
        assert found.startswith("rec.hea: ")
        assert found.isprintable()
    else:
        assert 1 <= found.n_signals <= MAX_CHANNELS
        assert bool(found.signals) != bool(found.segments)
        assert not any(set(signal.file) & set("/\\:") for signal in found.signals)


@settings(deadline=None)
@given(st.data())
def test_any_change_of_a_good_header_parses_or_is_refused(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(at, min(at + 6, len(GOOD))))
    found = parsed(GOOD[:at] + data.draw(st.text(ALPHABET, max_size=6)) + GOOD[end:])
    assert isinstance(found, Header) or found.isprintable()


names = st.from_regex(r"[A-Za-z0-9_][\w.]{0,12}", fullmatch=True).filter(lambda name: name.isascii())
words = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=12).map(str.strip)
gains = st.floats(1e-9, 1e12) | st.floats(-1e12, -1e-9)


@st.composite
def headers(draw: st.DrawFn) -> Header:
    comments = tuple(draw(st.lists(words.map(lambda word: word.lstrip("#")), max_size=3)))
    rate, frame = draw(st.floats(1e-3, 1e4)), draw(st.integers(1, 4))
    if draw(st.booleans()):
        segments = tuple(
            draw(st.lists(st.builds(Segment, names | st.just("~"), st.integers(1, 99)), min_size=1, max_size=4))
        )
        total = sum(segment.n_samples for segment in segments)
        return Header(draw(names), draw(st.integers(1, 9)), rate, total, segments=segments, comments=comments)
    files = draw(st.lists(names | st.just("~"), min_size=1, max_size=3, unique=True))
    signals = []
    for file in files:
        shared = {"file": file, "format": draw(st.sampled_from(list(FORMATS))), "offset": draw(st.integers(0, 99))}
        for _ in range(draw(st.integers(1, 3))):
            initial = draw(st.none() | st.integers(-(2**31), 2**31))
            checksum = None if initial is None else draw(st.none() | st.integers(-(2**15), 2**16))
            last = {} if checksum is None else {"block_size": draw(st.integers(0, 99)), "description": draw(words)}
            signals.append(
                Signal(
                    **shared,
                    samples_per_frame=frame,
                    skew=draw(st.integers(0, 9)),
                    gain=draw(gains),
                    baseline=draw(st.integers(-(2**31), 2**31)),
                    units=draw(st.sampled_from(["mV", "uV", "V", "mmHg", "l/min", "%"])),
                    resolution=draw(st.integers(0, 64)),
                    zero=draw(st.integers(-(2**31), 2**31)),
                    initial=initial,
                    checksum=checksum,
                    **last,
                )
            )
    n_samples = draw(st.none() | st.integers(1, 10**6))
    start = "" if n_samples is None else draw(st.sampled_from(["", "12:30:00", "12:30:00.5 05/05/2020"]))
    return Header(draw(names), len(signals), rate, n_samples, tuple(signals), comments=comments, start=start)


@settings(deadline=None)
@given(headers())
def test_a_valid_header_comes_back_as_it_was(header: Header) -> None:
    assert parse_header(format_header(header), "rec.hea") == header

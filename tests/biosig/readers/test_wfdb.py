"""WFDB records against `wfdb` itself, and everything that makes a record unsound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biosig.errors import RecordError
from biosig.readers import read_wfdb
from biosig.readers.base import MAX_HEADER_BYTES
from biosig.readers.wfdb_header import Header, Signal, format_header
from biosig.recording import Modality

wfdb = pytest.importorskip("wfdb")


def write(folder: Path, samples: np.ndarray[Any, Any], **changes: Any) -> Path:
    """A 16-bit record of (channel, time) samples."""
    samples.T.astype("<i2").tofile(folder / "rec.dat")
    signals = tuple(
        Signal("rec.dat", 16, gain=1000.0, checksum=int(row.sum()), initial=int(row[0]), description=name)
        for name, row in zip(("I", "II", "V1"), samples, strict=False)
    )
    header = {"name": "rec", "n_signals": len(signals), "sampling_rate": 500.0, "n_samples": samples.shape[1]}
    (folder / "rec.hea").write_text(format_header(Header(**{**header, "signals": signals, **changes})))
    return folder / "rec.hea"


def noise(channels: int, samples: int, bits: int = 15) -> np.ndarray[Any, Any]:
    return np.random.default_rng(samples).integers(-(2 ** (bits - 1)) + 1, 2 ** (bits - 1), (channels, samples))


def assert_as_wfdb_reads(header: Path, **options: Any) -> None:
    """The same samples in microvolts, gaps in the same places."""
    theirs = wfdb.rdrecord(str(header.with_suffix("")), smooth_frames=False, **options)
    ours = read_wfdb(header)
    scale = np.array([{"mV": 1e3, "uV": 1.0, "V": 1e6}[unit] for unit in theirs.units])
    expected = np.stack(theirs.e_p_signal) * scale[:, None]
    np.testing.assert_allclose(ours.signal, expected, rtol=3e-7, atol=1e-6 * np.nanmax(np.abs(expected)))
    assert ours.sampling_rate == theirs.fs * theirs.samps_per_frame[0]


def test_sixteen_bits_are_read_exactly(tmp_path: Path) -> None:
    samples = noise(3, 5000)
    record = read_wfdb(write(tmp_path, samples))
    np.testing.assert_array_equal(record.signal, samples.astype(np.float32))
    assert (record.channels, record.sampling_rate, record.record_id) == (("I", "II", "V1"), 500.0, "rec")
    assert record.modality == (Modality.ECG,) * 3
    assert record.meta["flags"] == ()


def test_the_lowest_value_marks_a_gap(tmp_path: Path) -> None:
    samples = noise(2, 100)
    samples[1, 30:40] = -(2**15)
    header = write(tmp_path, samples)
    record = read_wfdb(header)
    assert np.isnan(record.signal[1, 30:40]).all()
    assert np.isnan(record.signal).sum() == 10
    assert_as_wfdb_reads(header)


@pytest.mark.parametrize("storage", ["16", "24", "32", "80", "212", "516"])
@pytest.mark.parametrize("n_samples", [1, 7, 1000])
def test_formats_that_wfdb_writes(tmp_path: Path, storage: str, n_samples: int) -> None:
    samples = noise(3, n_samples, {"80": 8, "212": 12, "24": 24, "32": 31}.get(storage, 16))
    wfdb.wrsamp(
        "rec",
        fs=360,
        units=["mV", "uV", "V"],
        sig_name=["I", "II", "V1"],
        d_signal=samples.T.copy(),
        fmt=[storage] * 3,
        adc_gain=[200.0, 1.5, 1e6],
        baseline=[0, -100, 7],
        write_dir=str(tmp_path),
    )
    assert_as_wfdb_reads(tmp_path / "rec.hea")
    assert read_wfdb(tmp_path / "rec").meta["flags"] == ()


@pytest.mark.parametrize(("storage", "n_bytes"), [(8, 200), (61, 400), (160, 400), (310, 268), (311, 268)])
def test_formats_that_wfdb_only_reads(tmp_path: Path, storage: int, n_bytes: int) -> None:
    np.random.default_rng(0).integers(0, 256, n_bytes, dtype=np.uint8).tofile(tmp_path / "rec.dat")
    signals = (Signal("rec.dat", storage, initial=5), Signal("rec.dat", storage, gain=100.0, baseline=3))
    (tmp_path / "rec.hea").write_text(format_header(Header("rec", 2, 250.0, 100, signals)))
    assert_as_wfdb_reads(tmp_path / "rec.hea")


def test_several_samples_in_a_frame_raise_the_rate(tmp_path: Path) -> None:
    noise(1, 600).astype("<i2").tofile(tmp_path / "rec.dat")
    signals = (Signal("rec.dat", 16, samples_per_frame=3), Signal("rec.dat", 16, samples_per_frame=3))
    (tmp_path / "rec.hea").write_text(format_header(Header("rec", 2, 100.0, 100, signals)))
    assert_as_wfdb_reads(tmp_path / "rec.hea")
    assert read_wfdb(tmp_path / "rec.hea").duration == 1.0


def test_skewed_signals_are_brought_into_line(tmp_path: Path) -> None:
    noise(2, 100).T.astype("<i2").tofile(tmp_path / "rec.dat")
    signals = (Signal("rec.dat", 16), Signal("rec.dat", 16, skew=4))
    (tmp_path / "rec.hea").write_text(format_header(Header("rec", 2, 100.0, 100, signals)))
    assert_as_wfdb_reads(tmp_path / "rec.hea")


def test_signals_may_lie_in_several_files_with_an_offset(tmp_path: Path) -> None:
    samples = noise(3, 50)
    (tmp_path / "a.mat").write_bytes(b"x" * 24 + samples[:2].T.astype("<i2").tobytes())
    samples[2].astype("<i2").tofile(tmp_path / "b.dat")
    signals = (Signal("a.mat", 16, offset=24), Signal("a.mat", 16, offset=24), Signal("b.dat", 16))
    (tmp_path / "rec.hea").write_text(format_header(Header("rec", 3, 100.0, None, signals)))
    assert_as_wfdb_reads(tmp_path / "rec.hea")


def test_a_name_that_wfdb_refuses_is_read_all_the_same(tmp_path: Path) -> None:
    header = write(tmp_path, noise(2, 100), name="rec.mat")
    with pytest.raises(wfdb.io.header.HeaderSyntaxError):
        wfdb.rdrecord(str(tmp_path / "rec"))
    assert read_wfdb(header).n_times == 100


def test_units_that_are_no_voltage_are_kept(tmp_path: Path) -> None:
    noise(3, 10).T.astype("<i2").tofile(tmp_path / "rec.dat")
    units = (("mmHg", "P1"), ("mV", "II"), ("NU", "V"))
    signals = tuple(
        Signal("rec.dat", 16, gain=2.0, units=unit, initial=0, checksum=0, description=name) for unit, name in units
    )
    (tmp_path / "rec.hea").write_text(format_header(Header("rec", 3, 125.0, 10, signals)))
    record = read_wfdb(tmp_path / "rec")
    np.testing.assert_array_equal(record.signal[0], noise(3, 10)[0] / 2.0)
    np.testing.assert_array_equal(record.signal[1], noise(3, 10)[1] * 500.0)
    assert record.meta["units"] == {"P1": "mmHg", "V": "NU"}
    assert record.modality == (Modality.OTHER, Modality.ECG, Modality.OTHER)


def test_a_wrong_checksum_is_told_and_does_not_refuse(tmp_path: Path) -> None:
    samples = noise(2, 100)
    header = write(tmp_path, samples)
    samples[1, 50] += 1
    samples.T.astype("<i2").tofile(tmp_path / "rec.dat")
    assert read_wfdb(header).meta["flags"] == ("checksum",)


def test_signals_without_description_are_numbered(tmp_path: Path) -> None:
    noise(2, 10).T.astype("<i2").tofile(tmp_path / "rec.dat")
    header = Header("rec", 2, 125.0, 10, (Signal("rec.dat", 16), Signal("rec.dat", 16)))
    (tmp_path / "rec.hea").write_text(format_header(header))
    record = read_wfdb(tmp_path / "rec", modality=Modality.ECG)
    assert record.channels == ("signal 0", "signal 1")
    assert record.modality == (Modality.ECG, Modality.ECG)


def test_comments_in_any_encoding_are_kept(tmp_path: Path) -> None:
    header = write(tmp_path, noise(1, 10))
    header.write_bytes(header.read_bytes() + "# Höhe: 180\n".encode("latin-1"))
    assert read_wfdb(header).meta["comments"] == ("Höhe: 180",)


def test_a_record_is_found_by_any_of_its_names(tmp_path: Path) -> None:
    write(tmp_path, noise(2, 10)).rename(tmp_path / "rec.v1.hea")
    for name in ("rec.v1", "rec.v1.hea"):
        assert read_wfdb(tmp_path / name).record_id == "rec.v1"


# Several segments ------------------------------------------------------------------------------------------------


def write_segment(folder: Path, name: str, samples: np.ndarray[Any, Any], leads: tuple[str, ...]) -> None:
    wfdb.wrsamp(
        name,
        fs=250,
        units=["mV"] * len(leads),
        sig_name=list(leads),
        d_signal=samples.T.copy(),
        fmt=["16"] * len(leads),
        adc_gain=[200.0 + i for i in range(len(leads))],
        baseline=[0] * len(leads),
        write_dir=str(folder),
    )


def test_segments_of_one_layout_are_joined(tmp_path: Path) -> None:
    write_segment(tmp_path, "m_1", noise(2, 40), ("I", "II"))
    write_segment(tmp_path, "m_2", noise(2, 60), ("I", "II"))
    (tmp_path / "m.hea").write_text("m/2 2 250 100\nm_1 40\nm_2 60\n")
    theirs = wfdb.rdrecord(str(tmp_path / "m")).p_signal.T * 1000
    np.testing.assert_allclose(read_wfdb(tmp_path / "m").signal, theirs, rtol=3e-7)
    (tmp_path / "m.hea").write_text("m/3 2 250 125\nm_1 40\n~ 25\nm_2 60\n")  # wfdb fails on the gap
    record = read_wfdb(tmp_path / "m")
    assert np.isnan(record.signal[:, 40:65]).all()
    np.testing.assert_allclose(np.delete(record.signal, slice(40, 65), 1), theirs, rtol=3e-7)


def test_segments_with_other_signals_are_placed_by_name(tmp_path: Path) -> None:
    (tmp_path / "m_layout.hea").write_text(
        "m_layout 3 250 0\n" + "".join(f"~ 0 200/mV 16 0 0 0 0 {lead}\n" for lead in ("I", "II", "V1"))
    )
    write_segment(tmp_path, "m_1", noise(2, 40), ("V1", "I"))
    write_segment(tmp_path, "m_2", noise(1, 60), ("II",))
    (tmp_path / "m.hea").write_text("m/4 3 250 110\nm_layout 0\nm_1 40\n~ 10\nm_2 60\n")
    record = read_wfdb(tmp_path / "m")
    assert record.channels == ("I", "II", "V1")
    theirs = wfdb.rdrecord(str(tmp_path / "m")).p_signal.T
    np.testing.assert_allclose(record.signal, theirs * 1000, rtol=3e-7)
    np.testing.assert_array_equal(np.isnan(record.signal).sum(1), [70, 50, 70])


@pytest.mark.parametrize(
    ("master", "message"),
    [
        ("m/1 2 250 50\nm_1 50\n", r"^m_1\.hea: number of samples: expected 50 as in m\.hea, got 40"),
        ("m/1 2 300 40\nm_1 40\n", r"^m_1\.hea: sampling rate: expected 300 as in m\.hea, got 250"),
        ("m/1 3 250 40\nm_1 40\n", r"^m\.hea: number of signals: expected 2, as in the first segment, got 3"),
        ("m/1 2 250 40\nm 40\n", r"^m\.hea: number of segments: expected none in a segment"),
        ("m/1 2 250 40\nno 40\n", r"^m\.hea: segment 1: name: expected a file that exists, got 'no\.hea'"),
        ("m/1 2 250 40\n~ 40\n", r"^m\.hea: number of signals"),
        ("m/2 2 250 80\nm_1 40\nother 40\n", r"^other\.hea: signal 2: description: expected one of the layout's I, II"),
    ],
)
def test_segments_that_do_not_fit_are_refused(tmp_path: Path, master: str, message: str) -> None:
    write_segment(tmp_path, "m_1", noise(2, 40), ("I", "II"))
    write_segment(tmp_path, "other", noise(2, 40), ("I", "V1"))
    (tmp_path / "m.hea").write_text(master)
    with pytest.raises(RecordError, match=message):
        read_wfdb(tmp_path / "m.hea")


# Unsound records -------------------------------------------------------------------------------------------------


def cut_samples(folder: Path) -> None:
    content = (folder / "rec.dat").read_bytes()
    (folder / "rec.dat").write_bytes(content[:-1])


def lengthen_samples(folder: Path) -> None:
    (folder / "rec.dat").write_bytes((folder / "rec.dat").read_bytes() + bytes(4))


def link_outside(folder: Path) -> None:
    (folder / "rec.dat").unlink()
    (folder / "rec.dat").symlink_to(folder.parent / "secret.dat")


def link_in_a_ring(folder: Path) -> None:
    (folder / "rec.dat").unlink()
    (folder / "rec.dat").symlink_to("rec.dat")


def folder_for_samples(folder: Path) -> None:
    (folder / "rec.dat").unlink()
    (folder / "rec.dat").mkdir()


def edit(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        header = folder / "rec.hea"
        assert old in header.read_text()
        header.write_text(header.read_text().replace(old, new))

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut_samples, r"rec\.hea: number of samples: expected 99, the length of rec\.dat, got 100"),
        (lengthen_samples, r"rec\.hea: number of samples: expected 101, the length of rec\.dat, got 100"),
        (lambda folder: (folder / "rec.dat").write_bytes(b""), "number of samples: expected 0"),
        (lambda folder: (folder / "rec.dat").unlink(), r"signal 1: file: expected a file that exists, got 'rec\.dat'"),
        (link_outside, r"signal 1: file: expected a file in the header's own folder, not a link out of it"),
        (link_in_a_ring, "signal 1: file: expected a file that exists"),
        (folder_for_samples, "signal 1: file: expected a regular file"),
        (edit("rec.dat 16", "../secret.dat 16"), r"signal 1: file: expected a name in the header's own folder"),
        (edit("rec.dat 16", "/etc/passwd 16"), "signal 1: file: expected a name in the header's own folder"),
        (edit("rec.dat 16", "rec.dat 16+400"), "number of samples: expected 0"),
        (edit("rec.dat 16", "rec.dat 516"), "rec.hea: samples: expected what the format allows"),
        (edit("rec.dat 16", "~ 16"), "signal 1: file: expected a file with samples, got '~'"),
        (edit("rec.dat 16", "rec.dat 0"), "signal 1: file: expected a file with samples"),
        (
            edit("500.0 100", "500.0 1000000000000"),
            "number of samples: expected 0 to|number of samples: expected at most",
        ),
        (edit("500.0 100", "500.0 100000000"), "number of samples: expected 100, the length of rec"),
        (edit("500.0 100", "500.0 -100"), "number of samples: expected 0 to"),
        (lambda folder: (folder / "rec.hea").write_bytes(b""), "record line"),
        (lambda folder: (folder / "rec.hea").write_bytes(bytes(range(256))), "rec.hea: "),
        (
            lambda folder: (folder / "rec.hea").write_bytes(b"#" * (MAX_HEADER_BYTES + 1)),
            "file: expected a header of at most",
        ),
        (lambda folder: (folder / "rec.hea").unlink(), "file: expected a header that can be read"),
    ],
)
def test_an_unsound_record_is_refused_in_one_line(tmp_path: Path, damage: Callable[[Path], None], message: str) -> None:
    noise(2, 100).T.astype("<i2").tofile(tmp_path / "secret.dat")
    folder = tmp_path / "record"
    folder.mkdir()
    header = write(folder, noise(2, 100))
    damage(folder)
    with pytest.raises(RecordError, match=message) as caught:
        read_wfdb(header)
    assert str(caught.value).isprintable()


def test_links_within_a_folder_and_to_a_whole_record_are_followed(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    header = write(tmp_path / "store", noise(2, 100))
    (tmp_path / "store/rec.dat").rename(tmp_path / "store/real.dat")
    (tmp_path / "store/rec.dat").symlink_to("real.dat")
    expected = read_wfdb(header).signal
    for name in ("rec.hea", "rec.dat"):
        (tmp_path / name).symlink_to(tmp_path / "store" / name)
    np.testing.assert_array_equal(read_wfdb(tmp_path / "rec.hea").signal, expected)


def test_a_relative_path_reads_packed_formats_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.zeros(150, np.uint8).tofile(tmp_path / "rec.dat")
    (tmp_path / "rec.hea").write_text("rec 1 360 100\nrec.dat 212\n")
    monkeypatch.chdir(tmp_path)
    assert read_wfdb("rec").n_times == 100


# Annotations -----------------------------------------------------------------------------------------------------


def annotated(folder: Path) -> Path:
    header = write(folder, noise(2, 5000))
    wfdb.wrann(
        "rec",
        "atr",
        np.array([50, 100, 2000, 2500, 4000]),
        symbol=["+", "N", "V", "+", '"'],
        aux_note=["(N\0", "", "", "(AFIB\0", "noisy\0"],
        write_dir=str(folder),
        fs=500,
    )
    wfdb.wrann("rec", "qrs", np.array([100, 2000]), symbol=["N", "N"], write_dir=str(folder))
    return header


def test_beats_rhythms_and_notes_become_events(tmp_path: Path) -> None:
    events = read_wfdb(annotated(tmp_path), annotations=["atr"]).events
    assert [(e.onset, e.duration, e.code, e.text) for e in events] == [
        (0.1, pytest.approx(4.9), "(N", ""),
        (0.2, 0.0, "N", ""),
        (4.0, 0.0, "V", ""),
        (5.0, 5.0, "(AFIB", ""),
        (8.0, 0.0, '"', "noisy"),
    ]


def test_several_annotators_are_told_apart(tmp_path: Path) -> None:
    events = read_wfdb(annotated(tmp_path), annotations=["atr", "qrs"]).events
    assert [event.text for event in events if event.code == "N"] == ["atr", "qrs", "qrs"]
    assert [event.text for event in events if event.code in ("(N", '"')] == ["atr", "atr: noisy"]
    assert sorted(events, key=lambda event: event.onset) == list(events)


@pytest.mark.parametrize(
    ("annotator", "message"),
    [
        ("no", r"rec\.hea: annotations: expected a file that exists, got 'rec\.no'"),
        ("../atr", "rec.hea: annotator: expected letters and digits, got '../atr'"),
        ("", "rec.hea: annotator"),
    ],
)
def test_annotators_that_are_not_there_are_refused(tmp_path: Path, annotator: str, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        read_wfdb(annotated(tmp_path), annotations=[annotator])


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, bytes(range(256)), bytes(range(256)) + bytes(2)])
def test_damaged_annotations_are_refused(tmp_path: Path, content: bytes) -> None:
    header = annotated(tmp_path)
    (tmp_path / "rec.atr").write_bytes(content)
    with pytest.raises(RecordError, match=r"^rec\.atr: annotations: "):
        read_wfdb(header, annotations=["atr"])


def test_annotations_outside_the_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "record").mkdir()
    header = annotated(tmp_path / "record")
    (tmp_path / "record/rec.atr").rename(tmp_path / "rec.atr")
    (tmp_path / "record/rec.atr").symlink_to(tmp_path / "rec.atr")
    with pytest.raises(RecordError, match="not a link out of it"):
        read_wfdb(header, annotations=["atr"])


# Real records ----------------------------------------------------------------------------------------------------

REAL = [
    "ecg/ludb/data/39.hea",
    "ecg/mitdb/114.hea",
    "ecg/cinc2021/georgia/E00001.hea",
    "ecg/cinc2021/cpsc_2018/A0001.hea",
    "ecg/cinc2011/2251998.hea",
    "ecg/ptb-xl/records100/00000/00044_lr.hea",
    "ecg/code15-samitrop/holdout_data/1000104.hea",
]


@pytest.mark.real
@pytest.mark.parametrize("name", REAL)
def test_real_records_read_as_wfdb_reads_them(biosig_data: Path, name: str) -> None:
    assert_as_wfdb_reads(biosig_data / name)


@pytest.mark.real
def test_every_georgia_record_is_read_and_its_checksums_hold(biosig_data: Path) -> None:
    headers = sorted((biosig_data / "ecg/cinc2021/georgia").glob("*.hea"))
    assert len(headers) == 73
    assert {read_wfdb(header).meta["flags"] for header in headers} == {()}


@pytest.mark.real
@pytest.mark.slow
def test_every_mitdb_annotation_is_an_event(biosig_data: Path) -> None:
    headers = sorted((biosig_data / "ecg/mitdb").glob("*.hea"))
    assert len(headers) == 44
    for header in headers:
        theirs = wfdb.rdann(str(header.with_suffix("")), "atr")
        ours = read_wfdb(header, annotations=["atr"]).events
        np.testing.assert_allclose([event.onset for event in ours], theirs.sample / 360)
        beats = [
            (symbol if symbol != "+" else note.strip("\0"))
            for symbol, note in zip(theirs.symbol, theirs.aux_note, strict=True)
        ]
        assert [event.code for event in ours] == beats


@pytest.mark.real
def test_every_lead_of_ludb_has_its_waves(biosig_data: Path) -> None:
    leads = ["i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6"]
    record = read_wfdb(biosig_data / "ecg/ludb/data/39", annotations=leads)
    assert {event.text for event in record.events} == set(leads)
    assert {event.code for event in record.events} == {"(", "p", "N", "t", ")"}

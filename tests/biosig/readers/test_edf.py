"""EDF and BDF: units, events, gaps, rates, and headers that are not sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig.errors import RecordError
from biosig.readers import read, read_edf
from biosig.readers.edf_header import EdfHeader, parse_edf_header
from biosig.recording import Modality
from tests.biosig.readers import writers

FP1, ECG = {"label": "EEG Fp1"}, {"label": "ECG ECG", "unit": "mV"}
TAL = {"label": "EDF Annotations", "unit": "", "physical_min": -1, "physical_max": 1, "samples": 20}


def stamp(onset: str, *texts: str) -> bytes:
    """The annotations of a data record: its onset, then events given as `onset[\\x15duration]\\x14text`."""
    return f"{onset}\x14\x14\0".encode() + b"".join(f"{text}\x14\0".encode() for text in texts)


def test_voltages_become_microvolts_and_names_canonical(tmp_path: Path) -> None:
    path = writers.edf(tmp_path / "a.edf", [FP1, ECG], [[[10, 20, 30, 40], [1, 2, 3, 4]], [[0] * 4, [-1] * 4]])
    record = read_edf(path)
    assert (record.channels, record.modality) == (("Fp1", "ECG"), (Modality.EEG, Modality.ECG))
    assert (record.sampling_rate, record.record_id) == (4.0, "a")
    np.testing.assert_allclose(record.signal[0], [1, 2, 3, 4, 0, 0, 0, 0], atol=1e-4)
    np.testing.assert_allclose(record.signal[1], [100, 200, 300, 400, -100, -100, -100, -100], rtol=1e-4)


@pytest.mark.parametrize(
    ("unit", "factor", "kept"),
    [
        ("uV", 1, None),
        ("µV", 1, None),
        ("mV", 1e3, None),
        ("V", 1e6, None),
        ("nV", 1e-3, None),
        ("%", 1, "%"),
        ("", 1, ""),
    ],
)
def test_every_unit_is_told_or_converted(tmp_path: Path, unit: str, factor: float, kept: str | None) -> None:
    path = writers.edf(tmp_path / "a.edf", [{"label": "EEG Cz", "unit": unit}], [[[0, 10, 20, 30]]])
    record = read_edf(path)
    np.testing.assert_allclose(record.signal[0], np.arange(4) * factor, atol=1e-4 * factor)
    assert record.meta.get("units") == (None if kept is None else {"Cz": kept})
    # A percentage is no EEG whatever its name; without a unit the name is all there is.
    assert record.modality == ((Modality.OTHER if kept == "%" else Modality.EEG),)


def test_who_was_recorded_is_not_kept(tmp_path: Path) -> None:
    record = read_edf(writers.edf(tmp_path / "a.edf", [FP1], [[[0] * 4]]))
    kept = repr((dict(record.meta), record.subject_id, record.session, record.report))
    assert not any(word in kept for word in ("Harry", "Haagse", "1987", "MCH", "PSG-1234"))


def test_annotations_become_events(tmp_path: Path) -> None:
    records = [
        [[0] * 4, stamp("+0", "+0.5\x151.25\x14Sleep stage 1")],
        [[0] * 4, stamp("+1", "+1.5\x14click@@EEG Fp1", "+1.75\x14é")],
    ]
    record = read_edf(writers.edf(tmp_path / "a.edf", [FP1, TAL], records, kind="EDF+C"))
    found = [(event.onset, event.duration, event.code, event.text) for event in record.events]
    assert found == [(0.5, 1.25, "Sleep stage 1", ""), (1.5, 0.0, "click", "EEG Fp1"), (1.75, 0.0, "é", "")]


def test_time_begins_with_the_first_sample(tmp_path: Path) -> None:
    records = [[[0] * 4, stamp("+0.25", "+0.75\x14here")]]
    record = read_edf(writers.edf(tmp_path / "a.edf", [FP1, TAL], records, kind="EDF+C"))
    assert [event.onset for event in record.events] == [0.5]


def test_gaps_between_data_records_are_nan(tmp_path: Path) -> None:
    trigger = {"label": "Status", "unit": ""}
    records = [
        [[1, 2, 3, 4], [0, 0, 7, 0], stamp("+0")],
        [[5, 6, 7, 8], [0, 0, 0, 0], stamp("+3", "+3.5\x14late")],
        [[9, 9, 9, 9], [0, 9, 9, 0], stamp("+4")],
    ]
    limits = {"physical_min": -32768, "physical_max": 32767}
    signals = [{**FP1, **limits}, {**trigger, **limits}, TAL]
    record = read_edf(writers.edf(tmp_path / "a.edf", signals, records, kind="EDF+D"))
    nan = [np.nan] * 8
    np.testing.assert_allclose(record.signal, [[1, 2, 3, 4, *nan, 5, 6, 7, 8, 9, 9, 9, 9]], atol=1e-3)
    found = [(event.onset, event.code) for event in record.events]
    assert found == [(0.5, "7"), (3.5, "late"), (4.25, "9")]


@pytest.mark.parametrize("onset", ["+0.5", "-3"])
def test_data_records_that_overlap_are_refused(tmp_path: Path, onset: str) -> None:
    records = [[[0] * 4, stamp("+0")], [[0] * 4, stamp(onset)]]
    path = writers.edf(tmp_path / "a.edf", [FP1, TAL], records, kind="EDF+D")
    with pytest.raises(RecordError, match="onsets of the data records: expected 1 s or more apart"):
        read_edf(path)


def test_a_gap_beyond_memory_is_refused(tmp_path: Path) -> None:
    records = [[[0] * 4, stamp("+0")], [[0] * 4, stamp("+999999999999")]]
    path = writers.edf(tmp_path / "a.edf", [FP1, TAL], records, kind="EDF+D")
    with pytest.raises(RecordError, match="number of samples: expected at most"):
        read_edf(path)


def test_slow_channels_are_interpolated_and_named(tmp_path: Path) -> None:
    slow = {"label": "Resp", "samples": 8}
    fast = {"label": "Cz", "samples": 32}
    time = np.arange(4 * 32) / 32
    wave = np.round(1000 * np.sin(2 * np.pi * time)).reshape(4, 32)
    records = [[fast_part, fast_part[::4]] for fast_part in wave]
    record = read_edf(writers.edf(tmp_path / "a.edf", [fast, slow], records))
    assert record.sampling_rate == 32
    np.testing.assert_allclose(record.signal[1], record.signal[0], atol=0.3)
    assert record.meta["interpolated_from"] == {"Resp": 8.0}


def test_a_channel_without_a_scale_is_a_gap(tmp_path: Path) -> None:
    dead = {"label": "EEG Cz", "physical_min": 0, "physical_max": 0}
    record = read_edf(writers.edf(tmp_path / "a.edf", [FP1, dead], [[[10] * 4, [10] * 4]]))
    np.testing.assert_array_equal(np.isnan(record.signal).all(1), [False, True])
    assert record.meta["flags"] == ("uncalibrated",)


def test_what_follows_the_last_data_record_is_left_out(tmp_path: Path) -> None:
    path = writers.edf(tmp_path / "a.edf", [FP1], [[[10] * 4]] * 3)
    path.write_bytes(path.read_bytes() + bytes(200))
    assert read_edf(path).n_times == 12
    # Unless the header leaves the number to the file.
    assert read_edf(writers.edf(tmp_path / "b.edf", [FP1], [[[10] * 4]] * 5, n_records=-1)).n_times == 20


def test_a_file_without_its_extension_is_known_by_its_content(tmp_path: Path) -> None:
    path = writers.edf(tmp_path / "a.rec", [FP1], [[[10] * 4]])
    assert read(path).channels == ("Fp1",)


def test_two_channels_of_one_name_are_told_apart(tmp_path: Path) -> None:
    record = read_edf(writers.edf(tmp_path / "a.edf", [FP1, FP1], [[[10] * 4, [20] * 4]]))
    assert record.channels == ("Fp1-0", "Fp1-1")


def test_unknown_names_measure_what_the_caller_says(tmp_path: Path) -> None:
    path = writers.edf(tmp_path / "a.edf", [{"label": "L1"}, {"label": "SaO2", "unit": "%"}], [[[0] * 4, [0] * 4]])
    assert read_edf(path).modality == (Modality.OTHER, Modality.OTHER)
    assert read_edf(path, modality=Modality.EEG).modality == (Modality.EEG, Modality.OTHER)


def test_a_file_of_annotations_alone_goes_with_its_recording(tmp_path: Path) -> None:
    scores = writers.edf(
        tmp_path / "scores.edf", [TAL], [[stamp("+0", "+0.5\x151\x14Sleep stage W")]], seconds=0, kind="EDF+C"
    )
    night = writers.edf(tmp_path / "night.edf", [FP1], [[[10] * 4]] * 2)
    with pytest.raises(
        RecordError, match=r"scores\.edf: signals: expected at least one channel, got 'annotations only"
    ):
        read_edf(scores)
    assert [event.code for event in read_edf(night, annotations=[scores]).events] == ["Sleep stage W"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_records": 3}, "number of data records: expected 2, as many as the file holds .is it whole.., got 3"),
        ({"n_records": 0}, "number of samples: expected at least 1, got 0"),
        ({"n_records": -2}, "number of data records: expected at least -1, got -2"),
        ({"n_records": "two"}, "number of data records: expected an integer, got 'letters'"),
        ({"n_records": "99999999"}, "number of data records: expected 2, as many as the file holds"),
        ({"seconds": 0}, "duration of a data record: expected more than 0 s, got 0.0"),
        ({"seconds": -1}, "duration of a data record: expected more than 0 s"),
        ({"seconds": "1e-9"}, "sampling rate: expected above 0, at most 1e+06 Hz"),
        ({"seconds": "inf"}, "duration of a data record: expected a number, got 'letters'"),
        ({"n_signals": "9999"}, "number of channels: expected 1 to 4096, got 9999"),
        ({"n_signals": "0"}, "number of signals: expected at least 1"),
        ({"n_signals": "-5"}, "number of signals: expected at least 1"),
        ({"n_signals": "2"}, "number of header bytes: expected 768, got 512"),
        ({"n_bytes": "256"}, "number of header bytes: expected 512, got 256"),
        ({"n_bytes": "1e3"}, "number of header bytes: expected an integer, got '1e3'"),
        ({"version": "1"}, "version: expected"),
    ],
)
def test_an_unsound_header_is_refused_naming_the_field(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = writers.edf(tmp_path / "a.edf", [FP1], [[[0] * 4]] * 2, **changes)
    with pytest.raises(RecordError, match=rf"^a\.edf: {message.replace('+', '[+]')}") as caught:
        read_edf(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("samples", 0, "signal 1: samples in a data record: expected at least 1, got 0"),
        ("samples", -4, "signal 1: samples in a data record: expected at least 1"),
        ("samples", "many", "signal 1: samples in a data record: expected an integer, got 'letters'"),
        ("samples", 999999, "number of data records: expected 0, as many as the file holds"),
        ("physical_min", "low", "signal 1: physical min: expected a number, got 'letters'"),
        ("physical_max", "1e300", "signal 1: physical max: expected at most 1e12, got 1e[+]300"),
        ("physical_max", "nan", "signal 1: physical max: expected a number, got 'letters'"),
        ("digital_max", "", "signal 1: digital max: expected a number, got ''"),
    ],
)
def test_an_unsound_channel_is_refused_naming_the_field(
    tmp_path: Path, field: str, value: object, message: str
) -> None:
    path = writers.edf(tmp_path / "a.edf", [{**FP1, field: value}], [[[0] * 4]] * 2)
    with pytest.raises(RecordError, match=rf"^a\.edf: {message}"):
        read_edf(path)


@pytest.mark.parametrize("length", [0, 7, 8, 255, 256, 511, 512, 519, 527])
def test_a_file_cut_short_is_refused(tmp_path: Path, length: int) -> None:
    path = writers.edf(tmp_path / "a.edf", [FP1], [[[0] * 4]] * 2)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(RecordError, match=r"^a\.edf: (version|header|number of data records): "):
        read_edf(path)


def test_rates_too_far_apart_are_refused(tmp_path: Path) -> None:
    signals = [{"label": "fast", "samples": 100_000}, *({"label": f"slow{i}", "samples": 1} for i in range(300))]
    path = writers.edf(tmp_path / "a.edf", signals, [[np.zeros(100_000), *[[0]] * 300]])
    with pytest.raises(RecordError, match="samples in a data record: expected rates that can be brought to one"):
        read_edf(path)


def parsed(content: bytes) -> EdfHeader | str:
    """The header, or the refusal."""
    try:
        return parse_edf_header(content, "a.edf")
    except RecordError as error:
        return str(error)


@settings(deadline=None)
@given(st.binary(max_size=600) | st.builds(lambda tail: b"0       " + tail, st.binary(min_size=248, max_size=600)))
def test_any_bytes_parse_or_are_refused(content: bytes) -> None:
    found = parsed(content)
    assert isinstance(found, EdfHeader) or (found.startswith("a.edf: ") and found.isprintable())


@settings(deadline=None)
@given(st.integers(0, 511), st.binary(min_size=1, max_size=8))
def test_any_change_of_a_good_header_parses_or_is_refused(at: int, new: bytes) -> None:
    good = writers.edf_header([FP1])
    found = parsed(good[:at] + new + good[at + len(new) :])
    assert isinstance(found, EdfHeader) or found.isprintable()


labels = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=16)


@settings(deadline=None)
@given(
    st.lists(st.tuples(labels, st.sampled_from(["uV", "mV", "%", ""]), st.integers(1, 999)), min_size=1, max_size=5),
    st.integers(-1, 999),
    st.integers(1, 60),
)
def test_a_valid_header_comes_back_as_it_was(signals: list[tuple[str, str, int]], n_records: int, seconds: int) -> None:
    rows = [{"label": label, "unit": unit, "samples": samples} for label, unit, samples in signals]
    found = parse_edf_header(writers.edf_header(rows, n_records=n_records, seconds=seconds), "a.edf")
    assert [(signal.label, signal.unit, signal.samples) for signal in found.signals] == signals
    assert (found.n_records, found.seconds, found.sample_bytes, found.interrupted) == (n_records, seconds, 2, False)


# Real files ------------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize(
    "name", ["EDF/test_utf8_annotations.edf", "EDF/subsecond_starttime.edf", "EDF/test_reduced.edf"]
)
def test_events_are_those_that_mne_finds(biosig_data: Path, name: str) -> None:
    import mne

    path = biosig_data / "formats/mne-testing" / name
    theirs = mne.io.read_raw_edf(path, verbose="error").annotations
    ours = [event for event in read_edf(path).events if event.text != "Status"]
    assert [event.code for event in ours] == list(theirs.description)
    np.testing.assert_allclose([event.onset for event in ours], theirs.onset, atol=1e-6)
    np.testing.assert_allclose([event.duration for event in ours], theirs.duration, atol=1e-6)


@pytest.mark.real
def test_a_hypnogram_is_read_as_events(biosig_data: Path, tmp_path: Path) -> None:
    import mne

    path = biosig_data / "formats/mne-testing/EDF/SC4001EC-Hypnogram.edf"
    night = writers.edf(tmp_path / "night.edf", [FP1], [[[10] * 4]] * 2)
    theirs = mne.read_annotations(path)
    ours = read_edf(night, annotations=[path]).events
    assert [(event.onset, event.duration, event.code) for event in ours] == list(
        zip(theirs.onset, theirs.duration, theirs.description, strict=True)
    )


@pytest.mark.real
def test_eegmat_holds_nineteen_electrodes_a_reference_pair_and_an_ecg(biosig_data: Path) -> None:
    import mne

    path = biosig_data / "eeg/eegmat/Subject00_2.edf"
    record = read(path)
    assert record.pick(Modality.ECG).channels == ("ECG",)
    assert len(record.pick(Modality.EEG).channels) == 20
    assert {"T7", "P8", "A2-A1"} < set(record.channels)
    theirs = mne.io.read_raw_edf(path, verbose="error").get_data()
    np.testing.assert_allclose(record.signal, theirs * 1e6, rtol=1e-6, atol=1e-6)

"""The licensed corpora of emotions: what is where, whose it is, and which stimulus it belongs to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from biosig.channels import positions
from biosig.corpora import CORPORA, deap, emotion, faced, seed, seed_iv, seed_v
from biosig.errors import RecordError
from biosig.readers.hdf5 import is_hdf5
from biosig.recording import Modality, Recording
from tests.biosig.corpora import synthetic_emotion as written
from tests.biosig.corpora import synthetic_seed as seeds
from tests.biosig.corpora.emotion_files import dump, microvolts, save, save73, write_cnt, write_npz

WRITERS = written.WRITERS | seeds.WRITERS

BANDS = ("delta", "theta", "alpha", "beta", "gamma")
RAW = {"seed": "seed-de", "seed-iv": "seed-iv-de", "seed-v": "seed-v-de", "faced": "faced-de"}
DE = tuple(RAW.values())


def read_all(name: str, folder: Path) -> dict[str, Recording]:
    return {entry.record_id: CORPORA[name].read(entry) for entry in CORPORA[name].find(folder)}


def first(name: str, folder: Path) -> Recording:
    return CORPORA[name].read(CORPORA[name].find(folder)[0])


@pytest.mark.parametrize("name", [*RAW, "deap", "dreamer", *DE])
def test_a_stimulus_is_the_same_for_everybody_who_met_it(name: str, tmp_path: Path) -> None:
    """It tells the class, where the class is the film's, and nobody meets one twice in a session."""
    WRITERS[name](tmp_path)
    met: dict[str, set[str]] = {}
    label: dict[str, set[str]] = {}
    for recording in read_all(name, tmp_path).values():
        (event,) = (event for event in recording.events if event.stimulus)
        sitting = f"{recording.subject_id} {recording.session}"
        assert event.stimulus not in met.setdefault(sitting, set())
        met[sitting].add(event.stimulus)
        assert event.stimulus.startswith(name.removesuffix("-de"))
        assert event.onset + event.duration == pytest.approx(recording.duration)
        if name not in ("deap", "dreamer"):
            label.setdefault(event.stimulus, set()).add(recording.codes[0].code)
            assert event.code == recording.codes[0].code
    assert all(len(labels) == 1 for labels in label.values())


@pytest.mark.parametrize("name", ["seed", "seed-de", "seed-iv", "seed-iv-de", "faced", "deap", "dreamer"])
def test_matlab_5_and_7_3_say_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for form, how in (("5", save), ("7.3", save73)):
        monkeypatch.setattr(written, "save", how)
        monkeypatch.setattr(seeds, "save", how)
        WRITERS[name](tmp_path / form)
        assert all(is_hdf5(path) == (how is save73) for path in tmp_path.glob(f"{form}/**/*.mat"))
    old, new = (read_all(name, tmp_path / form) for form in ("5", "7.3"))
    assert old.keys() == new.keys()
    for record, recording in old.items():
        for field in ("channels", "modality", "sampling_rate", "subject_id", "session", "codes", "events", "meta"):
            assert getattr(recording, field) == getattr(new[record], field)
        np.testing.assert_array_equal(recording.signal, new[record].signal)


@pytest.mark.parametrize(("raw", "features"), RAW.items())
def test_both_forms_name_the_same_trials(raw: str, features: str, tmp_path: Path) -> None:
    one, two = tmp_path / "raw", tmp_path / "features"
    one.mkdir()
    two.mkdir()
    WRITERS[raw](one)
    WRITERS[features](two)

    def described(recordings: dict[str, Recording]) -> set[tuple[str, str, str, int | None]]:
        return {
            (recording.session, recording.codes[0].code, event.stimulus, event.trial)
            for recording in recordings.values()
            for event in recording.events
        }

    assert described(read_all(raw, one)) == described(read_all(features, two))


@pytest.mark.parametrize("corpus", [*RAW, "deap", "dreamer"])
def test_electrodes_have_positions_but_the_cerebellar(corpus: str, tmp_path: Path) -> None:
    WRITERS[corpus](tmp_path)
    eeg = first(corpus, tmp_path).pick(Modality.EEG)
    unknown = {
        name for name, at in zip(eeg.channels, positions(eeg.channels, Modality.EEG), strict=True) if np.isnan(at[0])
    }
    assert unknown == ({"CB1", "CB2"} if corpus.startswith("seed") else set())
    assert len(eeg.channels) == {"seed-v": 64, "faced": 32, "deap": 32, "dreamer": 14}.get(corpus, 62)


@pytest.mark.parametrize("name", DE)
def test_features_are_no_voltage_and_in_their_places(name: str, tmp_path: Path) -> None:
    """A value that tells electrode, window and band apart is where these three say."""
    WRITERS[name](tmp_path)
    entry = CORPORA[name].find(tmp_path)[0]
    electrodes, windows = (32, faced.SECONDS) if name == "faced-de" else (62, 3 if name == "seed-v-de" else 4)
    cube = (
        1000.0 * np.arange(electrodes)[:, None, None]
        + 10 * np.arange(windows)[None, :, None]
        + np.arange(5)[None, None]
    )
    if name == "seed-v-de":
        data = dict.fromkeys(range(45), cube.transpose(1, 0, 2).reshape(windows, 310))
        labels = {key: np.full(windows, int(label)) for key, label in enumerate("".join(seeds.SEED_V_LABELS.values()))}
        write_npz(entry.path, data, labels)
    elif name == "faced-de":
        dump(entry.path, np.broadcast_to(cube, (28, *cube.shape)))
    else:
        save(entry.path, {f"de_LDS{number}": cube for number in range(1, 25)})
    recording = CORPORA[name].read(entry)
    assert set(recording.modality) == {Modality.OTHER}
    assert recording.sampling_rate == (0.25 if name in ("seed-iv-de", "seed-v-de") else 1.0)
    assert recording.signal.shape == (5 * electrodes, windows)
    names = faced.CHANNELS if name == "faced-de" else seed.CHANNELS
    for electrode in (0, 7, electrodes - 1):
        for band, word in enumerate(BANDS):
            row = [channel.lower() for channel in recording.channels].index(f"{names[electrode]}/{word}".lower())
            np.testing.assert_array_equal(recording.signal[row], cube[electrode, :, band])


def test_seed_trials_are_found_by_number_not_by_order(tmp_path: Path) -> None:
    seeds.seed(tmp_path)
    path = tmp_path / "Preprocessed_EEG" / "1_20131027.mat"
    savemat(path, {f"zjy_eeg{number}": np.full((62, 7), float(number)) for number in range(15, 0, -1)})
    for entry in CORPORA["seed"].find(tmp_path)[:15]:
        assert (CORPORA["seed"].read(entry).signal == entry.meta["trial"]).all()


def test_seed_of_four_seconds(tmp_path: Path) -> None:
    seeds.seed_de(tmp_path)
    (tmp_path / "ExtractedFeatures").rename(tmp_path / "ExtractedFeatures_4s")
    recording = first("seed-de", tmp_path / "ExtractedFeatures_4s")
    assert (recording.sampling_rate, recording.events[0].duration) == (0.25, 16.0)


def test_the_constants_are_those_of_the_owners() -> None:
    assert len(set(seed.CHANNELS)) == 62
    assert seed.CHANNELS[:3] == ("FP1", "FPZ", "FP2")
    assert seed.CHANNELS[-5:] == ("CB1", "O1", "OZ", "O2", "CB2")
    assert len(set(faced.CHANNELS)) == 32
    assert len(set(deap.CHANNELS)) == 40
    assert deap.CHANNELS[31:34] == ("O2", "hEOG", "vEOG")
    # Six clips of each class a session, three in SEED-V; the films do not overlap and have at least a breath between.
    for labels in seed_iv._LABELS.values():
        assert set(Counter(labels).values()) == {6}
    for session, labels in seed_v._LABELS.items():
        assert set(Counter(labels).values()) == {3}
        starts, ends = np.array(seed_v._STARTS[session]), np.array(seed_v._ENDS[session])
        assert tuple(ends - starts) == seeds.SEED_V_LENGTHS[session]
        assert (starts[1:] - ends[:-1] >= 25).all()
    assert list(faced._CLIPS) == written.FACED_CLASSES


@pytest.mark.usefixtures("true_size")
def test_the_lengths_are_those_of_the_owners() -> None:
    assert deap._SAMPLES == 63 * 128
    assert faced.SECONDS * faced.RATE == 7500


def test_seed_v_is_cut_where_the_clip_is(tmp_path: Path) -> None:
    path = tmp_path / "EEG_raw" / "1_2_20180801.cnt"
    second = np.arange(66)[:, None] * 100 + np.arange(5)
    # The second clip of the second session lasts from 299 to 488 s.
    write_cnt(path, seeds.CNT_NAMES, 10, 28180, values={2990: second, 4875: second + 5})
    recording = CORPORA["seed-v"].read(CORPORA["seed-v"].find(tmp_path)[1])
    assert (recording.record_id, recording.n_times, recording.meta["date"]) == ("1-2-02", 1890, "20180801")
    np.testing.assert_allclose(recording.signal[:, :5], second, atol=1e-2)
    np.testing.assert_allclose(recording.signal[:, -5:], second + 5, atol=1e-2)
    assert not recording.signal[:, 5:-5].any()
    assert dict(zip(recording.channels, recording.modality, strict=True))["VEO"] is Modality.EOG


@pytest.mark.parametrize(("factor", "unit"), [(1.0, "uV"), (1e-6, "V")])
def test_faced_in_volts_is_told_from_microvolts(tmp_path: Path, factor: float, unit: str) -> None:
    content = np.random.default_rng(0).normal(0, 10, (28, 32, 250))
    dump(tmp_path / "Processed_data" / "sub007.pkl", content * factor, 4)
    recording = first("faced", tmp_path)
    np.testing.assert_allclose(recording.signal, content[0], rtol=1e-5)
    assert recording.meta["unit_found"] == unit


def test_faced_ratings_are_all_there(tmp_path: Path) -> None:
    written.faced(tmp_path)
    recordings = read_all("faced", tmp_path)
    names = "joy tenderness inspiration amusement anger disgust fear sadness arousal valence familiarity liking"
    items = names.split()
    for clip in (1, 13, 28):
        rated = recordings[f"sub000-{clip:02d}"].meta["ratings"]
        assert rated == pytest.approx(dict(zip(items, written.FACED_RATINGS[clip - 1], strict=True)))
    assert "ratings" not in recordings["sub122-01"].meta


def test_deap_peripherals_have_their_own_units(tmp_path: Path) -> None:
    written.deap(tmp_path)
    recording = first("deap", tmp_path)
    kinds = dict(zip(recording.channels, recording.modality, strict=True))
    assert [kinds[name] for name in deap.CHANNELS[32:]] == [
        Modality.EOG,
        Modality.EOG,
        Modality.EMG,
        Modality.EMG,
        Modality.OTHER,
        Modality.RESPIRATION,
        Modality.OTHER,
        Modality.OTHER,
    ]
    assert recording.meta["units"]["GSR"] == "ohm"
    assert recording.meta["rating_scale"]["liking"] == (1.0, 9.0)


@pytest.mark.parametrize(
    ("valence", "arousal", "expected"),
    [(5.0, 5.0, "LVLA"), (5.01, 5.0, "HVLA"), (5.0, 9.0, "LVHA"), (9.0, 5.01, "HVHA")],
)
def test_five_is_low(valence: float, arousal: float, expected: str) -> None:
    assert deap.quadrant(valence, arousal) == expected


def test_dreamer_joins_what_was_given_apart(tmp_path: Path) -> None:
    written.dreamer(tmp_path)
    recording = first("dreamer", tmp_path)
    kinds = dict(zip(recording.channels, recording.modality, strict=True))
    assert (recording.sampling_rate, kinds["ECG1"], kinds["AF3"]) == (256.0, Modality.ECG, Modality.EEG)
    assert recording.meta["interpolated_from"]["AF4"] == 128.0
    # Every second sample is a sample of the headset; the ECG is untouched.
    both = microvolts(16, 256, 3)
    np.testing.assert_allclose(recording.signal[14:], both[14:], atol=1e-3)
    np.testing.assert_allclose(recording.signal[:14, ::2], both[:14, ::2], atol=0.02)


def test_dreamer_cuts_to_the_shorter_and_refuses_what_is_not_of_one_stretch(tmp_path: Path) -> None:
    for samples, length in ((512 - 100, 412), (512 + 100, 512), (100, None)):
        content = written.dreamer_struct()
        content["Data"][0, 0]["ECG"]["stimuli"][0, 0] = np.ones((samples, 2))
        save(tmp_path / "DREAMER.mat", {"DREAMER": content})
        if length is None:
            with pytest.raises(RecordError, match=r"^DREAMER\.mat: Data 1: ECG\.stimuli 1: expected 2 s"):
                first("dreamer", tmp_path)
        else:
            assert first("dreamer", tmp_path).n_times == 256 + length


@pytest.mark.parametrize(
    ("name", "record", "concepts"),
    [
        ("seed", "1_20131027-01", {"biosig:emotion-positive"}),
        ("seed-de", "1_20131027-03", {"biosig:emotion-negative"}),
        ("seed-iv", "1-1-03", {"biosig:emotion-happiness"}),
        ("seed-v", "1-1-05", {"biosig:emotion-disgust"}),
        ("faced", "sub122-28", {"biosig:emotion-tenderness", "biosig:emotion-hvla"}),
        ("deap", "s01-01", {"biosig:emotion-lvla"}),
    ],
)
def test_codes_become_concepts(name: str, record: str, concepts: set[str], tmp_path: Path) -> None:
    WRITERS[name](tmp_path)
    entry = next(entry for entry in CORPORA[name].find(tmp_path) if entry.record_id == record)
    assert concepts <= CORPORA[name].read(entry).concepts


def test_the_last_file_is_kept_until_it_changes(tmp_path: Path) -> None:
    loads: list[Path] = []

    @emotion.once
    def load(path: Path) -> bytes:
        loads.append(path)
        return path.read_bytes()

    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"1")
    two.write_bytes(b"2")
    assert [load(path) for path in (one, one, two, two, one)] == [b"1", b"1", b"2", b"2", b"1"]
    assert loads == [one, two, one]
    one.write_bytes(b"11")
    assert load(one) == b"11"
    one.unlink()
    with pytest.raises(RecordError, match=r"^one: file: expected a file that can be read"):
        load(one)


@pytest.mark.slow
@pytest.mark.usefixtures("true_size")
def test_deap_in_its_true_size(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(0, 10, (40, 40, 8064))
    dump(tmp_path / "data_preprocessed_python" / "s01.dat", {"labels": written.DEAP_RATINGS, "data": data})
    recording = CORPORA["deap"].read(CORPORA["deap"].find(tmp_path)[39])
    np.testing.assert_array_equal(recording.signal, data[39].astype(np.float32))
    assert [(event.onset, event.duration) for event in recording.events] == [(0.0, 3.0), (3.0, 60.0)]

"""Licensed corpora whose files are not as they should be: whose record, which field, what was expected."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biosig.corpora import CORPORA
from biosig.errors import RecordError
from biosig.preprocess import Preprocessing
from biosig.readers.matlab import read_matlab
from biosig.store import Store, trials
from biosig.store.writer import prepare
from tests.biosig.corpora import synthetic_emotion as written
from tests.biosig.corpora import synthetic_seed as seeds
from tests.biosig.corpora.emotion_files import save, write_cnt, write_npz

WRITERS = written.WRITERS | seeds.WRITERS


def without(path: Path, *names: str, **more: Any) -> None:
    kept = {name: value for name, value in read_matlab(path).items() if name not in names}
    save(path, kept | more)


def edited(path: Path, change: Callable[[Any], Any]) -> None:
    path.write_bytes(pickle.dumps(change(pickle.loads(path.read_bytes())), 2))


def npz(path: Path, change: Callable[[dict[int, Any], dict[int, Any]], None]) -> None:
    with np.load(path) as arrays:
        data, label = (pickle.loads(arrays[name].tobytes()) for name in ("data", "label"))
    change(data, label)
    write_npz(path, data, label)


def pickled_object(path: Path) -> None:
    np.savez(path, data=np.array(pickle.dumps(print)), label=np.array(pickle.dumps({})))


def object_array(path: Path) -> None:
    np.savez(path, data=np.array([{}, None], dtype=object), label=np.array(b"N."))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-99])


SEED_FILE, FEATURE_FILE = "Preprocessed_EEG/1_20131027.mat", "ExtractedFeatures/1_20131027.mat"
IV_FILE, NPZ = "eeg_raw_data/1/1_20160511.mat", "EEG_DE_features/2_123.npz"
SUB, REMARKS, DAT = "Processed_data/sub000.pkl", "Data/sub000/After_remarks.mat", "data_preprocessed_python/s01.dat"
CNT = "EEG_raw/1_1_20180801.cnt"
RATED, MAT = "metadata_csv/participant_ratings.csv", "DREAMER.mat"


def label(path: Path, values: object) -> None:
    save(path.with_name("label.mat"), {"label": values})


def shown(path: Path, order: Sequence[int], ratings: np.ndarray) -> None:
    save(path, written.remarks(order, ratings))


def struct(path: Path, **fields: Any) -> None:
    save(path, {"DREAMER": written.dreamer_struct() | fields})


CLIPS, RATINGS = range(1, 29), written.FACED_RATINGS
CASES: list[tuple[str, str, Callable[[Path], Any], str]] = [
    ("seed", SEED_FILE, lambda p: without(p, "djc_eeg9"), r"1_20131027\.mat: trials: expected 15 variables"),
    ("seed", SEED_FILE, lambda p: without(p, djc_eeg16=np.ones((62, 4))), "trials: expected 15 variables"),
    ("seed", SEED_FILE, lambda p: without(p, djc_eeg1=np.ones((61, 4))), r"djc_eeg1: expected 62 x n .* got \(61, 4\)"),
    ("seed", SEED_FILE, lambda p: without(p, djc_eeg1="text"), "djc_eeg1: expected 62 x n numbers, got 'str'"),
    ("seed", SEED_FILE, cut, r"1_20131027\.mat: byte \d+"),
    ("seed", SEED_FILE, lambda p: p.with_name("label.mat").unlink(), r"label\.mat: file: expected a file that can be"),
    ("seed", SEED_FILE, lambda p: label(p, np.arange(15)), "label: expected 1, 0 and -1"),
    ("seed", SEED_FILE, lambda p: label(p, np.ones(14)), r"label: expected 15 numbers, got \(14,\)"),
    ("seed", SEED_FILE, lambda p: save(p.with_name("label.mat"), {"x": 1}), "label: expected 15 .* got 'NoneType'"),
    ("seed-de", FEATURE_FILE, lambda p: without(p, "de_LDS1"), "de_LDS1: expected 62 x n x 5 .* got 'NoneType'"),
    ("seed-de", FEATURE_FILE, lambda p: without(p, de_LDS1=np.ones((62, 4, 4))), r"got \(62, 4, 4\)"),
    ("seed-iv", IV_FILE, lambda p: without(p, "cz_eeg24"), r"trials: expected 24 variables \*_eeg1 to \*_eeg24"),
    ("seed-v", CNT, lambda p: write_cnt(p, seeds.CNT_NAMES, 10, 900), "length: expected at least 102 s, got '90 s'"),
    ("seed-v", CNT, lambda p: write_cnt(p, seeds.CNT_NAMES[1:], 10, 9000), "channels: expected FP1 among them"),
    ("seed-v-de", NPZ, lambda p: npz(p, lambda data, _: data.pop(44)), "data: expected a dict of the trials 0 to 44"),
    (
        "seed-v-de",
        NPZ,
        lambda p: npz(p, lambda data, _: data.update({0: data[0][:, 1:]})),
        r"got \(3, 309\)",
    ),
    ("seed-v-de", NPZ, lambda p: npz(p, lambda _, said: said.update({0: np.ones(2)})), "label 0: expected 3 numbers"),
    ("seed-v-de", NPZ, lambda p: npz(p, lambda _, said: said.update({0: np.ones(3)})), "label 0: expected 4 in every"),
    ("seed-v-de", NPZ, pickled_object, r"data, byte \d+: expected arrays, dicts, lists, .* got '\w+\.print'"),
    ("seed-v-de", NPZ, object_array, r"2_123\.npz: data: "),
    ("seed-v-de", NPZ, cut, r"2_123\.npz: content: "),
    ("faced", SUB, lambda p: edited(p, lambda a: a[:27]), r"array: expected 28 x 32 x 250 .* got \(27, 32, 250\)"),
    ("faced", SUB, lambda p: edited(p, lambda a: {"a": a}), "got 'dict'"),
    ("faced", SUB, lambda p: edited(p, np.zeros_like), "array: expected EEG in volts or microvolts, got 'values of 0'"),
    ("faced", SUB, cut, r"sub000\.pkl: pickle, byte"),
    ("faced", REMARKS, lambda p: shown(p, [1] * 28, RATINGS), "After_remark.vid: expected every clip from 1 to 28"),
    ("faced", REMARKS, lambda p: shown(p, CLIPS, RATINGS[:, :11]), "After_remark.score: expected 12 numbers"),
    ("faced", REMARKS, lambda p: shown(p, CLIPS, RATINGS + 8), "valence: expected a rating from 0 to 7"),
    ("faced", REMARKS, lambda p: save(p, {"x": 1}), "After_remark.vid"),
    ("deap", DAT, lambda p: edited(p, lambda a: a | {"data": a["data"][:39]}), "data: expected 40 x 40 x 400 numbers"),
    ("deap", DAT, lambda p: edited(p, lambda a: {"data": a["data"]}), "labels: expected 40 x 4 .* got 'NoneType'"),
    (
        "deap",
        DAT,
        lambda p: edited(p, lambda a: a | {"labels": a["labels"] + 9}),
        "valence: expected a rating from 1",
    ),
    ("deap", DAT, lambda p: edited(p, lambda _: [1]), "data: expected 40 x 40 x 400 numbers"),
    ("deap", DAT, lambda p: p.write_bytes(b"cos\nsystem\n(S'true'\ntR."), r"pickle, byte 0: .* got 'os\.system'"),
    (
        "deap",
        RATED,
        lambda p: p.write_text(p.read_text().replace("1,40,1,", "1,x,1,")),
        "row 1: expected whole",
    ),
    ("dreamer", MAT, lambda p: struct(p, EEG_SamplingRate=64.0), r"DREAMER\.EEG_SamplingRate: expected 128.0, got 64"),
    ("dreamer", MAT, lambda p: struct(p, Data=np.ones(3)), r"DREAMER\.Data: expected 2 structs"),
    ("dreamer", MAT, lambda p: save(p, {"OTHER": 1}), r"DREAMER\.EEG_SamplingRate"),
    ("dreamer", MAT, cut, r"DREAMER\.mat: byte"),
]


@pytest.mark.parametrize(("name", "file", "damage", "message"), CASES)
def test_what_is_not_as_it_should_be_is_named(
    name: str, file: str, damage: Callable[[Path], Any], message: str, tmp_path: Path
) -> None:
    WRITERS[name](tmp_path)
    entry = CORPORA[name].find(tmp_path)[0]
    CORPORA[name].read(entry)
    damage(tmp_path / file)
    with pytest.raises(RecordError, match=message):
        CORPORA[name].read(entry)


def test_dreamer_with_a_missing_film(tmp_path: Path) -> None:
    content = written.dreamer_struct()
    content["Data"][0, 1]["EEG"]["stimuli"] = content["Data"][0, 1]["EEG"]["stimuli"][:17]
    save(tmp_path / "DREAMER.mat", {"DREAMER": content})
    good, *_, bad = CORPORA["dreamer"].find(tmp_path)[:36]
    assert CORPORA["dreamer"].read(good).subject_id == "01"
    with pytest.raises(RecordError, match=r"Data 2: EEG\.stimuli: expected 18 cells, got 17"):
        CORPORA["dreamer"].read(bad)


def test_prepare_skips_what_is_damaged_and_keeps_the_rest(tmp_path: Path) -> None:
    seeds.seed(tmp_path / "seed")
    path = tmp_path / "seed" / "Preprocessed_EEG" / "1_20131027.mat"
    path.write_bytes(path.read_bytes()[:-99])
    report = prepare(CORPORA["seed"], tmp_path / "seed", tmp_path / "store", preprocessing=Preprocessing(), workers=0)
    assert (report.read, len(report.skipped)) == (30, 15)
    assert all("1_20131027.mat: byte" in reason for _, reason in report.skipped)
    table = trials(Store(tmp_path / "store"))
    assert len(table) == 30
    assert set(table["stimulus"].value_counts()) == {2}
    assert table["subject"].nunique() == 2

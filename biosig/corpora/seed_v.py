"""SEED-V: 45 film clips, disgusting, fearful, sad, neutral or happy, in three sessions, seen by sixteen people."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from biosig.corpora import emotion
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.corpora.seed import CHANNELS, LICENCE
from biosig.errors import RecordError
from biosig.readers.base import MAX_VALUES
from biosig.readers.library import refusing
from biosig.readers.neuroscan import read_cnt
from biosig.readers.restricted_pickle import unpickle
from biosig.recording import Code, Event, Modality, Recording
from biosig.splits import Split

_CLASSES = ("disgust", "fear", "sad", "neutral", "happy")
_SECOND_AND_THIRD = (2, 1, 3, 0, 4, 4, 0, 3, 2, 1, 3, 4, 1, 2, 0)
# As `emotion_label_and_stimuli_order.xlsx` has them; sessions 2 and 3 have other clips, but the same order of emotions.
_LABELS = {"1": (4, 1, 3, 2, 0) * 3, "2": _SECOND_AND_THIRD, "3": _SECOND_AND_THIRD}
# Start and end of each clip in seconds of the recording, as `trial_start_end_timestamp.txt` has them.
_STARTS = {
    "1": (30, 132, 287, 555, 773, 982, 1271, 1628, 1730, 2025, 2227, 2435, 2667, 2932, 3204),
    "2": (30, 299, 548, 646, 836, 1000, 1091, 1392, 1657, 1809, 1966, 2186, 2333, 2490, 2741),
    "3": (30, 353, 478, 674, 825, 908, 1200, 1346, 1451, 1711, 2055, 2307, 2457, 2726, 2888),
}
_ENDS = {
    "1": (102, 228, 524, 742, 920, 1240, 1568, 1697, 1994, 2166, 2401, 2607, 2901, 3172, 3359),
    "2": (267, 488, 614, 773, 967, 1059, 1331, 1622, 1777, 1908, 2153, 2302, 2428, 2709, 2817),
    "3": (321, 418, 643, 764, 877, 1147, 1284, 1418, 1679, 1996, 2275, 2425, 2664, 2857, 3066),
}
_TRIALS = 15
_WINDOW = 4.0
_RAW = re.compile(r"(\d+)_([123])_(\d{8})\.cnt")
_FEATURES = re.compile(r"(\d+)_123\.npz")


class _Card:
    """What the recordings and their features have in common."""

    licence = LICENCE
    citation = (
        "Liu W, Qiu JL, Zheng WL, Lu BL. Comparing recognition performance and robustness of multimodal deep learning "
        "models for multimodal emotion recognition. IEEE Transactions on Cognitive and Developmental Systems "
        "14(2):715-729, 2022. doi:10.1109/TCDS.2021.3071170"
    )
    url = "https://bcmi.sjtu.edu.cn/home/seed/seed-v.html"
    access = (
        "fill in and sign the licence agreement of its page and send the application from an academic "
        "address; the answer is a link"
    )
    split = Split()


class SeedV(_Card):
    """SEED-V, `EEG_raw`: 62 electrodes at 1000 Hz as recorded, with mastoids and eyes.

    A recording is one trial, cut out of the session's file; its event is the clip from the first sample to the last.
    Each session has fifteen clips of its own, in the same order for everybody: `seed-v-2-07` is the seventh of the
    second. Sessions are numbered by their clips, not by date. The code is the class of the clip (system `seed-v`).
    `VEO` and `HEO` are eye electrodes; `CB1` and `CB2` have no known position.

    Layout, checked against the owners' read-me and several independent programs: `EEG_raw/1_1_20180804.cnt` by person,
    session and date, Neuroscan, 66 channels; when the clips begin and end; their labels. Headers of some files hold a
    wrong count of samples (see `biosig.readers.neuroscan`).
    """

    name = "seed-v"
    title = "SEED-V: emotions by film clips in five classes, 62 electrodes"
    modality: tuple[Modality, ...] = (Modality.EEG, Modality.EOG)
    sampling_rates: tuple[float, ...] = (1000.0,)

    def find(self, source: Path) -> Entries:
        expected, parent = "EEG_raw/1_1_20180804.cnt and others", re.compile("EEG_raw")
        found = emotion.files(source, self.name, expected, name=_RAW, parent=parent)
        return Entries(
            _entry(place, path, match[1], match[2], number, date=match[3])
            for match, path, place in found
            for number in range(1, _TRIALS + 1)
        )

    def read(self, entry: Entry) -> Recording:
        session, number = entry.meta["session"], entry.meta["trial"]
        recording = read_cnt(entry.path, _STARTS[session][number - 1], _ENDS[session][number - 1])
        if lost := [name for name in CHANNELS if name.lower() not in {known.lower() for known in recording.channels}]:
            raise RecordError(entry.path, "channels", f"{lost[0]} among them", recording.channels)
        return _complete(recording, entry, date=entry.meta["date"])


class SeedVFeatures(_Card):
    """SEED-V as differential entropy, `EEG_DE_features`: 62 electrodes x 5 bands, one value in four seconds.

    As `seed-de`, with the stimuli and codes of `seed-v`. Prepare them at their own rate (`--rate 0.25`). The arrays
    are pickles in an npz file, read without running them (`biosig.readers.restricted_pickle`).

    Layout, checked against the owners' read-me and several independent programs: `EEG_DE_features/1_123.npz` with
    `data` and `label`, each a pickled dict of 0 to 44, fifteen trials a session; `data` is windows x 310, `label` the
    class of each window. That the 310 are electrode by electrode, five bands each, is what programs of others take,
    though not all of them: the owners' text does not say.
    """

    name = "seed-v-de"
    title = "SEED-V as differential entropy in five bands"
    modality: tuple[Modality, ...] = (Modality.OTHER,)
    sampling_rates: tuple[float, ...] = (1 / _WINDOW,)

    def find(self, source: Path) -> Entries:
        expected, parent = "EEG_DE_features/1_123.npz and others", re.compile("EEG_DE_features")
        found = emotion.files(source, self.name, expected, name=_FEATURES, parent=parent)
        return Entries(
            _entry(place, path, match[1], session, number)
            for match, path, place in found
            for session in _LABELS
            for number in range(1, _TRIALS + 1)
        )

    def read(self, entry: Entry) -> Recording:
        path, session, number = entry.path, entry.meta["session"], entry.meta["trial"]
        data, labels = _dicts(path)
        key = (int(session) - 1) * _TRIALS + number - 1
        values = emotion.shaped(path, f"data {key}", data[key], (None, len(CHANNELS) * len(emotion.BANDS)))
        said = emotion.shaped(path, f"label {key}", labels[key], (len(values),))
        expected = _LABELS[session][number - 1]
        if set(said.tolist()) != {expected}:
            raise RecordError(path, f"label {key}", f"{expected} in every window", sorted(set(said.tolist())))
        cube = values.reshape(len(values), len(CHANNELS), len(emotion.BANDS)).transpose(1, 0, 2)
        return _complete(emotion.features(cube, CHANNELS, _WINDOW), entry)


@emotion.once
def _dicts(path: Path) -> tuple[dict[int, Any], dict[int, Any]]:
    """The two dicts of an npz file, by trial."""
    data, labels = (_dict(path, name, content) for name, content in _members(path))
    return data, labels


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    with refusing(path), zipfile.ZipFile(path) as packed:
        large = [one.filename for one in packed.infolist() if one.file_size > MAX_VALUES]
    if large:
        raise RecordError(path, large[0], f"at most {MAX_VALUES} bytes", "more")
    for name in ("data", "label"):
        with refusing(path, name), np.load(path, allow_pickle=False) as arrays:
            array = arrays[name]
            if array.ndim or array.dtype.kind not in "SV":
                raise RecordError(path, name, "one string of bytes", f"{array.dtype} {array.shape}")
            yield name, array.tobytes()


def _dict(path: Path, name: str, content: bytes) -> dict[int, Any]:
    trials = list(range(_TRIALS * len(_LABELS)))
    found = unpickle(content, path, name)
    if not isinstance(found, dict) or sorted(found) != trials:
        raise RecordError(path, name, f"a dict of the trials 0 to {trials[-1]}", list(found)[:50])
    return found


def _entry(place: str, path: Path, subject: str, session: str, number: int, **meta: str) -> Entry:
    where = {"source": place, "subject": subject, "session": session, "trial": number}
    return Entry(f"{subject}-{session}-{number:02d}", path, where | meta)


def _complete(recording: Recording, entry: Entry, **meta: Any) -> Recording:
    session, number = entry.meta["session"], entry.meta["trial"]
    label = _CLASSES[_LABELS[session][number - 1]]
    return complete(
        recording,
        entry,
        subject_id=entry.meta["subject"],
        session=session,
        codes=[Code("seed-v", label)],
        events=[Event(0.0, recording.duration, label, stimulus=f"seed-v-{session}-{number:02d}", trial=number)],
        **meta,
    )


for _corpus in (SeedV(), SeedVFeatures()):
    CORPORA.add(_corpus.name, _corpus)

"""SEED-IV: 72 film clips, neutral, sad, fearful or happy, in three sessions of 24, seen by fifteen people."""

from __future__ import annotations

import re
from pathlib import Path

from biosig.corpora import emotion
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.corpora.seed import LICENCE, RATE, raw_trial, smoothed_features
from biosig.recording import Code, Event, Modality, Recording
from biosig.splits import Split

_CLASSES = ("neutral", "sad", "fear", "happy")
# As ReadMe.txt of the corpus has them, a session a row.
_LABELS = {
    "1": (1, 2, 3, 0, 2, 0, 0, 1, 0, 1, 2, 1, 1, 1, 2, 3, 2, 2, 3, 3, 0, 3, 0, 3),
    "2": (2, 1, 3, 0, 0, 2, 0, 2, 3, 3, 2, 3, 2, 0, 1, 1, 2, 1, 0, 3, 0, 1, 3, 1),
    "3": (1, 2, 2, 1, 3, 3, 3, 1, 1, 2, 1, 0, 2, 3, 3, 0, 2, 3, 0, 0, 2, 0, 1, 0),
}
_TRIALS = 24
_WINDOW = 4.0
_FILE = re.compile(r"(\w+)_(\d{8})\.mat")
_SESSION = re.compile(r"[123]")


class _Card:
    """What the recordings and their features have in common."""

    licence = LICENCE
    citation = (
        "Zheng WL, Liu W, Lu Y, Lu BL, Cichocki A. EmotionMeter: a multimodal framework for recognizing human "
        "emotions. IEEE Transactions on Cybernetics 49(3):1110-1122, 2019. doi:10.1109/TCYB.2018.2797176"
    )
    url = "https://bcmi.sjtu.edu.cn/home/seed/seed-iv.html"
    access = (
        "fill in and sign the licence agreement of its page and send the application from an academic "
        "address; the answer is a link"
    )
    split = Split()


class SeedIV(_Card):
    """SEED-IV, `eeg_raw_data`: 62 electrodes at 200 Hz.

    A recording is one trial: a person, a session, a clip, its event from the first sample to the last. Each session
    has 24 clips of its own, in the same order for everybody: the stimulus `seed-iv-2-07` is the seventh of the
    second. The code is the class of the clip, `neutral`, `sad`, `fear` or `happy` in the system `seed-iv`. `CB1` and
    `CB2` have no known position.

    Layout, checked against the owners' page and several independent programs: `eeg_raw_data/2/1_20161125.mat` with a
    variable a trial, `cz_eeg1` to `cz_eeg24`, each 62 x T, whose prefix may differ; the labels, which are in no file
    but ReadMe.txt; the order of the channels. From memory: the values are microvolts; the files do not say.
    """

    name = "seed-iv"
    title = "SEED-IV: emotions by film clips in four classes, 62 electrodes"
    modality: tuple[Modality, ...] = (Modality.EEG,)
    sampling_rates: tuple[float, ...] = (RATE,)

    def find(self, source: Path) -> Entries:
        return _entries(source, self.name, "eeg_raw_data/1/1_20160518.mat and others", "eeg_raw_data")

    def read(self, entry: Entry) -> Recording:
        return _complete(raw_trial(entry, _TRIALS), entry)


class SeedIVFeatures(_Card):
    """SEED-IV as differential entropy, `eeg_feature_smooth`: 62 electrodes x 5 bands, one value in four seconds.

    As `seed-de`, with the stimuli and codes of `seed-iv`. The values are `de_LDS`, smoothed over the future as well as
    the past. Prepare them at their own rate (`--rate 0.25`).

    Layout, checked as for `seed-iv`: `eeg_feature_smooth/2/1_20161125.mat` with `de_LDS1` to `de_LDS24`, each 62 x
    windows x 5 (delta 1-4, theta 4-8, alpha 8-14, beta 14-31, gamma 31-50 Hz), windows of 4 s side by side.
    """

    name = "seed-iv-de"
    title = "SEED-IV as differential entropy in five bands"
    modality: tuple[Modality, ...] = (Modality.OTHER,)
    sampling_rates: tuple[float, ...] = (1 / _WINDOW,)

    def find(self, source: Path) -> Entries:
        return _entries(source, self.name, "eeg_feature_smooth/1/1_20160518.mat and others", "eeg_feature_smooth")

    def read(self, entry: Entry) -> Recording:
        return _complete(smoothed_features(entry, _WINDOW), entry)


def _entries(source: Path, corpus: str, expected: str, above: str) -> Entries:
    found = emotion.files(source, corpus, expected, name=_FILE, parent=_SESSION, above=above)
    return Entries(
        Entry(
            f"{match[1]}-{path.resolve().parent.name}-{number:02d}",
            path,
            {
                "source": place,
                "subject": match[1],
                "session": path.resolve().parent.name,
                "date": match[2],
                "trial": number,
            },
        )
        for match, path, place in found
        for number in range(1, _TRIALS + 1)
    )


def _complete(recording: Recording, entry: Entry) -> Recording:
    session, number = entry.meta["session"], entry.meta["trial"]
    label = _CLASSES[_LABELS[session][number - 1]]
    return complete(
        recording,
        entry,
        subject_id=entry.meta["subject"],
        session=session,
        codes=[Code("seed-iv", label)],
        events=[Event(0.0, recording.duration, label, stimulus=f"seed-iv-{session}-{number:02d}", trial=number)],
        date=entry.meta["date"],
    )


for _corpus in (SeedIV(), SeedIVFeatures()):
    CORPORA.add(_corpus.name, _corpus)

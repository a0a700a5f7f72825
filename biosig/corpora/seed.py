"""SEED: fifteen film clips, positive, neutral or negative, seen three times by fifteen people."""

from __future__ import annotations

import re
from pathlib import Path

from biosig.corpora import emotion
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.errors import RecordError
from biosig.readers.matlab import matlab_variables, read_matlab
from biosig.recording import Code, Event, Modality, Recording
from biosig.splits import Split

# The order of `Channel Order.xlsx`, the same in SEED, SEED-IV and SEED-V.
_ORDER = (
    "FP1 FPZ FP2 AF3 AF4 F7 F5 F3 F1 FZ F2 F4 F6 F8 FT7 FC5 FC3 FC1 FCZ FC2 FC4 FC6 FT8 T7 C5 C3 C1 CZ C2 C4 C6 T8 "
    "TP7 CP5 CP3 CP1 CPZ CP2 CP4 CP6 TP8 P7 P5 P3 P1 PZ P2 P4 P6 P8 PO7 PO5 PO3 POZ PO4 PO6 PO8 CB1 O1 OZ O2 CB2"
)
CHANNELS = tuple(_ORDER.split())
RATE = 200.0
# Of SEED, SEED-IV and SEED-V.
LICENCE = "by application to the BCMI laboratory, for academic research only"
_TRIALS = 15
_CLASSES = {1: "positive", 0: "neutral", -1: "negative"}
_FILE = re.compile(r"(\w+)_(\d{8})\.mat")
_RAW = re.compile(r"Preprocessed_EEG")
_FEATURES = re.compile(r"ExtractedFeatures(?:_(\d+)s)?")
_LABELS = "label.mat"


class _Card:
    """What the recordings and their features have in common."""

    licence = LICENCE
    citation = (
        "Zheng WL, Lu BL. Investigating critical frequency bands and channels for EEG-based emotion recognition with "
        "deep neural networks. IEEE Transactions on Autonomous Mental Development 7(3):162-175, 2015. "
        "doi:10.1109/TAMD.2015.2431497"
    )
    url = "https://bcmi.sjtu.edu.cn/home/seed/seed.html"
    access = (
        "fill in and sign the licence agreement of its page and send the application from an academic "
        "address; the answer is a link"
    )
    split = Split()


class Seed(_Card):
    """SJTU Emotion EEG Dataset, `Preprocessed_EEG`: 62 electrodes at 200 Hz, 0 to 75 Hz.

    A recording is one trial: a person, a day, a clip of about four minutes, its event `seed-01` to `seed-15` from the
    first sample to the last. All people see the clips in the same order on each of their days, so that the trial has
    the clip's number. The code is the class of the clip, from `label.mat` beside the recordings: `positive`,
    `neutral` or `negative` in the system `seed`. The session is the day, as in the file's name. The cerebellar
    electrodes `CB1` and `CB2` are not of the 10-05 system: their positions are unknown.

    Layout, checked against the owners' description, published listings of the files and several independent
    programs: `Preprocessed_EEG/1_20131027.mat` (older copies: a name instead of the number), a variable a trial,
    `djc_eeg1` to `djc_eeg15`, each 62 x T, whose prefix differs from person to person; `label` of `label.mat` is 1 x
    15, of 1, 0, -1; the order of the channels. From memory: the values are microvolts; the files do not say.
    """

    name = "seed"
    title = "SEED: emotions by film clips in three classes, 62 electrodes"
    modality: tuple[Modality, ...] = (Modality.EEG,)
    sampling_rates: tuple[float, ...] = (RATE,)

    def find(self, source: Path) -> Entries:
        return _entries(source, self.name, "Preprocessed_EEG/1_20131027.mat and others, with label.mat", _RAW)

    def read(self, entry: Entry) -> Recording:
        return _complete(raw_trial(entry, _TRIALS), entry)


class SeedFeatures(_Card):
    """SEED as differential entropy, `ExtractedFeatures`: 62 electrodes x 5 bands, one value a second.

    The trials, their stimuli and codes are those of `seed`; a channel is an electrode and a band (`Fp1/delta`), its
    samples are windows of a second, or of four in `ExtractedFeatures_4s`. They are `de_LDS`: smoothed by a linear
    dynamical system **over the future as well as the past**. Prepare them at their own rate (`--rate 1`).

    Layout, checked as for `seed`: `ExtractedFeatures/1_20131027.mat` with `de_LDS1` to `de_LDS15`, each 62 x windows x
    5 (delta 1-4, theta 4-8, alpha 8-14, beta 14-31, gamma 31-50 Hz).
    """

    name = "seed-de"
    title = "SEED as differential entropy in five bands"
    modality: tuple[Modality, ...] = (Modality.OTHER,)
    sampling_rates: tuple[float, ...] = (1.0, 0.25)

    def find(self, source: Path) -> Entries:
        return _entries(source, self.name, "ExtractedFeatures/1_20131027.mat and others, with label.mat", _FEATURES)

    def read(self, entry: Entry) -> Recording:
        folder = _FEATURES.fullmatch(entry.path.resolve().parent.name)
        recording = smoothed_features(entry, float(folder[1] or 1) if folder else 1.0)
        return _complete(recording, entry)


def raw_trial(entry: Entry, trials: int) -> Recording:
    """The trial's potentials: the seventh is `djc_eeg7`, whoever `djc` is.

    Raises:
        RecordError: If the file has more or fewer trials than a session, so that no label is sure; if the trial is of
            another shape.
    """
    number, path = entry.meta["trial"], entry.path
    named = {int(match[1]): name for name in matlab_variables(path) if (match := re.search(r"_eeg(\d+)$", name))}
    if sorted(named) != list(range(1, trials + 1)):
        raise RecordError(path, "trials", f"{trials} variables *_eeg1 to *_eeg{trials}", sorted(named))
    variable = named[number]
    signal = emotion.shaped(path, variable, read_matlab(path, [variable]).get(variable), (len(CHANNELS), None))
    return emotion.trial(signal, CHANNELS, RATE)


def smoothed_features(entry: Entry, seconds: float) -> Recording:
    """The trial's `de_LDS`, electrode x window x band.

    Raises:
        RecordError: If it is not there, or of another shape.
    """
    variable = f"de_LDS{entry.meta['trial']}"
    values = read_matlab(entry.path, [variable]).get(variable)
    values = emotion.shaped(entry.path, variable, values, (len(CHANNELS), None, len(emotion.BANDS)))
    return emotion.features(values, CHANNELS, seconds, smoothing="linear dynamical system, past and future")


def _entries(source: Path, corpus: str, expected: str, parent: re.Pattern[str]) -> Entries:
    return Entries(
        Entry(
            f"{match[1]}_{match[2]}-{number:02d}",
            path,
            {
                "source": place,
                "subject": match[1],
                "session": match[2],
                "trial": number,
            },
        )
        for match, path, place in emotion.files(source, corpus, expected, name=_FILE, parent=parent)
        for number in range(1, _TRIALS + 1)
    )


def _complete(recording: Recording, entry: Entry) -> Recording:
    number = entry.meta["trial"]
    label = _label(entry.path.with_name(_LABELS), number)
    return complete(
        recording,
        entry,
        subject_id=entry.meta["subject"],
        session=entry.meta["session"],
        codes=[Code("seed", label)],
        events=[Event(0.0, recording.duration, label, stimulus=f"seed-{number:02d}", trial=number)],
    )


def _label(path: Path, number: int) -> str:
    values = emotion.shaped(path, "label", read_matlab(path, ["label"]).get("label"), (_TRIALS,))
    if not set(values.tolist()) <= set(_CLASSES):
        raise RecordError(path, "label", "1, 0 and -1", values.tolist())
    return _CLASSES[int(values[number - 1])]


for _corpus in (Seed(), SeedFeatures()):
    CORPORA.add(_corpus.name, _corpus)

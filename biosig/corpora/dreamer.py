"""DREAMER: eighteen film clips, rated by 23 people, with a headset of 14 electrodes and two ECG leads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from biosig.corpora import emotion, headers
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.errors import RecordError
from biosig.readers.matlab import read_matlab
from biosig.recording import Event, Modality, Recording
from biosig.splits import Split

ELECTRODES = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")
LEADS = ("ECG1", "ECG2")
EEG_RATE, ECG_RATE = 128.0, 256.0
SCALE = (1.0, 5.0)
_PEOPLE, _FILMS = 23, 18
_RATINGS = {"valence": "ScoreValence", "arousal": "ScoreArousal", "dominance": "ScoreDominance"}
_PARTS = ("baseline", "stimuli")
# EEG and ECG came over two radios; more than this apart they are not of one stretch.
_APART = 1.0

Part = Float32[np.ndarray, "channel time"]


class Dreamer:
    """DREAMER: 14 electrodes of an Emotiv EPOC at 128 Hz and two ECG leads of a Shimmer2 at 256 Hz.

    A recording is one trial: a person and a film, its baseline clip (about a minute) followed by the film. Its event
    `dreamer-01` to `dreamer-18` begins where the film does, the baseline is an event without stimulus, and the signal
    may jump between the two: the owners give them apart. In which order a person saw the films is not in the file, so
    that the trial is unknown. The EEG is brought to 256 Hz, which loses nothing of it (`interpolated_from`); where the
    ECG is up to a second longer or shorter, both are cut to the shorter.

    Codes: the person's own `valence`, `arousal` and `dominance`, whole numbers from 1 to 5. There is no class of high
    and low among them: 3, the middle, is neither.

    Layout, checked against the owners' text and several independent programs: one file `DREAMER.mat` with a struct
    `DREAMER`, whose `Data` are 23 structs with Age, Gender, EEG and ECG (each `baseline` and `stimuli`, 18 cells of
    samples x 14 or x 2) and the scores; the rates; the order of electrodes. From memory: the EEG is microvolts on an
    offset of some thousands, as the headset gives it, and the ECG the numbers of its converter (`units`); neither is
    removed here. The file is one struct and is read whole: a few gigabytes of memory a worker (`--workers 1`).
    """

    name = "dreamer"
    title = "DREAMER: ratings of film clips, 14 electrodes and two ECG leads"
    modality: tuple[Modality, ...] = (Modality.EEG, Modality.ECG)
    licence = "by application to the owners on Zenodo, for academic research only"
    citation = (
        "Katsigiannis S, Ramzan N. DREAMER: a database for emotion recognition through EEG and ECG signals from "
        "wireless low-cost off-the-shelf devices. IEEE Journal of Biomedical and Health Informatics 22(1):98-107, "
        "2018. doi:10.1109/JBHI.2017.2688239"
    )
    url = "https://zenodo.org/records/546113"
    access = (
        "ask for access on its Zenodo page with a free account, saying who you are and what for; then take DREAMER.mat"
    )
    split = Split()
    sampling_rates: tuple[float, ...] = (ECG_RATE,)

    def find(self, source: Path) -> Entries:
        found = emotion.files(source, self.name, "DREAMER.mat", name=re.compile(r"DREAMER\.mat"))
        return Entries(
            Entry(
                f"{person:02d}-{film:02d}",
                path,
                {"source": place, "person": person, "film": film},
            )
            for _, path, place in found
            for person in range(1, _PEOPLE + 1)
            for film in range(1, _FILMS + 1)
        )

    def read(self, entry: Entry) -> Recording:
        person, film = entry.meta["person"], entry.meta["film"]
        data = _people(entry.path)[person - 1]
        baseline, stimulus = (_part(entry.path, data, person, part, film) for part in _PARTS)
        onset = baseline.shape[1] / ECG_RATE
        recording = emotion.trial(
            np.concatenate([baseline, stimulus], axis=1),
            (*ELECTRODES, *LEADS),
            ECG_RATE,
            interpolated_from=dict.fromkeys(ELECTRODES, EEG_RATE),
            units=dict.fromkeys(LEADS, "adu"),
        )
        ratings = {
            name: float(emotion.shaped(entry.path, score, data.get(score), (_FILMS,))[film - 1])
            for name, score in _RATINGS.items()
        }
        said = {"age": str(data.get("Age", "")), "sex": str(data.get("Gender", ""))}
        return complete(
            recording,
            entry,
            subject_id=f"{person:02d}",
            codes=emotion.ratings(entry.path, ratings, SCALE),
            events=[
                Event(0.0, onset, "baseline"),
                Event(onset, recording.duration - onset, "film", stimulus=f"dreamer-{film:02d}"),
            ],
            rating_scale=dict.fromkeys(_RATINGS, SCALE),
            age=headers.age(entry.path, said),
            sex=headers.sex(entry.path, said),
        )


@emotion.once
def _people(path: Path) -> list[dict[str, Any]]:
    """The structs of all people, after a look at what they all share."""
    found = read_matlab(path, ["DREAMER"]).get("DREAMER")
    found = found if isinstance(found, dict) else {}
    for field, expected in (
        ("EEG_SamplingRate", EEG_RATE),
        ("ECG_SamplingRate", ECG_RATE),
        ("EEG_Electrodes", list(ELECTRODES)),
    ):
        value = found.get(field)
        if (list(value) if isinstance(value, list | np.ndarray) else value) != expected:
            raise RecordError(path, f"DREAMER.{field}", str(expected), value)
    people = found.get("Data")
    if not isinstance(people, list) or len(people) != _PEOPLE or not all(isinstance(one, dict) for one in people):
        raise RecordError(path, "DREAMER.Data", f"{_PEOPLE} structs", type(people).__name__)
    return people


def _part(path: Path, data: dict[str, Any], person: int, part: str, film: int) -> Part:
    """Electrodes and leads of a baseline or a film, at the rate of the leads."""
    from biosig.resample import resample  # noqa: PLC0415  its Fourier transforms are slow to import

    eeg = _cell(path, data, (person, "EEG", part, film), len(ELECTRODES))
    ecg = _cell(path, data, (person, "ECG", part, film), len(LEADS))
    seconds = eeg.shape[1] / EEG_RATE, ecg.shape[1] / ECG_RATE
    if abs(seconds[0] - seconds[1]) > _APART:
        field = f"Data {person}: ECG.{part} {film}"
        raise RecordError(path, field, f"{seconds[0]:g} s, as the EEG has, to a second", seconds[1])
    eeg = resample(eeg, EEG_RATE, ECG_RATE)
    length = min(eeg.shape[1], ecg.shape[1])
    return np.concatenate([eeg[:, :length], ecg[:, :length]])


def _cell(path: Path, data: dict[str, Any], where: tuple[int, str, str, int], n_channels: int) -> Part:
    person, kind, part, film = where
    cells = data[kind].get(part) if isinstance(data.get(kind), dict) else None
    if not isinstance(cells, list) or len(cells) != _FILMS:
        found = len(cells) if isinstance(cells, list) else type(cells).__name__
        raise RecordError(path, f"Data {person}: {kind}.{part}", f"{_FILMS} cells", found)
    field = f"Data {person}: {kind}.{part} {film}"
    samples = emotion.shaped(path, field, cells[film - 1], (None, n_channels))
    return np.ascontiguousarray(samples.T, dtype=np.float32)


CORPORA.add(Dreamer.name, Dreamer())

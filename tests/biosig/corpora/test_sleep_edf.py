"""Sleep-EDF: pairs of files, nights of one person, slow channels, and hypnograms that are missing or foreign."""

from __future__ import annotations

import shutil
from datetime import date, time
from pathlib import Path

import numpy as np
import pytest
from edfio import Edf, EdfAnnotation, EdfSignal, Recording

from biosig.corpora import CORPORA, Entries
from biosig.errors import CorpusError, RecordError
from biosig.quality import flags
from biosig.recording import Modality
from tests.biosig.corpora.synthetic_eeg import sleep_edf

CORPUS = CORPORA["sleep-edf"]
DAY = date(1989, 4, 24)


def write(
    path: Path,
    stages: list[tuple[float, float, str]] | None = None,
    start: time = time(16, 13),
    day: date = DAY,
    seconds: int = 90,
) -> None:
    """A cassette's recording, with channels at 100 and 1 Hz; given stages, a hypnogram."""
    if stages is None:
        t = np.arange(100 * seconds) / 100
        fast = ("EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal")
        signals = [
            EdfSignal(
                40 * np.sin(2 * np.pi * 8 * t), 100, label=label, physical_dimension="uV", physical_range=(-200, 200)
            )
            for label in fast
        ]
        for label, unit in (("Resp oro-nasal", ""), ("EMG submental", "uV"), ("Temp rectal", "DegC")):
            slow = 37.0 + np.sin(np.arange(seconds))
            signals.append(EdfSignal(slow, 1, label=label, physical_dimension=unit, physical_range=(30, 40)))
        edf = Edf(signals, recording=Recording(startdate=day), starttime=start, data_record_duration=30)
    else:
        marks = [EdfAnnotation(*stage) for stage in stages]
        edf = Edf([], recording=Recording(startdate=day), starttime=start, annotations=marks)
    edf.write(path)


def test_nights_of_one_person_stay_together(tmp_path: Path) -> None:
    sleep_edf(tmp_path)
    found = {entry.record_id: CORPUS.read(entry) for entry in CORPUS.find(tmp_path)}
    assert found["SC4001E"].subject_id == found["SC4002E"].subject_id == "SC400"
    assert [found[f"SC400{night}E"].session for night in (1, 2)] == ["1", "2"]
    # Number 01 of one study is not number 01 of the other.
    assert found["ST7011J"].subject_id == "ST701"


def test_slow_channels_and_kinds(tmp_path: Path) -> None:
    write(tmp_path / "SC4001E0-PSG.edf")
    write(tmp_path / "SC4001EC-Hypnogram.edf", [(0.0, 30.0, "Sleep stage W"), (30.0, 60.0, "Sleep stage 1")])
    recording = CORPUS.read(CORPUS.find(tmp_path)[0])
    assert recording.channels == (
        "Fpz-Cz",
        "Pz-Oz",
        "EOG horizontal",
        "Resp oro-nasal",
        "EMG submental",
        "Temp rectal",
    )
    assert recording.modality[:3] == (Modality.EEG, Modality.EEG, Modality.EOG)
    assert set(recording.meta["interpolated_from"].values()) == {1.0}
    assert recording.duration == 90.0
    assert [(event.onset, event.duration) for event in recording.events] == [(0.0, 30.0), (30.0, 60.0)]
    assert not {"overlap", "outside", "unannotated", "unknown-unit"} & set(flags(recording))


def test_the_wake_at_both_ends_stays(tmp_path: Path) -> None:
    write(tmp_path / "SC4001E0-PSG.edf")
    stages = [(0.0, 40.0, "Sleep stage W"), (40.0, 10.0, "Sleep stage 2"), (50.0, 40.0, "Sleep stage W")]
    write(tmp_path / "SC4001EC-Hypnogram.edf", stages)
    recording = CORPUS.read(CORPUS.find(tmp_path)[0])
    assert recording.duration == 90.0
    assert [(event.onset, event.duration, event.code) for event in recording.events] == stages
    assert [code.code for code in recording.codes] == ["Sleep stage W", "Sleep stage 2"]


def test_a_hypnogram_with_a_start_of_its_own_is_shifted(tmp_path: Path) -> None:
    write(tmp_path / "SC4001E0-PSG.edf", start=time(23, 59, 30))
    write(tmp_path / "SC4001EC-Hypnogram.edf", [(0.0, 30.0, "Sleep stage 2")], time(0, 0, 10), date(1989, 4, 25))
    recording = CORPUS.read(CORPUS.find(tmp_path)[0])
    assert [(event.onset, event.duration) for event in recording.events] == [(40.0, 30.0)]


def test_the_hypnogram_of_another_night_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "SC4001E0-PSG.edf")
    write(tmp_path / "SC4001EC-Hypnogram.edf", [(0.0, 30.0, "Sleep stage 2")], day=date(1989, 4, 25))
    message = r"SC4001EC-Hypnogram\.edf: start: expected the night of 24\.04\.89, got '25\.04\.89'"
    with pytest.raises(RecordError, match=message):
        CORPUS.read(CORPUS.find(tmp_path)[0])


def test_a_hypnogram_that_is_gone_or_damaged_is_a_named_error(tmp_path: Path) -> None:
    write(tmp_path / "SC4001E0-PSG.edf")
    hypnogram = tmp_path / "SC4001EC-Hypnogram.edf"
    write(hypnogram, [(0.0, 30.0, "Sleep stage W")])
    (entry,) = CORPUS.find(tmp_path)
    content = hypnogram.read_bytes()
    hypnogram.write_bytes(content[:168] + b"xx" + content[170:])
    with pytest.raises(RecordError, match=r"SC4001EC-Hypnogram\.edf: start: expected dd\.mm\.yyhh\.mm\.ss"):
        CORPUS.read(entry)
    hypnogram.write_bytes(content[:300])
    with pytest.raises(RecordError, match=r"SC4001EC-Hypnogram\.edf"):
        CORPUS.read(entry)
    hypnogram.unlink()
    with pytest.raises(RecordError, match=r"SC4001EC-Hypnogram\.edf: file: expected a file that can be read"):
        CORPUS.read(entry)


def test_overlapping_stages_and_a_night_without_hypnogram_are_flagged(tmp_path: Path) -> None:
    write(tmp_path / "SC4001E0-PSG.edf")
    write(tmp_path / "SC4002E0-PSG.edf")
    write(tmp_path / "SC4001EC-Hypnogram.edf", [(0.0, 60.0, "Sleep stage W"), (30.0, 70.0, "Sleep stage 1")])
    one, two = (flags(CORPUS.read(entry)) for entry in CORPUS.find(tmp_path))
    assert {"overlap", "outside"} <= set(one)
    assert "unannotated" in two
    assert "unannotated" not in one


def test_hypnograms_without_a_recording_are_missing_and_a_second_one_is_skipped(tmp_path: Path) -> None:
    write(tmp_path / "SC4001E0-PSG.edf")
    for name in ("SC4001EC", "SC4001EP", "SC4012EC"):
        write(tmp_path / f"{name}-Hypnogram.edf", [(0.0, 30.0, "Sleep stage W")])
    found = CORPUS.find(tmp_path)
    assert isinstance(found, Entries)
    assert found.missing == ("SC4012E",)
    assert found.skipped == (("SC4001EP-Hypnogram.edf", "the night has the hypnogram SC4001EC-Hypnogram.edf"),)


def test_other_annotations_are_events_but_no_stages(tmp_path: Path) -> None:
    write(tmp_path / "ST7011J0-PSG.edf")
    write(tmp_path / "ST7011JP-Hypnogram.edf", [(3.0, 0.0, "Lights off@@EEG F4-A1")])
    recording = CORPUS.read(CORPUS.find(tmp_path)[0])
    assert [(event.code, event.text) for event in recording.events] == [("Lights off", "EEG F4-A1")]
    assert recording.codes == ()
    assert "unannotated" in flags(recording)


@pytest.mark.real
def test_a_real_hypnogram(biosig_data: Path, tmp_path: Path) -> None:
    """The hypnogram of the first night is in the archive of formats; its recording is written here, shorter."""
    name = "SC4001EC-Hypnogram.edf"
    shutil.copy(biosig_data / "formats" / "mne-testing" / "EDF" / name, tmp_path / name)
    with pytest.raises(CorpusError, match=r"expected SC4001E0-PSG\.edf"):
        CORPUS.find(tmp_path)
    write(tmp_path / "SC4001E0-PSG.edf", seconds=60)
    recording = CORPUS.read(CORPUS.find(tmp_path)[0])
    # 154 stages over nearly a day, the first of them 30,630 s of wake.
    assert len(recording.events) == 154
    assert recording.events[0].duration == 30_630
    stages = {code.code.removeprefix("Sleep stage ") for code in recording.codes}
    assert stages == {"W", "1", "2", "3", "4", "R", "?"}
    ends = [event.onset + event.duration for event in recording.events]
    assert ends[:-1] == [event.onset for event in recording.events[1:]]
    assert "outside" in flags(recording)
    assert "overlap" not in flags(recording)

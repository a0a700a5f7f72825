"""What the simulator writes is what the corpus reads, latencies included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biosig.corpora import CORPORA
from biosig.errors import RecordError
from biosig.preprocess import Preprocessing, Resample
from biosig.simulate import CAPS, Experiment, Latency, eeg, write_experiment
from biosig.store import Store, prepare, trials
from tests.biosig.corpora.synthetic import write_record

EXPERIMENT = Experiment(
    seed=2, subjects=3, stimuli=2, duration=4.0, electrodes=CAPS[14], latency=Latency.DRIFTING, spread=1.0
)
GOOD = ("#Subject: S1", "#Stimulus: film", "#Trial: 2", "#Class: sad", "#Latency: 0.1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_experiment(tmp_path_factory.mktemp("eeg") / "made", EXPERIMENT, workers=1, progress=False)


def test_a_written_trial_reads_as_it_was_simulated(folder: Path) -> None:
    corpus = CORPORA["simulated-eeg"]
    entries = corpus.find(folder)
    assert [entry.record_id for entry in entries] == [f"s{s:04d}t{t:03d}" for s in range(3) for t in (1, 2)]
    assert [f"{entry.path.parent.name}/{entry.path.stem}" for entry in entries] == (
        (folder / "RECORDS").read_text().split()
    )
    for number, entry in enumerate(entries):
        made, read = eeg(EXPERIMENT, *divmod(number, 2)), corpus.read(entry)
        np.testing.assert_allclose(read.signal, made.signal, atol=0.051)
        assert (read.channels, read.modality, read.sampling_rate) == (made.channels, made.modality, made.sampling_rate)
        assert (read.record_id, read.subject_id, read.session) == (made.record_id, made.subject_id, made.session)
        assert (read.codes, read.events) == (made.codes, made.events)
        assert read.meta["latency"] == made.meta["latency"], "to the last digit that was used"


def test_a_store_keeps_latencies_and_presentations(folder: Path, tmp_path: Path) -> None:
    prepare(
        "simulated-eeg",
        folder,
        tmp_path / "store",
        preprocessing=Preprocessing(steps=(Resample(rate=64.0),)),
        workers=0,
        progress=False,
    )
    store = Store(tmp_path / "store")
    table = trials(store)
    assert len(table) == 6
    assert set(table["stimulus"]) == {"stimulus-01", "stimulus-02"}
    assert table.groupby("stimulus")["subject"].nunique().tolist() == [3, 3]
    assert table["samples"].tolist() == [256] * 6
    made = eeg(EXPERIMENT, 1, 1)
    row = store.column("record").index(made.record_id)
    assert tuple(store.recording(row).meta["latency"]) == made.meta["latency"]


@pytest.mark.parametrize(
    ("place", "bad", "message"),
    [
        (0, "#Subject: ", "Subject: expected a comment that names the subject, got ''"),
        (1, "#Stimulus: ", "Stimulus: expected a comment that names the stimulus, got ''"),
        (2, "#Trial: first", "Trial: expected a number from 1, got 'first'"),
        (2, "#Trial: 0", "Trial: expected a number from 1, got '0'"),
        (3, "#Class: ", "Class: expected a comment that names the class, got ''"),
        (4, "#Latency: soon", "Latency: expected seconds, none negative, got 'soon'"),
        (4, "#Latency: ", "Latency: expected seconds, none negative, got ''"),
        (4, "#Latency: 0.1 nan", "Latency: expected seconds, none negative, got '0.1 nan'"),
        (4, "#Latency: -1", "Latency: expected seconds, none negative, got '-1'"),
    ],
)
def test_a_damaged_comment_is_named(tmp_path: Path, place: int, bad: str, message: str) -> None:
    write_record(tmp_path / "a", tuple(bad if at == place else line for at, line in enumerate(GOOD)))
    (entry,) = CORPORA["simulated-eeg"].find(tmp_path)
    with pytest.raises(RecordError, match=r"a\.hea") as caught:
        CORPORA["simulated-eeg"].read(entry)
    assert message in str(caught.value)

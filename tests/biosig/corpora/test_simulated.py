"""What the simulator writes is what the corpus reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biosig.corpora import CORPORA
from biosig.errors import RecordError
from biosig.simulate.corpus import corpus_record, write_corpus
from tests.biosig.corpora.synthetic import write_record


def test_a_written_corpus_reads_as_it_was_simulated(tmp_path: Path) -> None:
    write_corpus(tmp_path / "made", 6, seed=5, sampling_rate=250.0, duration=4.0, workers=1, progress=False)
    corpus = CORPORA["simulated"]
    read = [corpus.read(entry) for entry in corpus.find(tmp_path / "made")]
    assert len(read) == 6
    # Who and which visit: as they are written, since only the writer draws them.
    for number, recording in enumerate(read):
        subject, visit = int(recording.subject_id[1:]), int(recording.session) - 1
        made = corpus_record(5, number, subject, visit, sampling_rate=250.0, duration=4.0)
        assert recording.record_id == made.record_id
        assert recording.channels == made.channels
        assert recording.concepts == made.concepts
        assert {code.code for code in recording.codes} == made.concepts
        assert recording.report == made.report
        assert (recording.meta["age"], recording.meta["sex"]) == (made.meta["age"], made.meta["sex"])
        np.testing.assert_allclose(recording.signal, made.signal, atol=0.51)
        beats = [(event.onset, event.code) for event in recording.events]
        made_beats = {round(event.onset * 250) / 250 for event in made.events}
        assert beats
        assert {onset for onset, _ in beats} <= made_beats


def test_a_record_without_a_subject_is_refused(tmp_path: Path) -> None:
    comments = ("#Age: 61", "#Sex: Female", "#Dx:", "#Subject: ", "#Report: none")
    write_record(tmp_path / "a", comments)
    (entry,) = CORPORA["simulated"].find(tmp_path)
    with pytest.raises(RecordError, match=r"a\.hea: Subject: expected a comment that names the subject, got ''"):
        CORPORA["simulated"].read(entry)

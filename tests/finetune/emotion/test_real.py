"""The experiment on recordings of people."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosig.preprocess import Preprocessing, Resample
from biosig.store import Store, prepare
from finetune.emotion.bench import Bench, Experiment
from finetune.emotion.experiment import examine
from finetune.emotion.metrics import Measure
from finetune.emotion.protocols import Access, Plan, Protocol
from finetune.emotion.targets import Target, find_trials

AT_128 = Preprocessing(steps=(Resample(rate=128.0),))


@pytest.mark.real
def test_trials_of_dasps_are_those_of_the_authors(biosig_data: Path, tmp_path: Path) -> None:
    source = biosig_data / "eeg" / "dasps"
    if not source.is_dir():
        pytest.skip(f"no {source}")
    prepare("dasps", source, tmp_path / "store", preprocessing=AT_128, workers=1, progress=False)
    store = Store(tmp_path / "store")
    two = find_trials(store, Target.parse("dasps-2-class"))
    assert two.counts() == {"Anxious": 134, "Normal": 142}
    assert (len(two.subjects), len(two.stimuli), dict(two.left_out)) == (23, 12, {})
    assert find_trials(store, Target.parse("valence>5")).counts() == {"low": 272, "high": 4}
    assert find_trials(store, Target.parse("arousal>5")).counts() == {"low": 118, "high": 158}


@pytest.mark.real
def test_the_two_rows_of_eegmat_differ_as_they_should(biosig_data: Path, tmp_path: Path) -> None:
    source = biosig_data / "eeg" / "eegmat"
    if not source.is_dir():
        pytest.skip(f"no {source}")
    prepare("eegmat", source, tmp_path / "store", preprocessing=AT_128, workers=1, progress=False)
    experiment = Experiment(tmp_path / "store", Target.parse("eegmat"), Plan(Protocol.LOSO))
    assert Bench(experiment).trials.stimuli == ("arithmetic", "rest")
    found = examine(experiment, tmp_path / "out", rows=["majority", "de-linear"], seeds=1, workers=0, draws=100)
    causal, transductive = (found.line("de-linear", access) for access in Access)
    assert causal is not None
    assert transductive is not None
    values = [line.metrics[Measure.AUROC].subjects.value for line in (causal, transductive)]
    # Rest against arithmetic is easy; knowing the whole stream of a person makes it easier.
    assert 0.6 < values[0] <= values[1]  # type: ignore[operator]
    assert any("first trial is 'rest'" in finding.text for finding in found.findings)

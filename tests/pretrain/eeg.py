"""Small stores of simulated EEG, and a recipe that trains on them in a second."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biosig.corpora import Entries, Entry
from biosig.preprocess import Preprocessing, Resample
from biosig.recording import Event, Modality, Recording
from biosig.simulate import CAPS, Experiment, write_experiment
from biosig.splits import Split
from biosig.store import prepare

# Loud and quick: what is looked for here is not how well it learns.
SMALL = Experiment(
    seed=4, subjects=6, stimuli=3, duration=8.0, sampling_rate=64.0, electrodes=CAPS[14], snr=6.0, spread=0.25
)

TINY_EEG = """
name: tiny-eeg
title: A test
ontology: none
data:
  sampling_rate: 64
  window_seconds: 2
  modalities: [eeg]
  augment: [{kind: gain}, {kind: lead_mask}]
  sampler: {kind: moments, subjects_per_moment: 2}
model:
  dim: 8
  signal: {encoder: eeg_conv, options: {n_chans: 4, width: 8, token_rate: 8}}
  token: {dim: 8}
objectives:
  - {name: temporal_asynchronous, options: {alignment: coherent, window_seconds: 0.5}}
optimiser: {steps: 12, batch_size: 8, learning_rate: 3e-3, warmup_steps: 1}
training: {precision: float32, device: cpu, log_every: 1, validate_every: 4, checkpoint_every: 4}
"""


def simulated_store(folder: Path, experiment: Experiment = SMALL) -> Path:
    """An experiment, written, and prepared beside it."""
    write_experiment(folder / "raw", experiment, workers=1, progress=False)
    steps = Preprocessing(steps=(Resample(rate=experiment.sampling_rate),))
    prepare("simulated-eeg", folder / "raw", folder / "store", preprocessing=steps, workers=0, progress=False)
    return folder / "store"


@dataclass(frozen=True)
class Shown:
    """A stimulus within a record: when it begins and how long it lasts, in samples; it may begin before the record."""

    stimulus: str
    onset: int
    samples: int


#: Of `clocks`, Hz; what a channel that tells no time shows.
CLOCK_RATE, SILENT = 10.0, -5.0


def clocks(folder: Path, records: dict[str, tuple[str, int, list[Shown]]], name: str = "clocks") -> Path:
    """A store whose signals tell the time: `Fz` the moment of the stimulus in samples, `Cz` the first letter of it.

    Args:
        folder: To write into.
        records: By name: the subject, the samples, what was shown. All of them train.
        name: Of the corpus.
    """
    corpus = _Clocks(name, records)
    source = folder / f"{name}-files"
    source.mkdir(parents=True)
    for record in records:
        (source / record).touch()
    prepare(corpus, source, folder / name, preprocessing=Preprocessing(steps=()), workers=0, progress=False)
    return folder / name


class _Clocks:
    title, licence, citation, url = "Clocks", "none", "nobody", "https://example.org"
    modality, split, sampling_rates = (Modality.EEG,), Split(train=(1,), validation=(2,), test=(3,)), (CLOCK_RATE,)

    def __init__(self, name: str, records: dict[str, tuple[str, int, list[Shown]]]) -> None:
        self.name, self.records = name, records

    def find(self, source: Path) -> Entries:
        return Entries(Entry(name, source / name) for name in self.records)

    def read(self, entry: Entry) -> Recording:
        subject, samples, shown = self.records[entry.record_id]
        signal = np.full((2, samples), SILENT, np.float32)
        for one in shown:
            first, last = max(one.onset, 0), min(one.onset + one.samples, samples)
            signal[:, first:last] = np.stack(
                [np.arange(first, last) - one.onset, np.full(last - first, ord(one.stimulus[0]))]
            )
        return Recording(
            signal,
            ("Fz", "Cz"),
            CLOCK_RATE,
            (Modality.EEG,) * 2,
            record_id=entry.record_id,
            subject_id=subject,
            events=tuple(
                Event(one.onset / CLOCK_RATE, one.samples / CLOCK_RATE, "", "", one.stimulus) for one in shown
            ),
            meta={"fold": 1},
        )

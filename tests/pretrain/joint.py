"""Small stores of ECG and EEG at one rate, and a recipe that trains on both in seconds."""

from __future__ import annotations

from pathlib import Path

from tests.networks import prepared, simulated
from tests.pretrain.eeg import simulated_store

RATE = 64.0

# Smooth throughout, so that runs of one and of two processes stay together.
JOINT = """
name: joint
title: A test
data:
  sampling_rate: 64
  window_seconds: 4
  modalities: [ecg, eeg]
  augment: [{kind: gain}]
  sampler:
    kind: mixed
    temperature: 3
    groups:
      - {name: ecg, modality: ecg, sampler: {kind: uniform, temperature: 2}}
      - {name: eeg, modality: eeg, window_seconds: 2, sampler: {kind: moments}}
model:
  dim: 16
  signal: {encoder: eeg_conv, options: {n_chans: 6, width: 16, token_rate: 8}}
  text: {}
  concept: {}
  token: {dim: 8}
objectives:
  - {name: signal_language}
  - {name: graph_smoothed, weight: 0.5, options: {form: both}}
  - {name: temporal_asynchronous, options: {window_seconds: 0.5}}
optimiser: {steps: 12, batch_size: 8, learning_rate: 3.0e-3, warmup_steps: 1}
training: {precision: float32, device: cpu, log_every: 3, validate_every: 6, checkpoint_every: 4}
"""


def joint_stores(folder: Path) -> list[Path]:
    """Forty ECGs with reports and codes, and six people who heard three stimuli."""
    return [ecg_store(folder), simulated_store(folder / "eeg")]


def ecg_store(folder: Path) -> Path:
    corpus = simulated(folder / "ecg", 40, seed=3)
    return prepared(corpus, folder / "ecg-store", rate=RATE)

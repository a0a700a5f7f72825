"""A recipe that trains in a second."""

TINY = """
name: tiny
title: A test
data: {sampling_rate: 100, window_seconds: 2, augment: [{kind: gain}, {kind: lead_mask}]}
model:
  dim: 16
  signal: {encoder: resnet1d18, options: {front_end: leads12, width: 8}}
  text: {}
  concept: {}
objectives:
  - {name: signal_language}
  - {name: graph_smoothed, weight: 0.5, options: {kernel: hop, sigma: 1.0, epsilon: 0.5}}
optimiser: {steps: 12, batch_size: 16, learning_rate: 3e-3, warmup_steps: 1}
training: {precision: float32, device: cpu, log_every: 1, validate_every: 4, checkpoint_every: 4}
"""

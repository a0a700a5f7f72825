"""Sequences of labels: stages of sleep, epoch by epoch."""

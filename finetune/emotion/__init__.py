"""Emotion, workload or any other state from the EEG of people whom no part of the model has met."""

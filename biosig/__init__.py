"""Recordings, channels, corpora, stores, signal encoders and pictures, for ECG and EEG as one kind of thing."""

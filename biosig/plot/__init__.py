"""Pictures of recordings and of embeddings: ECG paper, EEG traces, maps."""

from biosig.plot.ecg import ecg_paper
from biosig.plot.output import save

__all__ = ["ecg_paper", "save"]

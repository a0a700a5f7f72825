"""The one contrastive loss, and the objectives on top of it, by name."""

from pretrain.objectives.base import OBJECTIVES, Objective
from pretrain.objectives.contrast import Dense, Direction, Empty, Groups, LowRank, Targets, soft_info_nce
from pretrain.objectives.graph_smoothed import GraphSmoothed
from pretrain.objectives.signal_language import SignalLanguage

__all__ = [
    "OBJECTIVES",
    "Dense",
    "Direction",
    "Empty",
    "GraphSmoothed",
    "Groups",
    "LowRank",
    "Objective",
    "SignalLanguage",
    "Targets",
    "soft_info_nce",
]

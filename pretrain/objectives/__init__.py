"""The one contrastive loss, and the objectives on top of it, by name."""

from pretrain.objectives.alignment import Alignment, similarity
from pretrain.objectives.base import OBJECTIVES, Objective
from pretrain.objectives.contrast import Dense, Direction, Empty, Groups, LowRank, Targets, soft_info_nce
from pretrain.objectives.graph_smoothed import GraphSmoothed
from pretrain.objectives.instance import Instance
from pretrain.objectives.latent_views import LatentViews
from pretrain.objectives.patient import Coding, Patient
from pretrain.objectives.signal_language import SignalLanguage
from pretrain.objectives.temporal_asynchronous import TemporalAsynchronous

__all__ = [
    "OBJECTIVES",
    "Alignment",
    "Coding",
    "Dense",
    "Direction",
    "Empty",
    "GraphSmoothed",
    "Groups",
    "Instance",
    "LatentViews",
    "LowRank",
    "Objective",
    "Patient",
    "SignalLanguage",
    "Targets",
    "TemporalAsynchronous",
    "similarity",
    "soft_info_nce",
]

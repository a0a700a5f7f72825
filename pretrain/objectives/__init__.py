"""The one contrastive loss, and the objectives on top of it, by name."""

from pretrain.objectives.alignment import Alignment, similarity
from pretrain.objectives.base import OBJECTIVES, Objective
from pretrain.objectives.contrast import Dense, Direction, Empty, Groups, LowRank, Targets, soft_info_nce
from pretrain.objectives.graph_smoothed import GraphSmoothed
from pretrain.objectives.instance import Instance
from pretrain.objectives.latent_views import LatentViews
from pretrain.objectives.masked_prediction import MaskedPrediction, masked_error
from pretrain.objectives.patch_physiology import PatchPhysiology, known_cross_entropy, known_huber
from pretrain.objectives.patient import Coding, Patient
from pretrain.objectives.rhythm_physiology import RhythmPhysiology
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
    "MaskedPrediction",
    "Objective",
    "PatchPhysiology",
    "Patient",
    "RhythmPhysiology",
    "SignalLanguage",
    "Targets",
    "TemporalAsynchronous",
    "known_cross_entropy",
    "known_huber",
    "masked_error",
    "similarity",
    "soft_info_nce",
]

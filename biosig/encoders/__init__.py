"""Signal encoders: a front end for any montage, and temporal backbones, by name."""

from biosig.encoders import eeg_conv, lead_transformer, patch_transformer, resnet
from biosig.encoders.base import ENCODERS, FRONT_ENDS, Backbone, Encoder, FrontEnd, build
from biosig.encoders.front_ends import Leads12, MontageFree
from biosig.encoders.pooling import AttentionPool, pool

__all__ = [
    "ENCODERS",
    "FRONT_ENDS",
    "AttentionPool",
    "Backbone",
    "Encoder",
    "FrontEnd",
    "Leads12",
    "MontageFree",
    "build",
    "eeg_conv",
    "lead_transformer",
    "patch_transformer",
    "pool",
    "resnet",
]

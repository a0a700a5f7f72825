"""A declarative pipeline from a recording to the signal that a network sees; stored with every store and model.

A pipeline is data: it prints, compares, hashes and round-trips as JSON, so that a model can refuse or repeat exactly
what its training data went through.

Example:
    >>> pipeline = Preprocessing(steps=(Resample(rate=100.0), Bandpass(low=0.5, high=40.0)))
    >>> Preprocessing.model_validate_json(pipeline.model_dump_json()) == pipeline
    True
"""

from biosig.filtering import Phase
from biosig.preprocess.bad_channels import BadChannels, Then, TooMany
from biosig.preprocess.crop import Crop
from biosig.preprocess.filters import Bandpass, Notch
from biosig.preprocess.montage import Montage
from biosig.preprocess.pipeline import Preprocessing, Step
from biosig.preprocess.reference import Reference
from biosig.preprocess.resampling import Resample
from biosig.preprocess.step import Unfit

__all__ = [
    "BadChannels",
    "Bandpass",
    "Crop",
    "Montage",
    "Notch",
    "Phase",
    "Preprocessing",
    "Reference",
    "Resample",
    "Step",
    "Then",
    "TooMany",
    "Unfit",
]

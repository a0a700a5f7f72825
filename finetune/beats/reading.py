"""A recording of any format, with the annotations of PhysioNet where they lie beside it, and its beats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float64

from biosig.readers.choose import choose, read
from biosig.recording import Recording
from finetune.delineation.delineator import Delineator
from finetune.delineation.intervals import common
from finetune.delineation.waves import FIDUCIALS, Fiducial, Wave

_ANNOTATOR = "atr"


def read_with_annotations(path: Path) -> Recording:
    """Read a recording; a WFDB record with the events of its reference annotator `atr`, if there is such a file."""
    name, file = choose(path)
    beside = name == "wfdb" and file.with_suffix(f".{_ANNOTATOR}").is_file()
    return read(path, annotations=(_ANNOTATOR,)) if beside else read(path)


def qrs_peaks(delineator: Path, recording: Recording) -> Float64[np.ndarray, " beat"]:
    """Seconds of the QRS complexes that a delineator finds in at least half of the leads.

    Raises:
        ModelError: If the folder holds no delineator, or the recording no ECG.
    """
    leads = Delineator.from_pretrained(delineator).delineate(recording)
    return common(leads, Wave.QRS)[:, FIDUCIALS.index(Fiducial.PEAK)]

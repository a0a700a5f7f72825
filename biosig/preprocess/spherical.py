"""Matrices that MNE would multiply an EEG by, for electrodes of the 10-05 system on a sphere; each made once.

MNE's methods are linear: what they make of unit impulses, one electrode after another, is their matrix.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from jaxtyping import Float64

from biosig.preprocess.electrodes import places

# Metres. Potentials of a sphere scale with it, and neither matrix depends on it.
HEAD_RADIUS = 0.095
# Of REST's layer of dipoles, millimetres: as in MNE's own example.
_SPACING, _INNERMOST = 15.0, 30.0


@functools.lru_cache(maxsize=256)
def interpolation(good: tuple[str, ...], bad: tuple[str, ...]) -> Float64[np.ndarray, "bad good"]:
    """Weights of the good electrodes in each bad one, by spherical splines.

    References:
        Perrin, Pernier, Bertrand and Echallier, Spherical splines for scalp potential and current density mapping,
        Electroencephalography and Clinical Neurophysiology 72 (1989).
    """
    impulses = np.zeros((len(good) + len(bad), len(good)))
    impulses[: len(good)] = np.eye(len(good))
    raw = _raw((*good, *bad), impulses)
    raw.info["bads"] = list(bad)
    raw.interpolate_bads(origin=(0.0, 0.0, 0.0), verbose="error")
    return _fixed(raw.get_data()[len(good) :])


@functools.lru_cache(maxsize=256)
def rest(montage: tuple[str, ...], known: tuple[str, ...]) -> Float64[np.ndarray, "known known"]:
    """What refers the known electrodes of a montage to infinity, whatever they are referred to now.

    References:
        Yao, A method to standardize a reference of scalp EEG recordings to a point at infinity, Physiological
        Measurement 22 (2001).
    """
    import mne  # noqa: PLC0415 -- seconds to import, and few pipelines need it

    forward = _forward(montage)
    if known != montage:
        forward = mne.pick_channels_forward(forward, list(known), ordered=True, verbose="error")
    raw, _ = mne.set_eeg_reference(_raw(known, np.eye(len(known))), "REST", forward=forward, verbose="error")
    return _fixed(raw.get_data())


@functools.lru_cache(maxsize=8)
def _forward(montage: tuple[str, ...]) -> Any:
    """Potentials of dipoles within a head of four concentric spheres, at the electrodes."""
    import mne  # noqa: PLC0415 -- as above

    sphere = mne.make_sphere_model(r0=(0.0, 0.0, 0.0), head_radius=HEAD_RADIUS, verbose="error")
    sources = mne.setup_volume_source_space(sphere=sphere, exclude=_INNERMOST, pos=_SPACING, verbose="error")
    return mne.make_forward_solution(head(montage), trans=None, src=sources, bem=sphere, meg=False, verbose="error")


def head(names: tuple[str, ...]) -> Any:
    """What MNE has to know of electrodes: names and places on a spherical head about the origin."""
    import mne  # noqa: PLC0415 -- as above

    where = {name: HEAD_RADIUS * place for name, place in zip(names, places(names).astype(float), strict=True)}
    info = mne.create_info(list(names), 1.0, "eeg", verbose="error")
    return info.set_montage(mne.channels.make_dig_montage(where, coord_frame="head"), verbose="error")


def _raw(names: tuple[str, ...], x: Float64[np.ndarray, "channel time"]) -> Any:
    import mne  # noqa: PLC0415 -- as above

    return mne.io.RawArray(x, head(names), verbose="error")


def _fixed(matrix: Float64[np.ndarray, "row column"]) -> Float64[np.ndarray, "row column"]:
    # It is handed out again and again.
    matrix.setflags(write=False)
    return matrix

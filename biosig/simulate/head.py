"""Heads: smooth random patterns on the scalp, known at any electrode of the 10-05 system."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from biosig.channels import positions
from biosig.errors import BiosigError
from biosig.recording import Modality

_FEATURES = 64

_EMOTIV = "AF3 F7 F3 FC5 T7 P7 O1 O2 P8 T8 FC6 F4 F8 AF4"
_TEN_TWENTY = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2"
_BIOSEMI = (
    "Fp1 AF3 F3 F7 FC5 FC1 C3 T7 CP5 CP1 P3 P7 PO3 O1 Oz Pz Fp2 AF4 Fz F4 F8 FC6 FC2 Cz C4 T8 CP6 CP2 P4 P8 PO4 O2"
)
_DENSE = (
    "Fp1 Fpz Fp2 AF3 AF4 F7 F5 F3 F1 Fz F2 F4 F6 F8 FT7 FC5 FC3 FC1 FCz FC2 FC4 FC6 FT8 T7 C5 C3 C1 Cz C2 C4 C6 T8 "
    "TP7 CP5 CP3 CP1 CPz CP2 CP4 CP6 TP8 P7 P5 P3 P1 Pz P2 P4 P6 P8 PO7 PO5 PO3 POz PO4 PO6 PO8 PO9 O1 Oz O2 PO10"
)

#: Usual caps by their number of electrodes: Emotiv EPOC, the 10-20 system, BioSemi's 32, and a dense one.
CAPS = MappingProxyType(
    {len(names): names for names in (tuple(cap.split()) for cap in (_EMOTIV, _TEN_TWENTY, _BIOSEMI, _DENSE))}
)


class Patterns:
    r"""Random smooth functions on the head: Gaussian processes of covariance `exp(-|x - y|^2 / (2 l^2))`.

    They are sums of cosines, `sqrt(2/F) sum_f w_f cos(k_f . x + phi_f)`, drawn once and evaluated anywhere: another cap
    on the same head sees the same brain.

    Args:
        count: How many.
        rng: The only source of chance.
        smoothness: l, in radii of the head.

    References:
        Rahimi and Recht, Random features for large-scale kernel machines, NIPS 2007.
    """

    def __init__(self, count: int, rng: np.random.Generator, *, smoothness: float = 0.7) -> None:
        self._waves = rng.standard_normal((3, _FEATURES)) / smoothness
        self._phases = rng.uniform(0, 2 * np.pi, _FEATURES)
        self._weights = math.sqrt(2 / _FEATURES) * rng.standard_normal((_FEATURES, count))

    def at(self, where: Float[np.ndarray, "electrode 3"]) -> Float[np.ndarray, "electrode count"]:
        """Their values, each of unit variance over draws."""
        return np.asarray(np.cos(where @ self._waves + self._phases) @ self._weights)


def electrode_positions(electrodes: Sequence[str]) -> Float[np.ndarray, "electrode 3"]:
    """Where electrodes are, in radii of the head.

    Raises:
        BiosigError: If a name is no electrode of the 10-05 system, or occurs twice.
    """
    if not electrodes:
        raise BiosigError("electrodes: expected at least one, got none")
    found = positions(electrodes, Modality.EEG).astype(float)
    for name, place in zip(electrodes, found, strict=True):
        if not np.isfinite(place).all() or "-" in name:
            raise BiosigError(f"electrodes: expected names of the 10-05 system, got {name!r}")
        if list(electrodes).count(name) > 1:
            raise BiosigError(f"electrodes: expected each once, got {name!r} twice")
    return found


def posterior(where: Float[np.ndarray, "electrode 3"]) -> Float[np.ndarray, " electrode"]:
    """How strongly each electrode sees the alpha rhythm: 1 at the back of the head, next to nothing at the front."""
    return np.asarray(np.exp(1.5 * (-where[:, 1] - 1)))

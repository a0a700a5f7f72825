"""The kernel that is a metric: how the PhysioNet/CinC Challenge 2021 forgives one class for another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from jaxtyping import Float64

from ontology.graph import ConceptGraph
from ontology.kernels.base import KERNELS, chosen

SEVERITY: Mapping[str, float] = MappingProxyType(
    {
        "426783006": 0.0,
        **dict.fromkeys(("426627000", "270492004", "713426002", "164947007", "427393009", "426177001"), 0.05),
        "284470004": 0.0875,
        **dict.fromkeys(("39732003", "445118002", "698252002", "47665007"), 0.1),
        **dict.fromkeys(("10370003", "427172004", "427084000"), 0.125),
        "59118001": 0.15,
        **dict.fromkeys(("251146004", "365413008"), 0.175),
        "111975006": 0.2,
        **dict.fromkeys(("6374002", "164909002"), 0.225),
        **dict.fromkeys(("164889003", "164890007", "164934002", "59931005"), 0.25),
        "164917005": 0.35,
    }
)
"""Where each of the 26 classes of the CinC 2021 score stands on one line from harmless to grave."""


@KERNELS.register("severity")
def severity(graph: ConceptGraph, *, ids: Sequence[str] | None = None) -> Float64[np.ndarray, "concept concept"]:
    """Partial credit of the PhysioNet/CinC Challenge 2021: alike is what is equally grave.

        K_ck = 0.5 - |r_c - r_k|  off the diagonal

    which is the challenge's matrix of weights to within 0.025 (two pairs, bundle branch block with left bundle branch
    block and low QRS voltages with poor R wave progression, have 0.475 there). Concepts that it does not score have 0:
    it says nothing of them. A contrast to `hop`, since atrial fibrillation and T wave inversion are nearest neighbours
    here.

    References:
        Reyna et al., Will two do? Varying dimensions in electrocardiography, CinC 2021.
    """
    place = np.array([SEVERITY.get(id_, math.nan) for id_ in chosen(graph, ids)], dtype=np.float64)
    kernel = np.nan_to_num(0.5 - np.abs(place[:, None] - place), nan=0.0)
    np.fill_diagonal(kernel, 1.0)
    return kernel

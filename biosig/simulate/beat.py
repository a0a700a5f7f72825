"""The ventricular part of one heartbeat: QRS, then the ST segment and the T wave that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from biosig.leads import turn_to_axis
from biosig.simulate.heart import TOWARDS, Heart, Territory, Ventricles
from biosig.simulate.qrs import qrs_complex, unit_seen
from biosig.simulate.waves import SHARP_EDGE, Waves

# How far the T wave points against the QRS: repolarisation follows an abnormal activation.
_DISCORDANCE = {
    Ventricles.LEFT_BUNDLE: 1.0,
    Ventricles.PACED: 1.0,
    Ventricles.FROM_RIGHT_VENTRICLE: 1.0,
    Ventricles.FROM_LEFT_VENTRICLE: 1.0,
    Ventricles.PREEXCITED: 0.25,
}


@dataclass(frozen=True)
class Ventricular:
    """QRS, ST and T of one kind of beat; T is placed by the QT interval of each beat.

    Attributes:
        qrs: Around the R time.
        onset, end: Of the QRS complex, seconds after the R time.
        t_vector: Direction and size of the T wave, mV.
        st_vector: Direction and size of the ST segment, mV.
    """

    qrs: Waves
    t_vector: Float[np.ndarray, " 3"]
    st_vector: Float[np.ndarray, " 3"]
    onset: float = field(init=False)
    end: float = field(init=False)

    def __post_init__(self) -> None:
        onset, end = self.qrs.span(SHARP_EDGE)
        object.__setattr__(self, "onset", onset)
        object.__setattr__(self, "end", end)

    def t_end(self, qt: float) -> float:
        return self.onset + qt

    def t_onset(self, qt: float) -> float:
        """Where the T wave visibly rises from the ST segment."""
        return max(self.t_end(qt) - 5.6 * self.t_width(qt), self.end + 0.01)

    def t_width(self, qt: float) -> float:
        return min(0.098 * qt, (self.t_end(qt) - self.end) / 4.6)

    def waves(self, qt: float) -> Waves:
        """All waves of a beat whose QRS onset to T end takes `qt` seconds."""
        width = self.t_width(qt)
        peak = self.t_end(qt) - 2 * width
        # T rises slowly and falls fast: a broad foot before the peak.
        foot = Waves(
            np.array([peak - 1.3 * width, peak]),
            np.array([1.3 * width, width]),
            np.stack([0.38 * self.t_vector, 0.85 * self.t_vector]),
        )
        segment = (peak - self.end) / 5
        level = Waves(
            self.end + segment * np.array([1.1, 2.7]), np.full(2, 0.95 * segment), np.stack([0.85 * self.st_vector] * 2)
        )
        return self.qrs + foot + level


def ventricular(heart: Heart, kind: Ventricles | None = None) -> Ventricular:
    """QRS, ST and T of this heart's own beats, or of beats that arise elsewhere (ectopic, escape)."""
    kind = kind or heart.ventricles
    qrs = qrs_complex(heart, kind)
    return Ventricular(qrs, _t_vector(heart, kind, qrs), _st_vector(heart, kind, qrs))


def _t_vector(heart: Heart, kind: Ventricles, qrs: Waves) -> Float[np.ndarray, " 3"]:
    field, size = heart.lead_field, heart.t_gain * heart.voltage
    vector = heart.position @ np.array([0.26, 0.24, -0.17]) * size
    vector = turn_to_axis(field, vector, heart.t_axis) @ vector
    if kind is Ventricles.RIGHT_BUNDLE:
        vector = vector + np.array([0.06, 0.0, 0.14]) * size  # inverted in V1, opposite to R'
    if heart.left_force or heart.right_force:
        vector = vector * 0.85
    against = _DISCORDANCE.get(kind, 0.0)
    area = qrs.area()
    vector = (1 - against) * vector - against * 0.50 * size * area / np.linalg.norm(area)
    if heart.t_wall:
        vector = _inverted(heart, vector)
    limb = heart.limb[1]
    return vector * min(1.0, np.sqrt(limb / 0.8))  # low voltage spares the T wave only in part


def _inverted(heart: Heart, vector: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " 3"]:
    """Mirrored in the plane of the wall, and as deep as the heart says in the lead that shows it most."""
    assert heart.t_wall
    towards = TOWARDS[heart.t_wall]
    across = vector - (vector @ towards) * towards
    inverted = 0.3 * across - unit_seen(heart, towards) * heart.t_depth
    return np.asarray(inverted)


def _st_vector(heart: Heart, kind: Ventricles, qrs: Waves) -> Float[np.ndarray, " 3"]:
    if heart.st_wall and kind is heart.ventricles:
        return unit_seen(heart, TOWARDS[heart.st_wall]) * heart.st_level
    area = qrs.area() / np.linalg.norm(qrs.area())
    healthy = unit_seen(heart, TOWARDS[Territory.ANTERIOR]) * heart.j_point
    against = _DISCORDANCE.get(kind, 0.0)
    return np.asarray((1 - against) * healthy - 0.16 * against * heart.voltage * area)

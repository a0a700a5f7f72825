"""The QRS complex of a heart: a template for the way of activation, made the person's own, turned and scaled."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from biosig.leads import TWELVE_FROM_EIGHT, turn, turn_to_axis
from biosig.simulate.heart import TOWARDS, Heart, Ventricles
from biosig.simulate.waves import SHARP_EDGE, Waves

# Rows: centre ms, width ms, then x (left), y (feet), z (back) in mV.
_NARROW = Waves.of(
    [
        (-23, 6.5, -0.17, -0.04, -0.30),  # septum, from left to right
        (-3, 10.0, 1.05, 0.85, -0.05),  # apex
        (10, 9.0, 0.70, 0.35, 0.85),  # free wall of the left ventricle
        (26, 7.5, -0.17, -0.17, 0.25),  # base
    ]
)
_LEFT_BUNDLE = Waves.of(
    [
        (-44, 13, 0.36, 0.20, 0.05),  # the septum from right to left: no Q wave on the left
        (-14, 18, 1.10, 0.60, 0.90),
        (26, 19, 1.25, 0.34, 1.35),
        (56, 13, 0.42, 0.00, 0.55),
    ]
)
_TEMPLATES = {
    Ventricles.NORMAL: _NARROW,
    Ventricles.INCOMPLETE_RIGHT_BUNDLE: _NARROW,
    Ventricles.RIGHT_BUNDLE: _NARROW,
    Ventricles.PREEXCITED: _NARROW,
    Ventricles.LEFT_ANTERIOR_FASCICLE: Waves.of(
        [
            (-25, 7.5, -0.12, 0.38, -0.26),  # the posterior fascicle first: towards the feet
            (-2, 11.0, 0.95, -0.50, -0.05),
            (13, 10.5, 0.75, -0.75, 0.75),
            (30, 8.0, 0.05, -0.25, 0.22),
        ]
    ),
    Ventricles.LEFT_BUNDLE: _LEFT_BUNDLE,
    Ventricles.PACED: Waves.of(
        [
            (-46, 13, 0.15, -0.20, 0.10),
            (-12, 20, 0.62, -0.95, 0.60),
            (34, 20, 0.60, -0.85, 0.90),
            (66, 13, 0.15, -0.20, 0.35),
        ]
    ),
    Ventricles.FROM_RIGHT_VENTRICLE: Waves.of(
        [(-44, 16, 0.35, 0.20, 0.10), (-4, 22, 1.20, 0.70, 0.90), (42, 20, 0.65, 0.35, 0.85)]
    ),
    Ventricles.FROM_LEFT_VENTRICLE: Waves.of(
        [(-44, 16, -0.30, 0.15, -0.35), (-4, 22, -1.00, 0.70, -1.05), (42, 20, -0.55, 0.45, -0.30)]
    ),
}
# Beats from these places have the axis of the place, not of the heart.
_WITHOUT_AXIS = frozenset({Ventricles.PACED, Ventricles.FROM_LEFT_VENTRICLE, Ventricles.FROM_RIGHT_VENTRICLE})
_NARROW_DURATION = 0.084  # of the left ventricle, where something comes before or after it


def qrs_complex(heart: Heart, kind: Ventricles) -> Waves:
    """QRS of this heart when its ventricles are activated in that way.

    Direction and size are set in closed form: the activation of the left ventricle is turned until its net area has the
    heart's axis in the heart's own leads, and the whole is scaled until its voltage lies within the heart's bounds.
    """
    if kind in _WITHOUT_AXIS:
        return _base(heart, kind)
    left = _base(heart, kind)
    left = left.turned(turn_to_axis(heart.lead_field, left.area(), heart.qrs_axis))
    if kind in (Ventricles.RIGHT_BUNDLE, Ventricles.INCOMPLETE_RIGHT_BUNDLE):
        left = left + _late_right_ventricle(heart, left, complete=kind is Ventricles.RIGHT_BUNDLE)
    elif kind is Ventricles.PREEXCITED:
        left = _delta_wave(heart, left) + left
    if heart.q_wall:
        left = _with_q_wave(heart, left)
    return left.scaled(_gain(heart, left))


def peak_to_peak(field: Float[np.ndarray, "8 3"], waves: Waves) -> Float[np.ndarray, " 12"]:
    """Highest minus lowest point in each of the twelve leads, mV."""
    leads = twelve(field, waves)
    size: Float[np.ndarray, " 12"] = np.maximum(leads.max(1), 0) - np.minimum(leads.min(1), 0)
    return size


def sokolow_lyon(field: Float[np.ndarray, "8 3"], qrs: Waves) -> float:
    """S(V1) + max(R(V5), R(V6)), mV."""
    leads = twelve(field, qrs)
    return float(-leads[6].min() + leads[10:].max())


def twelve(field: Float[np.ndarray, "8 3"], waves: Waves) -> Float[np.ndarray, "12 time"]:
    """The waves in all leads, every two milliseconds from edge to edge."""
    first, last = waves.span(4.0)
    leads: Float[np.ndarray, "12 time"] = TWELVE_FROM_EIGHT @ field @ waves.at(np.arange(first, last, 0.002))
    return leads


def unit_seen(heart: Heart, towards: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " 3"]:
    """That direction, in the size that gives 1 mV in the lead that sees it best."""
    seen = TWELVE_FROM_EIGHT @ heart.lead_field @ towards
    return np.asarray(towards / seen.max())


def _base(heart: Heart, kind: Ventricles) -> Waves:
    """The template with the person's own variation, duration, forces and position."""
    rng = np.random.default_rng([heart.traits, list(Ventricles).index(kind)])
    qrs = _TEMPLATES[kind].varied(rng, size=0.10, width=0.05)
    if kind in (Ventricles.FROM_LEFT_VENTRICLE, Ventricles.FROM_RIGHT_VENTRICLE):
        somewhere = turn(float(rng.uniform(-75, 75)), about=2)
        qrs = qrs.turned(somewhere).lasting(float(rng.uniform(0.140, 0.175)), SHARP_EDGE)
    elif kind in (Ventricles.RIGHT_BUNDLE, Ventricles.INCOMPLETE_RIGHT_BUNDLE, Ventricles.PREEXCITED):
        qrs = qrs.lasting(_NARROW_DURATION, SHARP_EDGE)
    else:
        qrs = qrs.lasting(heart.qrs_duration, SHARP_EDGE)
    if heart.right_force:
        weaker_left = qrs.vector * np.array([0.4, 1.0, 0.35])
        right = heart.right_force * np.array([[-0.45, 0.25, -0.95]])
        qrs = Waves(qrs.centre, qrs.width, weaker_left) + Waves(np.array([0.004]), np.array([0.011]), right)
    force = np.array([1 + 0.2 * heart.left_force, 1.0, 1 + 0.5 * heart.left_force])
    return qrs.scaled(heart.voltage * force).turned(heart.position)


def _late_right_ventricle(heart: Heart, left: Waves, *, complete: bool) -> Waves:
    """The right ventricle after the left one, and slowly: R' in V1, a broad S in I and V6.

    It is not turned with the axis, which in this block is read from the left ventricle's part of the QRS.
    """
    width = 0.135 * heart.qrs_duration if complete else 0.012
    vector = np.array([-0.46, 0.04, -0.74]) if complete else np.array([-0.26, 0.02, -0.46])
    end = left.span(SHARP_EDGE)[0] + heart.qrs_duration
    return Waves(
        np.array([end - SHARP_EDGE * width]), np.array([width]), heart.voltage * (heart.position @ vector)[None]
    )


def _delta_wave(heart: Heart, left: Waves) -> Waves:
    """The accessory pathway arrives first: a slurred upstroke, here a ramp of three waves up to the main one."""
    width = 0.0135
    onset = left.span(SHARP_EDGE)[1] - heart.qrs_duration
    centre = np.linspace(onset + SHARP_EDGE * width, -0.010, 3)
    vector = np.array([0.16, 0.24, -0.34]) if heart.delta_left else np.array([0.38, 0.10, 0.10])
    ramp = np.array([0.55, 0.80, 0.90])[:, None] * heart.voltage * (heart.position @ vector)
    return Waves(centre, np.full(3, width), ramp)


def _with_q_wave(heart: Heart, qrs: Waves) -> Waves:
    """Dead muscle: for the first 40 ms the dipole points away from that wall."""
    assert heart.q_wall
    first, width = qrs.span(SHARP_EDGE)[0], 0.0110
    away = -heart.q_depth * unit_seen(heart, TOWARDS[heart.q_wall])
    # What is left of the early forces towards the wall would fill the Q wave.
    kept = np.where(qrs.centre < first + 0.022, 0.25, 1.0)[:, None] * qrs.vector
    return Waves(qrs.centre, qrs.width, kept) + Waves(np.array([first + 0.008]), np.array([width]), away[None])


def _gain(heart: Heart, qrs: Waves) -> float:
    """What brings the voltages within the bounds: first the limb leads, then, with the last word, Sokolow-Lyon."""
    limb = float(peak_to_peak(heart.lead_field, qrs)[:6].max())
    gain = float(np.clip(limb, *heart.limb)) / limb
    if heart.ventricles in (Ventricles.LEFT_BUNDLE, Ventricles.PACED):
        return gain
    sokolow = gain * sokolow_lyon(heart.lead_field, qrs)
    return gain * float(np.clip(sokolow, *heart.sokolow)) / sokolow

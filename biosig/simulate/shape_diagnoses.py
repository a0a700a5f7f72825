"""Diagnoses of the shape of the waves: conduction in the ventricles, axis, forces, repolarisation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from biosig.simulate import diagnoses as dx
from biosig.simulate.diagnoses import diagnosis
from biosig.simulate.heart import Heart, Territory, Ventricles


@diagnosis(dx.LEFT_BUNDLE_BLOCK, "left bundle branch block", "LBBB", lasting=True)
def _left_bundle_block(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(
        heart,
        ventricles=Ventricles.LEFT_BUNDLE,
        qrs_duration=float(rng.uniform(0.124, 0.164)),
        qrs_axis=float(np.clip(heart.qrs_axis - 25, -22, 60)),
    )


@diagnosis(dx.RIGHT_BUNDLE_BLOCK, "right bundle branch block", "RBBB", lasting=True)
def _right_bundle_block(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(heart, ventricles=Ventricles.RIGHT_BUNDLE, qrs_duration=float(rng.uniform(0.122, 0.150)))


@diagnosis(dx.INCOMPLETE_RIGHT_BUNDLE_BLOCK, "incomplete right bundle branch block", "IRBBB", lasting=True)
def _incomplete_right_bundle_block(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(heart, ventricles=Ventricles.INCOMPLETE_RIGHT_BUNDLE, qrs_duration=float(rng.uniform(0.104, 0.116)))


@diagnosis(dx.LEFT_AXIS, "left axis deviation", "LAD", lasting=True)
def _left_axis(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(heart, qrs_axis=float(rng.uniform(-66, -33)))


@diagnosis(dx.RIGHT_AXIS, "right axis deviation", "RAD", lasting=True)
def _right_axis(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(heart, qrs_axis=float(rng.uniform(94, 135)), t_axis=max(heart.t_axis, 42.0))


@diagnosis(dx.LEFT_ANTERIOR_FASCICULAR_BLOCK, "left anterior fascicular block", "LAnFB", lasting=True)
def _left_anterior_fascicular_block(heart: Heart, rng: np.random.Generator) -> Heart:
    # With right bundle branch block the late right forces remain, and only the axis shows the fascicle.
    kind = heart.ventricles if heart.ventricles is not Ventricles.NORMAL else Ventricles.LEFT_ANTERIOR_FASCICLE
    return replace(
        heart,
        ventricles=kind,
        qrs_axis=float(rng.uniform(-76, -47)),
        qrs_duration=max(heart.qrs_duration, float(rng.uniform(0.094, 0.108))),
    )


@diagnosis(dx.LEFT_HYPERTROPHY, "left ventricular hypertrophy", "LVH", lasting=True)
def _left_hypertrophy(heart: Heart, rng: np.random.Generator) -> Heart:
    voltage = float(rng.uniform(3.6, 4.7))
    return replace(
        heart,
        left_force=float(rng.uniform(0.5, 1.0)),
        sokolow=(voltage, voltage),
        limb=(0.62, 3.5),
        qrs_duration=min(heart.qrs_duration + 0.007, 0.106),
        qrs_axis=float(np.clip(heart.qrs_axis - 12, -24, 80)) if heart.qrs_axis > -30 else heart.qrs_axis,
    )


@diagnosis(dx.RIGHT_HYPERTROPHY, "right ventricular hypertrophy", "RVH", lasting=True)
def _right_hypertrophy(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(
        heart, right_force=float(rng.uniform(0.65, 1.0)), qrs_axis=max(heart.qrs_axis, float(rng.uniform(96, 125)))
    )


@diagnosis(dx.LEFT_ATRIAL_ENLARGEMENT, "left atrial enlargement", "LAE", lasting=True)
def _left_atrial_enlargement(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(
        heart,
        left_atrium=float(rng.uniform(0.7, 1.0)),
        p_duration=float(rng.uniform(0.126, 0.142)),
        pr=max(heart.pr, 0.165),
        p_gain=max(heart.p_gain, 0.9),
    )


@diagnosis(dx.LOW_VOLTAGE, "low QRS voltages", "LQRSV", lasting=True)
def _low_voltage(heart: Heart, rng: np.random.Generator) -> Heart:
    voltage = float(rng.uniform(0.28, 0.47))
    return replace(heart, limb=(voltage, voltage))


@diagnosis(dx.Q_WAVE, "abnormal Q wave", "QAb", lasting=True)
def _q_wave(heart: Heart, rng: np.random.Generator) -> Heart:
    wall = list(Territory)[int(rng.integers(3))]
    return replace(heart, q_wall=wall, q_depth=float(rng.uniform(0.33, 0.52)))


@diagnosis(dx.ST_DEPRESSION, "ST depression", "STD", lasting=False)
def _st_depression(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(heart, st_wall=Territory.LATERAL, st_level=-float(rng.uniform(0.09, 0.22)))


@diagnosis(dx.ST_ELEVATION, "ST elevation", "STE", lasting=False)
def _st_elevation(heart: Heart, rng: np.random.Generator) -> Heart:
    wall = list(Territory)[int(rng.integers(3))]
    return replace(heart, st_wall=wall, st_level=float(rng.uniform(0.16, 0.38)), t_gain=1.15 * heart.t_gain)


@diagnosis(dx.T_INVERSION, "T wave inversion", "TInv", lasting=False)
def _t_inversion(heart: Heart, rng: np.random.Generator) -> Heart:
    wall = list(Territory)[int(rng.integers(3))]
    return replace(heart, t_wall=wall, t_depth=float(rng.uniform(0.16, 0.38)))


@diagnosis(dx.LONG_QT, "prolonged QT interval", "LQT", lasting=False)
def _long_qt(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(heart, qtc=float(rng.uniform(0.474, 0.550)), rate=min(heart.rate, 86.0))

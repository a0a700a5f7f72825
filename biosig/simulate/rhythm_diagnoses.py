"""Diagnoses of rhythm and of conduction from atria to ventricles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from biosig.simulate import diagnoses as dx
from biosig.simulate.diagnoses import diagnosis
from biosig.simulate.heart import Heart, Rhythm, Ventricles


@diagnosis(dx.SINUS_RHYTHM, "sinus rhythm", "NSR", lasting=False)
def _sinus_rhythm(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(heart, rate=float(np.clip(heart.rate * np.exp(0.05 * rng.standard_normal()), 62, 97)))


@diagnosis(dx.SINUS_BRADYCARDIA, "sinus bradycardia", "SB", lasting=False)
def _sinus_bradycardia(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(heart, rate=float(rng.uniform(40, 57)))


@diagnosis(dx.SINUS_TACHYCARDIA, "sinus tachycardia", "STach", lasting=False)
def _sinus_tachycardia(heart: Heart, rng: np.random.Generator) -> Heart:
    # Fast conduction, and little vagal tone left to swing the rate.
    return replace(
        heart,
        rate=float(rng.uniform(104, 145)),
        respiratory_variation=0.25 * heart.respiratory_variation,
        random_variation=0.5 * heart.random_variation,
        pr=0.88 * heart.pr,
        p_duration=0.94 * heart.p_duration,
    )


@diagnosis(dx.SINUS_ARRHYTHMIA, "sinus arrhythmia", "SA", lasting=False)
def _sinus_arrhythmia(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(
        heart,
        rate=min(heart.rate, 86.0),
        respiratory_variation=float(rng.uniform(0.13, 0.21)),
        random_variation=0.018,
    )


@diagnosis(dx.ATRIAL_FIBRILLATION, "atrial fibrillation", "AF", lasting=False)
def _atrial_fibrillation(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(
        heart,
        rhythm=Rhythm.FIBRILLATION,
        rate=float(np.clip(88 * np.exp(0.24 * rng.standard_normal()), 52, 150)),
        random_variation=float(rng.uniform(0.19, 0.28)),
    )


@diagnosis(dx.ATRIAL_FLUTTER, "atrial flutter", "AFL", lasting=False)
def _atrial_flutter(heart: Heart, rng: np.random.Generator) -> Heart:
    patterns = ((2,), (3,), (4,), (2, 4), (2, 2, 4, 4, 3))
    conduction = patterns[int(rng.choice(len(patterns), p=[0.35, 0.15, 0.30, 0.10, 0.10]))]
    atrial_rate = float(rng.uniform(255, 340))
    return replace(
        heart,
        rhythm=Rhythm.FLUTTER,
        atrial_rate=atrial_rate,
        conduction=conduction,
        rate=atrial_rate * len(conduction) / sum(conduction),
    )


@diagnosis(dx.PACING, "pacing rhythm", "PR", lasting=True)
def _pacing(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(
        heart,
        rhythm=Rhythm.PACED,
        ventricles=Ventricles.PACED,
        rate=float(rng.choice([60, 65, 70, 75, 80])),
        qrs_duration=float(rng.uniform(0.148, 0.180)),
        atrial_pacing=bool(rng.random() < 0.5),
        pr=float(rng.uniform(0.15, 0.19)),
    )


@diagnosis(dx.SECOND_DEGREE_BLOCK, "second degree atrioventricular block", "IIAVB", lasting=False)
def _second_degree_block(heart: Heart, rng: np.random.Generator) -> Heart:
    dropped = int(rng.integers(2, 5))
    atrial_rate = float(rng.uniform(64, 98))
    return replace(
        heart,
        rhythm=Rhythm.SECOND_DEGREE_BLOCK,
        atrial_rate=atrial_rate,
        rate=atrial_rate * (dropped - 1) / dropped,
        dropped=dropped,
        wenckebach=bool(dropped > 2 and rng.random() < 0.65),
        pr=float(np.clip(heart.pr, 0.14, 0.19)),
    )


@diagnosis(dx.COMPLETE_BLOCK, "complete atrioventricular block", "CHB", lasting=False)
def _complete_block(heart: Heart, rng: np.random.Generator) -> Heart:
    # Escape from the junction is narrow and faster, from a ventricle wide and slower.
    junctional = bool(rng.random() < 0.5)
    wide = Ventricles.FROM_LEFT_VENTRICLE if rng.random() < 0.5 else Ventricles.FROM_RIGHT_VENTRICLE
    rate = float(rng.uniform(37, 48) if junctional else rng.uniform(28, 38))
    # Away from a whole ratio, where ten seconds could pass for conduction.
    ratio = round(rng.uniform(70, 100) / rate - 0.5) + rng.uniform(0.35, 0.80)
    return replace(
        heart,
        rhythm=Rhythm.COMPLETE_BLOCK,
        ventricles=heart.ventricles if junctional else wide,
        rate=rate,
        atrial_rate=float(ratio * rate),
    )


@diagnosis(dx.PREMATURE_ATRIAL, "premature atrial contraction", "PAC", lasting=False)
def _premature_atrial(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(heart, atrial_ectopy=float(rng.uniform(0.08, 0.22)))


@diagnosis(dx.PREMATURE_VENTRICULAR, "premature ventricular contractions", "PVC", lasting=False)
def _premature_ventricular(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(heart, ventricular_ectopy=float(rng.uniform(0.08, 0.25)))


@diagnosis(dx.FIRST_DEGREE_BLOCK, "first degree atrioventricular block", "IAVB", lasting=True)
def _first_degree_block(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(heart, pr=float(rng.uniform(0.220, 0.310)))


@diagnosis(dx.PREEXCITATION, "Wolff-Parkinson-White pattern", "WPW", lasting=True)
def _preexcitation(heart: Heart, rng: np.random.Generator) -> Heart:
    return replace(
        heart,
        ventricles=Ventricles.PREEXCITED,
        pr=float(rng.uniform(0.085, 0.112)),
        p_duration=min(heart.p_duration, 0.092),
        qrs_duration=float(rng.uniform(0.116, 0.140)),
        delta_left=bool(rng.random() < 0.5),
    )

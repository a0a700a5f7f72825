"""The numbers that make one heart's ECG; a diagnosis is a change of some of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from jaxtyping import Float

from biosig.leads import DOWER, turn


class Rhythm(StrEnum):
    """What drives the ventricles."""

    SINUS = "sinus"
    FIBRILLATION = "atrial fibrillation"
    FLUTTER = "atrial flutter"
    PACED = "ventricular pacing"
    SECOND_DEGREE_BLOCK = "second-degree atrioventricular block"
    COMPLETE_BLOCK = "complete atrioventricular block"


class Ventricles(StrEnum):
    """How the ventricles are activated: each has a template of waves."""

    NORMAL = "normal"
    LEFT_ANTERIOR_FASCICLE = "left anterior fascicular block"
    INCOMPLETE_RIGHT_BUNDLE = "incomplete right bundle branch block"
    RIGHT_BUNDLE = "right bundle branch block"
    LEFT_BUNDLE = "left bundle branch block"
    PREEXCITED = "preexcitation"
    PACED = "pacing of the right ventricular apex"
    FROM_RIGHT_VENTRICLE = "origin in the right ventricle"
    FROM_LEFT_VENTRICLE = "origin in the left ventricle"


class Territory(StrEnum):
    """A wall of the left ventricle."""

    ANTERIOR = "anterior"
    INFERIOR = "inferior"
    LATERAL = "lateral"


# The direction in which a positive wave over that wall points.
TOWARDS = {
    Territory.ANTERIOR: np.array([0.40, 0.05, -0.91]),
    Territory.INFERIOR: np.array([-0.10, 0.97, 0.10]),
    Territory.LATERAL: np.array([0.95, 0.10, 0.12]),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Heart:
    """Rhythm, intervals, forces and directions. Times in seconds, angles in degrees, voltages in mV, rates a minute.

    Attributes:
        lead_field: Leads I, II, V1..V6 by dipole axes x, y, z: the thorax and where the electrodes lie.
        position: Rotation of the heart in the chest.
        voltage: Gain from torso and habitus.
        traits: Seed of the individual shapes of the waves.
        sokolow: Bounds of S(V1) + max(R(V5), R(V6)).
        limb: Bounds of the largest peak-to-peak QRS in a limb lead.
        random_variation: Standard deviation of the beat-to-beat RR interval, a fraction of it.
        respiratory_variation: Amplitude of the RR interval over the breath, a fraction of it.
        respiration: Breaths a second.
        qtc: QT interval at 60 beats a minute; Fridericia's law takes it to other rates.
        atrial_ectopy, ventricular_ectopy: Share of beats.
        conduction: Flutter cycles from one QRS to the next, cyclically.
        dropped: In second-degree block, P waves to one that is not conducted.
        wenckebach: Whether PR grows before the dropped beat (Mobitz I) or not (Mobitz II).
        atrial_rate: Where the atria beat for themselves: flutter, fibrillation, complete block.
        atrial_pacing: Whether the pacemaker also paces the atria.
        right_force, left_force: Hypertrophy, 0 to 1.
        delta_left: Preexcitation from the left (1) or right (0) free wall.
        q_wall, q_depth: Where there are pathological Q waves, and how deep.
        j_point: Where the ST segment lies in health, in the anterior lead that shows it most.
        st_level: Signed deviation in the lead that shows it most.
        t_wall, t_depth: Where T waves are inverted, and how deep in the lead that shows it most.
        left_atrium: Enlargement, 0 to 1.
    """

    lead_field: Float[np.ndarray, "8 3"] = field(default_factory=DOWER.copy)
    position: Float[np.ndarray, "3 3"] = field(default_factory=lambda: np.eye(3))
    voltage: float = 1.0
    traits: int = 0

    rhythm: Rhythm = Rhythm.SINUS
    rate: float = 70.0
    random_variation: float = 0.01
    respiratory_variation: float = 0.015
    respiration: float = 0.25
    atrial_ectopy: float = 0.0
    ventricular_ectopy: float = 0.0
    conduction: tuple[int, ...] = (4,)
    dropped: int = 4
    wenckebach: bool = True
    atrial_rate: float = 300.0
    atrial_pacing: bool = False

    pr: float = 0.155
    qtc: float = 0.405
    p_duration: float = 0.10
    qrs_duration: float = 0.088

    ventricles: Ventricles = Ventricles.NORMAL
    qrs_axis: float = 45.0
    p_axis: float = 50.0
    t_axis: float = 40.0
    sokolow: tuple[float, float] = (0.0, 3.3)
    limb: tuple[float, float] = (0.62, 2.5)
    right_force: float = 0.0
    left_force: float = 0.0
    delta_left: bool = True
    left_atrium: float = 0.0
    p_gain: float = 1.0
    t_gain: float = 1.0
    fibrillatory_gain: float = 1.0
    j_point: float = 0.0

    q_wall: Territory | None = None
    q_depth: float = 0.0
    st_wall: Territory | None = None
    st_level: float = 0.0
    t_wall: Territory | None = None
    t_depth: float = 0.0


@dataclass(frozen=True)
class Subject:
    """A person: the same heart in every one of their recordings.

    Attributes:
        subject_id: Unique in the corpus.
        age: Years.
        sex: `female` or `male`.
        heart: What it looks like in health.
        seed: Fixes how a lasting diagnosis (a bundle branch block, say) shows in this person.
    """

    subject_id: str
    age: int
    sex: str
    heart: Heart
    seed: int

    @classmethod
    def draw(cls, seed: int, subject_id: str = "") -> Subject:
        """A random adult. The axis turns left and PR lengthens a little with age; QT is longer in women."""
        rng = np.random.default_rng([seed, 0x5B])
        age = int(np.clip(rng.normal(57, 17), 18, 95))
        female = bool(rng.random() < 0.5)
        older = (age - 55) / 20
        habitus = rng.standard_normal()  # heavier: smaller voltages, a more horizontal heart
        field = DOWER * np.exp(0.10 * rng.standard_normal((8, 1))) + 0.06 * rng.standard_normal((8, 3))
        heart = Heart(
            lead_field=field,
            position=turn(7 * rng.standard_normal(), about=0) @ turn(9 * rng.standard_normal(), about=1),
            voltage=float(np.exp(0.15 * rng.standard_normal() - 0.10 * habitus - 0.06 * female - 0.16)),
            traits=int(rng.integers(2**31)),
            respiration=float(rng.uniform(0.18, 0.33)),
            random_variation=float(rng.uniform(0.004, 0.012)),
            respiratory_variation=float(rng.uniform(0.004, 0.022) * np.exp(-0.25 * older)),
            rate=float(np.clip(rng.normal(74, 8.5), 63, 95)),
            pr=float(np.clip(rng.normal(0.154, 0.015) + 0.006 * older, 0.125, 0.190)),
            qtc=float(np.clip(rng.normal(0.403, 0.013) + 0.008 * female, 0.370, 0.435)),
            p_duration=float(np.clip(rng.normal(0.098, 0.006), 0.082, 0.111)),
            qrs_duration=float(np.clip(rng.normal(0.088, 0.006) - 0.003 * female, 0.072, 0.101)),
            qrs_axis=float(np.clip(rng.normal(44, 20) - 10 * older - 8 * habitus, -12, 80)),
            p_axis=float(np.clip(rng.normal(52, 10), 25, 72)),
            t_axis=float(np.clip(rng.normal(40, 12), 12, 66)),
            p_gain=float(np.exp(0.18 * rng.standard_normal())),
            t_gain=float(np.exp(0.27 * rng.standard_normal())),
            j_point=float(np.clip(rng.normal(0.015, 0.022), -0.03, 0.07)),
            fibrillatory_gain=float(np.exp(0.30 * rng.standard_normal() - 0.1)),
        )
        return cls(subject_id or f"S{seed:06d}", age, "female" if female else "male", heart, seed)

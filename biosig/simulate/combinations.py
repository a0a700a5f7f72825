"""Random plausible combinations of diagnoses, with a known prevalence."""

from __future__ import annotations

import functools

import numpy as np

from biosig.simulate import diagnoses as dx
from biosig.simulate.diagnoses import SIMULATED_CONCEPTS, conflicts

NORMAL_SHARE = 0.33

# Of the recordings that are not plainly normal. What is left over has sinus rhythm and a finding.
_RHYTHMS = {
    dx.SINUS_BRADYCARDIA: 0.085,
    dx.SINUS_TACHYCARDIA: 0.085,
    dx.SINUS_ARRHYTHMIA: 0.070,
    dx.ATRIAL_FIBRILLATION: 0.095,
    dx.ATRIAL_FLUTTER: 0.068,
    dx.PACING: 0.060,
    dx.SECOND_DEGREE_BLOCK: 0.058,
    dx.COMPLETE_BLOCK: 0.058,
}
# The wish for each finding; what conflicts with what is already there falls away, so rare partners get more.
_FINDINGS = {
    dx.PREMATURE_ATRIAL: 1.3,
    dx.PREMATURE_VENTRICULAR: 1.2,
    dx.FIRST_DEGREE_BLOCK: 1.2,
    dx.PREEXCITATION: 2.0,
    dx.LEFT_BUNDLE_BLOCK: 1.4,
    dx.RIGHT_BUNDLE_BLOCK: 1.2,
    dx.INCOMPLETE_RIGHT_BUNDLE_BLOCK: 1.2,
    dx.LEFT_ANTERIOR_FASCICULAR_BLOCK: 1.4,
    dx.LEFT_AXIS: 0.8,
    dx.RIGHT_AXIS: 0.8,
    dx.LEFT_HYPERTROPHY: 1.4,
    dx.RIGHT_HYPERTROPHY: 1.5,
    dx.LEFT_ATRIAL_ENLARGEMENT: 1.1,
    dx.LOW_VOLTAGE: 1.2,
    dx.Q_WAVE: 1.4,
    dx.ST_DEPRESSION: 1.2,
    dx.ST_ELEVATION: 1.3,
    dx.T_INVERSION: 1.2,
    dx.LONG_QT: 1.3,
}
# Findings that come with others by definition.
_BRINGS = {dx.LEFT_ANTERIOR_FASCICULAR_BLOCK: dx.LEFT_AXIS, dx.RIGHT_HYPERTROPHY: dx.RIGHT_AXIS}


def draw(seed: int | np.random.Generator) -> frozenset[str]:
    """A random combination: a third plain sinus rhythm, every concept in at least three percent.

    Args:
        seed: Equal seeds give equal combinations; or a generator to go on with.
    """
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng([seed, 5])
    if rng.random() < NORMAL_SHARE:
        return frozenset({dx.SINUS_RHYTHM})
    rhythm = rng.random() - np.cumsum(list(_RHYTHMS.values()))
    chosen = {next((id_ for id_, left in zip(_RHYTHMS, rhythm, strict=True) if left < 0), dx.SINUS_RHYTHM)}
    if dx.SINUS_ARRHYTHMIA in chosen and rng.random() < 0.25:
        chosen.add(dx.SINUS_BRADYCARDIA)
    wanted = int(rng.choice(4, p=[0.0, 0.50, 0.36, 0.14] if dx.SINUS_RHYTHM in chosen else [0.25, 0.45, 0.22, 0.08]))
    return with_findings(frozenset(chosen), wanted, rng)


def with_findings(concepts: frozenset[str], count: int, rng: np.random.Generator) -> frozenset[str]:
    """Up to that many more findings, each compatible with all before it."""
    chosen = set(concepts)
    for _ in range(count):
        banned = chosen.union(*(_conflicts(id_) for id_ in chosen))
        open_ = {id_: wish for id_, wish in _FINDINGS.items() if id_ not in banned and _BRINGS.get(id_) not in banned}
        if not open_:
            break
        wishes = np.array(list(open_.values()))
        finding = list(open_)[int(rng.choice(len(open_), p=wishes / wishes.sum()))]
        chosen.add(finding)
        if finding in _BRINGS:
            chosen.add(_BRINGS[finding])
    return frozenset(chosen)


def next_visit(concepts: frozenset[str], rng: np.random.Generator) -> frozenset[str]:
    """The same person another day: what lasts is still there, the rest may have changed."""
    if rng.random() < 0.5:
        return concepts
    lasting = frozenset(id_ for id_ in concepts if SIMULATED_CONCEPTS[id_].lasting)
    if dx.PACING in lasting:
        return lasting
    for _ in range(8):
        fresh = draw(rng)
        transient = frozenset(id_ for id_ in fresh if not SIMULATED_CONCEPTS[id_].lasting)
        together = lasting | transient
        if transient and not any(_conflicts(id_) & together for id_ in together):
            return together
    return concepts


@functools.cache
def _conflicts(id_: str) -> frozenset[str]:
    return conflicts(id_)

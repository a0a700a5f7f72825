"""What a simulated diagnosis is, which ones there are, and which cannot be had together."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from biosig.errors import BiosigError
from biosig.simulate.heart import Heart
from ontology.registry import Registry

Change = Callable[[Heart, np.random.Generator], Heart]


@dataclass(frozen=True)
class Diagnosis:
    """A concept that the simulator can show.

    Attributes:
        id: SNOMED-CT identifier.
        term: What it is called.
        abbreviation: As in the PhysioNet challenges.
        change: The healthy heart to one that has it.
        lasting: Whether it looks the same in every recording of a person (a block) or not (a rate).
    """

    id: str
    term: str
    abbreviation: str
    change: Change
    lasting: bool


# In the order in which changes are applied: rhythm, conduction, forces, repolarisation.
SIMULATED_CONCEPTS: Registry[Diagnosis] = Registry("simulated concept")


def diagnosis(id_: str, term: str, abbreviation: str, *, lasting: bool) -> Callable[[Change], Change]:
    """Register a change of the heart as a diagnosis."""

    def register(change: Change) -> Change:
        SIMULATED_CONCEPTS.add(id_, Diagnosis(id_, term, abbreviation, change, lasting))
        return change

    return register


SINUS_RHYTHM = "426783006"
SINUS_BRADYCARDIA = "426177001"
SINUS_TACHYCARDIA = "427084000"
SINUS_ARRHYTHMIA = "427393009"
ATRIAL_FIBRILLATION = "164889003"
ATRIAL_FLUTTER = "164890007"
PACING = "10370003"
SECOND_DEGREE_BLOCK = "195042002"
COMPLETE_BLOCK = "27885002"
PREMATURE_ATRIAL = "284470004"
PREMATURE_VENTRICULAR = "427172004"
FIRST_DEGREE_BLOCK = "270492004"
PREEXCITATION = "74390002"
LEFT_BUNDLE_BLOCK = "164909002"
RIGHT_BUNDLE_BLOCK = "59118001"
INCOMPLETE_RIGHT_BUNDLE_BLOCK = "713426002"
LEFT_ANTERIOR_FASCICULAR_BLOCK = "445118002"
LEFT_AXIS = "39732003"
RIGHT_AXIS = "47665007"
LEFT_HYPERTROPHY = "164873001"
RIGHT_HYPERTROPHY = "89792004"
LEFT_ATRIAL_ENLARGEMENT = "67741000119109"
LOW_VOLTAGE = "251146004"
Q_WAVE = "164917005"
ST_DEPRESSION = "429622005"
ST_ELEVATION = "164931005"
T_INVERSION = "59931005"
LONG_QT = "111975006"

_NOT_SINUS = {ATRIAL_FIBRILLATION, ATRIAL_FLUTTER, PACING, SECOND_DEGREE_BLOCK, COMPLETE_BLOCK}
_RATES = {SINUS_RHYTHM, SINUS_BRADYCARDIA, SINUS_TACHYCARDIA}
_WIDE = {LEFT_BUNDLE_BLOCK, PACING, PREEXCITATION}
_REPOLARISATION = {ST_DEPRESSION, ST_ELEVATION, T_INVERSION, LONG_QT}
_SHAPE = {
    LEFT_BUNDLE_BLOCK, RIGHT_BUNDLE_BLOCK, INCOMPLETE_RIGHT_BUNDLE_BLOCK, LEFT_ANTERIOR_FASCICULAR_BLOCK,
    PREEXCITATION, LEFT_AXIS, RIGHT_AXIS, LEFT_HYPERTROPHY, RIGHT_HYPERTROPHY, LOW_VOLTAGE, Q_WAVE,
}  # fmt: skip

# No two of a line go together: either nature forbids it, or one hides the other.
_ONE_OF = (
    _NOT_SINUS | _RATES,
    _NOT_SINUS | {SINUS_RHYTHM, SINUS_TACHYCARDIA, SINUS_ARRHYTHMIA},
    {LEFT_BUNDLE_BLOCK, RIGHT_BUNDLE_BLOCK, INCOMPLETE_RIGHT_BUNDLE_BLOCK, PREEXCITATION, PACING},
    {LEFT_BUNDLE_BLOCK, LEFT_ANTERIOR_FASCICULAR_BLOCK, PREEXCITATION, PACING},
    {LEFT_AXIS, RIGHT_AXIS},
    {ST_DEPRESSION, ST_ELEVATION},
    {ST_ELEVATION, T_INVERSION},
)
# A key does not go with any of its values.
_NOT_WITH = {
    SINUS_TACHYCARDIA: {FIRST_DEGREE_BLOCK, LONG_QT, PREMATURE_ATRIAL},
    SINUS_ARRHYTHMIA: {PREMATURE_ATRIAL},
    PREMATURE_ATRIAL: _NOT_SINUS,
    PREMATURE_VENTRICULAR: {PACING, SECOND_DEGREE_BLOCK, COMPLETE_BLOCK, PREEXCITATION},
    FIRST_DEGREE_BLOCK: _NOT_SINUS | {PREEXCITATION},
    PREEXCITATION: _NOT_SINUS | _REPOLARISATION | {Q_WAVE, LEFT_HYPERTROPHY, RIGHT_HYPERTROPHY, LEFT_AXIS, RIGHT_AXIS},
    PACING: _SHAPE | _REPOLARISATION,
    COMPLETE_BLOCK: _SHAPE | _REPOLARISATION,
    LEFT_BUNDLE_BLOCK: _REPOLARISATION | {RIGHT_AXIS, LEFT_HYPERTROPHY, LOW_VOLTAGE, Q_WAVE},
    LEFT_ANTERIOR_FASCICULAR_BLOCK: {RIGHT_AXIS, Q_WAVE, INCOMPLETE_RIGHT_BUNDLE_BLOCK},
    RIGHT_BUNDLE_BLOCK: {LEFT_HYPERTROPHY, LONG_QT},
    LEFT_HYPERTROPHY: {RIGHT_AXIS, LOW_VOLTAGE, LEFT_ANTERIOR_FASCICULAR_BLOCK},
    RIGHT_HYPERTROPHY: {
        LEFT_AXIS, LEFT_HYPERTROPHY, LEFT_BUNDLE_BLOCK, RIGHT_BUNDLE_BLOCK, INCOMPLETE_RIGHT_BUNDLE_BLOCK,
        LEFT_ANTERIOR_FASCICULAR_BLOCK, LOW_VOLTAGE, Q_WAVE,
    },
    LEFT_ATRIAL_ENLARGEMENT: _NOT_SINUS | {PREEXCITATION},
    Q_WAVE: {RIGHT_AXIS, LEFT_HYPERTROPHY, LOW_VOLTAGE},
    LONG_QT: {ATRIAL_FLUTTER},
}  # fmt: skip


def conflicts(id_: str) -> frozenset[str]:
    """The concepts that cannot go together with this one."""
    found = set().union(*(group for group in _ONE_OF if id_ in group), _NOT_WITH.get(id_, set()))
    found |= {key for key, others in _NOT_WITH.items() if id_ in others}
    return frozenset(found - {id_})


def resolve(concepts: Collection[str]) -> tuple[Diagnosis, ...]:
    """The diagnoses of a combination, in the order in which they change a heart.

    Raises:
        UnknownNameError: If a concept cannot be simulated; the message lists those that can.
        BiosigError: If two of them cannot go together.
    """
    wanted = {SIMULATED_CONCEPTS[id_].id for id_ in concepts}
    for id_ in sorted(wanted):
        if clash := sorted(conflicts(id_) & wanted):
            one, other = SIMULATED_CONCEPTS[id_], SIMULATED_CONCEPTS[clash[0]]
            raise BiosigError(
                f"{one.term} ({one.id}) and {other.term} ({other.id}) cannot be simulated in one recording"
            )
    return tuple(SIMULATED_CONCEPTS[id_] for id_ in SIMULATED_CONCEPTS if id_ in wanted)

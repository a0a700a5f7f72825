"""What becomes of the subjects of a simulated corpus: years until death or the end of watching, by a known hazard."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from biosig.simulate import diagnoses as dx

#: Log hazard ratio of each finding; made up, of a size that real ones have.
LOG_HAZARD_RATIOS: Mapping[str, float] = MappingProxyType(
    {
        dx.ATRIAL_FIBRILLATION: 1.0,
        dx.COMPLETE_BLOCK: 1.4,
        dx.PACING: 0.9,
        dx.LEFT_BUNDLE_BLOCK: 1.2,
        dx.LEFT_HYPERTROPHY: 0.9,
        dx.LOW_VOLTAGE: 0.8,
        dx.Q_WAVE: 1.1,
        dx.ST_DEPRESSION: 1.0,
        dx.LONG_QT: 0.9,
    }
)
_PER_YEAR_OF_AGE, _MALE, _MIDDLE_AGE = 0.04, 0.2, 57
# Deaths a year of a woman of middle age without findings; who lives is watched for so many years.
_BASELINE, _WATCHED = 0.04, (2.0, 10.0)
COLUMNS = ("subject", "years", "died", "log_hazard", "log_hazard_of_findings")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What became of one subject.

    Attributes:
        years: Until death or the end of watching.
        died: Whether it was death.
        log_hazard: The logarithm of the hazard's ratio to that of a woman of middle age without findings.
        log_hazard_of_findings: The part of it that the first recording shows: without age and sex.
    """

    years: float
    died: bool
    log_hazard: float
    log_hazard_of_findings: float


def follow_up(concepts: frozenset[str], age: float, sex: str, rng: np.random.Generator) -> FollowUp:
    r"""Draw what becomes of a subject: the hazard is constant, h = h_0 exp(sum of log ratios), watching ends at random.

    Args:
        concepts: Findings of the first recording.
        age: Years.
        sex: `female` or `male`.
        rng: The only source of chance.
    """
    findings = sum(LOG_HAZARD_RATIOS.get(concept, 0.0) for concept in sorted(concepts))
    whole = findings + _PER_YEAR_OF_AGE * (age - _MIDDLE_AGE) + _MALE * (sex == "male")
    death = rng.exponential(1 / (_BASELINE * np.exp(whole)))
    end = rng.uniform(*_WATCHED)
    return FollowUp(float(min(death, end)), bool(death <= end), whole, findings)


def write_follow_up(path: Path, found: Mapping[str, FollowUp]) -> None:
    """A CSV file, one line a subject.

    Args:
        path: The file; it gets its name when it is whole.
        found: By name of subject.
    """
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(COLUMNS)
        for subject, one in found.items():
            hazards = (f"{one.log_hazard:.4f}", f"{one.log_hazard_of_findings:.4f}")
            lines.writerow([subject, f"{one.years:.4f}", int(one.died), *hazards])
    partial.replace(path)

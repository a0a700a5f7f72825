"""Sensitivity, PPV and errors of every point of every wave, with intervals over people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from pydantic import BaseModel, ConfigDict

from finetune.delineation.matching import COUNTS, compare
from finetune.delineation.waves import FIDUCIALS, WAVES, Annotated, Fiducial, Lead, Wave
from finetune.diagnosis.result import Estimate
from finetune.diagnosis.summary import estimate
from finetune.metrics.bootstrap import N_DRAWS, interval, seed_interval, subject_weights

POOLED = "all"
"""The name of all leads together."""
METRICS = ("sensitivity", "ppv", "f1", "mean", "sd")


class Gain(BaseModel):
    """Five numbers of one point of one wave, or what they are more than a rival's.

    Attributes:
        wave: P, QRS or T.
        point: Onset, peak or offset.
        sensitivity: Matched of drawn.
        ppv: Matched of found.
        f1: 2 matched / (drawn + found).
        mean: Of the errors of matched points, ms; positive if found late.
        sd: Standard deviation of the errors, over all matched points together, ms.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    wave: Wave
    point: Fiducial
    sensitivity: Estimate
    ppv: Estimate
    f1: Estimate
    mean: Estimate
    sd: Estimate


class PointScore(Gain):
    """How well one point of one wave was found, in one lead or in all.

    Attributes:
        lead: Its name, or `all`.
        annotated: How many were drawn.
        found: How many were found where annotators looked: matched and false.
    """

    lead: str
    annotated: int
    found: int


@dataclass(frozen=True)
class Tally:
    """What was counted in every lead of every recording; see `matching.compare`.

    Attributes:
        subjects: The person of each row.
        leads: The lead of each row.
        counts: Of each row.
    """

    subjects: tuple[str, ...]
    leads: tuple[str, ...]
    counts: Float64[np.ndarray, "row wave point count"]

    @classmethod
    def of(
        cls,
        subjects: Sequence[str],
        references: Sequence[Mapping[str, Annotated]],
        found: Sequence[Mapping[str, Lead]],
    ) -> Tally:
        """Compare the annotated leads of recordings with what was found in them."""
        rows = [
            (subject, lead, compare(reference[lead], waves[lead]))
            for subject, reference, waves in zip(subjects, references, found, strict=True)
            for lead in reference
        ]
        shape = (len(WAVES), len(FIDUCIALS), len(COUNTS))
        counts = np.stack([row[2] for row in rows]) if rows else np.empty((0, *shape))
        return cls(tuple(row[0] for row in rows), tuple(row[1] for row in rows), counts)

    def only(self, lead: str) -> Tally:
        """Of one lead."""
        rows = [row for row, name in enumerate(self.leads) if name == lead]
        return Tally(tuple(self.subjects[row] for row in rows), (lead,) * len(rows), self.counts[rows])


def score(tallies: Sequence[Tally], lead: str = POOLED, *, draws: int = N_DRAWS) -> list[PointScore]:
    """Every wave and point, with 95 % intervals of a bootstrap over people; of three seeds or more, over seeds too.

    Args:
        tallies: What was counted, once for each seed; scores are means over seeds, counts those of the first.
        lead: Its name for the table; rows of other leads must be gone (`Tally.only`).
        draws: Of the bootstrap.
    """
    totals = tallies[0].counts.sum(0)
    values = np.stack([drawn_metrics(tally, draws) for tally in tallies])
    return [
        PointScore(
            lead=lead,
            wave=wave,
            point=point,
            annotated=int(totals[i, j, :2].sum()),
            found=int(totals[i, j, 0] + totals[i, j, 2]),
            **{name: _estimate(values[:, m, i, j]) for m, name in enumerate(METRICS)},
        )
        for i, wave in enumerate(WAVES)
        for j, point in enumerate(FIDUCIALS)
    ]


def gains(ours: Sequence[Tally], theirs: Tally, *, draws: int = N_DRAWS) -> list[Gain]:
    """Each metric less the rival's, on the same leads and in the same draws of people.

    Raises:
        ValueError: If the rows are not the same people and leads.
    """
    if any((one.subjects, one.leads) != (theirs.subjects, theirs.leads) for one in ours):
        raise ValueError("expected tallies of the same people and leads in the same order")
    values = np.stack([drawn_metrics(tally, draws) for tally in ours]) - drawn_metrics(theirs, draws)
    return [
        Gain(wave=wave, point=point, **{name: _estimate(values[:, m, i, j]) for m, name in enumerate(METRICS)})
        for i, wave in enumerate(WAVES)
        for j, point in enumerate(FIDUCIALS)
    ]


def drawn_metrics(tally: Tally, draws: int) -> Float64[np.ndarray, "metric wave point draws"]:
    """Sensitivity, PPV, F1, mean and standard deviation of errors: of all people, then of each draw of them."""
    totals = np.einsum("rwpc,rd->cwpd", tally.counts, subject_weights(tally.subjects, n_draws=draws))
    matched, missed, false, total, squares = totals
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / matched
        sd = np.sqrt(np.maximum(squares / matched - mean**2, 0))
        f1 = 2 * matched / (2 * matched + missed + false)
        return np.stack([matched / (matched + missed), matched / (matched + false), f1, mean, sd])


def _estimate(values: Float64[np.ndarray, "seed draws"]) -> Estimate:
    """The mean over seeds and its interval."""
    # Errors have no bounds, and an interval of percentiles does not leave those of a share.
    return estimate(seed_interval(values) or interval(values.mean(0)), lowest=-np.inf, highest=np.inf)

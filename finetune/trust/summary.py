"""What an evaluation says of trust: the probe's probabilities before and after scaling, sets, and silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.special import logit

from finetune.diagnosis.result import Calibrated, Diagram, Estimate, GroupCoverage, SetCoverage, Silence, Trust
from finetune.diagnosis.summary import estimate, number
from finetune.metrics.bootstrap import Kind, interval
from finetune.metrics.ranking import macro
from finetune.protocols import Role, Task
from finetune.trust.calibration import Scaling, calibrate
from finetune.trust.conformal import Promise, conformal, conformal_by_group, coverage
from finetune.trust.reliability import Bins, brier, calibration_error, reliability
from finetune.trust.selective import selective

#: Share of truths that prediction sets may miss.
MISCOVERAGE = 0.1
# Probabilities of exactly 0 or 1 have no finite log odds.
_LEAST = 1e-9


@dataclass(frozen=True)
class _Side:
    """The scored concepts of the records of a role."""

    probabilities: Float[np.ndarray, "row concept"]
    labels: Bool[np.ndarray, "row concept"]
    known: Bool[np.ndarray, "row concept"]


def trust(
    validation: Float[np.ndarray, "row concept"],
    test: Float[np.ndarray, "row concept"],
    task: Task,
    weights: Float64[np.ndarray, "row draw"],
    groups: Mapping[str, np.ndarray] | None = None,
) -> Trust | None:
    """Calibrate on validation, judge on test.

    Args:
        validation: Probabilities of validation records, over all concepts of the task.
        test: The same of test records.
        task: Labels, what is known of them, and which concepts are scored.
        weights: Of the test records (`bootstrap.subject_weights`).
        groups: By what people are told apart, such as sex: the group of every row of the task; empty if not known.

    Returns:
        None if validation knows no label of a scored concept.
    """
    watched, judged = (
        _Side(scores[:, task.scored], *(part[task.rows[role]][:, task.scored] for part in (task.labels, task.known)))
        for role, scores in ((Role.VALIDATION, validation), (Role.TEST, test))
    )
    if not watched.known.any():
        return None
    logits = _logits(watched.probabilities)
    scales = {scaling: calibrate(logits, watched.labels, watched.known, scaling) for scaling in Scaling}
    found = {scaling: scale.probabilities(_logits(judged.probabilities)) for scaling, scale in scales.items()}
    concepts = [concept for concept, scored in zip(task.concepts, task.scored, strict=True) if scored]
    return Trust(
        temperature=float(1 / scales[Scaling.TEMPERATURE].slope[0]),
        calibrated=tuple(
            Calibrated(
                scaling=scaling.value,
                ece=_macro(calibration_error(said, judged.labels, judged.known, weights)),
                adaptive_ece=_macro(calibration_error(said, judged.labels, judged.known, weights, bins=Bins.MASS)),
                brier=_macro(brier(said, judged.labels, judged.known, weights), Kind.PERCENTILE),
                diagram=_diagram(said, judged),
            )
            for scaling, said in found.items()
        ),
        miscoverage=MISCOVERAGE,
        sets=_sets(watched, judged, concepts),
        groups=_groups(watched, judged, task, groups or {}),
        silence=_silence(found[Scaling.VECTOR], judged),
    )


def _logits(probabilities: Float[np.ndarray, "row concept"]) -> Float64[np.ndarray, "row concept"]:
    found: np.ndarray = logit(probabilities.astype(np.float64).clip(_LEAST, 1 - _LEAST))
    return found


def _macro(values: Float64[np.ndarray, "concept draw"], kind: Kind = Kind.REVERSED) -> Estimate:
    """A calibration error runs high in a sample, and higher in draws of it, as average precision does."""
    return estimate(interval(macro(values), kind))


def _diagram(said: Float[np.ndarray, "row concept"], side: _Side) -> Diagram:
    curve = reliability(said[side.known], side.labels[side.known])
    return Diagram(
        said=tuple(curve.said.tolist()), happened=tuple(curve.happened.tolist()), count=tuple(curve.count.astype(int))
    )


def _sets(watched: _Side, judged: _Side, concepts: list[str]) -> tuple[SetCoverage, ...]:
    """Sets need no scaling: they look at the order of probabilities alone."""
    rule = conformal(
        watched.probabilities, watched.labels, watched.known, miscoverage=MISCOVERAGE, promise=Promise.PER_LABEL
    )
    held = coverage(rule(judged.probabilities), judged.labels, judged.known)
    return tuple(
        SetCoverage(
            concept=concept,
            calibration_positives=int((watched.labels & watched.known)[:, column].sum()),
            positive=number(held.positive[column]),
            negative=number(held.negative[column]),
            undecided=number(held.undecided[column]),
            empty=number(held.empty[column]),
        )
        for column, concept in enumerate(concepts)
    )


def _groups(watched: _Side, judged: _Side, task: Task, columns: Mapping[str, np.ndarray]) -> tuple[GroupCoverage, ...]:
    """Coverage for each group that is tested, by the sets of everybody and by its own."""
    found = []
    everybody = conformal(watched.probabilities, watched.labels, watched.known, miscoverage=MISCOVERAGE)
    for column, values in columns.items():
        calibrating, tested = (values[task.rows[role]] for role in (Role.VALIDATION, Role.TEST))
        names = sorted(set(tested.tolist()) - {""})
        if len(names) < 2:
            continue
        parts = (watched.probabilities, watched.labels, watched.known)
        by_group = conformal_by_group(*parts, calibrating, miscoverage=MISCOVERAGE)
        both = everybody(judged.probabilities), by_group(judged.probabilities, tested)
        for name in names:
            rows = tested == name
            common, own = (_held(sets[rows], judged.labels[rows], judged.known[rows]) for sets in both)
            counts = int((calibrating == name).sum()), int(rows.sum())
            found.append(
                GroupCoverage(
                    column=column, group=name, calibration_records=counts[0], records=counts[1], common=common, own=own
                )
            )
    return tuple(found)


def _held(
    sets: Bool[np.ndarray, "row concept 2"],
    labels: Bool[np.ndarray, "row concept"],
    known: Bool[np.ndarray, "row concept"],
) -> float | None:
    return number(np.where(labels, sets[..., 1], sets[..., 0])[known].mean()) if known.any() else None


def _silence(said: Float[np.ndarray, "row concept"], side: _Side) -> Silence:
    probability, label = said[side.known], side.labels[side.known]
    found = selective(np.maximum(probability, 1 - probability), (probability >= 0.5) != label)
    # Enough points for a curve; there may be as many thresholds as answers.
    shown = np.unique(np.searchsorted(found.coverage, np.linspace(found.coverage[0], 1.0, 101)))
    return Silence(
        error=float(found.risk[-1]),
        area=found.area,
        refinement=number(found.refinement),
        coverage=tuple(found.coverage[shown].tolist()),
        risk=tuple(found.risk[shown].tolist()),
    )

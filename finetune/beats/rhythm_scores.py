"""How well fibrillation and flutter are told from other rhythms, with intervals over people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from finetune.beats.rhythm import RhythmModel, Windows, fit
from finetune.diagnosis.result import Estimate
from finetune.diagnosis.summary import estimate
from finetune.metrics.bootstrap import N_DRAWS, interval, subject_weights
from finetune.metrics.ranking import rank_metrics


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RhythmPerson(_Part):
    """Windows of one record: of fibrillation, of flutter, of others; and how many of each were called either."""

    record: str
    subject: str
    fibrillation: int
    flutter: int
    other: int
    fibrillation_called: int
    flutter_called: int
    other_called: int


class RhythmScore(_Part):
    """Windows of 30 s, fibrillation or flutter against everything else, at a probability of one half.

    Attributes:
        name: Who trained and who was tested.
        train_people: With fibrillation or flutter, among those who trained.
        windows: Tested.
        sensitivity: Of windows of either.
        fibrillation: Sensitivity of windows of fibrillation alone.
        flutter: Of windows of flutter alone.
        specificity: Of all other windows.
        ppv: Of windows that were called either.
        auroc: Of either against others.
        people: Each record.
    """

    name: str
    train_people: int
    windows: int
    sensitivity: Estimate
    fibrillation: Estimate
    flutter: Estimate
    specificity: Estimate
    ppv: Estimate
    auroc: Estimate
    people: tuple[RhythmPerson, ...]


Named = Mapping[tuple[str, str], Windows]
"""Windows of each record and person."""


def of_strangers(name: str, model: RhythmModel, train: Named, test: Named, draws: int = N_DRAWS) -> RhythmScore:
    """One model, fitted to those who train, for all who are tested."""
    said = {who: model.probability(one.features) for who, one in test.items()}
    return _score(name, _ill(train), test, said, draws)


def leave_one_out(name: str, records: Named, draws: int = N_DRAWS) -> RhythmScore:
    """Everybody by a model of everybody else."""
    said = {
        (record, person): fit([one for (_, other), one in records.items() if other != person]).probability(own.features)
        for (record, person), own in records.items()
    }
    return _score(name, _ill(records), records, said, draws)


def _ill(records: Named) -> int:
    return len({person for (_, person), one in records.items() if (one.fibrillation | one.flutter).any()})


def _score(
    name: str, train_people: int, records: Named, said: Mapping[tuple[str, str], np.ndarray], draws: int
) -> RhythmScore:
    people, subjects = [], []
    columns: list[Sequence[np.ndarray]] = []
    for (record, person), one in records.items():
        p = said[record, person]
        called, other = p >= 0.5, ~(one.fibrillation | one.flutter)
        columns.append((p, called, one.fibrillation, one.flutter, other))
        subjects += [person] * len(p)
        kinds = {"fibrillation": one.fibrillation, "flutter": one.flutter, "other": other}
        counts = {kind: int(is_so.sum()) for kind, is_so in kinds.items()}
        hits = {f"{kind}_called": int((is_so & called).sum()) for kind, is_so in kinds.items()}
        people.append(RhythmPerson(record=record, subject=person, **counts, **hits))
    p, called, fibrillation, flutter, other = (np.concatenate(part) for part in zip(*columns, strict=True))
    weights = subject_weights(subjects, n_draws=draws)

    def share(part: np.ndarray, whole: np.ndarray) -> Estimate:
        with np.errstate(invalid="ignore", divide="ignore"):
            return estimate(interval((part & whole) @ weights / (whole @ weights)))

    auroc = rank_metrics(p[:, None], ~other[:, None], weights=weights).auroc[0]
    return RhythmScore(
        name=name,
        train_people=train_people,
        windows=len(p),
        sensitivity=share(called, ~other),
        fibrillation=share(called, fibrillation),
        flutter=share(called, flutter),
        specificity=share(~called, other),
        ppv=share(~other, called),
        auroc=estimate(interval(auroc)),
        people=tuple(people),
    )

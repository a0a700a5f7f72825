"""The audit before anything is trained: nothing of the test side is on a side that is learnt or chosen from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from biosig.store import Store
from finetune.diagnosis.audit import LeakageError
from finetune.emotion.protocols import Fold, Protocol
from finetune.emotion.targets import Trials

_SIDES = ("train", "calibration", "validation", "test")
#: Protocols under which the people under test also train: in few-shot only their calibration trials do.
_SEEN = (Protocol.UNSEEN_STIMULUS_SEEN_SUBJECT,)
_UNSEEN = (Protocol.UNSEEN_STIMULUS, Protocol.UNSEEN_STIMULUS_SEEN_SUBJECT)


def audit(folds: Iterable[Fold], trials: Trials, protocol: Protocol, store: Store | None = None) -> None:
    """That every fold keeps its sides apart.

    Refused are: a trial on two sides, or two presentations of one record that overlap in time, which would put windows
    of one on both; a subject under test who trains or validates, except by the calibration trials of `few-shot`, and in
    `unseen-stimulus-seen-subject`; one that trains and validates; a stimulus under test that trains or validates where
    stimuli are held out; a waveform under test that is on another side under another name.

    Args:
        folds: Of `Plan.folds`, or anybody's.
        trials: What the folds count in.
        protocol: What was promised.
        store: Where the trials are; without it, copies of waveforms are not looked for.

    Raises:
        LeakageError: Naming the trial, subject, stimulus or record.
    """
    copies = [] if store is None else [one or b"" for one in store.fingerprints]
    for fold in folds:
        sides = {side: np.asarray(getattr(fold, side), dtype=np.int64) for side in _SIDES}
        _trials(fold, sides, trials)
        _subjects(fold, sides, trials, protocol)
        if protocol in _UNSEEN:
            _refuse(fold, sides, trials.stimulus, "stimulus", (("train", "test"), ("validation", "test")))
        if copies:
            _copies(fold, sides, trials, copies)


def _trials(fold: Fold, sides: dict[str, np.ndarray], trials: Trials) -> None:
    place = np.concatenate(list(sides.values()))
    side = np.repeat(np.arange(len(_SIDES)), [len(sides[name]) for name in _SIDES])
    if len(np.unique(place)) < len(place):
        values, counts = np.unique(place, return_counts=True)
        twice = values[counts > 1][0]
        names = " and ".join(_SIDES[one] for one in side[place == twice])
        raise LeakageError(
            f"fold {fold.name}: trial {trials.name[twice]} is on the {names} side: windows of one trial know each other"
        )
    order = np.lexsort((trials.start[place], trials.row[place]))
    place, side = place[order], side[order]
    row, end = trials.row[place], trials.start[place] + trials.samples[place]
    # The furthest end so far within a record: an early long trial may overlap more than its neighbour.
    reach, holder = -1, 0
    for at in range(len(place)):
        if at and row[at] == row[at - 1] and trials.start[place[at]] < reach and side[at] != side[holder]:
            raise LeakageError(
                f"fold {fold.name}: trials {trials.name[place[holder]]} ({_SIDES[side[holder]]}) and "
                f"{trials.name[place[at]]} ({_SIDES[side[at]]}) overlap in time"
            )
        if not at or row[at] != row[at - 1] or end[at] > reach:
            reach, holder = int(end[at]), at


def _subjects(fold: Fold, sides: dict[str, np.ndarray], trials: Trials, protocol: Protocol) -> None:
    pairs = [("train", "validation")]
    if protocol not in _SEEN:
        pairs += [("train", "test"), ("validation", "test")]
    _refuse(fold, sides, trials.subject, "subject", pairs)
    if len(sides["calibration"]):
        if protocol is not Protocol.FEW_SHOT:
            raise LeakageError(f"fold {fold.name}: only {Protocol.FEW_SHOT} has calibration trials, not {protocol}")
        _refuse(fold, sides, trials.subject, "subject", [("calibration", "train"), ("calibration", "validation")])


def _refuse(
    fold: Fold, sides: dict[str, np.ndarray], names: np.ndarray, what: str, pairs: Iterable[tuple[str, str]]
) -> None:
    for one, other in pairs:
        shared = np.intersect1d(names[sides[one]], names[sides[other]])
        if len(shared):
            raise LeakageError(
                f"fold {fold.name}: {what} {shared[0]} is on the {one} and the {other} side ({len(shared)} such)"
            )


def _copies(fold: Fold, sides: dict[str, np.ndarray], trials: Trials, copies: list[bytes]) -> None:
    tested = {copies[row]: int(row) for row in trials.row[sides["test"]] if copies[row]}
    for side in ("train", "validation"):
        for place in sides[side]:
            row = int(trials.row[place])
            # Several trials of one record are one waveform; whether they may be on two sides is said above.
            if tested.get(copies[row], row) != row:
                raise LeakageError(
                    f"fold {fold.name}: record {trials.name[place]} of the {side} side is, under another name, a "
                    "record of the test side"
                )

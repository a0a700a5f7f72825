"""Annotated half hours, ready to be learned from and to be tested on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int8, Int64

from biosig.corpora import CORPORA
from biosig.corpora.mitdb import DS1, DS2
from biosig.errors import BiosigError
from biosig.physiology import r_peaks
from biosig.recording import Recording
from biosig.store import Store
from finetune.beats.aami import BEATS
from finetune.beats.choices import Context
from finetune.beats.intake import RATE, Strip, labelled_strip, strip
from finetune.beats.rhythm import Windows, windows
from finetune.beats.scores import NONE, Confusion, confusion
from finetune.delineation.matching import match


@dataclass(frozen=True)
class Case:
    """One record.

    Attributes:
        strip: Its beats at the annotated times, with their classes.
        found: Its beats at the R peaks of neurokit2; None for a record that tests nothing.
        rhythm: Windows of 30 s from annotated beats.
    """

    strip: Strip
    found: Strip | None
    rhythm: Windows


def read_cases(source: Path, context: Context, *, say: Callable[[str], None] = lambda _: None) -> list[Case]:
    """The records of DS1 and DS2 in a store, or in a folder of MIT-BIH as it is downloaded.

    Raises:
        BiosigError: If the store is of another corpus, of a low rate, or a record has no beats.
    """
    cases = []
    for name, read in _readers(source):
        if name in DS1 | DS2:
            say(name)
            cases.append(_case(read(), context, test=name in DS2))
    return cases


def _readers(source: Path) -> list[tuple[str, Callable[[], Recording]]]:
    corpus = CORPORA["mitdb"]
    if not (source / "store.json").is_file():
        return [(entry.record_id, lambda entry=entry: corpus.read(entry)) for entry in corpus.find(source)]  # type: ignore[misc]  # a lambda has no types
    store = Store(source)
    if store.info.corpus.name != corpus.name:
        raise BiosigError(f"{source}: corpus: expected mitdb, got {store.info.corpus.name}")
    if min(store.rates) < RATE:
        raise BiosigError(
            f"{source}: sampling_rate: expected {RATE:g} Hz or more, got {min(store.rates):g}; "
            "prepare the store again without --rate"
        )
    return [(store.record(row), lambda row=row: store.recording(row)) for row in range(len(store))]  # type: ignore[misc]  # as above


def _case(recording: Recording, context: Context, *, test: bool) -> Case:
    own = labelled_strip(recording, context)
    if not len(own):
        raise BiosigError(f"{recording.record_id}: events: expected annotated beats such as N and V, got none")
    found = strip(recording, r_peaks(recording), context=context) if test else None
    return Case(own, found, windows(recording, own.peaks))


def at_annotated(own: Strip, said: Int64[np.ndarray, " beat"]) -> Confusion:
    """What was said of annotated beats at their own times."""
    return confusion(own.labels.astype(np.int64), said)


def at_found(
    peaks: Float64[np.ndarray, " beat"],
    labels: Int8[np.ndarray, " beat"],
    found: Float64[np.ndarray, " found"],
    said: Int64[np.ndarray, " found"],
) -> Confusion:
    """What was said of beats that were found, each with the annotated beat within 150 ms.

    An annotated beat that was not found is said to be none, and a found one that matches nothing was none.
    """
    pairs = match(peaks, found)
    truth = np.concatenate([labels, np.full(len(found) - len(pairs.found), NONE)]).astype(np.int64)
    told = np.full(len(truth), NONE, np.int64)
    told[pairs.reference] = said[pairs.found]
    told[len(peaks) :] = np.delete(said, pairs.found)
    return confusion(truth, told)


def beats_of(cases: Sequence[Case]) -> dict[str, list[int]]:
    """Beats of each class of each person."""
    counts: dict[str, np.ndarray] = {}
    for case in cases:
        own = np.bincount(case.strip.labels, minlength=len(BEATS))
        counts[case.strip.subject_id] = counts.get(case.strip.subject_id, 0) + own
    return {person: own.tolist() for person, own in counts.items()}

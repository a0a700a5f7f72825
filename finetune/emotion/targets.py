"""What is to be told from a trial: a class of the corpus, a rating above or below a threshold, or an event's code."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Int64

from biosig.errors import BiosigError
from biosig.store import Store, trials

if TYPE_CHECKING:
    import pandas as pd

#: The target whose classes are the codes of the stimulus events.
EVENT = "event"
UNLABELLED, AMBIGUOUS, SHORT = "no label", "several labels", "shorter than a second"
OTHER_CLASS = "another class"
_RATING = re.compile(r"(?P<system>[\w.-]+)\s*(?P<sign>>=|<=|>|<)\s*(?P<threshold>-?\d+(?:\.\d+)?)")
_CLASSES = re.compile(r"(?P<system>[\w.-]+)(?::(?P<classes>[^:]+))?")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
)


@dataclass(frozen=True)
class Target:
    """What a trial's class is read from.

    Attributes:
        text: As it was asked for.
        system: Of the codes of a recording, or `event`.
        classes: Those wanted, in this order; all there are, sorted, if empty.
        sign: Of a threshold: `>`, `>=`, `<` or `<=`; empty where classes are codes.
        threshold: In the scale of the source.
    """

    text: str
    system: str
    classes: tuple[str, ...] = ()
    sign: str = ""
    threshold: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Target:
        """`dasps-2-class`, `seed:negative,positive`, `valence>5`, `event` or `event:T1,T2`.

        Raises:
            BiosigError: If it is none of these.
        """
        stripped = text.strip()
        if found := _RATING.fullmatch(stripped):
            system, sign, threshold = found["system"], found["sign"], float(found["threshold"])
            return cls(stripped, system, ("low", "high") if sign[0] == ">" else ("high", "low"), sign, threshold)
        if found := _CLASSES.fullmatch(stripped):
            named = tuple(part.strip() for part in (found["classes"] or "").split(",") if part.strip())
            return cls(stripped, found["system"], named)
        raise BiosigError(f"--target: expected SYSTEM, SYSTEM:CLASS,CLASS or RATING>NUMBER, got {text!r}")

    def label(self, codes: Sequence[str]) -> str | None:
        """The class that a trial's codes in the system say; None if they say none or several.

        Raises:
            BiosigError: If a rating is not a number.
        """
        if len(set(codes)) != 1:
            return None
        if not self.sign:
            return codes[0]
        try:
            value = float(codes[0])
        except ValueError:
            raise BiosigError(f"--target {self.text}: {self.system}: expected a number, got {codes[0]!r}") from None
        return self.classes[int(_COMPARE[self.sign](value, self.threshold))]


@dataclass(frozen=True, eq=False)
class Trials:
    """Labelled presentations of stimuli: what is trained on, and what is scored.

    Attributes:
        target: As it was asked for.
        classes: Their names; two at least.
        label: The place of each trial's class in them.
        row: Its record in the store.
        start: Its first sample.
        samples: How many.
        subject: The person.
        session: The sitting.
        stimulus: What was presented; empty where the source does not say.
        name: The record, with the first sample where it has several trials: for messages.
        order: The place of each trial in the stream of its subject, from 0.
        left_out: How many trials are not among these, by reason.
    """

    target: str
    classes: tuple[str, ...]
    label: Int64[np.ndarray, " trial"]
    row: Int64[np.ndarray, " trial"]
    start: Int64[np.ndarray, " trial"]
    samples: Int64[np.ndarray, " trial"]
    subject: np.ndarray
    session: np.ndarray
    stimulus: np.ndarray
    name: np.ndarray
    order: Int64[np.ndarray, " trial"]
    left_out: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.label)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Everybody, sorted."""
        return tuple(np.unique(self.subject).tolist())

    @property
    def stimuli(self) -> tuple[str, ...]:
        """Everything that was presented, sorted."""
        return tuple(np.unique(self.stimulus).tolist())

    def counts(self) -> dict[str, int]:
        """Trials of each class."""
        found = np.bincount(self.label, minlength=len(self.classes))
        return dict(zip(self.classes, found.tolist(), strict=True))

    def where(self, chosen: Bool[np.ndarray, " trial"]) -> tuple[int, ...]:
        """The places of some trials."""
        return tuple(np.flatnonzero(chosen).tolist())


def find_trials(store: Store, target: Target) -> Trials:
    """The trials of a store that have a class; the others are left out and counted by reason.

    A record without stimulus events is one trial, from its first sample to its last. In the stream of a subject trials
    follow by session, number of the presentation, record and first sample.

    Args:
        store: Prepared recordings.
        target: What the class is.

    Raises:
        BiosigError: If no trial carries such a label, or all carry the same.
    """
    table = _presentations(store)
    by_record = store.column("codes")
    left_out: Counter[str] = Counter()
    kept, labels = [], []
    for place, (row, code, samples) in enumerate(zip(table["row"], table["code"], table["samples"], strict=True)):
        if target.system == EVENT:
            codes = [str(code)] if code else []
        else:
            codes = [one["code"] for one in by_record[row] if one["system"] == target.system]
        label = target.label(codes)
        if label is None:
            left_out[AMBIGUOUS if codes else UNLABELLED] += 1
        elif target.classes and label not in target.classes:
            left_out[OTHER_CLASS] += 1
        elif samples < store.rates[row]:
            left_out[SHORT] += 1
        else:
            kept.append(place)
            labels.append(label)
    present = set(labels)
    if not kept:
        raise BiosigError(f"{store.path}: --target {target.text}: {_none(target, table, by_record)}")
    classes = tuple(one for one in target.classes if one in present) or tuple(sorted(present))
    if len(classes) < 2:
        raise BiosigError(f"{store.path}: --target {target.text}: expected two classes, all trials are {classes[0]!r}")
    table = table.iloc[kept].reset_index(drop=True)
    places = np.array([classes.index(one) for one in labels], dtype=np.int64)
    return _assemble(store, table, places, text=target.text, classes=classes, left_out=left_out)


def _none(target: Target, table: pd.DataFrame, by_record: Sequence[Sequence[Mapping[str, str]]]) -> str:
    """Why no trial has a class, and what could be asked for instead."""
    systems = {str(one["system"]) for codes in by_record for one in codes}
    if (table["stimulus"] != "").any():
        systems |= {EVENT}
    elif target.system == EVENT:
        return (
            "expected events that name their stimulus and last, found none (in BIDS, `stim_file` and `duration` of "
            f"events.tsv); codes of whole records: {', '.join(sorted(systems)) or 'none'}"
        )
    return (
        f"expected trials with a code of {target.system!r}, found none; there are: "
        f"{', '.join(sorted(systems)) or 'none'}"
    )


def _presentations(store: Store) -> pd.DataFrame:
    """`biosig.store.trials`, and one trial for each record without any."""
    import pandas as pd  # noqa: PLC0415 -- as slow as the rest of the package together

    table = trials(store)
    whole = np.setdiff1d(np.arange(len(store)), table["row"].to_numpy())
    records = store.records.iloc[whole]
    rest = pd.DataFrame(
        {
            "row": whole,
            "record": records["record"].to_numpy(),
            "subject": records["subject"].to_numpy(),
            "session": records["session"].to_numpy(),
            "stimulus": "",
            "trial": pd.array([pd.NA] * len(whole), dtype="Int64"),
            "code": "",
            "start": 0,
            "samples": store.samples[whole],
            "late": 0,
        }
    )
    joined = pd.concat([part for part in (table, rest) if len(part)], ignore_index=True)
    return joined.sort_values(["row", "start"], kind="stable").reset_index(drop=True)


def _assemble(
    store: Store,
    table: pd.DataFrame,
    labels: Int64[np.ndarray, " trial"],
    *,
    text: str,
    classes: tuple[str, ...],
    left_out: Counter[str],
) -> Trials:
    corpora = store.records["corpus"].astype(str).to_numpy()[table["row"]]
    subject = table["subject"].astype(str).to_numpy(dtype=str)
    if len(set(corpora)) > 1:  # names of subjects are unique in their corpus only
        subject = np.array([f"{corpus}/{one}" for corpus, one in zip(corpora, subject, strict=True)])
    number = table["trial"].astype("float").fillna(-1).to_numpy()
    session = table["session"].astype(str).to_numpy(dtype=str)
    stream = np.lexsort((table["start"], table["row"], number, session, subject))
    order = np.empty(len(table), np.int64)
    people, first = np.unique(subject[stream], return_index=True)
    counts = np.diff(np.append(first, len(table)))
    order[stream] = np.concatenate([np.arange(count) for count in counts]) if len(people) else []
    several = table["row"].duplicated(keep=False)
    names = [
        f"{record}@{start}" if more else str(record)
        for record, start, more in zip(table["record"], table["start"], several, strict=True)
    ]
    return Trials(
        target=text,
        classes=classes,
        label=labels,
        row=table["row"].to_numpy(np.int64),
        start=table["start"].to_numpy(np.int64),
        samples=table["samples"].to_numpy(np.int64),
        subject=subject,
        session=session,
        stimulus=table["stimulus"].astype(str).to_numpy(dtype=str),
        name=np.array(names),
        order=order,
        left_out=MappingProxyType(dict(left_out)),
    )

"""Batches of several subjects at the same moments of the same stimuli: a function of seed, epoch and place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from biosig.store import Store, collate
from pretrain.errors import TrainingError
from pretrain.sampling.presentations import Presentations, presentations

# Keeps these numbers apart from those that draw order, windows and augmentations of the same seed and epoch.
_ORDER, _BATCH = 3, 4
# A moment is a stimulus and a first sample in it, in one number; no stimulus lasts 2^40 samples.
_OFFSET_BITS = 40
# More names than this do not help to find out what is the matter.
_NAMED = 8


class Moments:
    """Windows of `subjects` subjects at each of `moments` moments: the sampler of CLISA.

    A moment is a stimulus and a time in it. A batch takes every stimulus as often as every other, to within one; over
    an epoch the odd ones go round. Its moments of one stimulus do not overlap. A random order of all subjects is drawn
    for a batch, and each moment takes the first ones in it who were there: where everybody met every stimulus, a batch
    is of the same few subjects throughout, so that who it is does not tell which moment it is. Windows begin at any
    sample of the longest stretch of a stimulus that enough subjects have seen.

    Stimuli of one name in different corpora are different; stores of one corpus have stimuli and subjects in common.

    Args:
        stores: With the same sampling rate.
        rows: Of each store, which records.
        seconds: Length of a window.
        moments: In a batch.
        subjects: At each moment.
        apart: The least seconds between two windows of one stimulus.
        fewer: Take fewer moments where there is no room for so many, instead of an error.

    Attributes:
        left_out: Stimuli, as corpus and name, that fewer than `subjects` subjects met at one moment.
        stimuli: Those that are used.

    Raises:
        TrainingError: If no stimulus is left, or they do not hold so many moments.

    References:
        Shen et al., Contrastive learning of subject-invariant EEG representations for cross-subject emotion
        recognition (CLISA), arXiv 2109.09559.
    """

    def __init__(
        self,
        stores: Sequence[Store],
        rows: Sequence[Int64[np.ndarray, " row"]],
        *,
        seconds: float,
        moments: int,
        subjects: int = 2,
        apart: float = 0.0,
        fewer: bool = False,
    ) -> None:
        self.stores, self.subjects = tuple(stores), subjects
        rate = stores[0].sampling_rate
        self.length = max(round(seconds * rate), 1)
        self._step = self.length + round(apart * rate)
        self._first_row = np.concatenate([[0], np.cumsum([len(store) for store in stores])])
        met = presentations(stores, rows, self.length, subjects)
        self._stimuli = [stimulus for stimulus in met.values() if stimulus is not None]
        self._people = 1 + max((int(stimulus.subject.max()) for stimulus in self._stimuli), default=0)
        self.left_out = tuple(name for name, stimulus in met.items() if stimulus is None)
        self.stimuli = tuple(stimulus.name for stimulus in self._stimuli)
        if not self._stimuli:
            found = f"{len(met)} stimuli, all met by fewer" if met else "no event that names a stimulus"
            raise TrainingError(
                f"{_names(stores)}: expected stimuli that at least {subjects} subjects met for {seconds:g} s, "
                f"found {found}{_listed(self.left_out)}"
            )
        room = len(self._stimuli) * min(stimulus.holds(self._step) for stimulus in self._stimuli)
        self.moments = min(moments, room) if fewer else moments
        self._check_room(seconds, apart)

    def __len__(self) -> int:
        """Windows that the presentations hold side by side."""
        return sum(int(((one.until - one.late) // self.length + 1).sum()) for one in self._stimuli)

    @property
    def size(self) -> int:
        """Windows in every batch."""
        return self.moments * self.subjects

    @property
    def batches_per_epoch(self) -> int:
        """As many as use about as many windows as there are."""
        return max(len(self) // self.size, 1)

    @property
    def note(self) -> str:
        """What is left out, in one line; empty where nothing is."""
        if not self.left_out:
            return ""
        count = len(self.left_out)
        return (
            f"{count} of {count + len(self.stimuli)} stimuli are left out, for fewer than {self.subjects} subjects met "
            f"the same {self.length / self.stores[0].sampling_rate:g} s of them{_listed(self.left_out)}"
        )

    def batch(self, place: int, *, seed: int, epoch: int, part: slice = slice(None)) -> dict[str, Tensor]:
        """The windows of one batch, those of one moment beside each other; only a part of them is read.

        Returns:
            What `biosig.store.collate` gives, `row` counted over all stores; `moment (B,)` int64, equal for equal
            moments; `subject (B,)` int64, equal for equal subjects.
        """
        order = np.random.default_rng([seed, epoch, _ORDER]).permutation(len(self._stimuli))
        rng = np.random.default_rng([seed, epoch, _BATCH, place])
        rank = rng.permutation(self._people)
        each, odd = divmod(self.moments, len(self._stimuli))
        windows: list[tuple[int, int, int]] = []
        moment: list[int] = []
        subject: list[int] = []
        # The odd ones go round the order of the epoch, so that all have come as often after some batches.
        extra = {int(order[(place * odd + k) % len(order)]) for k in range(odd)}
        for number in order.tolist():
            stimulus = self._stimuli[number]
            for offset in self._offsets(stimulus, each + (number in extra), rng):
                for one in self._who(stimulus, offset, rank, rng):
                    first = stimulus.start[one] + offset - stimulus.late[one]
                    windows.append((int(stimulus.store[one]), int(stimulus.row[one]), int(first)))
                    subject.append(int(stimulus.subject[one]))
                    moment.append(number << _OFFSET_BITS | offset)
        windows = windows[part]
        made = collate([(self.stores[store], row, first) for store, row, first in windows], self.length)
        made["row"] = torch.tensor([int(self._first_row[store]) + row for store, row, _ in windows])
        return {**made, "moment": torch.tensor(moment[part]), "subject": torch.tensor(subject[part])}

    def _offsets(self, stimulus: Presentations, count: int, rng: np.random.Generator) -> list[int]:
        """So many first samples, uniform among all choices that keep their distance."""
        room = stimulus.last - stimulus.first - (count - 1) * self._step
        # Places with repetition, spread by the distance: the bars of stars and bars.
        places = np.sort(rng.choice(room + count, size=count, replace=False)) - np.arange(count)
        return (stimulus.first + places + self._step * np.arange(count)).tolist()

    def _who(
        self, stimulus: Presentations, offset: int, rank: Int64[np.ndarray, " subject"], rng: np.random.Generator
    ) -> list[int]:
        """The presentations of the first subjects in rank who saw this moment; any one where somebody saw it twice."""
        there = np.flatnonzero((stimulus.late <= offset) & (offset <= stimulus.until))
        shuffled = rng.permutation(there)
        in_rank = shuffled[np.argsort(rank[stimulus.subject[shuffled]], kind="stable")]
        _, firsts = np.unique(rank[stimulus.subject[in_rank]], return_index=True)
        return in_rank[np.sort(firsts)[: self.subjects]].tolist()

    def _check_room(self, seconds: float, apart: float) -> None:
        """That every stimulus holds its share of a batch."""
        most = -(-self.moments // len(self._stimuli))
        tight = [one for one in self._stimuli if one.holds(self._step) < most]
        if tight:
            held = min(one.holds(self._step) for one in tight)
            between = f" that are {apart:g} s apart" if apart else ""
            raise TrainingError(
                f"{_names(self.stores)}: optimiser.batch_size asks for {self.moments} moments of "
                f"{len(self._stimuli)} stimuli, {most} of each; stimulus {tight[0].name[1]!r} holds {held} windows of "
                f"{seconds:g} s{between} (at most {held * len(self._stimuli) * self.subjects} windows make a batch)"
            )


def _names(stores: Sequence[Store]) -> str:
    return ", ".join(str(store.path) for store in stores)


def _listed(names: Sequence[tuple[str, str]]) -> str:
    if not names:
        return ""
    more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f": {', '.join(name for _, name in names[:_NAMED])}{more}"

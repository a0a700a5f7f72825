"""Same-moment retrieval: does a subject's window find that of another subject at the same moment of the stimulus?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, count

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from biosig.store import Store
from pretrain.errors import TrainingError
from pretrain.models.foundation import FoundationModel
from pretrain.objectives import TemporalAsynchronous
from pretrain.sampling.presentations import Presentations, presentations

# Windows that a model embeds at once.
_BATCH = 64


@dataclass(frozen=True)
class Retrieval:
    """How often the nearest window of the other subject is that of the same moment.

    Attributes:
        accuracy: Mean over pairs of subjects and both directions.
        pairs: The accuracy of each pair of subjects, as corpus and name.
        moments: Of how many moments one has to be found, of each pair.
        chance: The accuracy of guessing.
    """

    accuracy: float
    pairs: dict[tuple[tuple[str, str], tuple[str, str]], float]
    moments: tuple[int, ...]
    chance: float


def found(similarity: Float[Tensor, "moment moment"]) -> float:
    """The share of rows and columns whose largest entry is the one on the diagonal.

    Several equally large entries share the win: a model that maps everything to one point has the accuracy of chance.

    Args:
        similarity: Of the windows of one subject to those of another, moment by moment.
    """
    own = similarity.diagonal()
    shares = []
    for dim in (0, 1):
        best = similarity.amax(dim)
        shares.append(((own == best) / (similarity == best.unsqueeze(dim)).sum(dim)).mean())
    return float(sum(shares)) / 2


@torch.no_grad()
def retrieval(
    model: FoundationModel,
    objective: TemporalAsynchronous,
    store: Store,
    rows: Int64[np.ndarray, " row"],
    *,
    moments: int = 64,
) -> Retrieval:
    """Same-moment retrieval between all pairs of subjects of some records, by the objective's own similarity.

    The moments of a pair stand side by side through the stimuli that both met, so no two windows overlap; where there
    are more than `moments`, that many are taken, evenly spread.

    Args:
        model: With tokens.
        objective: Whose similarity it is.
        store: Of the records.
        rows: Of subjects whom the model has not seen, if that is the question.
        moments: The most for each pair.

    Raises:
        TrainingError: If no two subjects share two moments.
    """
    model.config.intake.check_store(store)
    length = model.config.intake.samples
    met = [one for one in presentations([store], [rows], length, 2).values() if one is not None]
    people = {int(p): store.subjects[int(row)] for one in met for p, row in zip(one.subject, one.row, strict=True)}
    pairs, sizes = {}, []
    training = model.training
    model.eval()
    try:
        tokens = _Tokens(model, store, length)
        for a, b in combinations(sorted(people), 2):
            shared = [place for one in met for place in _shared(one, a, b, length)]
            if len(shared) < 2:
                continue
            if len(shared) > moments:
                shared = [shared[int(k)] for k in np.linspace(0, len(shared) - 1, moments).round()]
            one, other = (tokens.of([place[side] for place in shared]) for side in (0, 1))
            kind = objective.aligner(one.shape[1], model.signal.token_rate)
            pairs[people[a], people[b]] = found(kind.compare(kind.prepare(one), kind.prepare(other)))
            sizes.append(len(shared))
    finally:
        model.train(training)
    if not pairs:
        raise TrainingError(
            f"{store.path}: expected two subjects who share two moments of {length} samples, found none"
        )
    chance = float(np.mean([1 / size for size in sizes]))
    return Retrieval(float(np.mean(list(pairs.values()))), pairs, tuple(sizes), chance)


# Row and first sample of a window.
_Window = tuple[int, int]


def _shared(stimulus: Presentations, a: int, b: int, length: int) -> list[tuple[_Window, _Window]]:
    """Windows of two subjects side by side through a stimulus; of several presentations, the first of each."""
    first = [np.flatnonzero(stimulus.subject == person)[:1] for person in (a, b)]
    if not all(map(len, first)):
        return []
    one, other = (int(place[0]) for place in first)
    late, until = (pick(getattr(stimulus, f)[[one, other]]) for f, pick in (("late", np.max), ("until", np.min)))
    places: list[tuple[_Window, _Window]] = []
    for number in count():
        offset = int(late) + number * length
        if offset > until:
            return places
        windows = [(int(stimulus.row[p]), int(stimulus.start[p] + offset - stimulus.late[p])) for p in (one, other)]
        places.append((windows[0], windows[1]))
    return places


class _Tokens:
    """The tokens of windows, each embedded once."""

    def __init__(self, model: FoundationModel, store: Store, length: int) -> None:
        self._model, self._store, self._length = model, store, length
        self._known: dict[_Window, Tensor] = {}

    def of(self, windows: Sequence[_Window]) -> Float[Tensor, "window token dim"]:
        missing = [window for window in dict.fromkeys(windows) if window not in self._known]
        for first in range(0, len(missing), _BATCH):
            part = missing[first : first + _BATCH]
            rows, starts = np.array(part, dtype=np.int64).T
            batch = self._model.config.intake.windows(self._store, rows, starts)
            device = self._model.device
            tokens = self._model.tokens({name: value.to(device) for name, value in batch.items()}).cpu()
            self._known.update(zip(part, tokens, strict=True))
        return torch.stack([self._known[window] for window in windows])
